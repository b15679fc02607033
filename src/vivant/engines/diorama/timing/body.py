"""What a subject without a human face does: it breathes, shifts its weight, looks around, and what it is told.

Curves over the clip, made from the seed and the actions. Knows nothing of pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, NamedTuple

import numpy as np

from vivant.engines.diorama.easing import smootherstep, smoothstep
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.storyboard import Being, BodyAction, BodyActionKind
from vivant.engines.diorama.timing.curves import BodyCurves, body_range
from vivant.media import F64
from vivant.request import FPS

FIRST: Final = 0.2  # s until the first action that has no time
BETWEEN: Final = 1.1  # s from one step to the next, where there is room
SETTLE: Final = 1.0  # s in which everything returns to rest when the clip ends on a last picture
SETS_OFF: Final = 0.6  # s in which the idle life sets off from the picture
SHUT: Final = (0.09, 0.06, 0.17)  # s in which lids close, stay shut and open
BETWEEN_BLINKS: Final = (2.4, 4.5)  # s
USUAL: Final = 0.5  # strength of an action that does as much as these tables say


class _Idle(NamedTuple):
    """How a being moves by itself."""

    breath: tuple[float, float]  # Hz, from..to
    lean: float  # Hz
    yaw: float  # degrees
    pitch: float
    roll: float
    head: float  # Hz of its slower turns
    tail: float  # degrees
    ears: float  # degrees of a twitch
    bob: float = 0.0  # how far it rises and sinks as it shifts its weight


# Breaths per second of resting dogs, cats and antelopes 0.3..0.5, of people 0.25..0.3.
_IDLE: Final[Mapping[Being, _Idle]] = {
    "animal": _Idle((0.42, 0.52), 0.46, 7.0, 5.5, 2.0, 0.42, 14.0, 11.0, 0.9),
    "bird": _Idle((0.8, 1.0), 0.3, 4.0, 3.0, 1.5, 0.5, 8.0, 8.0, 0.5),
    "fish": _Idle((0.5, 0.6), 0.0, 0.0, 0.0, 0.0, 0.4, 0.0, 0.0),  # the breath is not seen
    "person": _Idle((0.3, 0.36), 0.34, 4.5, 2.4, 0.8, 0.33, 0.0, 0.0),
}
STROKES: Final = (0.75, 0.95)  # Hz, from..to: strokes of the tail of a fish that hovers
GLANCES: Final = (0.34, 0.7)  # s from one quick turn of a bird's head to the next
GLANCE: Final = 0.17  # s that it takes
# Poses of the head that are taken and held, degrees.
_POSES: Final[Mapping[BodyActionKind, Mapping[str, float]]] = {
    "look_left": {"yaw": -14.0},
    "look_right": {"yaw": 14.0},
    "look_up": {"pitch": -12.0},
    "look_down": {"pitch": 13.0},
    "tilt_head": {"roll": 8.0},
}
# Actions that end by themselves, s; others last.
_LENGTHS: Final[Mapping[BodyActionKind, float]] = {"nod": 2.6, "shake_head": 2.2, "blink": 1.2, "twitch_ears": 2.2}


@dataclass(frozen=True, slots=True)
class _Act:
    """An action in its time, seconds; size: against the usual one."""

    kind: BodyActionKind
    start: float
    end: float
    size: float


def make_body(frames: int, seed: int, actions: Sequence[BodyAction], *, settle: bool = False) -> BodyCurves | None:
    """All curves are 0 at frame 0, and at the last frame if `settle`. None where nobody is there to move."""
    if not actions:
        return None
    time = np.arange(frames) / FPS
    being = actions[0].being
    idle = _IDLE[being]
    chance = rng(seed, "body")
    acts = _place(actions, frames)
    kinds = {act.kind for act in acts}
    curves = _live(time, idle, chance, kinds, seed)
    if being == "fish":
        curves |= _swim(time, chance)
    elif being == "bird":
        for name, degrees in (("yaw", 9.0), ("pitch", 4.5), ("roll", 4.0)):
            curves[name] += degrees * _glances(time, rng(seed, f"body/glances/{name}"))
    for number, act in enumerate(acts):
        told = rng(seed, f"body/{number}/{act.kind}")
        for name, curve in _perform(time, act, told).items():
            curves[name] = np.maximum(curves[name], curve) if name == "lids" else curves[name] + act.size * curve
    start = smoothstep(time / 0.25)
    end = smootherstep((time[-1] - time) / SETTLE) if settle else np.ones(frames)
    made = {}
    for field in fields(BodyCurves):
        low, high = body_range(field.name)
        made[field.name] = np.clip(curves[field.name] * start * end, low, high).astype(np.float32)
    return BodyCurves(**made)


def _place(actions: Sequence[BodyAction], frames: int) -> list[_Act]:
    """When each happens: as the prompt says, else one step after the other, spread over the clip."""
    clip = frames / FPS
    steps = sorted({one.order for one in actions if one.start is None and one.kind not in ("breathe", "sway")})
    pace = min(2.4, max(BETWEEN, (clip - FIRST) / max(1, len(steps)))) if steps else BETWEEN
    acts = []
    for one in actions:
        if one.start is not None:
            start = one.start / FPS
        else:
            start = FIRST + pace * (steps.index(one.order) if one.order in steps else 0)
        start = min(start, max(0.0, clip - 1.0))
        end = clip + 1 if one.end is None else one.end / FPS
        if one.kind in _LENGTHS and one.end is None and len(steps) > 1:
            end = start + _LENGTHS[one.kind]
        acts.append(_Act(one.kind, start, max(end, start + 0.8), one.strength / USUAL))
    # A pose gives way to the next one.
    posed = [act for act in acts if act.kind in _POSES or act.kind in ("turn_head", "nod", "shake_head")]
    return [_until_next(act, posed) for act in acts]


def _until_next(act: _Act, posed: Sequence[_Act]) -> _Act:
    if act not in posed:
        return act
    later = [other.start for other in posed if other.start > act.start]
    return _Act(act.kind, act.start, min([act.end, *later]), act.size)


def _live(time: F64, idle: _Idle, chance: np.random.Generator, kinds: set[BodyActionKind], seed: int) -> dict[str, F64]:
    """What it does by itself. Less of that with the head while the head is told what to do."""
    told = bool(kinds & {*_POSES, "turn_head", "nod", "shake_head", "sniff"})
    lean = 2.0 if "sway" in kinds else 1.0
    rate = float(chance.uniform(*idle.breath))
    phase = 2 * np.pi * rate * time
    phase = phase + 0.35 * (1 - np.cos(phase)) / 2  # breathing in is faster than out
    head = 0.8 if told else 1.0
    curves = {field.name: np.zeros_like(time) for field in fields(BodyCurves)}
    curves["breath"] = (1.5 if "breathe" in kinds else 1.0) * (1 - np.cos(phase)) / 2
    curves["lean"] = lean * _waves(time, (idle.lean, 0.41), (1.0, 0.35), chance)
    # The body never rests; a stream of its own keeps the other curves as they were.
    curves["bob"] = idle.bob * _waves(time, (0.57, 0.93), (1.0, 0.3), rng(seed, "body/bob"))
    curves["yaw"] = head * idle.yaw * _waves(time, (idle.head, 0.57), (1.0, 0.35), chance)
    curves["pitch"] = head * idle.pitch * _waves(time, (0.44, 0.85), (1.0, 0.4), chance)
    # A quarter of a turn behind the pitch, so that the head never rests.
    curves["roll"] = (
        head * idle.roll * _waves(time, (0.72, 1.15), (1.0, 0.3), rng(int(chance.integers(1 << 30)), "roll"))
    )
    # Both together would fold a thin tail.
    rest = 0.3 if kinds & {"wag_tail", "flick_tail"} else 1.0
    curves["tail"] = rest * idle.tail * _waves(time, (0.62, 1.07), (1.0, 0.45), chance)
    curves["ears"] = idle.ears * _twitches(time, chance, (0.9, 2.2))
    curves["lids"] = _blinks(time, _blink_times(time[-1], chance))
    return curves


def _swim(time: F64, chance: np.random.Generator) -> dict[str, F64]:
    """A fish that hovers: strokes that swell and fade, fins, and a slow drift."""
    rate = float(chance.uniform(*STROKES))
    phase = 2 * np.pi * rate * time + 0.5 * np.sin(2 * np.pi * 0.21 * time)
    strong = smoothstep(time / SETS_OFF) * (1 + 0.2 * np.sin(2 * np.pi * 0.27 * time + float(chance.uniform(0, 6))))
    return {
        "swim": strong * np.sin(phase),
        "swim_late": strong * np.cos(phase),
        "fins": strong * np.sin(2 * np.pi * 1.9 * rate * time),
        "drift": _waves(time, (0.23, 0.37), (1.0, 0.3), chance),
        "bob": _waves(time, (0.29, 0.5), (1.0, 0.3), chance),
    }


def _glances(time: F64, chance: np.random.Generator) -> F64:
    """Quick turns within -1..1, each held until the next, as birds look about."""
    total = np.zeros_like(time)
    at, place = 0.15 + float(chance.uniform(0, 0.2)), 0.0
    while at < time[-1]:
        to = float(chance.uniform(-1, 1))
        if abs(to - place) < 0.5:  # a glance that one sees
            to = place + 0.7 if place < 0 else place - 0.7
        total += (to - place) * smoothstep((time - at) / GLANCE)
        place = to
        at += float(chance.uniform(*GLANCES))
    return total


def _waves(time: F64, rates: Sequence[float], sizes: Sequence[float], chance: np.random.Generator) -> F64:
    """A sum of sines within about ±1, 0 at time 0 and moving from there on: d(t) - d(0)·fade(t)."""
    total = np.zeros_like(time)
    for rate, size in zip(rates, sizes, strict=True):
        phase = float(chance.choice([0, np.pi])) + float(chance.uniform(-0.4, 0.4))
        wave = size * np.sin(2 * np.pi * rate * float(chance.uniform(0.9, 1.1)) * time + phase)
        total += wave - wave[0] * (1 - smoothstep(time / SETS_OFF))
    return total / 1.2


def _twitches(time: F64, chance: np.random.Generator, between: tuple[float, float], first: float = 0.6) -> F64:
    """Quick flicks there and back, one or two at a time."""
    total = np.zeros_like(time)
    at = first + float(chance.uniform(0, 0.5))
    while at < time[-1]:
        for k in range(int(chance.integers(1, 3))):
            total += np.exp(-0.5 * ((time - at - 0.24 * k) / 0.06) ** 2)
        at += float(chance.uniform(*between))
    return np.minimum(total, 1.2)


def _blink_times(end: float, chance: np.random.Generator) -> list[float]:
    times, at = [], float(chance.uniform(0.9, 1.8))
    while at < end - sum(SHUT):
        times.append(at)
        at += float(chance.uniform(*BETWEEN_BLINKS))
    return times


def _blinks(time: F64, moments: Sequence[float]) -> F64:
    """Lids, 0..1, shut in at least one whole frame at each moment."""
    close, hold, open_ = SHUT
    lids = np.zeros_like(time)
    for moment in moments:
        at = round(moment * FPS) / FPS
        lids = np.maximum(
            lids, smoothstep((time - at + close) / close) * smoothstep((at + hold + open_ - time) / open_)
        )
    return lids


def _held(time: F64, act: _Act, rise: float = 0.5, fall: float = 0.55) -> F64:
    """0 before, 1 during, 0 after."""
    held: F64 = smoothstep((time - act.start) / rise) * smoothstep((act.end + fall - time) / fall)
    return held


def _perform(time: F64, act: _Act, chance: np.random.Generator) -> dict[str, F64]:
    if act.kind in _POSES:
        return _pose(time, act)
    acting = _ACTING.get(act.kind)
    return {} if acting is None else acting(time, act, chance)


def _pose(time: F64, act: _Act) -> dict[str, F64]:
    """Taken in steps, as animals do, and never quite held."""
    held = _held(time, act)
    since = time - act.start
    alive = 1 + 0.34 * np.sin(2 * np.pi * 0.66 * (since - 0.5)) * smoothstep((since - 0.35) / 0.4)
    return {name: value * held * alive for name, value in _POSES[act.kind].items()}


def _turn_head(time: F64, act: _Act, chance: np.random.Generator) -> dict[str, F64]:
    """Looks around: to one side, to the other, each held for a moment; the first side is the seed's."""
    side = float(chance.choice([-1, 1]))
    yaw, pitch = np.zeros_like(time), np.zeros_like(time)
    at, place, height = act.start, 0.0, 0.0
    while at < min(act.end, time[-1]):
        to, up = side * float(chance.uniform(11, 15)), float(chance.uniform(-7, 4))
        turn = smoothstep((time - at) / 0.7)
        yaw, pitch = yaw + (to - place) * turn, pitch + (up - height) * turn
        place, height, side = to, up, -side
        at += float(chance.uniform(0.68, 0.95))
    back = smoothstep((act.end + 0.5 - time) / 0.5)
    return {"yaw": yaw * back, "pitch": pitch * back}


