"""The wind as plants feel it: a field of gusts that travels over the ground, and how stems of several kinds answer it.

The field is frozen and carried along: what blows at a place is a function of how long ago it passed the windward side,
and of the place across the wind. So is the answer of a damped oscillator to it, and both are computed once for all
frames (after Chuang et al., 2005, who filter a wind spectrum by an oscillator; the travelling front is that of waving
crops: Py, de Langre and Moulia, 2006).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.kernels import kernel
from vivant.media import F32, F64
from vivant.request import FPS

LANES: Final = 64  # across the wind; they repeat
LANES_PER_WIDTH: Final = 24  # that lie in one width of the picture, at the distance of its foreground
_BEFORE: Final = 36  # frames in which the oscillators forget how they began
_DIES: Final = 0.87  # share of a gust that is left after one frame: it comes suddenly and dies slowly
_LULL: Final = 0.35  # of the wind, between gusts
CALM: Final = 0.06  # wind that is left where the clip has none: air is never quite still
_TURBULENCE: Final = 0.75  # share of one frame's turbulence that is left in the next

# Of each kind of stem: its own frequency in Hz, damping ratio, the frequency of its leaves in Hz, and how much those
# move against the stem. From wide crowns, which are slow, over boughs and twigs to blades of grass.
KINDS: Final = (
    (0.55, 0.15, 1.4, 0.25), (0.66, 0.15, 1.8, 0.40), (0.78, 0.16, 2.3, 0.55), (0.92, 0.17, 2.6, 0.50),
    (1.05, 0.19, 2.9, 0.35), (1.18, 0.20, 3.1, 0.30), (1.30, 0.20, 3.2, 0.28), (1.45, 0.20, 3.4, 0.28),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Gusts:
    """At frame n, what a place feels to which the wind comes `since` frames late is sample late + n - since.

    gust: float32 (samples, LANES), 0..1, the wind. answer: float32 (kinds, samples, LANES), how far each of KINDS leans
    then; 1 is where a steady wind of 1 holds it.
    """

    late: int
    gust: F32
    answer: F32


def make_gusts(
    chance: np.random.Generator, wind: F32, early: int, late: int, quick: float = 1.0, wide: float = 1.0
) -> Gusts:
    """wind: float32 (frames,), 0..1, at the middle of what it blows at. early, late: frames by which it comes to the
    first place before that, and to the last after it. quick: by which the frequencies of stems are multiplied, 1 or
    more; those of leaves by its root, or they would only tremble. wide: how much wider than in a usual wind gusts are,
    across it: what leans alike may lean far without being torn."""
    count = _BEFORE + late + len(wind) + early
    strength = np.pad(wind, (_BEFORE + late, early), mode="edge") + CALM
    gust = (strength[:, None] * (_LULL + (1 - _LULL) * _make_fronts(chance, count, wide))).astype(np.float32)
    # Stems that stand together are shaken together.
    noise = np.stack([_smooth(chance.standard_normal((count, LANES)), 0.3, 1.3 * wide) for _ in KINDS])
    answer = _answer(gust, noise, np.array(KINDS, np.float64) * (quick, 1, math.sqrt(quick), 1))
    return Gusts(late, np.ascontiguousarray(gust[_BEFORE:]), np.ascontiguousarray(answer[:, _BEFORE:]))


def _make_fronts(chance: np.random.Generator, count: int, wide: float) -> F32:
    """float32 (count, LANES), 0..1: patches of wind with a steep front and a long tail."""

    def noise(along: float, across: float) -> F32:
        return _smooth(chance.standard_normal((count, LANES)), along, min(across * wide, 10.0))

    n = 0.7 * noise(4.0, 4.0) + 0.15 * noise(1.8, 2.5) + 0.5 * noise(11.0, 8.0)
    fronts = np.clip(0.5 + 0.42 * n, 0, 1.2) ** 1.5
    for row in range(1, count):
        fronts[row] = np.maximum(fronts[row], _DIES * fronts[row - 1])
    return filters.blur(fronts, 0.7, 0.9)


def _smooth(noise: F64, along: float, across: float) -> F32:
    """float32 (rows, LANES) of deviation 1, correlated over that many rows and, round about, lanes."""
    ends = ((0, 0), (LANES, LANES))
    values = filters.blur(np.pad(noise, ends, "wrap"), across, along)[:, LANES:-LANES]
    return np.asarray(values / (values.std() + 1e-9), np.float32)


@kernel
def _answer(gust: F32, noise: F32, kinds: F64) -> F32:
    """Two oscillators for each kind: its stem in the wind, and its leaves in the turbulence of the wind."""
    count, lanes = gust.shape
    out = np.empty((kinds.shape[0], count, lanes), np.float32)
    steps, dt = 2, 1 / (2 * FPS)
    for kind in range(kinds.shape[0]):
        hertz, damping, quick, share = kinds[kind]
        slow2, fast2 = (2 * math.pi * hertz) ** 2, (2 * math.pi * quick) ** 2
        drag, fast_drag = 4 * math.pi * damping * hertz, 4 * math.pi * 0.13 * quick
        for lane in range(lanes):
            x, v, leaf, speed, turbulence = float(gust[0, lane]), 0.0, 0.0, 0.0, 0.0
            for row in range(count):
                force = gust[row, lane]
                turbulence = _TURBULENCE * turbulence + 0.66 * noise[kind, row, lane]
                push, flutter = force * (1 + 0.15 * turbulence), 0.6 * turbulence * force
                for _ in range(steps):
                    v += dt * (slow2 * (push - x) - drag * v)
                    x += dt * v
                    speed += dt * (fast2 * (flutter - leaf) - fast_drag * speed)
                    leaf += dt * speed
                out[kind, row, lane] = x + share * leaf
    return out


def choose_lane(
    gusts: Gusts, since: F32, lane: F32, weight: F32, frames: int, *, body: float = 0.0, kind: int = 0
) -> tuple[float, float]:
    """(merit, shift): the shift of `lane` (of 16 tried) with which the wind is felt in every quarter of the clip, and
    yet the clip does not begin in a gust: what begins bent would have to unbend first. merit: the greater the better,
    to choose between several gusts. since, lane, weight: float32, equal shapes; see `Sway`. body 0..1: how much of it
    moves as one body, which has but one swing: it is to be seen moving in every quarter. kind: of KINDS, the body's."""
    tried = np.arange(16) * (LANES / 16)
    share = weight / max(float(weight.sum()), 1e-6)
    merit: list[float] = []
    usual = max(float(np.abs(np.diff(gusts.answer[kind], axis=0)).mean()), 1e-6)
    for shift in tried:
        row: NDArray[np.int64] = (lane + shift).astype(int) % LANES
        felt = [
            float((gusts.gust[np.clip(gusts.late + n - since, 0, len(gusts.gust) - 1).astype(int), row] * share).sum())
            for n in np.linspace(0, frames - 1, 13).astype(int)
        ]
        quarters = [sum(felt[k + 1 : k + 4]) / 3 for k in (0, 3, 6, 9)]
        merit.append(min(quarters) - 0.4 * felt[0])
        if body > 0:
            at, across = np.clip(gusts.late + np.arange(frames) - float((since * share).sum()), 0, None), row
            path = gusts.answer[kind, np.minimum(at.astype(int), len(gusts.gust) - 1)]
            path = path[:, across.ravel()] @ share.ravel()
            speed = [float(part.mean()) for part in np.array_split(np.abs(np.diff(path)), 4)]
            merit[-1] += body * min(min(speed) / usual, 1.2)
    best = int(np.argmax(merit))
    return merit[best], float(tried[best])
