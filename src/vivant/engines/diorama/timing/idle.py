"""What a face does beside speaking: it blinks, breathes, moves its head and brows and performs its actions.

Curves over the clip, made from the seed, the lines and the actions. Knows nothing of pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.storyboard import ActionKind, FaceFact
from vivant.engines.diorama.timing.acting import PlacedAction
from vivant.engines.diorama.timing.curves import FaceCurves
from vivant.engines.diorama.timing.timeline import PlacedLine
from vivant.media import F64, SAMPLE_RATE
from vivant.request import FPS

FIRST_BLINK: Final = (0.9, 2.2)  # s
BETWEEN_BLINKS: Final = (3.0, 6.0)  # s; people at rest blink 10-20 times a minute
CLOSING: Final = (0.10, 0.15)  # s
OPENING: Final = (0.20, 0.30)  # s; lids open about half as fast as they close
TO_PAUSE: Final = 0.7  # s by which a blink may move into a pause: people blink between phrases

SWAY: Final = {"yaw": 1.3, "pitch": 0.8, "roll": 0.45}  # degrees, of a speaker; others move half as much
LIMIT: Final = 4.0  # degrees, |yaw| + |pitch| + |roll|
BREATH: Final = (0.2, 0.3)  # Hz
QUIET: Final = 0.6  # depth of a breath at rest
NOD: Final = 0.6  # degrees at a stressed syllable
SETTLE: Final = 1.0  # s in which everything returns to rest when the clip ends on a last picture

# The turn of the head of each action that has one: axis and degrees.
TURNS: Final[dict[ActionKind, tuple[str, float]]] = {
    "look_left": ("yaw", -3.0), "look_right": ("yaw", 3.0), "look_up": ("pitch", -2.6), "look_down": ("pitch", 2.6),
    "turn_head": ("yaw", 3.0), "tilt_head": ("roll", 2.2), "sad": ("pitch", 1.4),
}  # fmt: skip
# How far the corners of the mouth go, up or down.
SMILES: Final[dict[ActionKind, float]] = {"smile": 0.8, "laugh": 1.0, "frown": -0.5, "sad": -0.5, "angry": -0.5}


def make_idle_faces(
    frames: int,
    seed: int,
    faces: Sequence[FaceFact],
    lines: Sequence[PlacedLine],
    actions: Sequence[PlacedAction],
    *,
    settle: bool = False,
) -> tuple[FaceCurves, ...]:
    """What each face does by itself, in the order of `faces`; mouths stay closed.

    All curves are 0 at frame 0, and at the last frame if `settle`. Yaw, pitch and roll together stay within LIMIT.
    """
    result: list[FaceCurves] = []
    for index in range(len(faces)):
        own_lines = [line for line in lines if line.line.face_index == index]
        own_actions = [action for action in actions if action.action.face_index == index]
        face = {
            "lids": _lids(frames, seed, index, lines, own_actions, settle=settle),
            "wink": _wink(frames, own_actions),
            "breath": _breath(frames, seed, index, own_actions),
            "brow": _brow(frames, seed, index, own_lines, own_actions),
            "smile": _smile(frames, own_lines, own_actions),
            **_head(frames, seed, index, own_lines, own_actions),
        }
        if settle:
            at_end = smoothstep(np.arange(frames)[::-1] / (SETTLE * FPS))
            face |= {name: curve * at_end for name, curve in face.items() if name not in ("lids", "wink")}
        at_rest = FaceCurves.at_rest(frames)
        result.append(replace(at_rest, **{name: curve.astype(np.float32) for name, curve in face.items()}))
    return tuple(result)


def _lids(
    frames: int,
    seed: int,
    index: int,
    lines: Sequence[PlacedLine],
    own_actions: Sequence[PlacedAction],
    *,
    settle: bool,
) -> F64:
    chance = rng(seed, f"blink/{index}")
    time = np.arange(frames) / FPS
    shut = np.zeros(frames)
    for start, end in _spans(own_actions, "close_eyes"):
        shut = np.maximum(shut, _held(time, start, end, 0.6))
    if settle:
        shut *= smoothstep((frames / FPS - 0.2 - time) / 0.5)
    lids = shut
    moments = list(_blink_times(frames / FPS, lines, chance))
    for start, _ in _spans(own_actions, "blink"):  # twice, so that the action is seen
        moments = [*(moment for moment in moments if not -1 < moment - start < 2.5), start + 0.3, start + 0.8]
    for moment in moments:
        closing, opening = float(chance.uniform(*CLOSING)), float(chance.uniform(*OPENING))
        shut_at = round(moment * FPS)  # on a whole frame, so that one frame shows closed eyes
        first, last = shut_at - round(closing * FPS), shut_at + 1 + round(opening * FPS)
        if first < 1 or last > frames - 1:
            continue
        n = np.arange(frames)
        down = smoothstep((n - first) / max(1, shut_at - first))
        up = smoothstep((last - n) / max(1, last - shut_at - 1))
        lids = np.maximum(lids, np.minimum(down, up))
    return lids


def _wink(frames: int, own_actions: Sequence[PlacedAction]) -> F64:
    time = np.arange(frames) / FPS
    wink = np.zeros(frames)
    for start, _ in _spans(own_actions, "wink"):
        wink = np.maximum(wink, smoothstep((time - start) / 0.14) * smoothstep((start + 0.62 - time) / 0.24))
    return wink


def _blink_times(seconds: float, lines: Sequence[PlacedLine], chance: np.random.Generator) -> Iterator[float]:
    """Moments of blinks in seconds, irregular, moved into the nearest pause of speech."""
    pauses = list(_pauses(lines))
    last = -BETWEEN_BLINKS[0]
    moment = float(chance.uniform(*FIRST_BLINK))
    while moment < seconds - OPENING[1] - 0.1:
        near = [pause for pause in pauses if abs(pause - moment) <= TO_PAUSE and pause - last >= BETWEEN_BLINKS[0]]
        best = min(near, key=lambda pause: abs(pause - moment), default=moment)
        if 0.3 < best < seconds - OPENING[1] - 0.1:
            moment = best
        yield moment
        last = moment
        moment += float(chance.uniform(*BETWEEN_BLINKS))


def _pauses(lines: Sequence[PlacedLine]) -> Iterator[float]:
    """Seconds at which a phrase has just ended: punctuation, a gap between words, the end of a line."""
    for line in lines:
        start = line.start / SAMPLE_RATE
        for phone in line.spoken.phones:
            if phone.symbol in ",.!?;:—…" and phone.end - phone.start > 0.08:
                yield start + phone.start + 0.1
        yield start + len(line.spoken.samples) / SAMPLE_RATE + 0.15


def _head(
    frames: int, seed: int, index: int, own_lines: Sequence[PlacedLine], own_actions: Sequence[PlacedAction]
) -> dict[str, F64]:
    chance = rng(seed, f"head/{index}")
    time = np.arange(frames) / FPS
    speaking = _speaking(frames, own_lines)
    kinds = {placed.action.kind for placed in own_actions}
    restless = 1.8 if "sway" in kinds else 0.5 if "look_camera" in kinds else 1.0
    head = {name: restless * reach * _drift(time, chance) * (0.5 + 0.5 * speaking) for name, reach in SWAY.items()}
    for moment, strength in _stresses(own_lines, chance):
        head["pitch"] += NOD * strength * np.exp(-0.5 * ((time - moment - 0.03) / 0.11) ** 2)
    for start, _ in _spans(own_actions, "nod"):
        head["pitch"] += 2.6 * np.sin(2 * np.pi * 1.5 * (time - start)) * _window(time, start, start + 1.33)
    for start, _ in _spans(own_actions, "shake_head"):
        head["yaw"] += 2.8 * np.sin(2 * np.pi * 1.4 * (time - start)) * _window(time, start, start + 2.14)
    for start, _ in _spans(own_actions, "laugh"):
        head["pitch"] += 0.5 * np.sin(2 * np.pi * 3.1 * (time - start)) * _window(time, start, start + 1.6)
    for kind, (axis, degrees) in TURNS.items():
        for start, end in _spans(own_actions, kind):
            head[axis] += degrees * _held(time, start, end, 1.2)
    for name in head:
        head[name] = head[name] - head[name][0]
    total = sum(np.abs(curve) for curve in head.values())
    scale = np.minimum(1.0, LIMIT / np.maximum(np.max(total), 1e-9))
    return {name: curve * scale for name, curve in head.items()}


def _brow(
    frames: int, seed: int, index: int, own_lines: Sequence[PlacedLine], own_actions: Sequence[PlacedAction]
) -> F64:
    chance = rng(seed, f"brow/{index}")
    time = np.arange(frames) / FPS
    brow = np.zeros(frames)
    for moment, strength in _stresses(own_lines, chance):
        if chance.uniform() < 0.3:  # with some of the stresses only
            brow += 0.5 * strength * np.exp(-0.5 * ((time - moment) / 0.16) ** 2)
    for start, end in _spans(own_actions, "surprise"):
        brow += 0.9 * _window(time, start, end)
    for start, end in _spans(own_actions, "frown", "angry"):
        brow -= 0.7 * _held(time, start, end, 0.8)
    return np.clip(brow, -1, 1) * smoothstep(time / 0.3)


def _smile(frames: int, own_lines: Sequence[PlacedLine], own_actions: Sequence[PlacedAction]) -> F64:
    time = np.arange(frames) / FPS
    smile = np.zeros(frames)
    for kind, amount in SMILES.items():
        for start, end in _spans(own_actions, kind):
            smile += amount * _held(time, start, end, 0.9)
    mood = {"happy": 0.3, "excited": 0.25, "gentle": 0.18, "sad": -0.25, "angry": -0.15}
    for line in own_lines:
        start, end = line.start / SAMPLE_RATE, line.end / SAMPLE_RATE
        smile = smile + mood.get(line.line.tone, 0.0) * smoothstep((time - start + 0.3) / 0.5) * smoothstep(
            (end + 0.8 - time) / 0.8
        )
    return np.clip(smile, -1, 1) * smoothstep(time / 0.3)


def _breath(frames: int, seed: int, index: int, own_actions: Sequence[PlacedAction]) -> F64:
    """float64 (frames,), 0..1: breathing in somewhat faster than out, breaths a little different in length."""
    chance = rng(seed, f"breath/{index}")
    time = np.arange(frames) / FPS
    rate = float(chance.uniform(*BREATH))
    phase = 2 * np.pi * rate * time + 0.25 * np.sin(2 * np.pi * 0.07 * time)
    phase = phase + 0.35 * (1 - np.cos(phase)) / 2  # shortens breathing in
    depth = 1.0 if any(placed.action.kind == "breathe" for placed in own_actions) else QUIET
    breath: F64 = depth * (1 - np.cos(phase)) / 2
    return breath


def _stresses(own_lines: Sequence[PlacedLine], chance: np.random.Generator) -> Iterator[tuple[float, float]]:
    """(second, strength 0..1) of stressed syllables, at most about two a second."""
    for line in own_lines:
        start = line.start / SAMPLE_RATE
        last = -1.0
        phones = line.spoken.phones
        for phone in phones:
            moment = start + phone.start
            if phone.accent and moment - last > 0.45:
                last = moment
                yield moment + 0.05, float(chance.uniform(0.4, 1.0))


def _speaking(frames: int, own_lines: Sequence[PlacedLine]) -> F64:
    """float64 (frames,): 1 during the own lines, eased from and to 0 around them."""
    time = np.arange(frames) / FPS
    active = np.zeros(frames)
    for line in own_lines:
        start, end = line.start / SAMPLE_RATE, line.end / SAMPLE_RATE
        active = np.maximum(active, smoothstep((time - start + 0.4) / 0.6) * smoothstep((end + 0.6 - time) / 0.6))
    return active


def _drift(time: F64, chance: np.random.Generator) -> F64:
    """Slow irregular movement within about ±1 (0.11-0.5 Hz): float64 like `time`, 0 at time 0."""
    rates = np.array([0.11, 0.19, 0.31, 0.5]) * chance.uniform(0.85, 1.15, 4)
    sizes = np.array([1.0, 0.7, 0.4, 0.2])
    phases = chance.uniform(0, 2 * np.pi, 4)
    waves = (sizes[:, None] * np.sin(2 * np.pi * rates[:, None] * time + phases[:, None])).sum(0) / 1.4
    # d(t) - d(0)·fade(t): 0 in frame 0, yet moving from there on
    drift: F64 = waves - waves[0] * (1 - smoothstep(time / 2.0))
    return drift


def _window(time: F64, start: float, end: float) -> F64:
    return smoothstep((time - start) / 0.25) * smoothstep((end - time) / 0.25)


def _spans(own_actions: Sequence[PlacedAction], *kinds: ActionKind) -> Iterator[tuple[float, float]]:
    """(start, end) in seconds of every action of these kinds."""
    for placed in own_actions:
        if placed.action.kind in kinds:
            yield placed.start / FPS, placed.end / FPS


def _held(time: F64, start: float, end: float, rise: float) -> F64:
    """Rises from 0 to 1 within `rise` seconds from `start` on and goes back as fast about `end`; what ends with the
    clip stays. float64 like `time`."""
    up: F64 = smoothstep((time - start) / rise)
    return up if end > time[-1] else up * smoothstep((end + 0.5 * rise - time) / rise)
