"""Surf on a beach: each wave runs up the sand with a rim of foam and draws back, and leaves the sand dark for a while.

Water near the shore is slid along the normal of the shoreline over sand that stays; sand that is laid bare seaward of
the shoreline is the beach mirrored at it. Everything is a displacement and a gain, so that frame 0 is the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.ambient import falloff
from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.water import force
from vivant.engines.diorama.motion.fields import STEP, FieldSum, average_quarter
from vivant.engines.diorama.random_streams import rng
from vivant.media import F32
from vivant.request import FPS

RUN: Final = 50.0  # px that a wave runs up at the near edge, at 720p, strength 0.5
RISE, DRAW = 1.1, 1.9  # seconds of running up and of drawing back
EVERY: Final = 2.9  # seconds between waves where no sound tells them
LATER: Final = 0.9  # seconds by which a wave comes later at one side of the picture than at the other
DRIES: Final = 9.0  # px per second by which the wet mark sinks back, at 720p
WET: Final = 0.2  # share of its light that wet sand loses
FOAM = 105.0, 226.0  # luma between which foam is as bright as the brightest of the water: dim at dusk
RIM: Final = 6.0  # px at 720p: how fast the rim of foam thins out behind its edge, but no thinner than the grid
LACE: Final = 30.0  # px over which foam thins out behind the rim, at 720p
GAP: Final = 34.0  # px at 720p that foam and wet sand may be wide
SHORTEST: Final = 0.06  # of the picture's width: a shoreline that is no longer has no surf


class Surf:
    """Run-up of waves on one shoreline; adds displacement and brightness."""

    def __init__(
        self, air: Air, water: F32, sand: F32, waterline: float, strength: float, luma: F32, fronts: Sequence[float]
    ) -> None:
        """water, sand: float32 (h, w), 0..1, apart. waterline: row, pixels. strength: 0..1. luma: float32 on the
        quarter grid. fronts: seconds at which waves break."""
        self._air = air
        wet, dry = average_quarter(water) > 0.5, average_quarter(sand) > 0.5
        rows = float(STEP) * np.arange(wet.shape[0])[:, None]
        near = np.clip((rows - waterline) / max(8.0, air.height - waterline), 0.02, 1)
        reach = (RUN * air.scale * force(strength) ** 0.7 * near**0.6).astype(np.float32)
        if dry.any():  # driftwood and rocks on the beach, and rocks between it and the water
            solid = luma < 0.6 * np.median(luma[dry])
            dry &= ~solid
            shore, zone = _measure_shore(wet, dry, solid, reach, air.scale)
        else:
            zone = np.zeros(wet.shape, np.float32)
        self._is_there = zone.max() > 0.5
        if not self._is_there:
            return
        top, bottom, left, right = falloff.find_bounds(zone)
        self._window = slice(top, bottom), slice(left, right)
        down, across = np.gradient(filters.blur(shore, 3.0))
        length = np.hypot(down, across) + 1e-6
        # Between two shores, and along a ragged one, the normals cancel out.
        even = np.hypot(*np.gradient(filters.blur(shore, 6.0))) / STEP
        zone *= smoothstep((even - 0.55) / 0.3).astype(np.float32)
        self._down, self._across = ((v / length)[self._window].astype(np.float32) for v in (down, across))
        self._shore, self._zone = shore[self._window], zone[self._window]
        self._luma = luma
        self._white = float(np.clip(np.percentile(luma[wet], 98), *FOAM))
        # How far out the water is slid; over less than that it would be stretched into threads.
        depth = np.maximum((130 * near + 14) * air.scale, 2.6 * reach)
        self._length = depth[top:bottom].astype(np.float32)
        chance = rng(air.seed, "surf")
        noise = filters.blur(chance.normal(size=wet.shape), 7.0)[self._window]
        noise /= float(noise.std()) + 1e-9
        columns = np.arange(left, right)[None, :] / wet.shape[1]
        # Fingers: the wave is ahead here and behind there.
        self._later = (LATER * columns + 0.08 * noise).astype(np.float32)
        self._reach = (reach[top:bottom] * (1 + 0.1 * np.clip(np.roll(noise, 9, axis=1), -1.5, 1.5))).astype(np.float32)
        # Fine and coarse flakes, each with a deviation of about 1.
        fine, coarse = (filters.blur(chance.normal(size=wet.shape), sigma) * 3.54 * sigma for sigma in (1.0, 3.0))
        self._lace = (0.5 * fine + 0.5 * coarse).astype(np.float32)
        self._fronts = _fill(fronts, air.frames / FPS, chance)
        self._initial = self._height(0.0)

    def add(self, n: int, out: FieldSum) -> None:
        amplitude = float(self._air.swing[n])
        if n == 0 or amplitude == 0 or not self._is_there:
            return
        time, scale = n / FPS, self._air.scale
        run = amplitude * self._run(time)
        s, zone = self._shore, self._zone
        covered = smoothstep((s + run) / (2 * STEP) + 0.5)
        slid = run * np.exp(-((np.maximum(s, 0) / self._length) ** 2))
        mirrored = np.where(s > 0, -2 * s, 0)
        moved = (covered * slid + (1 - covered) * mirrored) * zone
        dx, dy = self._across * moved, self._down * moved
        out.dx[self._window] += dx
        out.dy[self._window] += dy
        gain = 1 - WET * np.where(s > 0, self._bared(run), amplitude * self._soaked(time)) * (1 - covered) * zone
        rising = np.clip((run - amplitude * self._run(max(0.0, time - 0.1))) / (3 * scale), 0, 1)
        foam = amplitude * self._foam(s + run, run, rising) * zone
        rows, columns = np.mgrid[self._window]
        lit = filters.sample(self._luma, columns + dx / STEP, rows + dy / STEP) * gain
        whiter = np.clip((self._white - lit) / np.maximum(lit - 16, 8), 0, 2.5)
        out.gain[self._window] *= (gain * (1 + foam * whiter)).astype(np.float32)

    def _bared(self, run: F32) -> F32:
        """How surely sand that was under water is bared, 0..1: grows from nothing as the water draws back."""
        return np.asarray(np.minimum(1, np.abs(run) / 8), np.float32)

    def _soaked(self, time: float) -> F32:
        """How wet the beach is from waves since frame 0, 0..1."""
        highest = self._run(time)
        for past in np.arange(0.25, min(time, 2.6), 0.25):
            highest = np.maximum(highest, self._run(time - float(past)) - DRIES * self._air.scale * past)
        wet = smoothstep((self._shore + highest) / (2 * STEP) + 0.2) * np.minimum(1, np.abs(highest) / 8)
        return np.asarray(wet, np.float32)

    def _foam(self, inside: F32, run: F32, rising: NDArray[np.floating]) -> F32:
        """Share of foam, 0..1. inside: px behind the edge of the water. rising: 0..1, how fast that runs up."""
        scale = self._air.scale
        edge = smoothstep(inside / STEP) * np.exp(-np.maximum(inside, 0) / max(RIM * scale, STEP))
        edge = edge * (0.35 + 0.55 * rising)
        rows, columns = np.mgrid[self._window]
        lace = filters.sample(self._lace, columns + self._across * run / STEP, rows + self._down * run / STEP)
        behind = np.exp(-np.maximum(inside, 0) / (LACE * scale)) * (inside > 0) * np.clip(lace, 0, 1) * 0.55
        begun = np.minimum(1, np.abs(run) / (6 * scale))
        return np.asarray(np.maximum(edge * np.clip(0.7 + 0.4 * lace, 0, 1), behind) * begun, np.float32)

    def _run(self, time: float) -> F32:
        """How far the edge of the water is up the beach of where the picture shows it, px, float32 on the window."""
        return np.asarray(self._reach * (self._height(time) - self._initial), np.float32)

    def _height(self, time: float) -> F32:
        """0..1, how far up the beach, on the window."""
        left = np.ones_like(self._later)
        for front in self._fronts:
            age = time - front + RISE - self._later
            up = smoothstep(age / RISE) * (1 - smoothstep((age - RISE) / DRAW))
            left *= 1 - 0.95 * up
        return np.asarray(1 - left, np.float32)


def _measure_shore(
    wet: NDArray[np.bool_], dry: NDArray[np.bool_], solid: NDArray[np.bool_], reach: F32, scale: float
) -> tuple[F32, F32]:
    """(px from the shoreline, positive in the water; where the shoreline is that of a beach, 0..1), float32, of masks
    on the quarter grid. solid: what is not foam or wet sand. reach: px that waves run up, float32 of any shape that
    fits the masks."""
    nothing = np.zeros(wet.shape, np.float32)
    if not (wet.any() and dry.any()):
        return nothing, nothing
    # What is neither but lies between both, such as foam and wet sand, belongs to the nearer one.
    to_wet, to_dry = _distance(~wet), _distance(~dry)
    between = ~wet & ~dry & ~solid & (to_wet < GAP * scale) & (to_dry < GAP * scale)
    wet, dry = wet | between & (to_wet <= to_dry), dry | between & (to_wet > to_dry)
    touching = wet & (cv2.dilate(dry.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    if np.count_nonzero(touching.any(axis=0)) < SHORTEST * wet.shape[1]:
        return nothing, nothing
    to_dry, to_wet, to_both = (_distance(~m) for m in (dry, wet, touching))
    shore = filters.blur(np.where(wet, to_dry, -to_wet), 3.5)
    zone = np.clip(1.4 - (to_both - np.abs(shore)) / (20 * scale + 0.25 * np.abs(shore)), 0, 1)
    # Rocks, cliffs and the subject stay; water that slid fast up to them would be drawn into rings.
    held = cv2.dilate((solid & ~wet).astype(np.uint8), _disc(round(0.7 * float(reach.max()) / STEP)))
    zone *= smoothstep((_distance((wet | dry) & (held == 0)) - 6) / np.maximum(16 * scale, 2.5 * reach))
    zone *= np.clip((260 * scale - np.abs(shore)) / (80 * scale), 0, 1)
    return shore, np.asarray(filters.blur(zone, 2.0) * (zone > 0), np.float32)


def _disc(radius: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2), np.uint8)


def _distance(mask: NDArray[np.bool_]) -> F32:
    """px from each true sample to the nearest false one; beyond the border the mask goes on."""
    if mask.all():
        return np.full(mask.shape, 1e4, np.float32)
    return np.asarray(STEP * cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def _fill(fronts: Sequence[float], seconds: float, chance: np.random.Generator) -> list[float]:
    """The moments of all waves, from before the clip to its end: those given, and others where there is room."""
    known = sorted(fronts)
    moments: list[float] = []
    at = -EVERY * float(chance.uniform(0.6, 0.75))
    while at < seconds + LATER:
        upcoming = [front for front in known if at - 1.2 < front]
        if upcoming and upcoming[0] < at + 1.6:
            at = upcoming[0]
            known = [front for front in known if front > at]
        moments.append(at)
        at += EVERY * float(chance.uniform(0.85, 1.2))
    return moments
