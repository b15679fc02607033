"""Whether what was taken for the subject is a piece of the landscape: a mountain that comes in from a side. Nothing can
be completed behind it, and it is no nearer than the ground that it stands on.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama.scene.scene import Region
from vivant.engines.diorama.storyboard import SUBJECT_TRUSTED, TRUSTED

_STRIP: Final = 0.01  # of the width, along a side, in which it is looked for
_MUCH: Final = 0.08  # of the height, that it must fill there


def is_scenery(matte: Region, sky: Region, horizon: float) -> bool:
    """matte: the subject; horizon: row in pixels. Under an open sky, cut by the left or right border, and with its foot
    not before the horizon."""
    if matte.trust <= SUBJECT_TRUSTED or sky.trust < TRUSTED:
        return False
    solid = matte.mask > 0.5
    strip = max(1, round(_STRIP * solid.shape[1]))
    cut = max(float(solid[:, :strip].any(axis=1).mean()), float(solid[:, -strip:].any(axis=1).mean()))
    rows = np.flatnonzero(solid.any(axis=1))
    return cut > _MUCH and len(rows) > 0 and float(rows[-1]) < horizon
