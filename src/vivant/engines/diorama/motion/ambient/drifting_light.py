"""Light that drifts over the picture, as through leaves or a curtain: two layers of soft patches slide over each other.
It is what lives where nothing else in the picture can move. The sky is above what casts the shade, so it keeps its
light, and so does what is far below it; on white it changes less: there, and on haze, shade would look like dirt.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.ambient.air import Air, initial_share
from vivant.engines.diorama.motion.fields import FieldSum, quarter_shape
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32
from vivant.request import FPS

TILE: Final = 128  # size of the pattern, which repeats
PATCH: Final = 7.0  # samples of it: size of a patch (standard deviation of the blur)
ACROSS: Final = 0.7  # tiles across the long side of the picture: small patches look like spots of dirt
DEEP: Final = 0.95  # gain at strength 1 between light and shade
SOFT: Final = 1.5  # standard deviations of the pattern between shade and light: softer patches are not seen to move
LIT: Final = 150.0  # luma of the bright parts for which that holds; a darker picture changes more, or nobody sees it
WHITE: Final = (165.0, 215.0)  # luma between which what is bright comes to be white, on which shade is grey
ON_WHITE: Final = 0.75  # share of the change that is left there
RIM: Final = 16.0  # samples of the quarter grid at 720 lines over which it fades towards the sky, over far haze
PACES: Final = ((0.25, 0.045), (-0.17, 0.08))  # tiles per second to the side of the wind and down, of each layer


class DriftingLight:
    """Implements compose.Displacement."""

    def __init__(self, air: Air, strength: float, sky: F32, luma: F32) -> None:
        """strength: 0..1. sky: float32 on the quarter grid, 0..1. luma: float32 on it, 16..235."""
        deep = DEEP * strength * float(np.clip(LIT / max(1.0, air.bright), 1.0, 1.2))
        near_sky = np.minimum(1, 2 * filters.blur(sky, RIM * air.scale))  # 1 in the sky and at its rim
        white = smoothstep((filters.blur(luma, 2.0) - WHITE[0]) / (WHITE[1] - WHITE[0]))
        self._air, self._deep = air, (deep * (1 - near_sky) * (1 - (1 - ON_WHITE) * white)).astype(np.float32)
        rows, columns = quarter_shape(air.height, air.width)
        step = ACROSS * TILE / max(rows, columns)
        x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
        self._x, self._y = (step * x).astype(np.float32), (step * y).astype(np.float32)
        chance = rng(air.seed, "light/drifts")
        self._layers = [_make_patches(chance) for _ in PACES]
        self._home = self._pattern(0.0)

    def add(self, n: int, out: FieldSum) -> None:
        change = self._pattern(n / FPS) - np.float32(initial_share(n)) * self._home
        out.gain[...] *= 1 + np.float32(self._air.swing[n]) * self._deep * change

    def _pattern(self, time: float) -> F32:
        """float32 on the quarter grid, about -0.5 .. 0.5."""
        total = np.zeros_like(self._x)
        for layer, (across, down) in zip(self._layers, PACES, strict=True):
            x = (self._x - np.float32(self._air.side * across * TILE * time)) % TILE
            y = (self._y - np.float32(down * TILE * time)) % TILE
            total += filters.sample(layer, x, y)
        return np.asarray(total / len(self._layers) - 0.5, np.float32)


def _make_patches(chance: np.random.Generator) -> F32:
    """float32 (TILE + 1, TILE + 1), 0 shade .. 1 light, with soft edges between; the last row and column repeat the
    first."""
    noise = chance.normal(0, 1, (TILE, TILE)).astype(np.float32)
    wide: Any = cv2.GaussianBlur(np.tile(noise, (3, 3)), (0, 0), PATCH)[TILE : 2 * TILE, TILE : 2 * TILE]
    patches = smoothstep(0.5 + (wide - wide.mean()) / (SOFT * wide.std()))
    return np.asarray(np.pad(patches, ((0, 1), (0, 1)), mode="wrap"), np.float32)
