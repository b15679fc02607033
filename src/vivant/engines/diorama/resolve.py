"""Storyboard -> Timeline. The only place where lines get their moments and events are made.

It decides when, never how it looks or sounds: motion/ and sound/ read what is decided here and nothing else, so picture
and sound cannot drift apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final

import numpy as np

from vivant.engines.diorama.motion import camera, visemes, wind
from vivant.engines.diorama.motion.life import life
from vivant.engines.diorama.random import rng
from vivant.engines.diorama.storyboard import Cue, Line, PictureFacts, Storyboard
from vivant.engines.diorama.timeline import Bed, Event, PlacedLine, Spoken, Timeline
from vivant.media import F32, SAMPLE_RATE
from vivant.request import FPS

LEAD: Final = 0.45  # s of picture before the first word
TAIL: Final = 0.35  # s of picture after the last word
PAUSE: Final = 0.35  # s between lines of one speaker
TURN: Final = 0.5  # s between lines of two speakers: an answer needs a breath
TIGHTEST: Final = 0.12  # s, when a clip is short of time

STEP_SECONDS: Final = 0.52  # a strolling pace, about 115 steps a minute
SWELL_SECONDS: Final = 4.2  # between breaking waves on a calm shore; they vary by a third
EVENT_CUES: Final = frozenset({"thunder", "footsteps"})  # heard as events, never as a bed


def room_for_speech(frames: int) -> float:
    """The longest speech, in seconds, that a clip of this many frames can hold."""
    return frames / FPS - TIGHTEST - TAIL


def resolve(board: Storyboard, facts: PictureFacts, spoken: Sequence[Spoken]) -> Timeline:
    """`spoken` goes with board.lines, in order. Lines that no longer fit are cut at the clip's end."""
    lines = place_lines(board, facts, spoken)
    frames = board.frames
    strikes = _strikes(board)
    events = (*strikes, *_thunder(board, strikes), *_steps(board, facts), *_waves(board), *_passes(board))
    curves: dict[str, F32] = {
        "wind": wind.gust(board.seed, frames, _wind_strength(board)),
        "flicker": _flicker(board),
        "light": _light(frames, strikes, facts.brightness),
        **camera.path(board, facts, frames=frames),
        **visemes.curves(lines, frames, seed=board.seed),
        **life(frames, board.seed, facts.faces, lines, board.actions, settle=board.morph),
    }
    return Timeline(
        frames=frames,
        seed=board.seed,
        cuts=(),
        curves=curves,
        events=tuple(sorted(events, key=lambda event: (event.time, event.id))),
        beds=tuple(_bed(cue, frames, facts) for cue in board.cues if cue.kind not in EVENT_CUES),
        lines=lines,
        music=board.music,
        room=_room(facts),
    )


def place_lines(board: Storyboard, facts: PictureFacts, spoken: Sequence[Spoken]) -> tuple[PlacedLine, ...]:
    """Put the lines on the clock: after a short lead, with breathing space, all inside the clip if they fit at all."""
    if not spoken:
        return ()
    lengths = [len(one.samples) / SAMPLE_RATE for one in spoken]
    gaps = [TURN if a.speaker != b.speaker else PAUSE for a, b in zip(board.lines, board.lines[1:], strict=False)]
    seconds = board.frames / FPS
    air = LEAD + sum(gaps)
    free = seconds - TAIL - sum(lengths)
    # Short of time, all silences shrink alike, down to a bare breath.
    squeeze = min(1.0, max(0.0, free) / air) if air else 1.0
    at = max(TIGHTEST, LEAD * squeeze)
    placed = []
    for index, (line, one) in enumerate(zip(board.lines, spoken, strict=True)):
        start = round(at * SAMPLE_RATE)
        left = round(seconds * SAMPLE_RATE) - start
        if left <= 0:
            break
        placed.append(
            PlacedLine(line=line, spoken=_cut(one, left), start=start, pan=_pan(line, facts), depth=_depth(line, facts))
        )
        at += lengths[index] + (max(TIGHTEST, gaps[index] * squeeze) if index < len(gaps) else 0)
    return tuple(placed)


