"""Small lights that float: dust in a beam, fireflies in the dusk, sparkles that glint like stars."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.ambient import capsules
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.lens import Lens
from vivant.engines.diorama.random_streams import rng
from vivant.media import Planes
from vivant.request import FPS

_EVENLY: Final = (0.7548776662, 0.5698402910)  # shares of the width and the height from one point to the next
FIREFLY: Final = (214.0, 62.0, 118.0)  # Y, Cb, Cr of a yellow-green glow


class _WanderingPoints:
    """Points on smooth closed paths around their places: the sum of three slow circles each."""

    def __init__(self, air: Air, name: str, count: int, near: float, far: float, metres: float) -> None:
        chance = rng(air.seed, name)
        self.chance = chance
        share = (np.arange(count)[::-1] + chance.random(count)) / count
        self.z = near * (far / near) ** (share**0.7)
        # Spread evenly (the R2 sequence, Roberts 2018), so that there are some in every quarter, at every distance.
        self._place = (
            chance.random((2, 1)) + np.outer(_EVENLY, np.arange(count)) + chance.normal(0, 0.02, (2, count))
        ) % 1
        self._reach = metres * np.array([1.0, 0.5, 0.22])[:, None] * chance.uniform(0.6, 1.4, (3, count))
        self._rate = np.array([0.35, 0.8, 1.7])[:, None] * chance.uniform(0.7, 1.3, (3, count))
        self._phase = chance.uniform(0, 2 * math.pi, (2, 3, count))

    def at(self, time: float, width: int, height: int, pixels: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """x, y at `time` seconds, float64 (count,), pixels. pixels: (count,), per metre at the depth of each."""
        x = (self._reach * np.sin(self._rate * time + self._phase[0])).sum(0) * pixels
        y = (self._reach * np.sin(1.13 * self._rate * time + self._phase[1])).sum(0) * pixels
        return self._place[0] * width + x, self._place[1] * height + 0.6 * y

    def carried(
        self, n: int, air: Air, pixels: NDArray[np.float64], *, share: float, sinking: float
    ) -> tuple[NDArray[np.float64], ...]:
        """The same at frame n, carried off: by this share of the wind's drift, and down by metres per second. What
        leaves on one side comes back on the other."""
        x, y = self.at(n / FPS, air.width, air.height, pixels)
        x = (x + share * float(air.drift[n]) * pixels) % air.width
        return x, (y + sinking * (n / FPS) * pixels) % air.height


class Dust:
    """Motes that glint as they turn, and drift a little with the wind."""

    def __init__(self, air: Air, strength: float) -> None:
        self._air = air
        self._points = _WanderingPoints(air, "dust", round(air.area * (190 + 420 * strength)), 0.35, 3.5, 0.24)
        chance, z = self._points.chance, self._points.z
        lens = Lens.of(air, focus=1.2, open_at_720p=2.6)
        blur = lens.blur(z)
        self._pixels = lens.pixels(z)
        # Out of focus they are discs of light in the air; sharp ones look like dirt on what is behind them.
        self._radius = np.clip(2.6 * air.scale + 1.5 * blur, 1.0, 17 * air.scale)
        self._soft = 0.6 + 1.1 * self._radius
        self._alpha = (
            (0.75 + 0.25 * strength)
            * np.clip(2.8 * air.scale / self._radius, 0.2, 0.8)
            * chance.uniform(0.4, 1, len(z))
        )
        self._turn = chance.uniform(0.6, 2.2, len(z))
        self._phase = chance.uniform(0, 2 * math.pi, len(z))
        # They add light to what is behind them: as white before the dark as before the bright they would be snow.
        self._bright = float(np.clip(0.5 * air.bright + 80, 120, 200))
        self._shade = float(np.clip(air.bright + 45, 175, 232))
        self._tint = air.tint[0] - 30, air.tint[1] + 20  # warmer than the light of the picture

    def draw(self, n: int, frame: Planes) -> None:
        opacity = float(self._air.opacity[n])
        if opacity <= 0:
            return
        time = n / FPS
        x, y = self._points.carried(n, self._air, self._pixels, share=0.7, sinking=0.1)
        glint = 0.35 + 0.65 * np.sin(self._turn * time + self._phase) ** 2
        # What leaves on one side comes back on the other; it is faded out near the edges, so that this is not seen.
        edge = np.clip(np.minimum(np.minimum(x, self._air.width - x), np.minimum(y, self._air.height - y)) / 24, 0, 1)
        out = capsules.make_batch(len(x))
        out["x0"], out["y0"], out["x1"], out["y1"] = x, y, x, y
        out["radius"], out["soft"] = self._radius, self._soft
        out["alpha"] = self._alpha * glint * edge * opacity
        out["bright"], out["shade"] = self._bright, self._shade
        out["cb"], out["cr"] = self._tint
        capsules.draw(frame, out)


class Fireflies:
    """Each lights up and fades at its own pace while it wanders."""

    def __init__(self, air: Air, strength: float) -> None:
        self._air = air
        self._points = _WanderingPoints(air, "fireflies", round(air.area * (44 + 130 * strength)), 0.9, 7.0, 0.55)
        chance, z = self._points.chance, self._points.z
        lens = Lens.of(air, focus=3.0, open_at_720p=4.0)
        self._pixels = lens.pixels(z)
        self._core = np.clip(0.016 * self._pixels + 0.7 * lens.blur(z), 2.4 * air.scale, 11 * air.scale)
        self._beat = chance.uniform(1.6, 3.4, len(z))  # seconds
        self._phase = chance.random(len(z))
        self._low = 0.28 * air.height  # they stay below this row

    def draw(self, n: int, frame: Planes) -> None:
        opacity = float(self._air.opacity[n])
        if opacity <= 0:
            return
        time = n / FPS
        x, y = self._points.at(time, self._air.width, self._air.height, self._pixels)
        y = self._low + y * (1 - self._low / self._air.height)
        beat = (time / self._beat + self._phase) % 1.0
        glow = smoothstep(np.minimum(beat / 0.22, (0.72 - beat) / 0.4))
        light = np.clip((150 - self._air.middle) / 90, 0.45, 1)  # by day hardly seen
        out = capsules.make_batch(2 * len(x))
        for part, radius, soft, alpha in (
            (out[: len(x)], 0.6 * self._core, 7.5 * self._core, 0.42),
            (out[len(x) :], 0.8 * self._core, 0.7 * self._core, 0.95),
        ):
            part["x0"], part["y0"], part["x1"], part["y1"] = x, y, x, y
            part["radius"], part["soft"] = radius, np.maximum(soft, 0.5)
            part["alpha"] = alpha * glow * light * opacity
            part["bright"] = part["shade"] = FIREFLY[0]
            part["cb"], part["cr"] = FIREFLY[1], FIREFLY[2]
        capsules.draw(frame, out)


class Sparkles:
    """Grains that drift and glint one after the other, each with the four rays of a bright point."""

    def __init__(self, air: Air, strength: float) -> None:
        self._air = air
        self._points = _WanderingPoints(air, "sparkles", round(air.area * (300 + 700 * strength)), 0.5, 4.0, 0.16)
        chance, z = self._points.chance, self._points.z
        self._pixels = Lens.of(air, focus=1.5, open_at_720p=2.0).pixels(z)
        self._size = air.scale * (3.8 + 13 * chance.random(len(z)) ** 3)
        self._beat = chance.uniform(0.9, 2.4, len(z))  # seconds from one glint to the next
        self._phase = chance.random(len(z))
        self._warm = chance.random(len(z)) < 0.5

    def draw(self, n: int, frame: Planes) -> None:
        opacity = float(self._air.opacity[n])
        if opacity <= 0:
            return
        time = n / FPS
        x, y = self._points.carried(n, self._air, self._pixels, share=0.25, sinking=0.05)
        beat = (time / self._beat + self._phase) % 1.0
        glint = smoothstep(np.minimum(beat / 0.14, (0.46 - beat) / 0.28))
        edge = np.clip(np.minimum(np.minimum(x, self._air.width - x), np.minimum(y, self._air.height - y)) / 16, 0, 1)
        alpha, reach = glint * edge * opacity, self._size * (0.4 + 0.6 * glint)
        out = capsules.make_batch(4 * len(x))
        # A soft halo, two rays, and the point itself.
        for part, along, up, radius, soft, share in (
            (out[0::4], 0.0, 0.0, 0.4, 0.55 * self._size + 1.0, 0.30),
            (out[1::4], 1.0, 0.0, 0.35, 0.9, 0.9),
            (out[2::4], 0.0, 1.0, 0.35, 0.9, 0.9),
            (out[3::4], 0.0, 0.0, 0.16 * self._size, 0.8, 1.0),
        ):
            part["x0"], part["x1"] = x - along * reach, x + along * reach
            part["y0"], part["y1"] = y - up * reach, y + up * reach
            part["radius"], part["soft"] = radius * self._air.scale + 0.2, soft
            part["alpha"] = share * alpha
            part["bright"] = part["shade"] = 235
            part["cb"], part["cr"] = np.where(self._warm, 104, 126), np.where(self._warm, 142, 128)
        capsules.draw(frame, out)
