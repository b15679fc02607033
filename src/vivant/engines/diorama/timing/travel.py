"""Where a thing that travels is, frame by frame: curves of its place, size and tilt. Knows the thing's box and the
horizon, not its pixels.

Speeds are shares of the canvas per second. At usual strength a thing crosses about a quarter of the canvas in five
seconds, which is 1.5 pixels per frame at 640 pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from vivant.engines.diorama.checks import check_array, check_type
from vivant.engines.diorama.easing import smootherstep
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.storyboard import PictureFacts, Speed, Storyboard, Thing, ThingFact, ThingKind, Travel
from vivant.engines.diorama.timing.views import View
from vivant.media import F32, F64
from vivant.request import FPS

ACROSS: Final = 0.058  # widths per second
UP: Final = 0.085  # heights per second
LIFT_OFF: Final = 0.11  # heights per second squared: a rocket speeds up
AWAY: Final = 0.17  # of its size that a thing loses in a second, going away
TOWARD: Final = 0.1  # and gains, coming near
SHIFT: Final = 0.006  # of the width, to and fro: what bobs is never quite in one place
SMALLEST: Final = 0.22  # scale at which what goes away stays
LARGEST: Final = 1.5  # and up to which what comes near is enlarged: beyond, its pixels would be seen
SET_OFF: Final = 0.8  # seconds in which it gets its speed
_QUICK: Final = {"bird": 1.6}  # what is faster than other things that go
_SPEEDS: Final[dict[Speed, float]] = {"slow": 0.62, "normal": 1.0, "fast": 2.0}
# How each kind moves by itself while it goes: heave (of its height), roll (degrees), per second.
_SWAYS: Final[dict[ThingKind, tuple[float, float, float]]] = {
    "boat": (0.016, 1.5, 0.38), "balloon": (0.014, 1.4, 0.22), "kite": (0.04, 4.0, 0.5), "plane": (0.02, 1.2, 0.25),
    "bird": (0.05, 1.5, 0.35), "fish": (0.04, 3.0, 0.6), "car": (0.006, 0.25, 1.7), "train": (0.004, 0.1, 1.9),
}  # fmt: skip
_FLIES: Final[frozenset[ThingKind]] = frozenset({"balloon", "kite", "plane", "bird", "rocket"})


@dataclass(frozen=True, slots=True, eq=False)
class TravelCurves:
    """One thing through the clip, all float32 (frames,): x, y: how far it is from its place, in widths and heights of
    the canvas; scale: of its size, about its foot (about its middle where it flies); angle: clockwise, radians. At
    frame 0 it is where it is in the picture."""

    thing: Thing
    x: F32
    y: F32
    scale: F32
    angle: F32
    afloat: bool = False  # it lies on water, and its wings are at rest

    def __post_init__(self) -> None:
        check_type("TravelCurves.thing", self.thing, Thing)
        for name in ("x", "y", "scale", "angle"):
            low = 0.05 if name == "scale" else -np.inf
            check_array(f"TravelCurves.{name}", getattr(self, name), np.float32, self.x.shape, low)

    @property
    def flies(self) -> bool:
        return self.thing.kind in _FLIES and not self.afloat

    def within(self, view: View) -> TravelCurves:
        """The same in a view, which shows a part of the canvas larger."""
        x, y = ((values / view.size).astype(np.float32) for values in (self.x, self.y))
        return TravelCurves(self.thing, x, y, self.scale, self.angle, self.afloat)


def make_travels(board: Storyboard, facts: PictureFacts) -> tuple[TravelCurves, ...]:
    """The curves of board.travels, in their order; what was not found in the picture has none."""
    found = {fact.thing: fact for fact in facts.things}
    return tuple(
        _Way(travel, found[travel.thing], facts.horizon, board).curves()
        for travel in board.travels
        if travel.thing in found
    )


class _Way:
    """One thing on its way."""

    def __init__(self, travel: Travel, fact: ThingFact, horizon: float, board: Storyboard) -> None:
        self._travel, self._fact, self._horizon = travel, fact, horizon
        self._frames = board.frames
        self._chance = rng(board.seed, f"travel.{travel.thing.kind}")
        start = (travel.start or 0) / FPS
        self._t = np.maximum(np.arange(board.frames) / FPS - start, 0.0)
        self._rate = _SPEEDS[travel.speed] * _QUICK.get(travel.thing.kind, 1.0) * travel.strength / 0.5
        self._side = self._choose_side()
        end = None if travel.end is None or travel.end >= board.frames else travel.end / FPS - start
        self._seconds = self._gone(end)

    def curves(self) -> TravelCurves:
        travel = self._travel
        zero = np.zeros(self._frames)
        x, y, scale, angle = zero, zero, zero + 1, zero
        d = self._rate * self._seconds
        match travel.kind:
            case "go" | "turn":
                x = self._side * self._limit(ACROSS * d, self._room_across())
                if travel.kind == "turn":
                    angle = self._side * np.radians(7) * smootherstep(self._t / 1.5)
                if travel.thing.kind in ("plane", "bird"):
                    y = -0.012 * d
            case "rise":
                x, y, scale, angle = self._rise(d)
            case "take_off":
                x = self._side * 1.5 * ACROSS * d
                y = -0.035 * self._rate * self._seconds**2 / (1 + 0.25 * self._seconds)
                angle = -self._side * np.radians(6) * smootherstep(self._t / 2.0)
                scale = np.exp(-0.03 * d)
            case "fall":
                y = self._limit(0.8 * UP * d, max(0.97 - self._fact.bottom, 0.04))
            case "recede":
                x, y, scale = self._into_the_depth(np.maximum(np.exp(-AWAY * d), SMALLEST))
                x = x + self._side * 0.35 * ACROSS * d * scale * (travel.direction != "")
            case "approach":
                most = max(1.04, min(LARGEST, self._largest()))
                x, y, scale = self._into_the_depth(1 + self._limit(np.exp(TOWARD * d) - 1, most - 1))
            case "bob":
                x = SHIFT * self._rate * smootherstep(self._t / SET_OFF) * np.sin(2 * np.pi * 0.13 * self._t)
            case "shake":
                pass
        heave, roll = self._sway()
        return TravelCurves(
            travel.thing,
            x=x.astype(np.float32),
            y=(y + heave).astype(np.float32),
            scale=np.asarray(scale, np.float32),
            angle=np.asarray(angle + roll, np.float32),
            afloat=self._swims(),
        )

    def _swims(self) -> bool:
        """Whether it is a bird that rests on the water."""
        return self._travel.kind == "bob" and self._travel.thing.kind == "bird"

    def _rise(self, d: F64) -> tuple[F64, F64, F64, F64]:
        zero = np.zeros(self._frames)
        if self._travel.thing.kind == "rocket":
            trembling = 0.0006 * np.sin(2 * np.pi * 9 * self._t) * np.exp(-0.4 * self._t) * smootherstep(self._t / 0.4)
            return trembling, -0.5 * LIFT_OFF * self._rate * self._t**2, zero + 1, zero
        room = self._fact.top + (1.0 if self._travel.leaves else 0.5) * (self._fact.bottom - self._fact.top)
        drift = self._side * 0.2 * ACROSS * d
        return drift, -self._limit(UP * d, max(room, 0.1)), np.exp(-0.022 * d), zero

    def _into_the_depth(self, scale: F64) -> tuple[F64, F64, F64]:
        """Toward the vanishing point, or from it: what stands on the ground stays on it."""
        fact = self._fact
        middle = 0.5 * (fact.left + fact.right)
        foot = 0.5 * (fact.top + fact.bottom) if self._travel.thing.kind in _FLIES else fact.bottom
        horizon = min(self._horizon, foot - 0.02) if self._travel.thing.kind not in _FLIES else self._horizon
        x = 0.6 * (0.5 - middle) * (1 - np.minimum(scale, 1))
        return x, (horizon - foot) * (1 - scale), scale

    def _largest(self) -> float:
        """The scale at which it fills the picture as far as it may."""
        fact = self._fact
        foot = fact.bottom - min(self._horizon, fact.bottom - 0.02)
        below = 1 + max(0.0, 0.985 - fact.bottom) / max(foot, 0.05)
        return float(min(below, 0.8 / max(fact.bottom - fact.top, fact.right - fact.left, 0.05)))

    def _choose_side(self) -> int:
        match self._travel.direction:
            case "left":
                return -1
            case "right":
                return 1
            case _:
                fact = self._fact
                left, right = min(fact.left, fact.reach_left), min(1 - fact.right, fact.reach_right)
                return 1 if right > left or (right == left and self._chance.random() < 0.5) else -1

    def _room_across(self) -> float:
        """Widths that it may go; what may leave has no limit."""
        fact = self._fact
        reach = fact.reach_right if self._side > 0 else fact.reach_left
        if self._travel.leaves:
            return 10.0 if reach == 1 else max(reach, 0.04)
        border = (1 - fact.right if self._side > 0 else fact.left) + 0.3 * (fact.right - fact.left)
        return max(min(border, reach), 0.04)

    @staticmethod
    def _limit(way: F64, room: float) -> F64:
        """The way, which slows down as it nears the end of the room."""
        near = 0.65 * room
        return np.where(way < near, way, near + (room - near) * np.tanh((way - near) / (room - near)))

    def _gone(self, end: float | None) -> F64:
        """Seconds of full speed that lie behind: it sets off gently, and stops gently where the time has an end."""
        t = self._t if end is None else np.minimum(self._t, end)
        ramp = SET_OFF if end is None else min(SET_OFF, end / 2)
        speed = smootherstep(t / ramp)
        if end is not None:
            speed = speed * smootherstep((end - t) / ramp)
        gone = np.concatenate([[0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1])) / FPS])
        return np.asarray(gone, np.float64)

    def _sway(self) -> tuple[F64, F64]:
        """(heave in heights of the canvas, roll in radians), both 0 at the start."""
        kind, height = self._travel.thing.kind, self._fact.bottom - self._fact.top
        heave, roll, pace = _SWAYS.get("boat" if self._swims() else kind, (0.0, 0.0, 0.4))
        if self._travel.kind == "bob":
            heave, roll, pace = max(3 * heave, 0.03), max(2.4 * roll, 2.5), max(pace, 0.4)
        elif self._travel.kind == "shake":
            heave, roll, pace = 0.012, 0.9, 6.5
        heave, roll = heave * self._travel.strength / 0.5, roll * self._travel.strength / 0.5
        phase = self._chance.uniform(0.7, 1.3)
        there = smootherstep(self._t / SET_OFF)
        first = np.sin(2 * np.pi * pace * self._t)
        second = np.sin(2 * np.pi * pace * 1.37 * phase * self._t)
        tilt = 0.7 * np.sin(2 * np.pi * pace * 0.83 * self._t) + 0.3 * np.sin(2 * np.pi * pace * 1.6 * self._t)
        return height * heave * there * (0.7 * first + 0.3 * second), np.radians(roll) * there * tilt
