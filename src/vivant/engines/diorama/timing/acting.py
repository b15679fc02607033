"""Gives lines and actions their moments in the clip: those with a time first, the others in their order in what is
left. Speech lengths are known only here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

from vivant.engines.diorama.storyboard import Action, ActionKind, Line, Storyboard
from vivant.request import FPS

LEAD: Final = 0.45  # s of picture before the first word
TAIL: Final = 0.35  # s of picture after the last word
PAUSE: Final = 0.35  # s between lines of one speaker
TURN: Final = 0.5  # s between lines of two speakers
TIGHTEST: Final = 0.12  # s, when a clip is short of time
_INSIDE: Final = 0.15  # s after the start of its time at which something begins
_SHORTEST_LEAD: Final = 0.3  # s of an action before what follows it, when a clip is short of time
_SPREAD: Final = 1.2  # s that a pause between steps may grow to, where there is time
_LEAD_OF_ACTION: Final = 0.9  # s until an action is seen well enough for the next step to begin

# Gestures, which end by themselves, and how long they take (s); all other actions last until something else happens.
GESTURES: Final[Mapping[ActionKind, float]] = {
    "nod": 1.35, "shake_head": 2.1, "blink": 0.9, "wink": 0.7, "surprise": 1.7, "raise_brow": 1.5, "laugh": 2.2,
    "sigh": 2.2, "yawn": 2.8, "move_eyes": 1.8, "open_eyes": 0.8,
}  # fmt: skip
# Of these a face does one at a time: the next one ends the one before.
_CHANNELS: Final[tuple[frozenset[ActionKind], ...]] = (
    frozenset({"smile", "smirk", "laugh", "frown", "sad", "cry", "angry", "fear", "disgust", "surprise", "pout"}),
    frozenset(
        {"look_left", "look_right", "look_up", "look_down", "look_away", "look_camera", "turn_head", "tilt_head", "nod",
         "shake_head"}
    ),
    frozenset({"close_eyes", "open_eyes", "squint", "blink"}),
    frozenset({"yawn", "chew", "sing", "talk"}),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedAction:
    """An action on the clock: frames start..end-1. `end` may be one past the clip: it lasts."""

    action: Action
    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"PlacedAction must have 0 <= start < end; they are {self.start} and {self.end}.")


@dataclass(frozen=True, slots=True)
class Acting:
    """When each line begins, in seconds, in the order of the board's lines, and when each action happens."""

    lines: tuple[float, ...]
    actions: tuple[PlacedAction, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """Lines and actions that happen together: indices of the board's."""

    lines: tuple[int, ...]
    actions: tuple[int, ...]


def place_acting(board: Storyboard, lengths: Sequence[float]) -> Acting:
    """lengths: of the board's lines, in seconds. Lines never overlap; where they do not all fit, the last are cut off
    by the end of the clip."""
    clip = board.frames / FPS
    begins: dict[int, float] = {}
    acts: dict[int, float] = {}
    everything: tuple[Line | Action, ...] = (*board.lines, *board.actions)
    windows = sorted({_window(one) for one in everything} - {(None, None)}, key=_by_start)
    for window in windows:
        low = (window[0] or 0) / FPS
        high = clip if window[1] is None else min(clip, window[1] / FPS)
        lead = 0.0 if window[1] is None else _INSIDE
        _fit(board, _steps(board, window), lengths, (low, high), lead, begins, acts)
    free = _steps(board, (None, None))
    if free and windows:
        _fit_between(board, free, lengths, clip, begins, acts)
    else:
        _fit(board, free, lengths, (0.0, clip), LEAD, begins, acts)
    starts = _keep_apart(board, lengths, begins, clip)
    placed = [PlacedAction(action=board.actions[i], start=_frame(acts[i], board), end=_frame(acts[i], board) + 1)
              for i in range(len(board.actions))]  # fmt: skip
    return Acting(starts, tuple(_end(placed, board.frames)))


def _window(one: Line | Action) -> tuple[int | None, int | None]:
    return one.start, one.end


def _by_start(window: tuple[int | None, int | None]) -> tuple[int, int]:
    return window[0] or 0, window[1] or 1_000_000


def _steps(board: Storyboard, window: tuple[int | None, int | None]) -> list[_Step]:
    """The steps of what has this time, in order."""
    lines = [(line.order, 0, i) for i, line in enumerate(board.lines) if _window(line) == window]
    actions = [(action.order, 1, i) for i, action in enumerate(board.actions) if _window(action) == window]
    steps = []
    for _, group in groupby(sorted([*lines, *actions]), key=lambda one: one[0]):
        members = list(group)
        steps.append(
            _Step(
                lines=tuple(i for _, kind, i in members if kind == 0),
                actions=tuple(i for _, kind, i in members if kind == 1),
            )
        )
    return steps


def _fit(
    board: Storyboard,
    steps: Sequence[_Step],
    lengths: Sequence[float],
    window: tuple[float, float],
    lead: float,
    begins: dict[int, float],
    acts: dict[int, float],
) -> None:
    """Put the steps one after the other into the window (seconds), after `lead`. Silences and the leads of actions
    shrink alike where time is short; pauses between steps grow where there is more than enough."""
    if not steps:
        return
    low, high = window
    spoken = [sum(lengths[i] for i in step.lines) for step in steps]
    gaps = [_gaps(board, step.lines) for step in steps]
    leads = [0.0 if step.lines else _LEAD_OF_ACTION for step in steps]
    between = [
        (TURN if a.lines and b.lines and _speaker(board, a, -1) != _speaker(board, b, 0) else PAUSE) if a.lines else 0.0
        for a, b in pairwise(steps)
    ]
    # The last step needs no lead for what follows it.
    flexible = lead + sum(map(sum, gaps)) + sum(leads[:-1]) + sum(between)
    tail = TAIL if any(spoken) and high >= board.frames / FPS else 0.0
    room = high - low - tail - sum(spoken)
    squeeze = 1.0 if not flexible else min(1.0, max(0.0, room) / flexible)
    slack = max(0.0, room - flexible) if len(steps) > 1 and any(not step.lines for step in steps) else 0.0
    grow = min(_SPREAD, slack / len(steps))
    at = low + max(min(lead, TIGHTEST), lead * squeeze)
    for index, step in enumerate(steps):
        for i in step.actions:
            acts[i] = at
        for place, i in enumerate(step.lines):
            begins[i] = at
            at += lengths[i]
            if place + 1 < len(step.lines):
                at += max(TIGHTEST, gaps[index][place] * squeeze)
        if index + 1 < len(steps):
            if step.lines:
                at += max(TIGHTEST, between[index] * squeeze)
            else:
                at += max(_SHORTEST_LEAD, leads[index] * squeeze) + grow


def _fit_between(
    board: Storyboard,
    steps: Sequence[_Step],
    lengths: Sequence[float],
    clip: float,
    begins: dict[int, float],
    acts: dict[int, float],
) -> None:
    """Put the steps, in order, where the lines that have a time leave room."""
    taken = sorted((start, start + lengths[i]) for i, start in begins.items())
    at = LEAD
    for step in steps:
        need = sum(lengths[i] + PAUSE for i in step.lines)
        for start, end in taken:
            if step.lines and at < end + TIGHTEST and start < at + need:
                at = end + PAUSE
        for i in step.actions:
            acts[i] = min(at, clip - 0.5)
        for i in step.lines:
            begins[i] = at
            at += lengths[i] + PAUSE
        if not step.lines:
            at += _LEAD_OF_ACTION


def _gaps(board: Storyboard, lines: Sequence[int]) -> list[float]:
    return [TURN if board.lines[a].speaker != board.lines[b].speaker else PAUSE for a, b in pairwise(lines)]


def _speaker(board: Storyboard, step: _Step, place: int) -> object:
    return board.lines[step.lines[place]].speaker


def _keep_apart(
    board: Storyboard, lengths: Sequence[float], begins: Mapping[int, float], clip: float
) -> tuple[float, ...]:
    """The starts of the lines, moved as little as it takes that none overlaps another and all end inside the clip. What
    does not fit at all ends beyond it."""
    order = sorted(begins, key=lambda i: (begins[i], i))
    starts = dict(begins)
    for before, i in zip([-1, *order], order, strict=False):
        if before >= 0:
            starts[i] = max(starts[i], starts[before] + lengths[before] + TIGHTEST)
    limit = clip - TAIL
    for i in reversed(order):
        starts[i] = min(starts[i], limit - lengths[i])
        limit = starts[i] - TIGHTEST
    if order and starts[order[0]] < TIGHTEST:
        at = TIGHTEST
        for i in order:
            starts[i] = max(at, min(starts[i], begins[i]))
            at = starts[i] + lengths[i] + TIGHTEST
    return tuple(starts[i] for i in range(len(board.lines)))


def _frame(seconds: float, board: Storyboard) -> int:
    return max(0, min(board.frames - 2, round(seconds * FPS)))


def _end(placed: Sequence[PlacedAction], frames: int) -> Iterable[PlacedAction]:
    """The actions with their ends: as the prompt says, else as long as the gesture takes, else until another action of
    the same face takes its place."""
    for one in placed:
        action = one.action
        if action.kind in GESTURES:
            end = one.start + round(GESTURES[action.kind] * FPS)
        else:
            end = frames
            for other in placed:
                follows = other.start > one.start and other.action.face_index == action.face_index
                if follows and any({action.kind, other.action.kind} <= channel for channel in _CHANNELS):
                    end = min(end, other.start)
        if action.end is not None:
            end = min(end, action.end)
        yield PlacedAction(action=action, start=one.start, end=max(one.start + 1, min(end, frames)))
