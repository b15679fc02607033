from __future__ import annotations

import cv2
import numpy as np
import pytest

from support.scenes import HEIGHT, WIDTH
from vivant.engines.diorama.scene.seed_head import is_head_on_stem
from vivant.media import F32, U8


def drawn(*, stem: int, wide: int = 60, high: int = 60, aside: int = 0, step: bool = False) -> tuple[F32, U8]:
    """A mask of a pale head and a picture of it over grass. step: the ground is darker on one side."""
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.ellipse(mask, (200, 100), (wide, high), 0, 0, 360, 1.0, -1)
    grain = np.random.default_rng(2).normal(0, 4, (HEIGHT, WIDTH, 1))
    picture = np.array([50.0, 75.0, 30.0]) + grain
    if step:
        picture[:, 200:] *= 0.4
    if stem:
        picture[100:, 200 + aside - stem // 2 : 200 + aside + stem // 2] = (120, 130, 70)
    picture = np.where(mask[..., None] > 0, 200 + grain, picture)
    return mask, np.clip(picture, 0, 255).astype(np.uint8)


def test_a_round_head_on_a_thin_stem_is_one() -> None:
    assert is_head_on_stem(*drawn(stem=10))
    assert is_head_on_stem(*drawn(stem=14, wide=56, aside=8))


@pytest.mark.parametrize(
    "seen",
    [
        drawn(stem=0), drawn(stem=60), drawn(stem=10, wide=30), drawn(stem=10, aside=50), drawn(stem=0, step=True),
    ],
    ids=["a ball", "a head on shoulders", "a bottle", "a ball before a post", "a ball at the edge of a shadow"],
)  # fmt: skip
def test_other_shapes_are_none(seen: tuple[F32, U8]) -> None:
    assert not is_head_on_stem(*seen)