def _nod(time: F64, act: _Act, _: np.random.Generator) -> dict[str, F64]:
    return {"pitch": 7.5 * np.sin(2 * np.pi * 0.95 * (time - act.start)) * _held(time, act, 0.3, 0.4)}


def _shake_head(time: F64, act: _Act, _: np.random.Generator) -> dict[str, F64]:
    wave = np.sin(2 * np.pi * 1.25 * (time - act.start)) * _held(time, act, 0.25, 0.4)
    return {"yaw": 9.0 * wave, "roll": 1.5 * wave}


def _blink(time: F64, act: _Act, _: np.random.Generator) -> dict[str, F64]:
    """Slow blinks, again and again in its time."""
    moments = np.arange(act.start + 0.2, min(act.end, time[-1] - 0.3), 0.95)
    return {"lids": _blinks(time, moments.tolist())}


def _twitch_ears(time: F64, act: _Act, chance: np.random.Generator) -> dict[str, F64]:
    return {"ears": 15 * _twitches(time - act.start, chance, (0.45, 0.8), 0.1) * _held(time, act, 0.15)}


def _wag_tail(time: F64, act: _Act, _: np.random.Generator) -> dict[str, F64]:
    held = _held(time, act, 0.35)
    return {"tail": 21 * held * np.sin(2 * np.pi * 1.7 * (time - act.start)), "lean": 0.12 * held * np.sin(
        2 * np.pi * 1.7 * (time - act.start) + 0.6)}  # fmt: skip


