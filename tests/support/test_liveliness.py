"""What is measured of a clip's motion is what was put into it: through the encoder, on clips whose motion is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from support.clips import photo
from support.liveliness import GAP, draw_heat, measure, read
from vivant.encode.mp4 import write_mp4
from vivant.media import F32, U8, Clip, fit, to_planes
from vivant.request import Canvas

WIDTH, HEIGHT, FRAMES = 640, 360, 49
Draw = Callable[[int], U8]


def film(folder: Path, draw: Draw) -> U8:
    """The clip whose frame n is draw(n), RGB uint8 (360, 640, 3), as it is read back from its file."""
    canvas = Canvas(WIDTH, HEIGHT, FRAMES)
    write_mp4(Clip(canvas, (to_planes(draw(n)) for n in range(FRAMES)), None), folder / "clip.mp4")
    return read(folder / "clip.mp4")


def shifted(picture: U8, x: float, y: float) -> U8:
    """The part of the picture, 640x360, whose left upper corner is (x, y)."""
    move = np.array([[1, 0, -x], [0, 1, -y]], np.float32)
    return np.asarray(cv2.warpAffine(picture, move, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC), np.uint8)


def panned(n: int) -> U8:
    """1.2 px per frame to the right."""
    return shifted(fit(photo("meadow_trees"), 800, 533), 10 + 1.2 * n, 90)


def with_patch(frame: U8, size: int, x: float, y: float) -> U8:
    """The frame with a round textured patch of this diameter, whose centre is (x, y), before it."""
    texture = shifted(fit(photo("leaves"), 960, 720), 480 - x, 360 - y)
    rows, columns = np.indices((HEIGHT, WIDTH))
    alpha: F32 = np.clip(size / 2 - np.hypot(columns - x, rows - y), 0, 1).astype(np.float32)[..., None]
    return np.asarray(np.rint(frame * (1 - alpha) + texture * alpha), np.uint8)


def test_a_still_scene_under_a_pan_is_still_and_the_pan_has_its_speed(tmp_path: Path) -> None:
    found = measure(film(tmp_path, panned))
    assert max(quarter.flow for quarter in found.quarters) < 0.1
    assert max(quarter.changed for quarter in found.quarters) < 0.01
    for quarter in found.quarters:
        assert quarter.camera == pytest.approx(1.2, rel=0.05)
    assert found.equal_frames == 0


@pytest.mark.parametrize("speed", [0.5, 1.5])
def test_a_patch_that_moves_under_a_pan_has_its_own_speed_there_and_nowhere_else(tmp_path: Path, speed: float) -> None:
    """The patch goes `speed` px per frame faster than what is behind it."""
    frames = film(tmp_path, lambda n: with_patch(panned(n), 130, 180 + (speed - 1.2) * n, 160 + 0.2 * n))
    found = measure(frames, where=(0.1, 0.1, 0.5, 0.8))
    for quarter in found.quarters:
        assert quarter.flow == pytest.approx(np.hypot(speed, 0.2), rel=0.2)
        assert quarter.elsewhere < 0.1
        assert quarter.camera == pytest.approx(1.2, rel=0.05)
    heat = draw_heat(frames[0], found.heat).astype(int)
    red = heat[..., 0] - heat[..., 2] > 60
    assert red[120:200, 150:200].mean() > 0.8
    assert red[:, 340:].mean() < 0.01


def test_a_subject_that_fills_the_picture_is_measured_when_the_camera_is_known_to_stand_still(tmp_path: Path) -> None:
    still = shifted(fit(photo("meadow_trees"), 800, 533), 10, 90)
    frames = film(tmp_path, lambda n: with_patch(still, 560, 300 + 0.8 * n, 180))
    assert measure(frames).camera > 0.6  # taken for the camera
    found = measure(frames, fixed=True)
    for quarter in found.quarters:
        assert quarter.flow == pytest.approx(0.8, rel=0.2)
        assert quarter.camera == 0


def test_light_that_changes_without_motion_counts_as_change_and_not_as_flow(tmp_path: Path) -> None:
    still = fit(photo("dune_grass"), WIDTH, HEIGHT)
    found = measure(film(tmp_path, lambda n: np.asarray(still * (1 - n / 70), np.uint8)), fixed=True)
    assert min(quarter.changed for quarter in found.quarters) > 0.1
    assert max(quarter.flow for quarter in found.quarters) < 0.3


@pytest.mark.parametrize("held", [0, 7, FRAMES - 1])
def test_equal_frames_are_counted(tmp_path: Path, held: int) -> None:
    """The clip stands still for this many frames, from frame 20 on or from the start. The first of them may still
    look better or worse than the one before, which was coded while all moved."""
    stop = min(20, FRAMES - 1 - held)
    found = measure(film(tmp_path, lambda n: panned(min(n, stop) + max(0, n - stop - held))))
    assert held - 1 <= found.equal_frames <= held


def test_the_share_of_what_moves_that_lies_in_its_place_is_told(tmp_path: Path) -> None:
    still = fit(photo("meadow_trees"), WIDTH, HEIGHT)
    frames = film(tmp_path, lambda n: with_patch(still, 120, 160 + n, 180))
    assert measure(frames, fixed=True, where=(0, 0, 0.5, 1)).in_place > 0.95
    assert measure(frames, fixed=True, where=(0.5, 0, 1, 1)).in_place < 0.05


def test_too_short_a_clip_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 16 frames, got 15"):
        measure(np.zeros((4 * GAP + 3, 36, 64), np.uint8))
