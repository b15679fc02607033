"""Water that is no band below a level line, and rocks that lie in water, on painted pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from support.clips import photo
from vivant.engines.diorama.motion.ambient import falls
from vivant.engines.diorama.scene import brooks, features, pools, regions, sea
from vivant.engines.diorama.scene.features import Features
from vivant.engines.diorama.scene.sea_colour import measure_turquoise
from vivant.engines.diorama.storyboard import TRUSTED
from vivant.media import F32, U8, fit, to_planes

HEIGHT, WIDTH = 288, 512


def grain(sigma: float, seed: int = 3) -> F32:
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(HEIGHT, WIDTH)).astype(np.float32), (0, 0), sigma)
    return np.asarray(noise / noise.std(), np.float32)


def painted(*layers: tuple[F32, tuple[int, int, int], float]) -> U8:
    """RGB of layers (mask, colour, contrast of their grain), each over the one before."""
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for mask, colour, contrast in layers:
        body = np.array(colour, np.float32) + contrast * grain(1.2)[..., None]
        rgb[:] = rgb * (1 - mask[..., None]) + body * mask[..., None]
    return np.clip(rgb, 0, 255).astype(np.uint8)


def below(row: int) -> F32:
    return (np.arange(HEIGHT)[:, None] >= row).astype(np.float32) * np.ones((1, WIDTH), np.float32)


def oval(x: int, y: int, wide: int, high: int) -> F32:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.ellipse(mask, (x, y), (wide, high), 0, 0, 360, 1.0, -1)
    return mask


ALL = np.ones((HEIGHT, WIDTH), np.float32)
RIDGE = 90 + 25 * np.sin(np.arange(WIDTH) / 40)
HILLY = (np.arange(HEIGHT)[:, None] >= RIDGE[None]).astype(np.float32)
SKY, HILLS = (ALL, (190, 205, 225), 0.0), (HILLY, (70, 80, 45), 22.0)


def look(rgb: U8) -> features.Features:
    return features.extract_features(rgb, np.zeros(rgb.shape[:2], np.float32), drawn=0.0)


def test_a_lake_seen_from_above_is_found_where_it_lies() -> None:
    lake = oval(300, 200, 150, 45)
    rgb = painted(SKY, HILLS, (lake, (160, 180, 185), 1.0))
    seen = look(rgb)
    sky, rim = regions.find_sky(seen, rgb, indoors=0.0)
    water, line = regions.find_water(seen, rgb, rim=rim, sky_mask=sky.mask, indoors=0.0)
    found = water.mask > 0.5
    assert (found & (lake > 0)).sum() > 0.85 * lake.sum() and (found & (lake == 0)).sum() < 0.1 * lake.sum()
    assert 0.1 < water.trust <= pools.SURE  # not enough to move unasked
    assert abs(line * HEIGHT - 155) < 12


def test_a_meadow_and_a_patch_of_sand_are_no_lakes() -> None:
    for colour in ((95, 150, 60), (205, 180, 120)):
        rgb = painted(SKY, HILLS, (oval(300, 200, 150, 45), colour, 1.0))
        seen = look(rgb)
        sky, rim = regions.find_sky(seen, rgb, indoors=0.0)
        small = np.asarray(cv2.resize(sky.mask, seen.shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
        assert pools.find_pool(seen, rim=rim, sky=small)[1] < 0.1


def test_brown_rocks_are_told_from_a_dark_blue_sea_and_foam() -> None:
    rocks = np.maximum(oval(120, 240, 90, 40), oval(420, 200, 50, 30))
    rgb = painted(
        (ALL, (60, 95, 150), 0.0), (oval(260, 170, 120, 25), (225, 230, 232), 10.0), (rocks, (62, 50, 38), 22.0)
    )
    luma = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    found = sea.find_rocks(rgb, luma, below(60), sea.measure_roughness(luma, below(60)))
    inner = cv2.erode(rocks, np.ones((9, 9))) > 0
    assert found[inner].mean() > 0.9
    assert found[cv2.dilate(rocks, np.ones((13, 13))) == 0].mean() < 0.02


def test_dark_reflections_and_wave_troughs_are_no_rocks() -> None:
    reflection = (oval(200, 180, 120, 50), (50, 60, 60), 1.0)
    calm = painted((ALL, (150, 165, 180), 1.0), reflection)
    streaks = cv2.resize(grain(1.0)[:, ::16], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    rough = np.clip(110 + 30 * cv2.GaussianBlur(streaks, (0, 0), sigmaX=8, sigmaY=2), 0, 255).astype(np.uint8)
    for rgb in (np.asarray(cv2.GaussianBlur(calm, (0, 0), 3), np.uint8), np.repeat(rough[..., None], 3, axis=2)):
        luma = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        assert sea.find_rocks(rgb, luma, below(60), sea.measure_roughness(luma, below(60))).mean() < 0.01


def bed() -> F32:
    """A brook that winds down the picture."""
    x = 250 + 60 * np.sin(np.arange(HEIGHT) / 50)[:, None]
    inside = (np.abs(np.arange(WIDTH)[None] - x) < 26) & (np.arange(HEIGHT)[:, None] > 70)
    return np.asarray(inside, np.float32)


def test_a_brook_between_rocks_is_found_by_its_colour() -> None:
    rgb = painted((ALL, (120, 116, 92), 22.0), (bed(), (150, 158, 170), 26.0))
    seen = look(rgb)
    water, _ = regions.find_water(
        seen, rgb, rim=np.zeros(seen.shape[1], np.float32), sky_mask=np.zeros((HEIGHT, WIDTH), np.float32), indoors=0.0
    )
    assert 0.1 <= water.trust <= brooks.SURE
    found = water.mask > 0.5
    assert found[bed() > 0].mean() > 0.7 and found[bed() == 0].mean() < 0.03


@pytest.mark.parametrize(("name", "sure"), [("forest_stream", True), ("fig_bowl", False), ("pond_mountain", False)])
def test_a_brook_that_runs_down_steps_is_trusted_to_run_by_itself(name: str, sure: bool) -> None:
    seen = look(photo(name))
    _, trust = brooks.find_brook(seen, sky=np.zeros(seen.shape, np.float32))
    assert (trust >= TRUSTED) == sure


@pytest.mark.parametrize(("light", "water"), [((150, 158, 170), True), ((168, 160, 128), False)])
def test_sunlight_on_a_road_under_trees_is_no_foam(light: tuple[int, int, int], water: bool) -> None:
    """A long bed that leads out of the picture, with level bright patches: as cool as it, or warm as the sun."""
    rgb = painted((ALL, (120, 104, 60), 40.0), (bed(), (96, 102, 112), 18.0))
    noise = np.random.default_rng(4).normal(size=(HEIGHT, WIDTH)).astype(np.float32)
    patches = cv2.GaussianBlur(noise, (0, 0), sigmaX=9, sigmaY=2)
    rgb[(patches > 0.75 * patches.std()) & (bed() > 0)] = light
    _, trust = brooks.find_brook(look(rgb), sky=np.zeros(look(rgb).shape, np.float32))
    assert (trust >= TRUSTED) == water


def test_ground_of_one_colour_has_no_brook() -> None:
    seen = look(painted((ALL, (120, 116, 92), 22.0)))
    assert brooks.find_brook(seen, sky=np.zeros(seen.shape, np.float32))[1] == 0


def photographed(name: str) -> tuple[U8, features.Features]:
    rgb = fit(photo(name), 864, 432)
    return rgb, look(rgb)


def test_a_wave_that_breaks_before_the_horizon_is_water_and_a_far_shore_is_not() -> None:
    for name, line in (("waves_sunset", 0.34), ("mountain_lake", 0.62), ("sea_falls", 0.37)):
        rgb, seen = photographed(name)
        sky, rim = regions.find_sky(seen, rgb, indoors=0.0)
        _, found = regions.find_water(seen, rgb, rim=rim, sky_mask=sky.mask, indoors=0.0)
        assert abs(found - line) < 0.02, name
    level = painted((ALL, (190, 205, 225), 0.0), (below(100), (60, 90, 60), 14.0), (below(140), (110, 140, 170), 5.0))
    seen = look(level)
    sky, rim = regions.find_sky(seen, level, indoors=0.0)
    _, found = regions.find_water(seen, level, rim=rim, sky_mask=sky.mask, indoors=0.0)
    assert found * HEIGHT > 130  # a green shore


def test_a_fall_in_which_water_was_missed_is_whole() -> None:
    rgb, _ = photographed("sea_falls")
    water = np.ones(rgb.shape[:2], np.float32)
    water[:160] = 0
    water[330:380, 580:690] = 0  # as its colours leave it
    falling = falls.find_falling(to_planes(rgb).y, water, 0.6)
    assert falling[330:380, 580:690].mean() > 0.8
    assert falling[:250].max() < 0.1 and falling[410:].mean() < 0.1
    # With the stream that runs aslant into it, and without the rocks before it.
    assert falling[345:375, 195:265].mean() > 0.5
    assert falling[400:, 580:760].mean() < 0.03


def test_turquoise_is_weighed_only_where_rows_are_full_of_it_and_is_then_the_same() -> None:
    lab = np.zeros((90, 160, 3), np.float32)
    lab[:, :, 0] = 60
    lab[:40, :, 1:] = (-4, -30)  # a blue sky
    lab[40:, :, 1:] = (-22, -20)  # over a turquoise sea
    flat = np.zeros((90, 160), np.float32)
    subject = flat.copy()
    subject[30:, 60:90] = 1  # before which somebody stands

    def measure(colours: F32) -> F32:
        return measure_turquoise(Features(rgb=lab, lab=colours, busy=flat, upright=flat, subject=subject, drawn=0.0))

    assert measure(lab)[35:45].max() == 1
    pool = lab.copy()
    pool[40:, : 160 // 3, 1:] = 0  # no wider than two thirds
    assert not measure(pool).any()