def _flick_tail(time: F64, act: _Act, chance: np.random.Generator) -> dict[str, F64]:
    """Strokes to one side and the other with short rests."""
    tail = np.zeros_like(time)
    at, side = act.start + 0.1, float(chance.choice([-1, 1]))
    while at < min(act.end, time[-1]):
        tail += side * 24 * np.exp(-0.5 * ((time - at - 0.15) / 0.12) ** 2)
        at += float(chance.uniform(0.34, 0.62))
        side = -side
    return {"tail": tail}


def _sniff(time: F64, act: _Act, _: np.random.Generator) -> dict[str, F64]:
    """The nose goes down a little and works in bursts."""
    held, since = _held(time, act), time - act.start
    burst = smoothstep((np.sin(2 * np.pi * 0.55 * since) + 0.55) / 0.5)
    return {
        "pitch": held * (4.5 + 1.8 * np.sin(2 * np.pi * 0.5 * since)),
        "muzzle": held * burst * np.sin(2 * np.pi * 3.2 * since),
    }


def _chew(time: F64, act: _Act, _: np.random.Generator) -> dict[str, F64]:
    held, since = _held(time, act), time - act.start
    return {
        "muzzle": 1.1 * held * np.sin(2 * np.pi * 1.6 * since),
        "roll": 1.0 * held * np.sin(2 * np.pi * 0.8 * since),
        "pitch": 1.4 * held * np.sin(2 * np.pi * 0.4 * since),
    }


def _walk(time: F64, act: _Act, _: np.random.Generator) -> dict[str, F64]:
    """It bobs as if it walked, and comes a little nearer; the feet stay."""
    held, since = _held(time, act), time - act.start
    step = 2 * np.pi * 0.95 * since
    near = smoothstep(since / max(1.0, min(act.end, time[-1]) - act.start))
    return {
        "bob": held * np.sin(2 * step),
        "lean": 0.6 * held * np.sin(step),
        "pitch": 2.6 * held * np.sin(2 * step + 0.8),
        "nearer": near,
    }


_ACTING: Final[Mapping[BodyActionKind, Callable[[F64, _Act, np.random.Generator], dict[str, F64]]]] = {
    "turn_head": _turn_head,
    "nod": _nod,
    "shake_head": _shake_head,
    "blink": _blink,
    "twitch_ears": _twitch_ears,
    "wag_tail": _wag_tail,
    "flick_tail": _flick_tail,
    "sniff": _sniff,
    "chew": _chew,
    "walk": _walk,
}
