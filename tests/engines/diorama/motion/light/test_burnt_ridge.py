"""A ridge that the sun burnt out of the picture is found, and nothing else is taken for one."""

from __future__ import annotations

import numpy as np

from vivant.engines.diorama.motion.light.burnt_ridge import find_burnt_ridge
from vivant.media import U8

HEIGHT, WIDTH, RIDGE, SUN = 240, 400, 120, 200


def sky_down_to(notch: int) -> U8:
    """Sky over a level ridge, with a notch as deep as said, 40 pixels wide, under the sun."""
    share: U8 = np.zeros((HEIGHT, WIDTH), np.uint8)
    share[:RIDGE] = 255
    share[RIDGE : RIDGE + notch, SUN - 20 : SUN + 20] = 255
    return share


def luma_of(share: U8, in_notch: int) -> U8:
    luma: U8 = np.where(share > 0, 180, 60).astype(np.uint8)
    luma[RIDGE : RIDGE + 40, SUN - 20 : SUN + 20] = in_notch
    return luma


def test_a_white_notch_under_the_sun_is_a_burnt_ridge() -> None:
    share = sky_down_to(24)
    burnt = find_burnt_ridge(share, luma_of(share, 235), SUN, 14)
    assert burnt[RIDGE + 4 : RIDGE + 22, SUN - 14 : SUN + 14].min() > 0.9
    assert burnt[: RIDGE - 4].max() == 0
    assert burnt[:, : SUN - 60].max() == 0 and burnt[RIDGE + 80 :].max() == 0


def test_a_level_horizon_and_a_pass_that_is_no_glare_are_not_burnt() -> None:
    level = sky_down_to(0)
    assert find_burnt_ridge(level, luma_of(level, 60), SUN, 14).max() == 0
    valley = sky_down_to(24)
    assert find_burnt_ridge(valley, luma_of(valley, 120), SUN, 14)[RIDGE + 4 :].max() == 0
    assert find_burnt_ridge(valley, luma_of(valley, 235), SUN - 180, 10)[RIDGE + 4 :].max() == 0  # the sun is elsewhere
