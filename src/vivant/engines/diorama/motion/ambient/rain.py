"""Rain: drops at their true depth, so that near ones are long, fast, wide and few and far ones melt into haze.

Each drop is a closed-form function of the frame. Sizes are metres; the lens is a normal one.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.ambient import capsules
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.capsules import Occluder
from vivant.engines.diorama.motion.ambient.haze import Haze
from vivant.engines.diorama.motion.ambient.lens import FOCAL, GOLDEN
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32, Planes
from vivant.request import FPS

NEAR, FAR = 1.1, 16.0  # metres
SHUTTER: Final = 0.55 / FPS  # seconds: a 198 degree shutter, a little softer than film's 180
WIND: Final = 5.5  # metres per second at wind 1


class Rain:
    """Falling drops, and the grey they lay over what is far."""

    def __init__(self, air: Air, strength: float, occluder: Occluder, haze: Haze) -> None:
        chance = rng(air.seed, "rain")
        count = round(air.area * (130 + 1150 * strength**1.3))
        focal = FOCAL * min(air.width, air.height)
        # Depth: thinner with distance than true rain (which grows with its square): the farthest are in the haze.
        share = (np.arange(count) + chance.random(count)) / count
        self._z = (NEAR * (FAR / NEAR) ** (share**0.62)).astype(np.float32)
        self._air, self._occluder, self._haze = air, occluder, haze
        self._speed = ((5.2 + 3.6 * strength) * chance.normal(1, 0.08, count).clip(0.8, 1.25)).astype(np.float32)
        self._lean = chance.normal(0, 0.022, count).astype(np.float32)  # each its own, as tangent
        self._place = chance.random((count, 2)).astype(np.float32)
        self._focal = focal
        millimetres = (0.9 + 1.5 * strength) * chance.lognormal(0, 0.25, count)
        defocus = 3.1 * air.scale * np.clip(1 / self._z - 1 / 4.0, 0, None)  # the lens looks at 4 m
        sharp = 0.5 * focal * millimetres / 1000 / self._z
        self._radius = np.clip(sharp + 0.5 * defocus, 0.62 * air.scale, None).astype(np.float32)
        self._soft = np.clip(0.45 * air.scale + 0.8 * defocus, 0.5, None).astype(np.float32)
        # Light is spread over the blur; what is far is also behind more air.
        spread = np.clip(sharp / self._radius, 0.22, 1)
        clarity = np.exp(-self._z / 14)
        self._alpha = ((0.56 + 0.34 * strength) * spread**0.4 * clarity * chance.uniform(0.55, 1.15, count)).astype(
            np.float32
        )
        self._behind = np.clip((self._z / occluder.distance - 0.7) / 0.6, 0, 0.94).astype(np.float32)
        self._bright = float(np.clip(0.3 * air.middle + 0.85 * air.bright, 138, 212))
        self._shade = float(np.clip(self._bright - 34, 100, 172))

    def draw(self, n: int, frame: Planes) -> None:
        opacity = float(self._air.opacity[n])
        if opacity <= 0:
            return
        self._haze.draw(n, frame)
        drops = capsules.batch(len(self._z))
        _fall(
            drops, n / FPS, float(self._air.wind[n]) * WIND, float(self._air.drift[n]) * WIND, self._focal,
            float(frame.y.shape[1]), float(frame.y.shape[0]), opacity, self._z, self._speed, self._lean, self._place,
            self._radius, self._soft, self._alpha, self._bright, self._shade, *self._air.tint,
        )  # fmt: skip
        capsules.draw(frame, drops, self._behind, self._occluder)


@kernel
def _fall(
    out: F32, time: float, wind: float, drift: float, focal: float, width: float, height: float, opacity: float,
    z: F32, speed: F32, lean: F32, place: F32, radius: F32, soft: F32, alpha: F32, bright: float, shade: float,
    cb: float, cr: float,
) -> None:  # fmt: skip
    for i in range(z.shape[0]):
        pixels = focal / z[i]  # per metre
        vy = speed[i] * pixels
        vx = (wind + lean[i] * speed[i]) * pixels
        length_y, length_x = vy * SHUTTER, vx * SHUTTER
        margin = abs(length_x) + radius[i] + soft[i] + 2
        room_y, room_x = height + length_y + 2 * (radius[i] + soft[i]), width + 2 * margin
        fallen = place[i, 1] + time * vy / room_y
        again = math.floor(fallen)
        yy = (fallen - again) * room_y
        xx = place[i, 0] + again * GOLDEN + (drift + lean[i] * speed[i] * time) * pixels / room_x
        xx = (xx - math.floor(xx)) * room_x - margin
        # Rain comes in sheets that drift and thin out: never an even curtain.
        sheet = math.sin(xx * 5.1 / width + 1.7 * place[i, 1] + 2.9 * time) * math.sin(
            yy * 3.3 / height - 4.2 * time + xx * 2.3 / width
        )
        out[i, 0], out[i, 1] = xx - length_x, yy - length_y
        out[i, 2], out[i, 3] = xx, yy
        out[i, 4], out[i, 5] = radius[i], soft[i]
        out[i, 6] = alpha[i] * opacity * (0.78 + 0.42 * sheet)
        out[i, 7], out[i, 8], out[i, 9], out[i, 10] = bright, shade, cb, cr
