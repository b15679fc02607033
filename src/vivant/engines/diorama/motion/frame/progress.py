"""When the clip is how far on its way from the first picture to the last, and what the camera does beside. Knows the
storyboard's moves, no pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from vivant.engines.diorama.easing import glide
from vivant.engines.diorama.scene.registration import apply, scale_at
from vivant.engines.diorama.storyboard import Move, Storyboard
from vivant.engines.diorama.timing.curves import HOME, CameraCurves
from vivant.media import F64

_RAMP: Final = 0.22  # share of the way in which the camera gathers speed, and in which it loses it
_LIT: Final = 0.08  # the same where nothing but the light, or what is in the picture, changes
_FAST: Final = 0.6  # of its time that a fast move takes
_ANSWERED: Final = (1.04, 0.03, 0.03)  # a zoom, a shift in widths and a turn in radians that answer the words for one


def make_way(storyboard: Storyboard, *, travels: bool) -> F64:
    """float64 (frames,), 0 at the first picture .. 1 at the last. The whole clip is on its way, except where the prompt
    has the camera rest for a time; a fast move takes the middle of the clip, or the beginning of its time. travels:
    whether the camera makes the way, which gathers speed for longer than light does."""
    moving = [shot for shot in storyboard.shots if any(_is_asked(move) for move in shot.moves)]
    start, end = (moving[0].start, moving[-1].end) if moving else (0, storyboard.frames)
    u = (np.arange(storyboard.frames) - start) / max(1, end - 1 - start)
    if any(move.speed == "fast" for shot in moving for move in shot.moves if _is_asked(move)):
        u = u / _FAST if start > 0 else 0.5 + (u - 0.5) / _FAST
    return glide(u, ramp=_RAMP if travels else _LIT)


def _is_asked(move: Move) -> bool:
    return move.origin == "prompt" and move.kind not in ("static", "handheld")


def keep_unanswered(camera: CameraCurves, storyboard: Storyboard, view: F64, size: tuple[int, int]) -> CameraCurves:
    """The camera's curves, less those of moves that the way from one picture to the other makes by itself, and of those
    that nobody asked for. view: float64 (3, 3), from pixels of the first picture to those of the last; size: (width,
    height)."""
    moves = [move for shot in storyboard.shots for move in shot.moves]
    if not any(_is_asked(move) for move in moves):
        shaken = any(move.kind == "handheld" for move in moves)
        return camera if shaken else CameraCurves.at_home(camera.frames)
    w, h = size
    middle = np.array([(w - 1) / 2, (h - 1) / 2])
    zoom, shift, turn = _ANSWERED
    dx, dy = np.abs(apply(view, middle) - middle) / w
    scale = scale_at(view, *middle)
    a, b = apply(view, middle + np.array([[1, 0], [-1, 0]]))
    answered: set[str] = set()
    if max(scale, 1 / scale) > zoom:
        answered |= {"zoom", "z"}
    if dx > shift:
        answered |= {"pan", "x"}
    if dy > shift:
        answered |= {"tilt", "y"}
    if abs(np.arctan2(a[1] - b[1], a[0] - b[0])) > turn:
        answered |= {"roll"}
    return replace(camera, **{name: np.full(camera.frames, HOME[name], np.float32) for name in answered})
