"""Snow: flakes at their true depth, each swaying on its own way down, near ones large, out of focus and few."""

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

NEAR, FAR = 0.75, 13.0  # metres
FOCUS: Final = 3.6  # metres: where the lens is sharp
SHUTTER: Final = 0.24 / FPS  # seconds
WIND: Final = 1.5  # metres per second at wind 1; a flake lags behind the air near the ground


class Snow:
    """Falling flakes, and the white they lay over what is far."""

    def __init__(self, air: Air, strength: float, occluder: Occluder, haze: Haze) -> None:
        chance = rng(air.seed, "snow")
        count = round(air.area * (380 + 1400 * strength**1.2))
        focal = FOCAL * min(air.width, air.height)
        share = (np.arange(count) + chance.random(count)) / count
        z = NEAR * (FAR / NEAR) ** (share**0.45)
        size = chance.lognormal(math.log(0.0055 + 0.003 * strength), 0.33, count)  # metres across
        sharp = 0.5 * focal * size / z
        blur = 9.0 * air.scale * np.abs(1 / z - 1 / FOCUS)  # circle of confusion, radius
        radius = np.clip(sharp + 0.7 * blur, 0.85 * air.scale, 15 * air.scale)
        self._z = z.astype(np.float32)
        self._radius = radius.astype(np.float32)
        self._soft = np.clip(0.8 * radius + 0.1 * blur, 0.55, None).astype(np.float32)
        spread = np.clip(sharp / radius, 0.04, 1)  # its light over the blur
        self._alpha = (
            np.clip(1.05 * spread**0.42, 0.24, 0.95) * np.exp(-z / 40) * chance.uniform(0.6, 1.05, count)
        ).astype(np.float32)
        self._speed = (0.85 + 0.35 * strength) * chance.normal(1, 0.17, count).clip(0.5, 1.6).astype(np.float32)
        self._place = chance.random((count, 2)).astype(np.float32)
        # Flutter: two swings each, metres, radians per second, phase.
        self._swing = chance.uniform(0.02, 0.11, (count, 2)).astype(np.float32)
        self._rate = chance.uniform((0.9, 2.2), (2.1, 4.6), (count, 2)).astype(np.float32)
        self._phase = chance.uniform(0, 2 * math.pi, (count, 2)).astype(np.float32)
        self._behind = np.clip((z / occluder.distance - 0.7) / 0.6, 0, 0.95).astype(np.float32)
        self._air, self._occluder, self._haze, self._focal = air, occluder, haze, focal
        self._bright = float(np.clip(0.35 * air.middle + 0.75 * air.bright, 188, 234))
        self._shade = float(min(self._bright - 18, 186))

    def draw(self, n: int, frame: Planes) -> None:
        opacity = float(self._air.opacity[n])
        if opacity <= 0:
            return
        self._haze.draw(n, frame)
        flakes = capsules.batch(len(self._z))
        _fall(
            flakes, n / FPS, float(self._air.wind[n]) * WIND, float(self._air.drift[n]) * WIND, self._focal,
            float(frame.y.shape[1]), float(frame.y.shape[0]), opacity, self._z, self._speed, self._swing,
            self._rate, self._phase, self._place, self._radius, self._soft, self._alpha, self._bright, self._shade,
            *self._air.tint,
        )  # fmt: skip
        capsules.draw(frame, flakes, self._behind, self._occluder)


@kernel
def _fall(
    out: F32, time: float, wind: float, drift: float, focal: float, width: float, height: float, opacity: float,
    z: F32, speed: F32, swing: F32, rate: F32, phase: F32, place: F32, radius: F32, soft: F32, alpha: F32,
    bright: float, shade: float, cb: float, cr: float,
) -> None:  # fmt: skip
    for i in range(z.shape[0]):
        pixels = focal / z[i]  # per metre
        one, two = rate[i, 0] * time + phase[i, 0], rate[i, 1] * time + phase[i, 1]
        sway = swing[i, 0] * math.sin(one) + 0.3 * swing[i, 1] * math.sin(two)
        turn = swing[i, 0] * rate[i, 0] * math.cos(one) + 0.3 * swing[i, 1] * rate[i, 1] * math.cos(two)
        # A swinging flake sinks slower at the ends of its swing.
        bob = 0.25 * swing[i, 0] * math.sin(2 * one)
        sink = speed[i] + 0.5 * swing[i, 0] * rate[i, 0] * math.cos(2 * one)
        margin = radius[i] + soft[i] + 2 + 0.25 * pixels
        room_y, room_x = height + 2 * margin, width + 2 * margin
        fallen = place[i, 1] + (time * speed[i] + bob) * pixels / room_y
        again = math.floor(fallen)
        yy = (fallen - again) * room_y - margin
        xx = place[i, 0] + again * GOLDEN + (drift * (0.8 + 0.4 * place[i, 1]) + sway) * pixels / room_x
        xx = (xx - math.floor(xx)) * room_x - margin
        vx = (wind * (0.8 + 0.4 * place[i, 1]) + turn) * pixels * SHUTTER
        vy = sink * pixels * SHUTTER
        out[i, 0], out[i, 1] = xx - 0.5 * vx, yy - 0.5 * vy
        out[i, 2], out[i, 3] = xx + 0.5 * vx, yy + 0.5 * vy
        out[i, 4], out[i, 5] = radius[i], soft[i]
        # The shutter spreads a fast flake's light along its way.
        out[i, 6] = alpha[i] * opacity * math.sqrt(2 * radius[i] / (2 * radius[i] + math.sqrt(vx * vx + vy * vy)))
        out[i, 7], out[i, 8], out[i, 9], out[i, 10] = bright, shade, cb, cr
