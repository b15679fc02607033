"""Makes every event of a clip: lightning, thunder, steps, waves, passing vehicles. Events are made nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.storyboard import Cue, Motion, PictureFacts, Storyboard
from vivant.engines.diorama.timing.timeline import Event
from vivant.media import SAMPLE_RATE
from vivant.request import FPS

STEP_SECONDS: Final = 0.52  # a strolling pace, about 115 steps a minute
SWELL_SECONDS: Final = 4.2  # between breaking waves on a calm shore; they vary by a third


def make_strikes(board: Storyboard) -> tuple[Event, ...]:
    """Strokes of lightning, about one in three seconds, none in the first half second or the last two."""
    motion = next((motion for motion in board.motions if motion.kind == "lightning"), None)
    if motion is None:
        return ()
    chance = rng(board.seed, "lightning")
    low, high = _span(motion, board.frames)
    count = max(1, round((high - low) / 3.2 * (0.6 + 0.8 * motion.strength)))
    # The thunder of the last one is still inside the clip.
    last = min(high, board.frames / FPS - 2.2)
    slots = np.linspace(low + 0.7, last, count + 1) if not motion.start else np.linspace(low, max(last, low), count + 1)
    return tuple(
        Event(
            id=f"strike{i}",
            kind="strike",
            time=_on_frame(_first(motion, i, chance.uniform(slots[i], slots[i] + 0.7 * (slots[i + 1] - slots[i])))),
            strength=float(np.clip(motion.strength * chance.uniform(0.8, 1.3), 0.2, 1)),
            x=float(chance.uniform(-0.6, 0.6)),
            depth=float(chance.uniform(0.4, 0.9)),
        )
        for i in range(count)
    )


def make_thunder(board: Storyboard, strikes: Sequence[Event]) -> tuple[Event, ...]:
    """The thunder of each stroke, later the farther away it is; thunder without lightning comes from far away."""
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
    low, high = _span(cue, board.frames)
    count = max(1, round((high - low) / 5))
    return tuple(
        Event(
            id=f"thunder{i}",
            kind="thunder",
            time=_on_frame(_first(cue, i, low + (i + chance.uniform(0.12, 0.4)) * (high - low) / count)),
            strength=cue.strength,
            x=float(chance.uniform(-0.5, 0.5)),
            depth=float(chance.uniform(0.6, 1.0)),
        )
        for i in range(count)
    )


def make_steps(board: Storyboard, facts: PictureFacts) -> tuple[Event, ...]:
    """Footsteps from a third of a second on, left and right by turns, where the first face is."""
    cue = next((cue for cue in board.cues if cue.kind == "footsteps"), None)
    if cue is None:
        return ()
    chance = rng(board.seed, "steps")
    low, high = _span(cue, board.frames)
    x = facts.faces[0].x * 2 - 1 if facts.faces else 0.0
    placed: list[Event] = []
    at = low if cue.start else 0.3
    while at < high - 0.25:
        placed.append(
            Event(
                id=f"step{len(placed)}",
                kind="step",
                time=Fraction(round(at * SAMPLE_RATE), SAMPLE_RATE),
                strength=float(np.clip(cue.strength * chance.uniform(0.85, 1.15), 0, 1)),
                x=float(np.clip(0.6 * x + (0.06 if len(placed) % 2 else -0.06), -1, 1)),
                depth=0.25,
            )
        )
        at += STEP_SECONDS * (1 + chance.normal(0, 0.025))
    return tuple(placed)


def make_waves(board: Storyboard) -> tuple[Event, ...]:
    """Waves that break on a shore; the first breaks within a second and a half."""
    cue = next((cue for cue in board.cues if cue.kind == "waves"), None)
    if cue is None:
        return ()
    chance = rng(board.seed, "swell")
    low, high = _span(cue, board.frames)
    fronts: list[Event] = []
    at = low + chance.uniform(0.4, 1.4)
    while at < high:
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


def make_passes(board: Storyboard) -> tuple[Event, ...]:
    """Vehicles that pass by, about one in three seconds, from either side."""
    cue = next((cue for cue in board.cues if cue.kind == "traffic"), None)
    if cue is None:
        return ()
    chance = rng(board.seed, "traffic")
    low, high = _span(cue, board.frames)
    count = max(1, round((high - low) / 3))
    return tuple(
        Event(
            id=f"pass{i}",
            kind="pass",
            time=_on_frame(low + (i + chance.uniform(0.25, 0.75)) * (high - low) / count),
            strength=float(np.clip(cue.strength * chance.uniform(0.6, 1.2), 0, 1)),
            x=float(chance.choice([-1.0, 1.0])),  # where it comes from
            depth=float(chance.uniform(0.3, 0.8)),
        )
        for i in range(count)
    )


def _on_frame(seconds: float) -> Fraction:
    """The exact time of the nearest frame, so that sound and picture of an event coincide."""
    return Fraction(round(seconds * FPS), FPS)


def _span(timed: Motion | Cue, frames: int) -> tuple[float, float]:
    """(start, end) in seconds of the time in which it may happen."""
    return (timed.start or 0) / FPS, (frames if timed.end is None else timed.end) / FPS


def _first(timed: Motion | Cue, number: int, otherwise: float) -> float:
    """The moment of the event of this number: the first happens exactly when the prompt says."""
    return timed.start / FPS if timed.start and number == 0 else otherwise
