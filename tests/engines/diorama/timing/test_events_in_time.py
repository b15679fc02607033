"""Events of what has a time are in it; where only the moment is told, one event is exactly then."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from vivant.engines.diorama.storyboard import Cue, CueKind, Motion, PictureFacts, Shot, Storyboard
from vivant.engines.diorama.timing.resolve import resolve
from vivant.engines.diorama.timing.timeline import Event

FRAMES = 193
SKY = PictureFacts(sky=0.4, sky_trust=0.9)
SEEDS = range(6)


def events(kind: str, seed: int = 1, **fields: Any) -> list[Event]:
    board = Storyboard(
        width=864, height=496, frames=FRAMES, seed=seed, language="en", audio=True, camera_fixed=True, morph=False,
        shots=(Shot(start=0, end=FRAMES, moves=()),), **fields,
    )  # fmt: skip
    return [event for event in resolve(board, SKY, []).events if event.kind == kind]


def lightning(**time: int) -> tuple[Motion, ...]:
    return (Motion(kind="lightning", **time),)  # type: ignore[arg-type]


def cue(kind: CueKind, **time: int) -> tuple[Cue, ...]:
    return (Cue(kind=kind, **time),)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "of",
    [
        lambda seed: events("strike", seed, motions=lightning(start=72)),
        lambda seed: events("strike", seed, motions=lightning(start=72, end=84)),
        lambda seed: events("thunder", seed, cues=cue("thunder", start=72)),
        lambda seed: events("thunder", seed, motions=lightning(), cues=cue("thunder", start=72)),
        lambda seed: events("thunder", seed, motions=lightning(start=54), cues=cue("thunder", start=72)),
        lambda seed: events("pass", seed, cues=cue("traffic", start=72, end=96)),
        lambda seed: events("wave", seed, cues=cue("waves", start=72, end=96)),
    ],
    ids=["stroke", "short stroke", "thunder", "stroke for a thunder", "thunder after its stroke", "car", "wave"],
)
def test_at_a_moment_there_is_one_event_exactly_then(of: Callable[[int], list[Event]], seed: int) -> None:
    assert [event.time for event in of(seed)] == [Fraction(3)]


@pytest.mark.parametrize("seed", SEEDS)
def test_thunder_follows_a_stroke_that_has_the_same_moment(seed: int) -> None:
    [heard] = events("thunder", seed, motions=lightning(start=72), cues=cue("thunder", start=72))
    assert 3.2 < heard.time < 4.7


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("start", [168, 190, 192])
def test_a_stroke_at_the_end_of_the_clip_is_seen_though_its_thunder_is_too_late(start: int, seed: int) -> None:
    [stroke] = events("strike", seed, motions=lightning(start=start))
    assert stroke.time == Fraction(start, 24)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cue_kind", ["footsteps", "waves", "traffic", "thunder"])
@pytest.mark.parametrize(("start", "end"), [(48, 144), (0, 72), (120, None)])
def test_events_are_only_in_the_time_of_their_cue(cue_kind: Any, start: int, end: int | None, seed: int) -> None:
    kind = {"footsteps": "step", "waves": "wave", "traffic": "pass", "thunder": "thunder"}[cue_kind]
    found = events(kind, seed, cues=(Cue(kind=cue_kind, start=start, end=end),))
    assert found
    assert all(start <= event.time * 24 <= (end or FRAMES) for event in found)


@pytest.mark.parametrize("seed", SEEDS)
def test_strokes_are_only_in_the_time_of_their_motion(seed: int) -> None:
    found = events("strike", seed, motions=lightning(start=72, end=150))
    assert found and all(72 <= event.time * 24 < 150 for event in found)


@pytest.mark.parametrize("seed", SEEDS)
def test_lightning_that_strikes_again_and_again_does_so_unevenly_with_a_thunder_for_each(seed: int) -> None:
    again, usual = (events("strike", seed, motions=(Motion(kind="lightning", often=often),)) for often in (True, False))
    assert len(again) >= 5 and len(again) > len(usual)
    between = np.diff([float(event.time) for event in again])
    assert between.max() > 1.2 * between.min()
    heard = events("thunder", seed, motions=(Motion(kind="lightning", often=True),))
    assert [event.cause for event in heard] == [event.id for event in again]
    assert heard[-1].time < FRAMES / 24 - 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_flashes_of_many_strokes_stay_under_three_a_second(seed: int) -> None:
    """More than three general flashes a second can trigger seizures (WCAG 2.3.1): each stroke flashes twice."""
    frames = [int(event.time * 24) for event in events("strike", seed, motions=(Motion(kind="lightning", often=True),))]
    assert np.diff(frames).min() >= 22