def _cut(spoken: Spoken, samples: int) -> Spoken:
    """What fits into `samples`: up to the last pause between words, or, without one, a fade where the time ends."""
    if len(spoken.samples) <= samples:
        return spoken
    pauses = [phone.start for phone in spoken.phones if not phone.symbol.isalpha()]
    whole = [round(start * SAMPLE_RATE) for start in pauses if start * SAMPLE_RATE <= samples]
    kept = spoken.samples[: whole[-1] if whole and whole[-1] > samples / 2 else samples].copy()
    fade = min(len(kept), SAMPLE_RATE // 50)
    kept[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    end = len(kept) / SAMPLE_RATE
    phones = tuple(replace(phone, end=min(phone.end, end)) for phone in spoken.phones if phone.start < end)
    return Spoken(samples=kept, phones=phones)


def _pan(line: Line, facts: PictureFacts) -> float:
    """A voice leans to where its face is, half as far: ears are less exact than eyes."""
    return (facts.faces[line.face].x * 2 - 1) * 0.5 if 0 <= line.face < len(facts.faces) else 0.0


def _depth(line: Line, facts: PictureFacts) -> float:
    """A large face is near. A face of half the picture's height stands at arm's length."""
    if not 0 <= line.face < len(facts.faces):
        return 0.1
    return float(np.clip(0.45 - 0.9 * facts.faces[line.face].height, 0.05, 0.45))


def _wind_strength(board: Storyboard) -> float:
    """What the strongest wind in motions and cues asks; weather brings its own."""
    asked = [motion.strength for motion in board.motions if motion.kind == "wind"]
    asked += [cue.strength for cue in board.cues if cue.kind == "wind"]
    asked += [0.5 * motion.strength for motion in board.motions if motion.kind in ("rain", "snow", "leaves", "petals")]
    return max(asked, default=0.15)


def _flicker(board: Storyboard) -> F32:
    """Firelight, -1..1: slow breathing under quick licks; zero where nothing burns."""
    time = np.arange(board.frames) / FPS
    strength = max((motion.strength for motion in board.motions if motion.kind == "fire"), default=0.0)
    if not strength:
        return np.zeros(board.frames, np.float32)
    chance = rng(board.seed, "flicker")
    # Flame puffing falls off with frequency from a few Hz (Hamins et al., 1992); amplitudes as 1/f.
    rates = np.array([0.7, 1.3, 2.2, 3.7, 5.9, 8.3]) * chance.uniform(0.9, 1.1, 6)
    phases = chance.uniform(0, 2 * np.pi, 6)
    waves = np.sin(2 * np.pi * rates * time[:, None] + phases) / np.sqrt(rates)
    curve = waves.sum(axis=1)
    curve = curve - curve[0]
    return np.asarray(strength * curve / max(1e-6, np.abs(curve).max()), np.float32)


def _strikes(board: Storyboard) -> tuple[Event, ...]:
    """One stroke of lightning per three seconds or so, none in the first half second or the last two."""
    motion = next((motion for motion in board.motions if motion.kind == "lightning"), None)
    if motion is None:
        return ()
    chance = rng(board.seed, "lightning")
    seconds = board.frames / FPS
    count = max(1, round(seconds / 3.2 * (0.6 + 0.8 * motion.strength)))
    slots = np.linspace(0.7, seconds - 2.2, count + 1)  # the last one's thunder is still heard
    return tuple(
        Event(
            id=f"strike{i}",
            kind="strike",
            time=_on_frame(chance.uniform(slots[i], slots[i] + 0.7 * (slots[i + 1] - slots[i]))),
            strength=float(np.clip(motion.strength * chance.uniform(0.8, 1.3), 0.2, 1)),
            x=float(chance.uniform(-0.6, 0.6)),
            depth=float(chance.uniform(0.4, 0.9)),
        )
        for i in range(count)
    )


def _thunder(board: Storyboard, strikes: Sequence[Event]) -> tuple[Event, ...]:
    """Each stroke's thunder follows it by its distance; thunder without lightning rolls in from far away."""
    cue = next((cue for cue in board.cues if cue.kind == "thunder"), None)
    if strikes and (cue is not None or board.audio):
        strength = cue.strength if cue else 0.6
        # 343 m/s: 0.25 s is 85 m, 1.6 s about 550 m; further than that would fall outside a short clip.
        return tuple(
            Event(
                id=f"thunder{i}",
                kind="thunder",
                time=_on_frame(float(strike.time) + 0.25 + 1.35 * strike.depth**2),
                strength=min(1.0, 0.5 * strength + 0.6 * strike.strength),
                x=strike.x,
                depth=strike.depth,
                cause=strike.id,
            )
            for i, strike in enumerate(strikes)
        )
    if cue is None:
        return ()
    chance = rng(board.seed, "thunder")
    seconds = board.frames / FPS
    count = max(1, round(seconds / 5))
    return tuple(
        Event(
            id=f"thunder{i}",
            kind="thunder",
            time=_on_frame((i + chance.uniform(0.12, 0.4)) * seconds / count),
            strength=cue.strength,
            x=float(chance.uniform(-0.5, 0.5)),
            depth=float(chance.uniform(0.6, 1.0)),
        )
        for i in range(count)
    )


def _steps(board: Storyboard, facts: PictureFacts) -> tuple[Event, ...]:
    cue = next((cue for cue in board.cues if cue.kind == "footsteps"), None)
    if cue is None:
        return ()
    chance = rng(board.seed, "steps")
    seconds = board.frames / FPS
    x = facts.faces[0].x * 2 - 1 if facts.faces else 0.0
    steps: list[Event] = []
    at = 0.3
    while at < seconds - 0.25:
        steps.append(
            Event(
                id=f"step{len(steps)}",
                kind="step",
                time=Fraction(round(at * SAMPLE_RATE), SAMPLE_RATE),
                strength=float(np.clip(cue.strength * chance.uniform(0.85, 1.15), 0, 1)),
                x=float(np.clip(0.6 * x + (0.06 if len(steps) % 2 else -0.06), -1, 1)),
                depth=0.25,
            )
        )
        at += STEP_SECONDS * (1 + chance.normal(0, 0.025))
    return tuple(steps)


def _waves(board: Storyboard) -> tuple[Event, ...]:
    """Fronts that break on a shore. The first is already on its way when the clip begins."""
    cue = next((cue for cue in board.cues if cue.kind == "waves"), None)
    if cue is None:
        return ()
    chance = rng(board.seed, "swell")
    seconds = board.frames / FPS
    fronts: list[Event] = []
    at = chance.uniform(0.4, 1.4)
    while at < seconds:
        fronts.append(
            Event(
                id=f"wave{len(fronts)}",
                kind="wave",
                time=_on_frame(at),
                strength=float(np.clip(cue.strength * chance.uniform(0.7, 1.25), 0, 1)),
                x=float(chance.uniform(-0.5, 0.5)),
                depth=float(chance.uniform(0.2, 0.5)),
            )
        )
        at += SWELL_SECONDS * chance.uniform(0.67, 1.33)
    return tuple(fronts)


def _passes(board: Storyboard) -> tuple[Event, ...]:
    """Vehicles that pass by, one every few seconds, from either side."""
    cue = next((cue for cue in board.cues if cue.kind == "traffic"), None)
    if cue is None:
        return ()
    chance = rng(board.seed, "traffic")
    seconds = board.frames / FPS
    count = max(1, round(seconds / 3))
    return tuple(
        Event(
            id=f"pass{i}",
            kind="pass",
            time=_on_frame((i + chance.uniform(0.25, 0.75)) * seconds / count),
            strength=float(np.clip(cue.strength * chance.uniform(0.6, 1.2), 0, 1)),
            x=float(chance.choice([-1.0, 1.0])),  # where it comes from
            depth=float(chance.uniform(0.3, 0.8)),
        )
        for i in range(count)
    )


def _light(frames: int, strikes: Sequence[Event], brightness: float) -> F32:
    """Gain about 1. A stroke flashes twice within a quarter of a second and dies away; by day it shows less."""
    light = np.ones(frames, np.float32)
    flash = 0.9 * (1.2 - brightness)
    for strike in strikes:
        first = math.floor(strike.time * FPS)
        # One frame of full flash, a dark frame, a return stroke, then the glow of the cloud.
        for offset, share in enumerate((1.0, 0.35, 0.8, 0.45, 0.25, 0.14, 0.07, 0.03)):
            if 0 < first + offset < frames:
                light[first + offset] += flash * strike.strength * share
    return light


def _bed(cue: Cue, frames: int, facts: PictureFacts) -> Bed:
    """Weather is all around; water and fire are where the picture shows them."""
    return Bed(
        kind=cue.kind,
        start=0,
        end=frames,
        strength=cue.strength,
        depth=_bed_depth(cue, facts),
        asked=cue.origin == "prompt",
    )


def _bed_depth(cue: Cue, facts: PictureFacts) -> float:
    if cue.kind in ("waves", "stream", "waterfall"):
        return float(np.clip(0.75 - facts.water, 0.2, 0.75))  # much water in the picture: we stand beside it
    return {"rain": 0.3, "fire": 0.25, "wind": 0.4, "room": 0.3}.get(cue.kind, 0.6)


def _room(facts: PictureFacts) -> float:
    """Under the sky it is dry; between walls it is not."""
    return 0.06 if facts.sky > 0.12 and facts.sky_trust >= 0.5 else 0.22


def _on_frame(seconds: float) -> Fraction:
    """The nearest frame's exact time, so that a flash and its frame are one."""
    return Fraction(round(seconds * FPS), FPS)
