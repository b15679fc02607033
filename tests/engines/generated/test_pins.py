"""A clip begins and ends on the caller's pictures, and nothing jumps, whatever a model made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pytest

from support.clips import photo
from support.film import luma
from vivant.encode.mp4 import write_mp4
from vivant.engines.generated.pins import FADE, pin_ends
from vivant.errors import EngineFailed
from vivant.media import U8, Clip, fit, to_planes
from vivant.request import Canvas

WIDTH, HEIGHT, COUNT = 864, 496, 30
MOTION: Final = 4.0  # pixels a frame that the camera of the film moves


@pytest.fixture(scope="module", params=["golden_dog", "city_day"])
def view(request: pytest.FixtureRequest) -> U8:
    return fit(photo(request.param), 1120, 644)


def camera(view: U8) -> Iterator[U8]:
    """A film in which the camera moves over a picture."""
    for n in range(COUNT):
        matrix = np.array([[1, 0, -20 - MOTION * n], [0, 1, -60]], np.float32)
        frame: U8 = np.asarray(cv2.warpAffine(view, matrix, (WIDTH, HEIGHT)), np.uint8)
        yield frame


def recolour(view: U8) -> U8:
    tinted = (view.astype(np.float32) - 128) * 0.85 + 128 + np.array([14, 2, -12], np.float32)
    result: U8 = np.clip(tinted, 0, 255).astype(np.uint8)
    return result


def shift(view: U8) -> U8:
    return np.roll(view, (2, 3), (0, 1))


def soften(view: U8) -> U8:
    return np.asarray(cv2.GaussianBlur(view, (0, 0), 1.2), np.uint8)


def redraw(view: U8) -> U8:
    """Other content: a mirror image."""
    return np.ascontiguousarray(view[:, ::-1])


def pinned(view: U8, alter: Callable[[U8], U8], *, last: bool = False) -> tuple[list[U8], list[U8], list[U8]]:
    """(the true film, what the model makes of it, that with its ends pinned)."""
    true, made = list(camera(view)), list(camera(alter(view)))
    return true, made, list(pin_ends(iter(made), first=true[0], last=true[-1] if last else None, count=COUNT))


def details(frame: U8) -> float:
    """How much detail a frame has."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float((grey - cv2.GaussianBlur(grey, (0, 0), 3.0)).std())


ALTERATIONS: Final = [recolour, shift, soften, redraw]


@pytest.mark.parametrize("alter", ALTERATIONS)
def test_the_ends_are_the_pictures_to_the_bit_and_the_middle_is_the_models(view: U8, alter: Callable[[U8], U8]) -> None:
    true, made, out = pinned(view, alter, last=True)
    assert len(out) == COUNT
    assert np.array_equal(out[0], true[0]) and np.array_equal(out[-1], true[-1])
    assert all(np.array_equal(a, b) for a, b in zip(out[FADE + 1 : -FADE - 1], made[FADE + 1 : -FADE - 1], strict=True))


def test_without_a_last_picture_the_end_is_the_models(view: U8) -> None:
    _, made, out = pinned(view, recolour)
    assert all(np.array_equal(a, b) for a, b in zip(out[FADE + 1 :], made[FADE + 1 :], strict=True))


def test_a_film_that_begins_on_the_picture_stays_as_it_is(view: U8) -> None:
    _, made, out = pinned(view, lambda picture: picture, last=True)
    assert all(np.array_equal(a, b) for a, b in zip(out, made, strict=True))


def test_other_colours_fade_while_what_moves_goes_on_moving(view: U8) -> None:
    true, made, out = pinned(view, recolour, last=True)
    # Beside the ends the frames are nearly what the true film shows there, motion and all …
    for n in (1, 2, COUNT - 3, COUNT - 2):
        assert cv2.PSNR(out[n], true[n]) > cv2.PSNR(made[n], true[n]) + 3
    # … and the colour passes evenly from the picture's to the model's.
    warmth = [float(frame[..., 0].mean() - frame[..., 2].mean()) for frame in out[: FADE + 2]]
    steps = np.diff(warmth)
    assert np.abs(steps).max() < 0.4 * abs(warmth[-1] - warmth[0])


