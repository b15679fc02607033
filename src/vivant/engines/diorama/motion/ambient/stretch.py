"""How far a displacement pulls neighbours apart, pushes them together or bends what stands: measured where plants lean,
so that nothing is torn. Knows fields, not winds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vivant.engines.diorama.kernels import fast_kernel, kernel
from vivant.media import F32


class Bears(NamedTuple):
    """What each sample bears. along_x, along_y: the direction of a stem there; most: the change of displacement along
    it, all float32 (rows, columns); stretch: that in any direction."""

    along_x: F32
    along_y: F32
    most: F32
    stretch: np.float32


@kernel
def find_worst(worst: F32, moved: F32, bears: Bears, spacing: np.float32) -> None:
    """Raise `worst`, float32 (rows, columns), in place, to how many times what a sample bears it is stretched or bent
    by `moved`, one coordinate of a displacement, float32 (rows, columns), pixels. spacing: pixels from a sample to the
    next. Differences are central, and one-sided at the border."""
    height, width = moved.shape
    across, down = np.empty(width, np.float32), np.empty(width, np.float32)
    one, half = np.float32(1), np.float32(0.5)
    for row in range(height):
        above, below = max(row - 1, 0), min(row + 1, height - 1)
        share = one / (np.float32(max(below - above, 1)) * spacing)
        _subtract(moved[below], moved[above], share, down)
        line = moved[row]
        across[0] = (line[min(1, width - 1)] - line[0]) / spacing
        across[-1] = (line[-1] - line[max(width - 2, 0)]) / spacing
        _subtract(line[2:], line[:-2], half / spacing, across[1:])
        _raise(worst[row], across, down, bears.along_x[row], bears.along_y[row], bears.most[row], one / bears.stretch)


@fast_kernel
def _subtract(later: F32, earlier: F32, share: np.float32, out: F32) -> None:
    for k in range(later.shape[0]):
        out[k] = (later[k] - earlier[k]) * share


@fast_kernel
def _raise(worst: F32, across: F32, down: F32, along_x: F32, along_y: F32, most: F32, per_stretch: np.float32) -> None:
    for k in range(worst.shape[0]):
        stretched = np.sqrt(down[k] * down[k] + across[k] * across[k]) * per_stretch
        bent = abs(along_x[k] * across[k] + along_y[k] * down[k]) / most[k]
        worst[k] = max(worst[k], max(stretched, bent))
