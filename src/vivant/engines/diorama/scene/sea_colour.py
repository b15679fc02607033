"""Two colours of the sea that no sky, cloud, snow or sand has. Water swallows red, so that shallow water over pale sand
is turquoise, and foam and the sea under a grey sky are grey with a little green; clouds, snow, mist and wet sand are
grey, blue or warm.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.scene.features import Features
from vivant.media import F32

REACH: Final = 5  # rows of the small copy above and below an edge that are compared
TURQUOISE: Final = -14.0  # Lab a below which what is bluer than grey is turquoise: clear skies stay above -10
ENOUGH: Final = 0.65  # share of turquoise without which a row cannot have the seven tenths asked for below
FOAM: Final = 78.0  # Lab L from which pale water is foam
SEA_GREEN: Final = (-2.2, -1.8)  # Lab a of grey water: where it begins to speak for the sea, and how far it goes on


def measure_turquoise(seen: Features) -> F32:
    """float32 (h,), 0..1: how surely blue turns to turquoise at a row, over the width that no subject covers, as it
    does at the far edge of a shallow sea under a blue sky."""
    h, _ = seen.shape
    found = np.zeros(h, np.float32)
    shown = seen.subject <= 0.5
    turquoise = (shown & (seen.lab[..., 1] <= TURQUOISE)).sum(axis=1)
    # Percentiles take far longer than this count, which few pictures pass.
    if not (turquoise > ENOUGH * np.maximum(shown.sum(axis=1), 1)).any():
        return found
    a, b = (np.where(shown, seen.lab[..., k], np.inf) for k in (1, 2))
    covered = (~shown).mean(axis=1) > 0.6
    a[covered], b[covered] = 0, 0
    # Turquoise of seven tenths of the width at least: a pool or a green roof is narrower.
    usual, least = _find_percentiles(a, (50, 70))
    (blue,) = _find_percentiles(b, (50,))
    for row in range(REACH, h - REACH):
        before, after = float(usual[row - REACH]), float(least[row + REACH])
        if before < -10 or blue[row - REACH] > -10 or blue[row + REACH] > -8 or after > TURQUOISE:
            continue
        found[row] = np.clip((before - after - 8) / 6, 0, 1) * np.clip((TURQUOISE - after) / 4, 0, 1)
    return found


def _find_percentiles(values: F32, percents: tuple[float, ...]) -> list[F32]:
    """Percentiles of the finite values of each row, float32 (h,), of float32 (h, w) with a finite one in every row."""
    ordered = np.sort(values, axis=1)
    last = np.isfinite(ordered).sum(axis=1) - 1
    rows = np.arange(len(ordered))
    found = []
    for percent in percents:
        at = np.asarray(percent / 100 * last, np.float32)
        low = at.astype(int)
        below, above = ordered[rows, low], ordered[rows, np.minimum(low + 1, last)]
        found.append(np.asarray(below + (at - low) * (above - below), np.float32))
    return found


def measure_sea_green(seen: Features, part: NDArray[np.bool_], line: int, sky: NDArray[Any]) -> float:
    """0..1: how surely pale grey water, bool (h, w), from the row `line` down is the sea with foam on it: its grey is
    green, it is darker under its far edge than the sky above, and foam lies on darker water. sky: float32 (h, w),
    0..1, of which a good part has to be open."""
    light, a, b = (seen.lab[..., k] for k in range(3))
    here = part & (seen.subject < 0.5)
    if float(sky.mean()) < 0.15 or float(here.mean()) < 0.1:
        return 0.0
    begins, goes_on = SEA_GREEN
    green = np.clip((begins - float(np.median(a[here]))) / -goes_on, 0, 1) * np.clip(
        (float(np.median(b[here])) + 5) / 2, 0, 1
    )
    green *= np.clip((5 - float(np.median(b[here]))) / 2, 0, 1)
    low, high = (float(np.percentile(light[here], p)) for p in (12, 70))
    foam = np.clip((high - FOAM) / 6, 0, 1) * np.clip((high - low - 8) / 8, 0, 1)
    return float(green * foam * _measure_far_edge(seen, line, sky))


def _measure_far_edge(seen: Features, line: int, sky: NDArray[Any]) -> float:
    """0..1: in how much of the width that the sky reaches down to `line` it is darker below that row than above."""
    light, h = seen.lab[..., 0], seen.shape[0]
    if not 6 < line < h - 6:
        return 0.0
    reached = (sky[line - 6 : line - 2].mean(axis=0) > 0.5) & (seen.subject[line : line + 4].mean(axis=0) < 0.5)
    if float(reached.mean()) < 0.25:
        return 0.0
    step = light[line - 5 : line - 2].mean(axis=0) - light[line + 1 : line + 4].mean(axis=0)
    return float(np.clip(((step[reached] > 5).mean() - 0.5) / 0.3, 0, 1))
