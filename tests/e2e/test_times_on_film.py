"""Times, cuts and steps of the camera, measured on decoded files made by the whole engine."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from support.clips import Make

Luma = NDArray[np.float32]
PORTRAIT = "Shot 1 (0-1.5s): wide. Shot 2 (1.5-3s): close-up of the man. Shot 3 (3-5s): extreme close-up of his eyes."


def film(path: Path) -> tuple[list[Luma], list[int], NDArray[np.float32]]:
    """(luma of each frame, the key frames, the sound: float32 (n,) at 48 kHz)."""
    with av.open(str(path)) as file:
        frames = list(file.decode(video=0))
        sound = [block.to_ndarray() for block in av.open(str(path)).decode(audio=0)]
    lumas = [frame.to_ndarray(format="gray").astype(np.float32) for frame in frames]
    keys = [n for n, frame in enumerate(frames) if frame.key_frame]
    return lumas, keys, np.concatenate(sound, axis=1).mean(0)


def psnrs(lumas: list[Luma]) -> list[float]:
    """Of each frame against the one before; the first has none."""
    errors = [float(((a - b) ** 2).mean()) for a, b in pairwise(lumas)]
    return [10 * float(np.log10(255**2 / max(1e-3, error))) for error in errors]


def test_three_shots_cut_on_their_frames_and_nowhere_else(make: Make) -> None:
    lumas, keys, _ = film(make("portrait_barkla", PORTRAIT, seconds=5).path)
    likeness = psnrs(lumas)
    cuts = [n + 1 for n, value in enumerate(likeness) if value < 24]
    assert cuts == [36, 72]
    assert {36, 72} <= set(keys)


def test_moves_in_turn_do_not_jump(make: Make) -> None:
    lumas, keys, _ = film(make("mountain_lake", "The camera pans left, then zooms in.").path)
    likeness = psnrs(lumas)
    assert min(likeness[5:]) > 26
    assert not {47, 48, 49} & set(keys)


def test_rain_begins_on_its_frame_in_picture_and_sound(make: Make) -> None:
    prompt = "Static shot. Nothing else moves. After 2 seconds it starts to rain heavily. No music."
    lumas, _, sound = film(make("portrait_curie", prompt).path)
    sky = [luma[:80, :120] for luma in lumas]
    assert np.abs(sky[46] - sky[2]).mean() < 0.8
    assert np.abs(sky[80] - sky[2]).mean() > 2 * np.abs(sky[46] - sky[2]).mean()
    level = [float(np.sqrt((sound[int(a * 48000) : int((a + 0.5) * 48000)] ** 2).mean())) for a in (1.2, 2.6)]
    assert level[1] > 5 * level[0]


def test_a_timed_line_is_heard_at_its_time(make: Make) -> None:
    prompt = 'At 2 seconds she says "Hello there." Static shot. No music.'
    _, _, sound = film(make("portrait_curie", prompt).path)
    blocks = np.sqrt((sound[: 48000 * 4].reshape(-1, 2400) ** 2).mean(1))  # of a twentieth of a second
    loud = np.flatnonzero(blocks > 0.2 * blocks.max()) * 0.05
    assert loud[0] == pytest.approx(2.0, abs=0.12)
