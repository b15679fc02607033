"""Rain: drops at depths from 1 to 16 m, so that near ones are long, fast, wide and few, and far ones are lost in haze.

The position of each drop is a closed-form function of the frame.
"""

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

NEAR, FAR = 1.1, 16.0  # metres
SHUTTER: Final = 0.55 / FPS  # seconds: a 198 degree shutter, a little softer than film's 180
WIND: Final = 5.5  # metres per second at wind 1


# Depth in metres; speed in metres per second; its own slant as a tangent; its place at frame 0 as shares of the way
# across and down; radius and the width of its soft edge in pixels; opacity 0..1.
DROP: Final = record_type("z", "speed", "lean", "x", "y", "radius", "soft", "alpha")


class Rain:
    """Falling drops, and the haze of rain."""

    def __init__(self, air: Air, strength: float, occluder: Occluder, haze: Haze) -> None:
        chance = rng(air.seed, "rain")
        # By night drops catch the lamps: they are seen before a bright city, too.
        lamps = float(np.clip((130 - air.middle) / 50, 0, 1) * np.clip((air.bright - air.middle - 15) / 40, 0, 1))
        count = round(air.area * (220 + 1900 * strength**1.3) * (1 + 0.4 * lamps * (1 - strength)))
        focal = FOCAL * min(air.width, air.height)
        # True drops are as many more as the square of the distance; here they are fewer: haze stands for the farthest.
        share = (np.arange(count) + chance.random(count)) / count
        drops = np.zeros(count, DROP)
        drops["z"] = z = (NEAR * (FAR / NEAR) ** (share**0.62)).astype(np.float32)
        self._air, self._occluder, self._haze = air, occluder, haze
        drops["speed"] = (5.2 + 3.6 * strength) * chance.normal(1, 0.08, count).clip(0.8, 1.25)
        drops["lean"] = chance.normal(0, 0.022, count)
        drops["x"], drops["y"] = chance.random((count, 2)).T
        millimetres = (0.9 + 1.5 * strength) * chance.lognormal(0, 0.25, count)
        defocus = 3.1 * air.scale * np.clip(1 / z - 1 / 4.0, 0, None)  # the lens looks at 4 m
        sharp = 0.5 * focal * millimetres / 1000 / z
        drops["radius"] = np.clip(sharp + 0.5 * defocus, 0.62 * air.scale, None)
        drops["soft"] = np.clip(0.45 * air.scale + 0.8 * defocus, 0.5, None)
        # Blur spreads the light of a drop; more air before it takes some away.
        spread = np.clip(sharp / drops["radius"], 0.22, 1)
        clarity = np.exp(-z / (14 + 14 * lamps))
        alpha = (1 + 0.8 * lamps) * (0.66 + 0.34 * strength) * spread**0.4 * clarity
        drops["alpha"] = np.minimum(0.95, alpha * chance.uniform(0.55, 1.15, count))
        self._drops = drops
        self._behind = np.clip((z / occluder.distance - 0.7) / 0.6, 0, 0.94).astype(np.float32)
        self._bright = float(np.clip(0.3 * air.middle + 0.85 * air.bright + 65 * lamps, 138, 216))
        self._shade = float(np.clip(self._bright - 34 * (1 - lamps), 100, 172 + 30 * lamps))

    def draw(self, n: int, frame: Planes) -> None:
        if self._air.opacity[n] <= 0:
            return
        self._haze.draw(n, frame)
        out = capsules.make_batch(len(self._drops))
        _fall(out, self._drops, fall_at(self._air, n, wind=WIND, bright=self._bright, shade=self._shade))
        capsules.draw(frame, out, self._behind, self._occluder)


@kernel
def _fall(out: Records, drops: Records, now: Fall) -> None:
    """Fill in `out`, CAPSULE (n,), for `drops`, DROP (n,)."""
    for i in range(drops.shape[0]):
        drop, streak = drops[i], out[i]
        radius, soft, speed, lean = drop["radius"], drop["soft"], drop["speed"], drop["lean"]
        pixels = now.focal / drop["z"]  # per metre
        vy = speed * pixels
        vx = (now.wind + lean * speed) * pixels
        length_y, length_x = vy * SHUTTER, vx * SHUTTER
        margin = abs(length_x) + radius + soft + 2
        room_y, room_x = now.height + length_y + 2 * (radius + soft), now.width + 2 * margin
        fallen = drop["y"] + now.time * vy / room_y
        again = math.floor(fallen)
        y = (fallen - again) * room_y
        x = drop["x"] + again * GOLDEN + (now.drift + lean * speed * now.time) * pixels / room_x
        x = (x - math.floor(x)) * room_x - margin
        # Rain is denser and thinner in patches that drift.
        sheet = math.sin(x * 5.1 / now.width + 1.7 * drop["y"] + 2.9 * now.time) * math.sin(
            y * 3.3 / now.height - 4.2 * now.time + x * 2.3 / now.width
        )
        streak["x0"], streak["y0"] = x - length_x, y - length_y
        streak["x1"], streak["y1"] = x, y
        streak["radius"], streak["soft"] = radius, soft
        streak["alpha"] = drop["alpha"] * now.opacity * (0.78 + 0.42 * sheet)
        streak["bright"], streak["shade"], streak["cb"], streak["cr"] = now.bright, now.shade, now.cb, now.cr
