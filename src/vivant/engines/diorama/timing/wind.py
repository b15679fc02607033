"""Wind: the one curve that slants rain, bends plants and is heard. Knows time only; what it blows at is elsewhere."""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32, F64
from vivant.request import FPS

_LEAST: Final = 0.48  # share of the strength that blows between gusts: a wind that is asked for is always seen
_MORE: Final = 0.66  # and what gusts bring
# Spacing of random knots in seconds and their share: a slow swell, gusts, and flurries inside a gust.
_OCTAVES: Final = (("swell", 3.1, 0.45), ("gust", 1.3, 0.38), ("flurry", 0.45, 0.17))


def make_wind(seed: int, frames: int, strength: float | F64) -> F32:
    """The wind curve: float32 (frames,), 0..1. `strength` 0..1, one for all frames or float64 (frames,), is about its
    highest; 0 is dead calm.

    Gusts rise faster than they die. A longer clip of the same seed begins with the same wind.
    """
    seconds = np.arange(frames) / FPS
    level = np.zeros(frames)
    for name, spacing, share in _OCTAVES:
        knots = rng(seed, f"wind/{name}").random(int(seconds[-1] / spacing) + 3)
        place = seconds / spacing
        left = place.astype(int)
        rest = np.sqrt(place - left)  # the early part of each step is the steep one
        rest = np.where(knots[left + 1] > knots[left], rest, place - left)
        level += share * (knots[left] + (knots[left + 1] - knots[left]) * smoothstep(rest))
    curve: F32 = np.clip(strength * (_LEAST + _MORE * level), 0, 1).astype(np.float32)
    return curve


def mean_wind(strength: float) -> float:
    """About the mean of the curve of that strength, 0..1."""
    return strength * (_LEAST + 0.5 * _MORE)
