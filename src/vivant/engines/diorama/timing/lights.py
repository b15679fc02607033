"""How far each lighting of the storyboard is, or how much of it there is, frame by frame."""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama.easing import glide, smootherstep
from vivant.engines.diorama.storyboard import Lighting, LightKind, Storyboard
from vivant.media import F32
from vivant.request import FPS

# What goes on from one light to another, through all of its time; the rest comes, lasts and goes.
PROGRESS: Final[frozenset[LightKind]] = frozenset({"night", "dusk", "dawn", "lamps", "dark", "bright", "sweep"})
_COMES: Final = 0.5  # s in which a light that lasts is there
_GRADED: Final = 1.6  # s in which a grade is there
_GRADES: Final[frozenset[LightKind]] = frozenset(
    {"warm", "cold", "golden", "noir", "vintage", "teal", "dreamy", "horror"}
)
_LAST: Final = 0.12  # share of the time at its end, and at most its start, in which the speed of a change is eased
_SETS_OFF: Final = 0.3  # s in which it has that speed at the latest, however long it takes
# Evening light first changes its colour and only later loses much of its strength, so it goes on faster at first, by
# this share, and slower at last.
_EARLY: Final[dict[LightKind, float]] = {"night": 0.35, "dusk": 0.35}
_LEAVES: Final = (0.35, 0.85)  # shares of a clip between which light gives way to that of a given last picture


def make_lights(board: Storyboard) -> tuple[F32, ...]:
    """A curve for each lighting, in their order: float32 (frames,), 0..1, 0 at frame 0."""
    left = np.ones(board.frames)
    if board.morph:
        share = np.linspace(0, 1, board.frames)
        left = 1 - smootherstep((share - _LEAVES[0]) / (_LEAVES[1] - _LEAVES[0]))
    return tuple((_curve(light, board.frames) * left).astype(np.float32) for light in board.lights)


def _curve(light: Lighting, frames: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    n = np.arange(frames, dtype=np.float64)
    start = light.start or 0
    end = frames - 1 if light.end is None else min(light.end, frames - 1)
    if light.kind in PROGRESS:
        into = min(_LAST, _SETS_OFF * FPS / max(1, end - start))
        gone = glide((n - start) / max(1, end - start), ramp=_LAST, into=into)
        return np.asarray(gone * (1 + _EARLY.get(light.kind, 0.0) * (1 - gone)), np.float64)
    seconds = _GRADED if light.kind in _GRADES else _COMES
    rise = max(1.0, min(seconds * FPS, 0.5 * (end - start)))
    there = glide((n - start) / rise, into=min(0.4, _SETS_OFF * FPS / rise), ramp=0.4)
    if light.end is not None and light.end < frames:
        there = there * smootherstep((light.end - n) / rise)
    return np.asarray(there, np.float64)
