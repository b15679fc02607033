"""What a face does because it was told: its expressions, looks and gestures, each inside its own time.

Curves over the clip, made from the seed and the actions. Knows nothing of pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.storyboard import ActionKind
from vivant.engines.diorama.timing.acting import PlacedAction
from vivant.media import F64
from vivant.request import FPS

EASE_IN, EASE_OUT = 0.55, 0.6  # s
HEAD_IN, HEAD_OUT = 0.75, 0.9  # s, of a head
HEAD_TIME: Final = 1.4  # s; in less a head does not go all the way
_HEAD: Final = frozenset({"yaw", "pitch", "roll"})
FASTEST: Final = 0.3  # s in which a face takes a pose at the soonest
SHORTEST: Final = 0.6  # s that an action lasts at least, as far as the clip allows

# Poses: the values of curves that they pull to (degrees for yaw, pitch and roll).
_LOOKS: Final[Mapping[str, Mapping[str, float]]] = {
    "look_left": {"yaw": -10.0, "gaze": -0.9}, "look_right": {"yaw": 10.0, "gaze": 0.9},
    "look_up": {"pitch": -8.0, "brow": 0.25, "widen": 0.3}, "look_down": {"pitch": 8.0, "lids": 0.34},
    "look_away": {"yaw": 10.0, "gaze": 1.0, "pitch": 1.2}, "turn_head": {"yaw": 12.0, "gaze": 0.45}, "look_camera": {},
}  # fmt: skip
_FEELINGS: Final[Mapping[str, Mapping[str, float]]] = {
    "smile": {"smile": 0.95, "widen": -0.35, "roll": 2.6, "pitch": -1.2},
    "smirk": {"smirk": 1.0, "smile": 0.1, "widen": -0.2},
    "laugh": {"smile": 1.0, "wide": 0.35, "widen": -0.6, "pitch": -2.0},
    "sad": {"inner": 0.9, "smile": -0.75, "lids": 0.16, "pitch": 3.6},
    "cry": {"inner": 1.0, "smile": -0.95, "lids": 0.25, "widen": -0.7, "pitch": 4.0, "pout": 0.35, "sneer": 0.2},
    "angry": {"knit": 1.0, "brow": -0.45, "smile": -0.4, "sneer": 0.35, "widen": -0.25, "pitch": 1.8},
    "fear": {"inner": 0.85, "brow": 0.55, "widen": 1.0, "wide": 0.5, "jaw": 0.14, "smile": -0.25, "pitch": -2.0},
    "disgust": {"sneer": 1.0, "knit": 0.6, "widen": -0.6, "smile": -0.45, "pitch": -2.0, "yaw": 2.8},
    "surprise": {"brow": 1.0, "widen": 1.0, "jaw": 0.34, "round": 0.2, "pitch": -2.0},
    "pout": {"pout": 1.0, "round": 0.8, "smile": -0.1, "inner": 0.2},
}  # fmt: skip
_BROWS: Final[Mapping[str, Mapping[str, float]]] = {
    "raise_brow": {"brow": 1.0, "widen": 0.35},
    "frown": {"knit": 1.0, "brow": -0.4, "smile": -0.3},
    "squint": {"widen": -1.0, "lids": 0.12, "knit": 0.35},
}
_TILTS: Final[Mapping[str, Mapping[str, float]]] = {"tilt_head": {"roll": 7.5}}
_LIDS: Final[Mapping[str, Mapping[str, float]]] = {"close_eyes": {"lids": 1.0}, "open_eyes": {}}
POSES: Final = {**_LOOKS, **_FEELINGS, **_BROWS, **_TILTS, **_LIDS}


@dataclass(frozen=True, slots=True)
class Performed:
    """An action in its time, seconds."""

    kind: ActionKind
    start: float
    end: float


def perform(frames: int, seed: int, index: int, actions: Sequence[PlacedAction], quiet: F64) -> dict[str, F64]:
    """What face `index` is told, all of `actions`: curves of FaceCurves by name, float64 (frames,), to be added to its
    idle life; 0 at frame 0. quiet: float64 (frames,), 0 while it speaks and its mouth belongs to the words, else 1."""
    time = np.arange(frames) / FPS
    curves: dict[str, F64] = {}
    for number, placed in enumerate(actions):
        chance = rng(seed, f"acting/{index}/{number}/{placed.action.kind}")
        for name, curve in _curves(time, _give_room(placed, frames), chance).items():
            curves[name] = curves.get(name, 0) + curve
    for name in _MOUTH & curves.keys():
        curves[name] = curves[name] * quiet
    start = smoothstep(time / 0.3)
    return {name: curve * start for name, curve in curves.items()}


def _give_room(placed: PlacedAction, frames: int) -> Performed:
    """The action in seconds; where it has less time than it needs, it ends later or, at the end of the clip, begins
    earlier."""
    kind, start, end, clip = placed.action.kind, placed.start / FPS, placed.end / FPS, frames / FPS
    least = _GESTURES[kind].shortest if kind in _GESTURES else SHORTEST
    end = min(clip, max(end, start + least))
    return Performed(kind, max(0.0, min(start, end - least)), end)


_MOUTH: Final = frozenset({"jaw", "wide", "round", "close", "chew", "pout"})


def _curves(time: F64, act: Performed, chance: np.random.Generator) -> dict[str, F64]:
    if act.kind == "open_eyes":
        return {"lids": smoothstep(time / 0.35) * smoothstep((act.start + 0.9 - time) / 0.7)}
    curves: dict[str, F64] = {}
    pose = dict(POSES.get(act.kind, {}))
    if act.kind == "look_away" and chance.uniform() < 0.5:
        pose |= {"yaw": -pose["yaw"], "gaze": -pose["gaze"]}
    if act.kind == "smile" and chance.uniform() < 0.5:
        pose["roll"] = -pose["roll"]
    if pose:
        held = _envelope(time, act)
        # Eyes lead and the head follows.
        early = _envelope(time, act, rise=0.22) if "gaze" in pose else held
        turned = _envelope(time, act, rise=HEAD_IN, fall=HEAD_OUT) * min(1.0, (act.end - act.start) / HEAD_TIME)
        curves = {
            name: value * (early if name == "gaze" else turned if name in _HEAD else held)
            for name, value in pose.items()
        }
    if act.kind in _GESTURES:
        for name, curve in _GESTURES[act.kind].curves(time, act, chance).items():
            curves[name] = curves.get(name, 0) + curve
    return curves


def _envelope(time: F64, act: Performed, *, rise: float = EASE_IN, fall: float = EASE_OUT) -> F64:
    """0 before, 1 during and 0 after the act; what lasts to the end of the clip does not fall."""
    length = act.end - act.start
    rise = min(rise, max(FASTEST, 0.4 * length))
    up = smoothstep((time - act.start) / rise)
    if act.end >= time[-1]:
        return up
    down: F64 = up * smoothstep((act.end + 0.3 * fall - time) / min(fall, max(FASTEST, 0.4 * length)))
    return down


def _nod(time: F64, act: Performed, _: np.random.Generator) -> dict[str, F64]:
    return {"pitch": 4.6 * np.sin(2 * np.pi * 1.05 * (time - act.start)) * _during(time, act)}


def _shake(time: F64, act: Performed, _: np.random.Generator) -> dict[str, F64]:
    wave = np.sin(2 * np.pi * 1.05 * (time - act.start)) * _during(time, act)
    return {"yaw": 5.2 * wave}


def _blink(time: F64, act: Performed, _: np.random.Generator) -> dict[str, F64]:
    return {"lids": np.maximum(_shut(time, act.start + 0.15), _shut(time, act.start + 0.65))}


def _wink(time: F64, act: Performed, _: np.random.Generator) -> dict[str, F64]:
    shut = smoothstep((time - act.start) / 0.14) * smoothstep((act.start + 0.62 - time) / 0.24)
    return {"wink": shut, "smirk": 0.5 * _envelope(time, act, rise=0.2)}


def _shut(time: F64, moment: float) -> F64:
    """Lids that are shut in the frame at `moment`."""
    at = round(moment * FPS) / FPS
    shut: F64 = smoothstep((time - at + 0.125) / 0.125) * smoothstep((at + 0.29 - time) / 0.25)
    return shut


def _move_eyes(time: F64, act: Performed, chance: np.random.Generator) -> dict[str, F64]:
    """Glances to both sides, each held for a moment."""
    gaze, at, side = np.zeros_like(time), act.start, float(chance.choice([-1, 1]))
    place = 0.0
    while at < act.end - 0.3:
        to = side * float(chance.uniform(0.35, 0.8))
        gaze += (to - place) * smoothstep((time - at) / 0.15)
        place, side = to, -side
        at += float(chance.uniform(0.6, 1.1))
    return {"gaze": gaze * smoothstep((act.end - time) / 0.25) if act.end < time[-1] else gaze}


def _laugh(time: F64, act: Performed, chance: np.random.Generator) -> dict[str, F64]:
    """Bursts of ha-ha: the mouth opens, shoulders and head shake."""
    since, held = time - act.start, _envelope(time, act)
    burst = held * np.exp(-0.5 * np.maximum(0, since - 1.6) / 1.4)
    beat = np.sin(2 * np.pi * (3.6 + 0.4 * float(chance.uniform())) * since)
    return {
        "jaw": burst * (0.46 + 0.12 * beat), "breath": 0.35 * burst * (1 + beat) / 2, "pitch": 0.8 * burst * beat,
        "lean": 0.1 * burst * beat,
    }  # fmt: skip


def _cry(time: F64, act: Performed, chance: np.random.Generator) -> dict[str, F64]:
    """Sobs: breath in jerks, the lower lip trembles."""
    since, held = time - act.start, _envelope(time, act)
    sob = np.maximum(0, np.sin(2 * np.pi * 0.55 * since)) * held
    jerk = np.sin(2 * np.pi * (3.0 + float(chance.uniform())) * since)
    return {"breath": 0.5 * sob * (0.7 + 0.3 * jerk), "pitch": 0.6 * sob * jerk, "pout": 0.12 * sob * jerk}


def _yawn(time: F64, act: Performed, _: np.random.Generator) -> dict[str, F64]:
    """A slow gape, widest after half of it, eyes nearly shut."""
    share = (time - act.start) / (act.end - act.start)
    gape = smoothstep(share / 0.4) * smoothstep((1 - share) / 0.3)
    return {
        "jaw": 0.82 * gape, "round": 0.05 * gape, "lids": np.minimum(1, 1.5 * gape), "brow": 0.55 * gape,
        "pitch": -5.0 * gape,
        "breath": 0.7 * gape, "knit": 0.3 * gape, "sneer": 0.25 * gape,
    }  # fmt: skip


def _chew(time: F64, act: Performed, _: np.random.Generator) -> dict[str, F64]:
    """The jaw goes round behind closed lips."""
    held, turn = _envelope(time, act, rise=0.3), 2 * np.pi * 1.35 * (time - act.start)
    return {
        "jaw": 0.17 * held * (1 - np.cos(turn)), "chew": 0.75 * held * np.sin(turn), "close": smoothstep(held / 0.7),
        "pout": 0.12 * held * (1 - np.cos(turn)),
    }  # fmt: skip


def _sing(time: F64, act: Performed, chance: np.random.Generator) -> dict[str, F64]:
    """Slow vowels, open and round by turns; the head sways with them."""
    held = _envelope(time, act, rise=0.3)
    mouth = _syllables(time, act, chance, (0.34, 0.62), (0.3, 0.62), held)
    sway = np.sin(2 * np.pi * 0.45 * (time - act.start)) * held
    return {
        **mouth,
        "roll": 3.2 * sway,
        "lean": 0.6 * sway,
        "brow": 0.35 * held * (0.6 + 0.4 * np.abs(sway)),
        "lids": 0.12 * held,
    }


def _talk(time: F64, act: Performed, chance: np.random.Generator) -> dict[str, F64]:
    """Lips that form syllables nobody hears, in phrases with pauses between."""
    held = _envelope(time, act, rise=0.25)
    phrase = smoothstep((0.75 + np.sin(2 * np.pi * 0.42 * (time - act.start) + 0.9)) / 0.35)
    return _syllables(time, act, chance, (0.16, 0.26), (0.18, 0.46), held * phrase)


def _syllables(
    time: F64, act: Performed, chance: np.random.Generator, lengths: tuple[float, float], open_by: tuple[float, float],
    held: F64,
) -> dict[str, F64]:  # fmt: skip
    """Random vowels one after the other, `lengths` seconds each, the jaw open by `open_by`."""
    jaw, wide, rounded = (np.zeros_like(time) for _ in range(3))
    at = act.start
    while at < act.end:
        length = float(chance.uniform(*lengths))
        bell = np.exp(-0.5 * ((time - at - length / 2) / (0.34 * length)) ** 2)
        jaw = np.maximum(jaw, float(chance.uniform(*open_by)) * bell)
        (wide, rounded)[int(chance.integers(2))][...] += float(chance.uniform(0.2, 0.6)) * bell
        at += length
    return {"jaw": jaw * held, "wide": np.minimum(1, wide) * held, "round": np.minimum(1, rounded) * held}


def _sigh(time: F64, act: Performed, _: np.random.Generator) -> dict[str, F64]:
    """A deep breath in, and out through parted lips; head and lids sink."""
    share = (time - act.start) / (act.end - act.start)
    drawn = smoothstep(share / 0.35) * smoothstep((1 - share) / 0.6)
    out = smoothstep((share - 0.38) / 0.15) * smoothstep((1 - share) / 0.3)
    return {
        "breath": 0.9 * drawn, "jaw": 0.13 * out, "round": 0.25 * out, "lids": 0.3 * out,
        "pitch": 3.6 * out - 1.6 * drawn, "inner": 0.35 * out, "smile": -0.2 * out,
    }  # fmt: skip


def _nothing(time: F64, act: Performed, _: np.random.Generator) -> dict[str, F64]:
    return {}


def _during(time: F64, act: Performed) -> F64:
    return smoothstep((time - act.start) / 0.25) * smoothstep((act.end - time) / 0.25)


@dataclass(frozen=True, slots=True)
class _Gesture:
    """shortest: seconds that it needs."""

    shortest: float
    curves: Callable[[F64, Performed, np.random.Generator], dict[str, F64]]


_GESTURES: Final[Mapping[str, _Gesture]] = {
    "nod": _Gesture(0.9, _nod), "shake_head": _Gesture(1.0, _shake), "blink": _Gesture(1.0, _blink),
    "wink": _Gesture(0.8, _wink), "move_eyes": _Gesture(0.8, _move_eyes),
    "laugh": _Gesture(0.8, _laugh), "cry": _Gesture(0.8, _cry), "yawn": _Gesture(1.8, _yawn),
    "chew": _Gesture(0.8, _chew), "sing": _Gesture(0.8, _sing), "talk": _Gesture(0.8, _talk),
    "sigh": _Gesture(1.6, _sigh), "breathe": _Gesture(0.8, _nothing), "sway": _Gesture(0.8, _nothing),
}  # fmt: skip
