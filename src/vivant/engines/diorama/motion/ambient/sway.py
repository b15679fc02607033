"""Plants in the wind: gusts travel across the picture, each stem answers in its own time, and roots stay in place.

Neighbours swing alike along a stem and differently across it: equal noise in all directions makes worms of blades.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.kernels import fast_kernel
from vivant.engines.diorama.motion.ambient import falloff
from vivant.engines.diorama.motion.ambient.air import Air, initial_share
from vivant.engines.diorama.motion.ambient.gusts import CALM, KINDS, LANES, LANES_PER_WIDTH, choose_lane, make_gusts
from vivant.engines.diorama.motion.ambient.places import Plants
from vivant.engines.diorama.motion.ambient.stems import Stems, smear_along
from vivant.engines.diorama.motion.ambient.stretch import Bears, find_worst
from vivant.engines.diorama.motion.fields import STEP, FieldSum
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.timing.wind import mean_wind
from vivant.media import F32
from vivant.request import FPS

# How many times as fast a sample may become in each round: later ones make up for what the limit of stretch took, but
# tips must stay ahead of roots.
ROUNDS: Final = (1e6, 1.6, 1.4, 1.3, 1.3)
CROSSING: Final = 1.7  # seconds that a gust needs over one width of the picture, in its foreground
SLANT: Final = 0.35  # of a front: how much earlier it is nearer to the viewer
# What is to be seen: pixels per frame at 640 px on the long side, in the fifth of the plants that moves most, in the
# wind that a strength of 1 brings; less by a power of the strength.
SPEED: Final = 3.7
SPEED_POWER: Final = 1.1
# By which a strength of 1 hastens gusts and the stems that they bend: what leans as far in less time is seen to be
# shaken by a storm, and is not torn by it.
HASTE: Final = 2.5
FARTHEST: Final = 76.0  # px at 720p: a tip never leans more where the wind is 1
EDGE: Final = 56.0  # px at 720p from the border of the picture in which it is pinned: nobody knows what comes in there
STRETCH: Final = 0.57  # pixels by which neighbouring pixels may part or close up, for each pixel between them
BEND: Final = 0.28  # the same from one pixel to the next along a stem
# Of KINDS: leaves and twigs; blades in focus; how much slower what is out of focus is; a blossom on its stem.
_CROWN: Final = 2.2
_GRASS: Final = 5.5
_BLURRED: Final = 1.6
_BODY: Final = 0.8
_ALIKE: Final = 36.0  # samples at 720p along a stem, to both sides, over which it answers alike
DRAWS: Final = 6  # of gusts, from which those are taken in which a body is seen to move in every quarter
WIDE: Final = 3.0  # by which a strength of 1 widens gusts
REST: Final = 0.7  # of the mean lean that a strength of 1 brings: so much of it the picture shows already
PRESSED: Final = 14.0  # samples at 720p within which a strength of 1 makes neighbours feel and answer it alike
EVEN: Final = 0.9  # of what a lull takes is given back: gusts may come and go, but no second may pass without any
GLINT: Final = 0.13  # share by which a gust brightens what it bends: leaves turn their pale side up


class _Bent(NamedTuple):
    """How each sample sways, float32 (rows, columns) on a window of the quarter grid."""

    lean_x: F32  # canvas pixels where the wind holds it at 1
    lean_y: F32
    sink: F32  # canvas pixels by which a tip is lower when it leans so far
    bob: F32  # canvas pixels, up and down
    since: F32  # frames by which the wind comes later than to the middle
    lane: F32
    kind: F32  # 0..len(KINDS) - 1, between two kinds a mixture
    glint: F32  # share of brightness


@dataclass(slots=True, eq=False)
class _Trial:
    """Frames that are tried while leans are chosen. All that a lean does is in proportion to it, so that each frame is
    bent once. first: the leans before they are weakened, of each `thin` rows and columns one; moved: (x, y) by frame,
    with these; kept: the share of them that is left."""

    thin: int
    first: _Bent
    moved: dict[int, tuple[F32, F32]]
    kept: F32 | np.float32


class Sway:
    """Adds the displacement of plants. near: float32 on the quarter grid, above 0 far .. 1 in the foreground. strength:
    0..1. glint: 0..1, of GLINT."""

    def __init__(
        self,
        air: Air,
        plants: Plants,
        stems: Stems,
        near: F32,
        strength: float,
        glint: float,
        *,
        fastest: float = SPEED,
        tough: float = 1.0,
    ) -> None:
        """fastest: as SPEED, of what sways here. tough: share of STRETCH and BEND that it bears."""
        chance = rng(air.seed, "sway")
        weight, firm = plants.weight, plants.firm
        top, bottom, left, right = falloff.find_bounds(weight)
        self._window = box = slice(top, bottom), slice(left, right)
        self._air = air
        blades = stems.stem * stems.sharp
        press = max(0.0, 2 * strength - 1)
        quick = 1 + (HASTE - 1) * press
        since, lane, kind = _feel(chance, air, stems, near, firm, 1.3 - 0.9 * strength - 0.7 * max(0.0, strength - 0.5))
        since = since / np.float32(quick)
        # The wind that is heard is that in the midst of the plants.
        since = since - np.float32((since * weight).sum() / weight.sum())
        since, kind = (_level(values, plants.inside, PRESSED * air.scale, press) for values in (since, kind))
        kind = np.clip(kind * (1 - firm) + _BODY * firm, 0, len(KINDS) - 1.001)
        # In pixels, up to a common factor. Far plants look small, and what is out of focus has no tips to be seen.
        lean = (stems.lever * (1 - firm) + firm) * weight * near**0.6 * (0.75 + 0.25 * blades)
        lean = lean * (0.7 + 0.3 * stems.sharp)
        early, late = (int(np.ceil(max(0.0, float(most)))) + 1 for most in (-since.min(), since.max()))
        body = float((firm * lean).sum()) / max(float(lean.sum()), 1e-6)
        blows, wide = np.abs(air.wind).astype(np.float32), 1 + (WIDE - 1) * press
        best = -np.inf
        for _ in range(DRAWS if body > 0.3 else 1):  # what has but one swing may have bad luck with its gusts
            gusts = make_gusts(chance, blows, early, late, quick, wide)
            merit, moved = choose_lane(
                gusts, since[::4, ::4], lane[::4, ::4], lean[::4, ::4], air.frames, body=body, kind=round(_BODY)
            )
            if merit > best:
                best, shift, self._gusts = merit, moved, gusts
        # A picture taken in a storm shows plants that lean already: they swing to both sides of how they stand there.
        self._rest = np.float32(REST * press * float(self._gusts.answer.mean()))
        # What only moves along with plants moves level, as horizons are.
        upright = np.clip(2 * filters.blur(plants.inside, 1.5), 0, 1)
        at_side, at_end = _pin_border(weight.shape, EDGE * air.scale / STEP)
        parts = (
            # The part of the wind that blows across the stem.
            air.side * lean * np.maximum(stems.along_y**2, 0.35) * at_side,
            -air.side * lean * stems.along_x * stems.along_y * upright * at_end,
            0.15 * lean * upright * at_end,
            0.3 * lean * (1 - blades) * (1 - firm) * upright * at_end,
            since,
            lane + shift + 64 * LANES,
            kind,
            glint * GLINT * (0.4 + 1.2 * strength) * weight * (1 - firm),
        )
        self._bent = _Bent(*(np.ascontiguousarray(values[box], np.float32) for values in parts))
        self._firm = np.ascontiguousarray(firm[box] * weight[box], np.float32)
        # The clip's wind against that which this strength brings: calm air moves little, whatever was asked for.
        usual = float(np.abs(air.wind).mean() + CALM) / (mean_wind(strength) + CALM)
        speed = fastest * strength**SPEED_POWER * min(usual, 2.0) * max(air.width, air.height) / 640
        counts = ((plants.inside > 0.5) & (weight > 0.3))[box]
        # The outline of a body is no stem: what is around it gives way.
        apart = 1 - np.clip(3 * filters.blur(firm, 10 * air.scale), 0, 1)
        stem = (stems.along_x[box], stems.along_y[box], (stems.stem * apart)[box])
        self._swell = np.ones(air.frames, np.float32)
        self._reach_speed(speed, counts, stem, tough * (0.3 + 1.25 * strength))
        self._still = self._blown(0)

    def _reach_speed(self, speed: float, counts: NDArray[np.bool_], stem: tuple[F32, F32, F32], rough: float) -> None:
        """Scale all leans to `speed`, canvas pixels per frame, in the fifth that moves most of what counts, as far as
        nothing is torn by that; a breeze must not even tug (rough: share of STRETCH and BEND, about 1)."""
        thin = max(1, round(min(self._air.width, self._air.height) / 540))  # sizes above 480p need no more samples
        counts = counts[::thin, ::thin]
        if not counts.any():
            counts = self._bent.lean_x[::thin, ::thin] != 0
        times = np.linspace(0, self._air.frames - 2, 24).astype(int)
        first = _Bent(*(np.ascontiguousarray(values[::thin, ::thin]) for values in self._bent))
        trial = _Trial(thin, first, {}, np.float32(1))
        for most in ROUNDS:
            fast = []
            for n in times:
                (x, y), (nx, ny) = self._try(trial, int(n)), self._try(trial, int(n) + 1)
                fast.append(float(np.percentile(np.hypot(nx - x, ny - y)[counts], 80)) + 1e-6)
            if most > 1e5:
                # Lulls are made up for in part: they may come, but none so long that nothing seems to move.
                swell = np.interp(np.arange(self._air.frames), times, fast)
                swell = filters.blur(swell[None], 9.0)[0]
                self._swell = np.clip((np.mean(fast) / swell) ** EVEN, 0.7, 2.2).astype(np.float32)
            farthest = FARTHEST * self._air.scale / (float(np.abs(self._bent.lean_x).max()) + 1e-6)
            self._weaken(np.float32(min(speed / max(float(np.mean(fast)), 1e-6), farthest, most)), trial)
            self._limit_stretch(trial, stem, rough)

    def _try(self, trial: _Trial, n: int) -> tuple[F32, F32]:
        """(x, y) of `_blown` in a frame that is tried; in every round but the first it takes next to nothing."""
        if n not in trial.moved:
            trial.moved[n] = self._bend_at(n, trial.first)[:2]
        x, y = (moved * trial.kept for moved in trial.moved[n])
        self._carry(n, x, y, trial.thin)
        return x, y

    def _weaken(self, share: F32 | np.float32, trial: _Trial) -> None:
        lean_x, lean_y, sink, bob, *rest = self._bent
        self._bent = _Bent(lean_x * share, lean_y * share, sink * share, bob * share, *rest)
        trial.kept = trial.kept * (share[:: trial.thin, :: trial.thin] if isinstance(share, np.ndarray) else share)

    def _limit_stretch(self, trial: _Trial, stem: tuple[F32, F32, F32], rough: float) -> None:
        """Weaken what would be stretched too much, or folded, in one of a few frames."""
        thin = trial.thin
        along_x, along_y, stemmed = (np.ascontiguousarray(values[::thin, ::thin]) for values in stem)
        stretch, bend = np.float32(STRETCH * rough), np.float32(BEND * rough)
        bears = Bears(along_x, along_y, stretch + (bend - stretch) * stemmed, stretch)
        for _ in range(2):
            worst = np.zeros_like(along_x)
            first = self._try(trial, 0)
            for n in np.linspace(self._air.frames * 0.15, self._air.frames - 1, 16).astype(int):
                left = np.float32(initial_share(int(n)))
                for now, then in zip(self._try(trial, int(n)), first, strict=True):
                    find_worst(worst, now - left * then, bears, np.float32(STEP * thin))
            over = filters.blur(cv2.dilate(np.maximum(worst, 1) - 1, np.ones((5, 5), np.uint8)), 2.0)
            kept = (1 / (1 + over)).astype(np.float32)
            reach = stemmed * np.float32(_ALIKE * self._air.scale / thin)
            kept = np.minimum(kept, smear_along(kept, (along_x, along_y), reach))
            height, width = self._bent.lean_x.shape
            self._weaken(filters.resize(kept, width, height) if thin > 1 else kept, trial)

    def add(self, n: int, out: FieldSum) -> None:
        amplitude = np.float32(self._air.swing[n])
        if n == 0 or amplitude == 0:
            return
        initial = np.float32(initial_share(n))
        dx, dy, gain = (now - initial * then for now, then in zip(self._blown(n), self._still, strict=True))
        # The renderer reads the picture at x + dx: what leans to the right is read from the left.
        out.dx[self._window] -= amplitude * dx
        out.dy[self._window] -= amplitude * dy
        out.gain[self._window] *= 1 + amplitude * gain

    def _blown(self, n: int) -> tuple[F32, F32, F32]:
        """(x, y): where what is bent has moved to, in canvas pixels; and its gain - 1."""
        dx, dy, gain = self._bend_at(n, self._bent)
        self._carry(n, dx, dy)
        return dx, dy, gain

    def _bend_at(self, n: int, bent: _Bent) -> tuple[F32, F32, F32]:
        """As `_blown`, before lulls are made up for and what is firm moves as a whole."""
        dx, dy, gain = (np.empty_like(bent.lean_x) for _ in range(3))
        _bend(dx, dy, gain, bent, self._gusts.gust, self._gusts.answer, np.float32(self._gusts.late + n), self._rest)
        return dx, dy, gain

    def _carry(self, n: int, dx: F32, dy: F32, thin: int = 1) -> None:
        """Make up for lulls, and move what is firm as a whole, in place. thin: see _Trial."""
        dx *= self._swell[n]
        dy *= self._swell[n]
        firm = self._firm[::thin, ::thin]
        total = float(firm.sum())
        if total > 0:
            for moved in (dx, dy):
                moved += firm * (np.float32(float((moved * firm).sum()) / total) - moved)


def _feel(
    chance: np.random.Generator, air: Air, stems: Stems, near: F32, firm: F32, apart: float
) -> tuple[F32, F32, F32]:
    """When a gust comes to each sample (frames), in which lane, and which of KINDS answers it: float32 on the quarter
    grid. Alike along a stem, or it would wriggle; and a body is blown as a whole. apart: about 1, how much neighbours
    differ; strong wind presses them down together."""
    since, lane = _travel(air, near)
    own, timing = (_make_noise(chance, stems, air.scale) for _ in range(2))
    # A stem is not its neighbour: it feels the gust a little earlier or later, and swings at its own rate.
    kind = _CROWN + (_GRASS - _CROWN) * stems.stem * stems.sharp - _BLURRED * (1 - stems.sharp) + 1.2 * apart * own
    reach = _ALIKE * stems.stem * np.float32(air.scale)
    whole = max(float(firm.sum()), 1e-6)
    felt = []
    for values in (since + 2.2 * apart * timing, lane, kind):
        body = float((values * firm).sum()) / whole
        felt.append(smear_along(values, (stems.along_x, stems.along_y), reach) * (1 - firm) + body * firm)
    return felt[0], felt[1], felt[2]


def _level(values: F32, inside: F32, sigma: float, share: float) -> F32:
    """The values, as far as `share` (0..1) says replaced by their mean in the plants about each sample."""
    if share <= 0:
        return values
    room = filters.blur(inside, sigma) + np.float32(1e-3)
    mean = (filters.blur(values * inside, sigma) + np.float32(1e-3) * values) / room
    return np.asarray(values + np.float32(min(1.0, share)) * (mean - values), np.float32)


def _travel(air: Air, near: F32) -> tuple[F32, F32]:
    """For each sample the frames that a gust needs to it, from 0, and its lane across the wind: float32 on the quarter
    grid. On the ground, so that far gusts are small and slow."""
    columns = near.shape[1]
    x = (np.arange(columns, dtype=np.float32) / max(1, columns - 1) - 0.5) * np.float32(air.side)
    width, depth = x[None] / near**0.7, 0.16 / near
    along, across = width - SLANT * depth, depth + SLANT * width
    late = CROSSING * FPS * (along - along.min())
    return late.astype(np.float32), (LANES_PER_WIDTH * across).astype(np.float32)


def _pin_border(shape: tuple[int, int], ramp: float) -> tuple[F32, F32]:
    """Weights 0..1 that vanish toward the left and right border, float32 (1, columns), and toward the upper and lower
    one, (rows, 1). ramp: samples."""
    x, y = (smoothstep(np.minimum(np.arange(n), np.arange(n)[::-1]) / ramp).astype(np.float32) for n in shape[::-1])
    return x[None], y[:, None]


def _make_noise(chance: np.random.Generator, stems: Stems, scale: float) -> F32:
    """float32 on the quarter grid, deviation about 1: much longer along a stem than across it; among leaves equal in
    all directions. Lengths below: samples at 720p."""
    white = chance.standard_normal(stems.stem.shape)
    thin, round_ = filters.blur(white, 6.0 * scale), filters.blur(white, 11.0 * scale)
    thin, round_ = thin / (thin.std() + 1e-9), round_ / (round_.std() + 1e-9)
    blades = smear_along(thin, (stems.along_x, stems.along_y), 26 * scale)
    blades = blades / (blades.std() + 1e-9)
    mixed = stems.stem * blades + (1 - stems.stem) * round_
    return np.asarray(np.clip(mixed, -2, 2), np.float32)


@fast_kernel
def _bend(dx: F32, dy: F32, gain: F32, bent: _Bent, gust: F32, answer: F32, now: Any, rest: Any) -> None:
    """Fill in how far plants lean (canvas pixels) and gain - 1. gust, answer: see Gusts; now: frames since the first
    sample there. rest: the answer with which a plant stands as in the picture."""
    last = np.float32(gust.shape[0] - 1.001)
    lanes, kinds = gust.shape[1], answer.shape[0]
    for row in range(dx.shape[0]):
        for column in range(dx.shape[1]):
            u = min(max(now - bent.since[row, column], np.float32(0)), last)
            at = int(u)
            part = u - np.float32(at)
            lane = bent.lane[row, column]
            first = int(lane)
            aside = lane - np.float32(first)
            first %= lanes
            second = (first + 1) % lanes
            kind = bent.kind[row, column]
            one = int(kind)
            more = kind - np.float32(one)
            blown = _mix(answer[one], at, part, first, second, aside)
            blown += more * (_mix(answer[one + 1], at, part, first, second, aside) - blown) - rest
            wind = _mix(gust, at, part, first, second, aside)
            # Leaves bob as another kind sways, so that they go round rather than to and fro.
            up = _mix(answer[(one + 3) % kinds], at, part, first, second, aside) - wind
            dx[row, column] = bent.lean_x[row, column] * blown
            dip = bent.sink[row, column] * blown * abs(blown)
            dy[row, column] = bent.lean_y[row, column] * blown + dip + bent.bob[row, column] * up
            gain[row, column] = bent.glint[row, column] * (wind - np.float32(0.25))


@fast_kernel
def _mix(table: F32, at: int, part: Any, first: int, second: int, aside: Any) -> Any:
    """float32 (frames, lanes), read between frames and lanes."""
    one = table[at, first] + part * (table[at + 1, first] - table[at, first])
    two = table[at, second] + part * (table[at + 1, second] - table[at, second])
    return one + aside * (two - one)
