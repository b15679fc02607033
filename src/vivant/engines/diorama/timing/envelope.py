"""How much there is of something that has a time, frame by frame."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np

from vivant.engines.diorama.easing import smootherstep
from vivant.engines.diorama.storyboard import Cue, Motion
from vivant.media import F32
from vivant.request import FPS

RISE: Final = 0.6  # s in which a motion comes and goes; half of a time that is shorter than both


def make_envelope(timed: Motion | Cue, frames: int, cuts: Collection[int] = ()) -> F32:
    """float32 (frames,), 0..1: nothing before the start, all of it soon after, nothing from the end on, a little in the
    first and in the last frame; all of it throughout where no time is told. What begins or ends with a cut is there, or
    gone, at once."""
    n = np.arange(frames)
    share = np.ones(frames)
    length = (frames if timed.end is None else min(timed.end, frames)) - (timed.start or 0)
    rise = max(1.0, min(RISE * FPS, length / 2))
    if timed.start:
        sharp = timed.start in cuts
        share = np.where(n >= timed.start, 1.0, 0.0) if sharp else smootherstep((n - timed.start + 1) / rise)
    if timed.end is not None and timed.end < frames:
        sharp = timed.end in cuts
        share = share * (np.where(n < timed.end, 1.0, 0.0) if sharp else smootherstep((timed.end - n) / rise))
    return share.astype(np.float32)
