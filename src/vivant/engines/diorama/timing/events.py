"""Makes every event of a clip: lightning, thunder, steps, waves, passing vehicles. Events are made nowhere else. Those
of a motion or a cue that has a time are in that time; where it says only when, the event is exactly then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import numpy as np

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.storyboard import Cue, CueKind, Motion, PictureFacts, Storyboard
from vivant.engines.diorama.timing.timeline import Event
from vivant.media import SAMPLE_RATE
from vivant.request import FPS

STEP_SECONDS: Final = 0.52  # a strolling pace, about 115 steps a minute
SWELL_SECONDS: Final = 4.2  # between breaking waves on a calm shore; they vary by a third
STRIKE_SECONDS: Final = 3.2  # between strokes of lightning, on the mean, at a strength of 0.5
OFTEN: Final = 1.25  # where lightning is said to strike again and again
# Each stroke flashes twice; more than three flashes in a second are a danger to some who look (WCAG 2.3.1).
STRIKES_APART: Final = 0.96
# Seconds from a stroke to its thunder, near and what the farthest adds. 343 m/s: 0.25 s is 85 m, 1.6 s about 550 m;
# further than that would fall outside a short clip.
THUNDER_AFTER: Final = (0.25, 1.35)
_THUNDER_ROLLS: Final = 0.6  # seconds of the last thunder that are inside the clip, at least
_MOMENT: Final = 1.5  # seconds; a time that is no longer is a moment, in which something happens once


def make_strikes(board: Storyboard) -> tuple[Event, ...]:
    """Strokes of lightning at uneven intervals: about one in three seconds, or in one where the prompt says again and
    again; none so late that its thunder would be lost. Without a time of their own they are a second before that of the
    thunder, if it has one."""
    motion = next((motion for motion in board.motions if motion.kind == "lightning"), None)
    if motion is None:
        return ()
    chance = rng(board.seed, "lightning")
    window = _window(board, motion, lasts=False)
    thunder = _cue(board, "thunder")
    if (motion.start, motion.end) == (None, None) and thunder is not None:
        heard = _window(board, thunder, lasts=False)
        window = replace(heard, low=max(0.0, heard.low - 1))
    clip = board.frames / FPS
    last = min(window.high, clip - THUNDER_AFTER[0] - _THUNDER_ROLLS)
    if window.moment or last <= window.low:
        times = [min(max(window.low, 1 / FPS), clip - 1 / FPS)]  # frame 0 is the picture itself
    else:
        every = OFTEN if motion.often else STRIKE_SECONDS / (0.6 + 0.8 * motion.strength)
        times = [window.low + min(1.1 * chance.uniform(0.6, 1), (last - window.low) / 2)]
        # Two close on each other, then a wait: either is likelier than what lies between.
        while (at := times[-1] + STRIKES_APART + 2 * chance.beta(0.5, 0.5) * (every - STRIKES_APART)) < last:
            times.append(at)
    return tuple(
        Event(
            id=f"strike{i}",
            kind="strike",
            time=_on_frame(at),
            strength=float(np.clip(motion.strength * chance.uniform(0.8, 1.3), 0.2, 1)),
            x=float(chance.uniform(-0.6, 0.6)),
            depth=_depth_heard_by(clip - _THUNDER_ROLLS - at, float(chance.uniform(0.4, 0.9))),
        )
        for i, at in enumerate(times)
    )


def _depth_heard_by(seconds: float, depth: float) -> float:
    """How far away a stroke is, 0..1, at most `depth`, whose thunder is heard within `seconds` of it if that can be."""
    near, farther = THUNDER_AFTER
    return min(depth, float(np.sqrt(max(0.0, seconds - near) / farther))) if seconds > near else depth


def make_thunder(board: Storyboard, strikes: Sequence[Event]) -> tuple[Event, ...]:
    """The thunder of each stroke, later the farther away it is; thunder without lightning comes from far away. Where
    thunder has a moment of its own, the stroke before it whose thunder is nearest is heard exactly then."""
    cue = _cue(board, "thunder")
    window = None if cue is None else _window(board, cue, lasts=False)
    if strikes and (cue is not None or board.audio):
        strength = cue.strength if cue else 0.6
        near, farther = THUNDER_AFTER
        heard = [_on_frame(float(strike.time) + near + farther * strike.depth**2) for strike in strikes]
        if window is not None and window.moment:
            at = _on_frame(window.low)
            before = [i for i, strike in enumerate(strikes) if strike.time < at]
            if before:
                heard[min(before, key=lambda i: abs(heard[i] - at))] = at
        end = Fraction(board.frames, FPS)
        return tuple(
            Event(
                id=f"thunder{i}",
                kind="thunder",
                time=time,
                strength=min(1.0, 0.5 * strength + 0.6 * strike.strength),
                x=strike.x,
                depth=strike.depth,
                cause=strike.id,
            )
            for i, (strike, time) in enumerate(zip(strikes, heard, strict=True))
            if time < end
        )
    if cue is None or window is None:
        return ()
    chance = rng(board.seed, "thunder")
    seconds = window.high - window.low
    count = 1 if window.moment else max(1, round(seconds / 5))
    return tuple(
        Event(
            id=f"thunder{i}",
            kind="thunder",
            time=_spread(window, i, chance.uniform(0.12, 0.4), count),
            strength=cue.strength,
            x=float(chance.uniform(-0.5, 0.5)),
            depth=float(chance.uniform(0.6, 1.0)),
        )
        for i in range(count)
    )


def make_steps(board: Storyboard, facts: PictureFacts) -> tuple[Event, ...]:
    """Footsteps from a third of a second or their own time on, left and right by turns, where the first face is."""
    cue = _cue(board, "footsteps")
    if cue is None:
        return ()
    window = _window(board, cue, lasts=True)
    chance = rng(board.seed, "steps")
    x = facts.faces[0].x * 2 - 1 if facts.faces else 0.0
    placed: list[Event] = []
    at = window.low or 0.3
    last = min(window.high, board.frames / FPS - 0.25)
    while at < last:
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
    cue = _cue(board, "waves")
    if cue is None:
        return ()
    window = _window(board, cue, lasts=True)
    chance = rng(board.seed, "swell")
    fronts: list[Event] = []
    at = window.low if window.moment else window.low + chance.uniform(0.4, 1.4)
    while at < window.high:
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
    cue = _cue(board, "traffic")
    if cue is None:
        return ()
    window = _window(board, cue, lasts=True)
    chance = rng(board.seed, "traffic")
    count = 1 if window.moment else max(1, round((window.high - window.low) / 3))
    return tuple(
        Event(
            id=f"pass{i}",
            kind="pass",
            time=_spread(window, i, chance.uniform(0.25, 0.75), count),
            strength=float(np.clip(cue.strength * chance.uniform(0.6, 1.2), 0, 1)),
            x=float(chance.choice([-1.0, 1.0])),  # where it comes from
            depth=float(chance.uniform(0.3, 0.8)),
        )
        for i in range(count)
    )


@dataclass(frozen=True, slots=True)
class _Window:
    """Seconds in which events may be. moment: there is one, at `low`."""

    low: float
    high: float
    moment: bool = False


def _window(board: Storyboard, one: Motion | Cue, *, lasts: bool) -> _Window:
    """The time of a motion or a cue. lasts: what has a start and no end goes on; else it happens once."""
    low, high = (one.start or 0) / FPS, (board.frames if one.end is None else min(one.end, board.frames)) / FPS
    short = not lasts if one.end is None else high - low <= _MOMENT
    return _Window(low, high, moment=one.start is not None and short)


def _cue(board: Storyboard, kind: CueKind) -> Cue | None:
    return next((cue for cue in board.cues if cue.kind == kind), None)


def _spread(window: _Window, i: int, share: float, count: int) -> Fraction:
    """The time of event i of `count` in a window, `share` of the way through its part of it; a moment is its start."""
    if window.moment:
        return _on_frame(window.low)
    return _on_frame(window.low + (i + share) * (window.high - window.low) / count)


def _on_frame(seconds: float) -> Fraction:
    """The exact time of the nearest frame, so that sound and picture of an event coincide."""
    return Fraction(round(seconds * FPS), FPS)
