"""Snow: flakes at depths from 0.75 to 13 m that sway as they fall; near ones are large, out of focus and few."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vivant.engines.diorama.kernels import Records, kernel, record_type
from vivant.engines.diorama.motion.ambient import capsules
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.capsules import Occluder
from vivant.engines.diorama.motion.ambient.falling import Fall, fall_at
from vivant.engines.diorama.motion.ambient.haze import Haze
from vivant.engines.diorama.motion.ambient.lens import FOCAL, GOLDEN
from vivant.engines.diorama.random_streams import rng
from vivant.media import Planes
from vivant.request import FPS

NEAR, FAR = 0.75, 13.0  # metres
FOCUS: Final = 3.6  # metres: where the lens is sharp
SHUTTER: Final = 0.24 / FPS  # seconds
WIND: Final = 1.5  # metres per second at wind 1; a flake lags behind the air near the ground


# Depth in metres; speed in metres per second; its place at frame 0 as shares of the way across and down; radius and the
# width of its soft edge in pixels; opacity 0..1; two swings, each in metres, radians per second and radians.
FLAKE: Final = record_type(
    "z", "speed", "x", "y", "radius", "soft", "alpha", "swing1", "rate1", "phase1", "swing2", "rate2", "phase2"
)  # fmt: skip


def measure_paleness(air: Air, strength: float) -> float:
    """0..1: how much the light must go so that white flakes are seen: before white ground, or before a bright sky."""
    ground = float(np.clip((air.middle - 130) / 50, 0, 1)) * strength
    sky = 0.75 * float(np.clip((air.bright - 175) / 30, 0, 1)) * (0.5 + 0.5 * strength)
    return max(ground, sky)


class Snow:
    """Falling flakes, and the haze of snow."""

    def __init__(self, air: Air, strength: float, occluder: Occluder, haze: Haze) -> None:
        chance = rng(air.seed, "snow")
        count = round(air.area * (450 + 1500 * strength**1.2))
        focal = FOCAL * min(air.width, air.height)
        share = (np.arange(count) + chance.random(count)) / count
        z = NEAR * (FAR / NEAR) ** (share**0.52)
        size = chance.lognormal(math.log(0.0068 + 0.0035 * strength), 0.33, count)  # metres across
        sharp = 0.5 * focal * size / z
        blur = 9.0 * air.scale * np.abs(1 / z - 1 / FOCUS)  # circle of confusion, radius
        radius = np.clip(sharp + 0.7 * blur, 0.85 * air.scale, 15 * air.scale)
        flakes = np.zeros(count, FLAKE)
        flakes["z"], flakes["radius"] = z, radius
        flakes["soft"] = np.clip(0.8 * radius + 0.1 * blur, 0.55, None)
        spread = np.clip(sharp / radius, 0.04, 1)  # its light over the blur
        # Before a bright ground the haze takes its light away, see `compose`: flakes stay white.
        pale = measure_paleness(air, strength)
        alpha = (1 + 0.4 * pale) * np.clip(1.05 * spread**0.42, 0.24, 0.95) * np.exp(-z / 40)
        flakes["alpha"] = np.minimum(1, alpha * chance.uniform(0.6, 1.05, count))
        flakes["speed"] = (0.85 + 0.35 * strength) * chance.normal(1, 0.17, count).clip(0.5, 1.6).astype(np.float32)
        flakes["x"], flakes["y"] = chance.random((count, 2)).T
        flakes["swing1"], flakes["swing2"] = chance.uniform(0.02, 0.11, (count, 2)).T
        flakes["rate1"], flakes["rate2"] = chance.uniform((0.9, 2.2), (2.1, 4.6), (count, 2)).T
        flakes["phase1"], flakes["phase2"] = chance.uniform(0, 2 * math.pi, (count, 2)).T
        self._flakes = flakes
        self._behind = np.clip((z / occluder.distance - 0.7) / 0.6, 0, 0.95).astype(np.float32)
        self._air, self._occluder, self._haze = air, occluder, haze
        self._bright = float(np.clip(0.35 * air.middle + 0.75 * air.bright, 188, 234))
        dark = float(min(self._bright - 18, 186))
        self._shade = dark + (232 - dark) * min(1.0, 1.6 * pale)

    def draw(self, n: int, frame: Planes) -> None:
        if self._air.opacity[n] <= 0:
            return
        self._haze.draw(n, frame)
        out = capsules.make_batch(len(self._flakes))
        _fall(out, self._flakes, fall_at(self._air, n, wind=WIND, bright=self._bright, shade=self._shade))
        capsules.draw(frame, out, self._behind, self._occluder)


@kernel
def _fall(out: Records, flakes: Records, now: Fall) -> None:
    """Fill in `out`, CAPSULE (n,), for `flakes`, FLAKE (n,)."""
    for i in range(flakes.shape[0]):
        flake, streak = flakes[i], out[i]
        radius, soft, swing, rate = flake["radius"], flake["soft"], flake["swing1"], flake["rate1"]
        pixels = now.focal / flake["z"]  # per metre
        one, two = rate * now.time + flake["phase1"], flake["rate2"] * now.time + flake["phase2"]
        sway = swing * math.sin(one) + 0.3 * flake["swing2"] * math.sin(two)
        turn = swing * rate * math.cos(one) + 0.3 * flake["swing2"] * flake["rate2"] * math.cos(two)
        # A swinging flake sinks slower at the ends of its swing.
        bob = 0.25 * swing * math.sin(2 * one)
        sink = flake["speed"] + 0.5 * swing * rate * math.cos(2 * one)
        margin = radius + soft + 2 + 0.25 * pixels
        room_y, room_x = now.height + 2 * margin, now.width + 2 * margin
        fallen = flake["y"] + (now.time * flake["speed"] + bob) * pixels / room_y
        again = math.floor(fallen)
        y = (fallen - again) * room_y - margin
        x = flake["x"] + again * GOLDEN + (now.drift * (0.8 + 0.4 * flake["y"]) + sway) * pixels / room_x
        x = (x - math.floor(x)) * room_x - margin
        vx = (now.wind * (0.8 + 0.4 * flake["y"]) + turn) * pixels * SHUTTER
        vy = sink * pixels * SHUTTER
        streak["x0"], streak["y0"] = x - 0.5 * vx, y - 0.5 * vy
        streak["x1"], streak["y1"] = x + 0.5 * vx, y + 0.5 * vy
        streak["radius"], streak["soft"] = radius, soft
        # The light of a fast flake is spread along its path.
        along = math.sqrt(vx * vx + vy * vy)
        streak["alpha"] = flake["alpha"] * now.opacity * math.sqrt(2 * radius / (2 * radius + along))
        streak["bright"], streak["shade"], streak["cb"], streak["cr"] = now.bright, now.shade, now.cb, now.cr