def test_a_shifted_film_slides_into_place_without_relief_and_without_a_blur(view: U8) -> None:
    true, _, out = pinned(view, shift, last=True)
    for n in (*range(1, FADE + 1), *range(COUNT - FADE - 1, COUNT - 1)):
        # Added as a difference, the shift gives up to half again as much detail; cross-faded, up to a third less.
        assert 0.9 <= details(out[n]) / details(true[n]) <= 1.1


def test_other_content_cross_fades_without_relief(view: U8) -> None:
    _, made, out = pinned(view, redraw)
    most = max(details(out[0]), max(map(details, made)))
    assert all(details(frame) <= 1.08 * most for frame in out)


@pytest.mark.parametrize("alter", ALTERATIONS)
def test_nothing_jumps(view: U8, alter: Callable[[U8], U8]) -> None:
    _, made, out = pinned(view, alter, last=True)
    apart = float(np.abs(out[0].astype(int) - made[0]).mean())
    moving = max(float(np.abs(a.astype(int) - b).mean()) for a, b in zip(made[1:], made[:-1], strict=True))
    for a, b in zip(out[1:], out[:-1], strict=True):
        assert float(np.abs(a.astype(int) - b).mean()) <= 1.25 * moving + 0.35 * apart


@pytest.mark.parametrize("alter", ALTERATIONS)
def test_the_encoded_clip_begins_and_ends_on_the_pictures(view: U8, alter: Callable[[U8], U8], tmp_path: Path) -> None:
    true, _, out = pinned(view, alter, last=True)
    clip = Clip(canvas=Canvas(WIDTH, HEIGHT, COUNT), frames=map(to_planes, out), soundtrack=None)
    write_mp4(clip, tmp_path / "clip.mp4")
    shown = list(luma(tmp_path / "clip.mp4"))
    assert cv2.PSNR(shown[0], to_planes(true[0]).y) >= 40
    assert cv2.PSNR(shown[-1], to_planes(true[-1]).y) >= 36


def test_pictures_without_any_detail_are_pinned_too() -> None:
    grey, darker = np.full((64, 64, 3), 120, np.uint8), np.full((64, 64, 3), 90, np.uint8)
    out = list(pin_ends(iter([darker] * 20), first=grey, last=None, count=20))
    levels = [int(frame[0, 0, 0]) for frame in out]
    assert levels[0] == 120 and levels[FADE + 1 :] == [90] * (20 - FADE - 1)
    assert levels == sorted(levels, reverse=True)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 14])
def test_clips_that_are_shorter_than_two_fades_keep_both_ends(count: int) -> None:
    first, last = np.full((16, 16, 3), 200, np.uint8), np.full((16, 16, 3), 20, np.uint8)
    out = list(pin_ends(iter([np.full((16, 16, 3), 100, np.uint8)] * count), first=first, last=last, count=count))
    assert len(out) == count and np.array_equal(out[-1], last)
    assert count == 1 or np.array_equal(out[0], first)


@pytest.mark.parametrize("made", [19, 21, 0])
def test_a_wrong_number_of_frames_fails_in_words(made: int) -> None:
    frame = np.zeros((16, 16, 3), np.uint8)
    with pytest.raises(EngineFailed, match="promised 20 frames"):
        list(pin_ends(iter([frame] * made), first=frame, last=None, count=20))


def test_a_frame_of_another_size_fails_in_words() -> None:
    frames = [np.zeros((16, 16, 3), np.uint8), np.zeros((16, 18, 3), np.uint8)]
    with pytest.raises(EngineFailed, match="frame 1 is 18x16"):
        list(pin_ends(iter(frames), first=frames[0], last=None, count=2))
