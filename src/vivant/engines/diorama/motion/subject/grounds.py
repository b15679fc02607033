"""Whose each place of the picture is, where the matte shows several bodies: each moves on its own ground."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.fields import quarter_shape
from vivant.engines.diorama.scene.apart import tell_apart
from vivant.engines.diorama.scene.body import Body
from vivant.media import F32

SOFT: Final = 2.0  # quarter samples over which one ground passes into the next


def share_out(bodies: Sequence[Body], matte: F32) -> list[tuple[Body, F32, F32 | None]]:
    """Each body that is seen with its part of the matte, float32 (h, w), 0..1, and its ground, float32 on the quarter
    grid, 0..1; None: all of the picture is its."""
    if len(bodies) == 1:
        return [(bodies[0], matte, None)]
    owner = tell_apart(matte)
    if owner is None:
        return [(bodies[0], matte, None)]
    h, w = matte.shape
    rows, columns = quarter_shape(h, w)
    shared: list[tuple[Body, F32, F32 | None]] = []
    for body in bodies:
        x, y = (int(np.clip(round(k), 0, most - 1)) for k, most in ((body.trunk.x, w), (body.trunk.y, h)))
        own = (owner == owner[y, x]).astype(np.float32)
        if matte[y, x] > 0.5:
            shared.append((body, matte * own, filters.blur(filters.resize(own, columns, rows), SOFT)))
    return shared
