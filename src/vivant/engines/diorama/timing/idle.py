"""What a person does by itself, beside forming words and what it is told: blinks, breathes, glances, shifts its weight,
and speaks with head, brows and shoulders.

Curves over the clip, made from the seed and the lines. Knows nothing of pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from vivant.engines.diorama.easing import smootherstep, smoothstep
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.timing.timeline import PlacedLine
from vivant.media import F64, SAMPLE_RATE
from vivant.request import FPS

FIRST_BLINK: Final = (0.9, 2.2)  # s
BETWEEN_BLINKS: Final = (3.0, 6.0)  # s; people at rest blink 10-20 times a minute
CLOSING: Final = (0.10, 0.15)  # s
OPENING: Final = (0.20, 0.30)  # s; lids open about half as fast as they close
PAUSES: Final = ",.!?;:—…"  # marks after which a phrase ends
TO_PAUSE: Final = 0.7  # s by which a blink may move into a pause: people blink between phrases

SWAY: Final = {"yaw": 4.6, "pitch": 2.0, "roll": 2.2}  # degrees, of a speaker
LISTENING: Final = 0.62  # share of it in one who does not speak
BREATH: Final = (0.2, 0.3)  # Hz
QUIET: Final = 0.7  # depth of a breath at rest
DRAWN: Final = 0.3  # by how much more one breathes in before a phrase
NOD: Final = 2.3  # degrees at a stressed syllable
NOD_WIDTH: Final = 0.13  # s, deviation of its bell
TILT: Final = 1.5  # degrees by which the head tilts with it, to one side and the other
TILT_WIDTH: Final = 0.2  # s
SHRUG: Final = 0.3  # of a breath, by which the shoulders rise with it
VOWELS: Final = frozenset("aɑæʌɐɒɔɛeoɤɜɚəɪiʊuyøœAIOWYQ")
APART: Final = 0.45  # s between stressed syllables that are seen
UNSTRESSED: Final = 0.7  # s after which the head beats on a syllable without stress: Chinese marks few
# A phrase has a pose of its own, from which the head moves on at the next: degrees at most.
PHRASE: Final = {"yaw": 3.2, "pitch": 1.0, "roll": 2.0}
PHRASE_TURN: Final = 0.6  # s
# Who listens or waits holds the head a moment and turns it on: degrees at most to either side of where it was looking.
TURN: Final = {"yaw": 2.4, "pitch": 1.0, "roll": 1.7}
TURN_TIME: Final = (0.8, 1.1)  # s
TURN_HELD: Final = (0.2, 0.7)  # s
TURN_OF_SMALL: Final = 1.5  # power of how much more a small face moves: of small turns nothing else is seen
TURN_BEGINS: Final = 0.1  # s after the first frame
WHILE_SPEAKING: Final = 0.25  # share of it in a speaker, whose phrases turn the head
RAISED: Final = 0.55  # share of stressed syllables that lift the brows too
GLANCE: Final = 0.085  # s, a saccade of a few degrees
GLANCE_HELD: Final = (0.7, 1.9)  # s
GLANCE_SIZE: Final = (0.18, 0.42)  # of FaceCurves.gaze
WEIGHT_RATES: Final = (0.09, 0.17, 0.27)  # Hz, at which weight is shifted


def make_idle_life(
    frames: int, seed: int, index: int, lines: Sequence[PlacedLine], *, restless: float = 1.0, deep: bool = False
) -> dict[str, F64]:
    """What face `index` does by itself: curves of FaceCurves by name, float64 (frames,), 0 at frame 0.

    restless: how much the head moves, 1 as usual. deep: it breathes deeply.
    """
    own_lines = [line for line in lines if line.line.face_index == index]
    return {
        "lids": _lids(frames, seed, index, lines),
        "breath": _breath(frames, seed, index, own_lines, deep=deep),
        "brow": _brow(frames, seed, index, own_lines),
        "smile": _smile(frames, seed, index, own_lines),
        "gaze": _glances(frames, seed, index, restless),
        "lean": _lean(frames, seed, index, restless),
        **_head(frames, seed, index, own_lines, restless),
    }


def _lids(frames: int, seed: int, index: int, lines: Sequence[PlacedLine]) -> F64:
    chance = rng(seed, f"blink/{index}")
    lids = np.zeros(frames)
    for moment in _blink_times(frames / FPS, lines, chance):
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
            if phone.symbol in PAUSES and phone.end - phone.start > 0.08:
                yield start + phone.start + 0.1
        yield start + len(line.spoken.samples) / SAMPLE_RATE + 0.15


def _head(frames: int, seed: int, index: int, own_lines: Sequence[PlacedLine], restless: float) -> dict[str, F64]:
    chance = rng(seed, f"head/{index}")
    time = np.arange(frames) / FPS
    lively = LISTENING + (1 - LISTENING) * measure_speaking(frames, own_lines)
    head = {name: restless * reach * _drift(time, chance) * lively for name, reach in SWAY.items()}
    waits = 1 - (1 - WHILE_SPEAKING) * measure_speaking(frames, own_lines)
    # The first turn goes on with what the head does anyway, so that it is not lost in it.
    first = 1.0 if head["yaw"][min(FPS, frames - 1)] >= 0 else -1.0
    for name, curve in _turns(time, rng(seed, f"turns/{index}"), first).items():
        head[name] += restless**TURN_OF_SMALL * curve * waits
    side = first
    for moment, strength in _stresses(own_lines, chance):
        head["pitch"] += restless * NOD * strength * np.exp(-0.5 * ((time - moment - 0.03) / NOD_WIDTH) ** 2)
        head["roll"] += restless * TILT * side * strength * np.exp(-0.5 * ((time - moment - 0.06) / TILT_WIDTH) ** 2)
        side = -side
    for name, curve in _phrase_poses(time, own_lines, rng(seed, f"phrases/{index}")).items():
        head[name] += restless * curve
    for name in head:
        head[name] = head[name] - head[name][0]
    return head


def _turns(time: F64, chance: np.random.Generator, first: float) -> dict[str, F64]:
    """Degrees: small turns and tilts from one side to the other, each pose held for a moment; 0 at the start. first: 1
    or -1, the side of the first."""
    poses = {name: np.zeros_like(time) for name in TURN}
    now, side = dict.fromkeys(TURN, 0.0), first
    moment = TURN_BEGINS
    while moment < time[-1]:
        takes = float(chance.uniform(*TURN_TIME))
        for name, most in TURN.items():
            signed = side if name != "pitch" else float(chance.choice([-1, 1]))
            to = signed * most * float(chance.uniform(0.5, 1))
            poses[name] += (to - now[name]) * smootherstep((time - moment) / takes)
            now[name] = to
        side = -side
        moment += takes + float(chance.uniform(*TURN_HELD))
    return poses


def _phrase_poses(time: F64, own_lines: Sequence[PlacedLine], chance: np.random.Generator) -> dict[str, F64]:
    """Degrees: with each phrase the head turns and tilts to another pose, and after the last one back."""
    poses = {name: np.zeros_like(time) for name in PHRASE}
    now, side = dict.fromkeys(PHRASE, 0.0), float(chance.choice([-1, 1]))
    for line in own_lines:
        for start in _phrases(line):
            for name, most in PHRASE.items():
                signed = side if name == "yaw" else float(chance.choice([-1, 1]))
                to = signed * most * float(chance.uniform(0.45, 1))
                poses[name] += (to - now[name]) * smoothstep((time - start + 0.15) / PHRASE_TURN)
                now[name] = to
            side = -side
        for name in PHRASE:
            poses[name] -= now[name] * smoothstep((time - line.end / SAMPLE_RATE - 0.1) / (1.5 * PHRASE_TURN))
            now[name] = 0.0
    return poses


def _phrases(line: PlacedLine) -> Iterator[float]:
    """Seconds at which the phrases of a line begin; those shorter than a turn of the head belong to the one before."""
    start = line.start / SAMPLE_RATE
    last = start
    yield start
    for phone in line.spoken.phones:
        begins = start + phone.end
        if phone.symbol in PAUSES and begins - last > 1.2 * PHRASE_TURN and line.end / SAMPLE_RATE - begins > 0.4:
            last = begins
            yield begins


def _brow(frames: int, seed: int, index: int, own_lines: Sequence[PlacedLine]) -> F64:
    chance = rng(seed, f"brow/{index}")
    time = np.arange(frames) / FPS
    brow = np.zeros(frames)
    for moment, strength in _stresses(own_lines, chance):
        if chance.uniform() < RAISED:  # with some of the stresses only
            brow += 0.9 * strength * np.exp(-0.5 * ((time - moment) / 0.16) ** 2)
    # Small raises of one who listens or thinks.
    moment = float(chance.uniform(0.8, 2.0))
    while moment < frames / FPS:
        held = float(chance.uniform(0.3, 0.7))
        brow += (
            float(chance.uniform(0.15, 0.4))
            * smoothstep((time - moment) / 0.2)
            * smoothstep((moment + 0.2 + held - time) / 0.35)
        )
        moment += float(chance.uniform(1.8, 3.4))
    return np.clip(brow, -1, 1) * smoothstep(time / 0.3)


def _smile(frames: int, seed: int, index: int, own_lines: Sequence[PlacedLine]) -> F64:
    time = np.arange(frames) / FPS
    # Corners of the mouth are never quite still.
    smile = 0.10 * _drift(time, rng(seed, f"smile/{index}"))
    mood = {"happy": 0.3, "excited": 0.25, "gentle": 0.18, "sad": -0.25, "angry": -0.15}
    for line in own_lines:
        start, end = line.start / SAMPLE_RATE, line.end / SAMPLE_RATE
        smile = smile + mood.get(line.line.tone, 0.0) * smoothstep((time - start + 0.3) / 0.5) * smoothstep(
            (end + 0.8 - time) / 0.8
        )
    return np.clip(smile, -1, 1) * smoothstep(time / 0.3)


def _glances(frames: int, seed: int, index: int, restless: float) -> F64:
    """The eyes jump a little aside and back to the viewer, each place held for a moment."""
    chance = rng(seed, f"glances/{index}")
    time = np.arange(frames) / FPS
    gaze, place = np.zeros(frames), 0.0
    moment = float(chance.uniform(0.5, 1.3))
    while moment < frames / FPS - 0.3:
        aside = float(chance.choice([-1, 1])) * float(chance.uniform(*GLANCE_SIZE)) * min(1.0, restless)
        to = aside if place == 0 or chance.uniform() < 0.25 else 0.0
        gaze += (to - place) * smoothstep((time - moment) / GLANCE)
        place = to
        moment += float(chance.uniform(*GLANCE_HELD))
    return np.clip(gaze, -1, 1)


def _lean(frames: int, seed: int, index: int, restless: float) -> F64:
    """Weight is shifted from one side to the other, slowly and never quite regularly: float64 (frames,), -1..1."""
    chance = rng(seed, f"lean/{index}")
    time = np.arange(frames) / FPS
    rates = np.array(WEIGHT_RATES) * chance.uniform(0.85, 1.15, len(WEIGHT_RATES))
    waves = np.sin(2 * np.pi * rates[:, None] * time + chance.uniform(0, 2 * np.pi, len(rates))[:, None])
    lean = (np.array([0.5, 0.5, 0.35])[:, None] * waves).sum(0)
    moved: F64 = np.clip(restless * (lean - lean[0] * (1 - smoothstep(time / 2.0))), -1, 1)
    return moved


def _breath(frames: int, seed: int, index: int, own_lines: Sequence[PlacedLine], *, deep: bool) -> F64:
    """float64 (frames,), 0..1: breathing in somewhat faster than out, breaths a little different in length; a speaker
    draws breath before a phrase and lifts the shoulders at stressed syllables."""
    chance = rng(seed, f"breath/{index}")
    time = np.arange(frames) / FPS
    rate = float(chance.uniform(*BREATH))
    phase = 2 * np.pi * rate * time + 0.25 * np.sin(2 * np.pi * 0.07 * time)
    phase = phase + 0.35 * (1 - np.cos(phase)) / 2  # shortens breathing in
    depth = 1.0 if deep else QUIET
    breath: F64 = depth * (1 - np.cos(phase)) / 2
    for line in own_lines:
        for start in _phrases(line):
            drawn = smoothstep((time - start + 0.5) / 0.5) * smoothstep((start + 1.6 - time) / 1.6)
            breath = breath + DRAWN * (1 - breath) * drawn
    for moment, strength in _stresses(own_lines, chance):
        breath = breath + SHRUG * strength * np.exp(-0.5 * ((time - moment) / 0.15) ** 2)
    return np.clip(breath, 0, 1) * smoothstep(time / 0.3)


def _stresses(own_lines: Sequence[PlacedLine], chance: np.random.Generator) -> Iterator[tuple[float, float]]:
    """(second, strength 0..1) of stressed syllables, at most about two a second; where none comes for a while, of
    others, weaker."""
    for line in own_lines:
        start = line.start / SAMPLE_RATE
        last = start
        phones = line.spoken.phones
        stressed = np.array([start + phone.start for phone in phones if phone.accent])
        for phone in phones:
            moment = start + phone.start
            if phone.accent and moment - last > (APART if last > start else -1):
                last = moment
                yield moment + 0.05, float(chance.uniform(0.4, 1.0))
            elif phone.symbol in VOWELS and moment - last > UNSTRESSED:
                if ((stressed >= moment) & (stressed < moment + APART)).any():
                    continue  # one with stress is near
                last = moment
                yield moment + 0.05, float(chance.uniform(0.35, 0.65))


def measure_speaking(frames: int, own_lines: Sequence[PlacedLine]) -> F64:
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
