"""The light that a fire casts: warm, brightest beside it, on the ground and on faces, flickering with its flames."""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.fields import Sheet
from vivant.engines.diorama.scene.scene import Scene
from vivant.media import F32

STEP: Final = 16  # canvas pixels from one sample of the light to the next
WARM: Final = (1.0, 0.46, 0.14)  # linear R, G, B of firelight, set by eye
COOL: Final = (1.0, 0.96, 0.88)  # of how much R, G and B the other light goes down: what is left looks colder
ALBEDO: Final = 0.30  # what a thing of the local mean luma is taken to throw back of the light
LEAST: Final = 1.5  # times its own light, what the brightest things throw back of it
DARKEST: Final = 0.025  # linear light below which it is not told from black
MOST: Final = 14.0  # times as bright, at most
STEADY: Final = 0.75  # share of the light between flickers
LOWEST: Final = 0.2  # share below which it never falls
FLICKER: Final = 0.9  # and how far it comes and goes at full flicker
BLOOM: Final = 0.018  # linear light that the air itself sends out beside the flames


class Firelight:
    """The light of one fire on the whole picture."""

    def __init__(
        self, air: Air, scene: Scene, *, x: float, y: float, reach: float, power: float, flicker: F32,
        dims: float = 0.0,
    ) -> None:  # fmt: skip
        """x, y: where the fire is, pixels, perhaps outside the picture. reach: pixels at which its light has halved.
        power: linear light on what is beside it. flicker: float32 (frames,), -1..1. dims: by how much the other light
        of the scene goes down, 0..1, so that this one is seen in it."""
        self._air, self._flicker = air, flicker
        # As far beyond the picture as any camera looks.
        self._left, self._top = -0.3 * air.width, -0.3 * air.height
        rows, columns = -(-round(1.6 * air.height) // STEP) + 1, -(-round(1.6 * air.width) // STEP) + 1
        at_x, at_y = np.meshgrid(self._left + STEP * np.arange(columns), self._top + STEP * np.arange(rows))
        across, down = at_x - x, at_y - y
        # Seen at a slant the ground is flattened: light on it reaches as far as it seems to reach up.
        distance = (across**2 + (down * np.where(down > 0, 1.7, 1.0)) ** 2) / reach**2
        falls = (1 + distance) ** -1.35
        luma = np.clip((scene.source.planes.y.astype(np.float32) - 16) / 219, 0, 1) ** 2
        near = filters.sample(filters.blur(luma, 0.035 * air.width), at_x, at_y)
        sky = scene.sky.trust * filters.sample(filters.blur(scene.sky.mask, 4.0), at_x, at_y)
        lit = falls * power * np.maximum(ALBEDO / (near + DARKEST), LEAST) * (1 - 0.8 * sky)
        self._lit = np.clip(lit / MOST, 0.002, 1).astype(np.float32)
        self._dims = dims * np.array(COOL)

    def sheets(self, n: int) -> tuple[Sheet, ...]:
        opacity = float(self._air.opacity[n])
        if n == 0 or opacity <= 0:
            return ()
        now = opacity * max(LOWEST, STEADY + FLICKER * float(self._flicker[n]))
        table = np.zeros((2, 6))
        table[0, :3] = 1 - opacity * self._dims
        table[1, :3] = table[0, :3] + now * MOST * np.array(WARM)
        table[1, 3:] = now * BLOOM * np.array(WARM)
        return (Sheet(self._left, self._top, STEP, self._lit, table.astype(np.float32)),)
