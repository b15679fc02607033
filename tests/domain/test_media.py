"""Pictures, planes and the clock."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from support.paths import PHOTOS
from vivant.media import SAMPLE_RATE, SAMPLES_PER_FRAME, Planes, Soundtrack, crop_box, fit, to_picture, to_planes
from vivant.request import FPS, SIZES

PHOTO = PHOTOS / "dahlia.jpg"


@pytest.mark.parametrize("size", SIZES.values())
@pytest.mark.parametrize("picture", [(720, 360), (900, 1600), (1000, 1000)])
def test_the_crop_is_centred_inside_and_has_the_canvas_aspect(picture: tuple[int, int], size: tuple[int, int]) -> None:
    left, top, right, bottom = crop_box(*picture, *size)
    assert left >= 0
    assert top >= 0
    assert left == pytest.approx(picture[0] - right)
    assert top == pytest.approx(picture[1] - bottom)
    assert (right - left) / (bottom - top) == pytest.approx(size[0] / size[1])
    assert left == 0 or top == 0


def test_a_picture_of_the_canvas_size_is_not_resampled() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (496, 864, 3), np.uint8)
    assert np.array_equal(fit(picture, 864, 496), picture)


@pytest.mark.parametrize(
    ("rgb", "yuv"),
    [
        ((0, 0, 0), (16, 128, 128)),
        ((255, 255, 255), (235, 128, 128)),
        ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)),
        ((0, 0, 255), (32, 240, 118)),
    ],
)
def test_primaries_have_their_bt709_codes(rgb: tuple[int, int, int], yuv: tuple[int, int, int]) -> None:
    planes = to_planes(np.full((4, 4, 3), rgb, np.uint8))
    assert (planes.y[0, 0], planes.u[0, 0], planes.v[0, 0]) == pytest.approx(yuv, abs=1)


def test_a_photo_survives_conversion_to_planes_and_back() -> None:
    picture = np.asarray(Image.open(PHOTO).convert("RGB"))[:426]
    back = to_picture(to_planes(picture))
    assert 10 * np.log10(255**2 / np.mean((picture.astype(float) - back) ** 2)) > 34


def test_chroma_is_sited_left() -> None:
    """A colour edge at an even column stays there: left siting puts chroma sample i on column 2i."""
    picture = np.zeros((8, 32, 3), np.uint8)
    picture[:, 16:] = (255, 0, 0)
    v = to_planes(picture).v[0].astype(float) - 128
    share = v / v.max()
    assert share[7] == 0.0
    assert share[8] == pytest.approx(0.75, abs=0.02)  # (1 2 1)/4 about column 16: one black neighbour
    assert share[9] == pytest.approx(1.0, abs=0.02)


def test_planes_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="4:2:0"):
        Planes(np.zeros((4, 6), np.uint8), np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8))


def test_sound_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="float32"):
        Soundtrack(np.zeros((1, 100), np.float32))


def test_a_frame_has_exactly_2000_samples() -> None:
    assert SAMPLES_PER_FRAME * FPS == SAMPLE_RATE
    assert SAMPLES_PER_FRAME == 2000
