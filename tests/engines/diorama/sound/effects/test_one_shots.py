"""Sounds that happen once: their transient is exactly at the event, their place is heard."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from support.timelines import RATE, bed_of, brightness, decibels, envelope, event_of, timeline
from vivant.engines.diorama.sound import effects, stems
from vivant.engines.diorama.timing.timeline import Bed, EventKind
from vivant.media import F32

TIMES = [Fraction(1), Fraction(37, 24), Fraction(2, 3), Fraction(70_001, 48_000)]
# Name: kind of event, and the beds on which its sound depends.
STRUCK: dict[str, tuple[EventKind, tuple[Bed, ...]]] = {
    "thunder": ("thunder", ()),
    "a step on pavement": ("step", (bed_of("traffic"),)),
    "a step on gravel": ("step", ()),
    "a wave of a lake": ("wave", (bed_of("waves", strength=0.2),)),
}


@pytest.mark.parametrize("name", STRUCK)
@pytest.mark.parametrize("time", TIMES)
def test_a_struck_sound_is_silent_before_its_event_and_starts_at_it(name: str, time: Fraction) -> None:
    kind, beds = STRUCK[name]
    event = event_of(kind, time, strength=0.2 if kind == "wave" else 0.5)
    stem = stems.make_events(timeline(events=(event,), beds=beds))
    at = round(time * RATE)
    assert not np.any(stem[:, :at])
    peak = np.abs(stem).max()
    first = int(np.argmax(np.abs(stem).max(axis=0) > 1e-3 * peak))
    assert 0 <= first - at < 72  # 1.5 ms
    if kind == "step":
        assert np.abs(stem[:, at : at + 480]).max() > 0.5 * peak  # within 10 ms


def test_a_wave_strikes_at_its_event() -> None:
    event = event_of("wave", Fraction(2), strength=0.8, depth=0.2)
    for seed in range(3):
        level = 20 * np.log10(envelope(stems.make_events(timeline(seed=seed, events=(event,))), 0.02) + 1e-9)
        jumps = level[53:150] - level[50:147]
        assert abs(int(np.argmax(jumps)) + 53 - 100) <= 4  # 20 ms each: the steepest rise ends within 80 ms of 2 s
        assert level[101:120].mean() > level[80:98].mean() + 6


def test_a_car_is_loudest_at_its_event() -> None:
    found = []
    for seed in range(4):
        level = envelope(stems.make_events(timeline(seed=seed, events=(event_of("pass", depth=0.3),))), 0.05)
        smooth = np.convolve(level, np.hanning(15), "same")
        found.append(int(np.argmax(smooth)) * 0.05)
    assert abs(np.median(found) - 2.0) < 0.35


def test_a_swell_that_began_before_the_clip_is_heard_from_its_start() -> None:
    early = timeline(events=(event_of("wave", Fraction(1, 2), strength=0.8),))
    sound, start = effects.make_one_shot(early.events[0], early)
    assert start < 0
    stem = stems.make_events(early)
    assert np.allclose(
        stem[:, :150], sound[:, -start : 150 - start], atol=1e-6
    )  # before the first reflection of the room


def test_what_outlasts_the_clip_is_cut_at_its_end() -> None:
    late = timeline(events=(event_of("thunder", Fraction(39, 10)),))
    assert stems.make_events(late).shape == (2, late.samples)


def test_lightning_is_silent_and_its_thunder_is_heard() -> None:
    strike = event_of("strike", Fraction(1), depth=0.2)
    thunder = event_of("thunder", Fraction(2), depth=0.2, cause=strike.id)
    stem = stems.make_events(timeline(events=(strike, thunder)))
    assert not np.any(stem[:, : 2 * RATE])
    assert np.any(stem[:, 2 * RATE :])


@pytest.mark.parametrize("kind", ["step", "pass"])
def test_far_is_softer_and_duller(kind: EventKind) -> None:
    near, far = (
        effects.make_one_shot(event, timeline(events=(event,)))[0]
        for event in (event_of(kind, TIMES[0], depth=depth) for depth in (0.1, 0.9))
    )
    assert decibels(near) > decibels(far) + 4
    assert brightness(near) > 0.95 * brightness(far)


@pytest.mark.parametrize("name", ["a step on gravel", "a wave of a lake"])
def test_what_is_on_the_right_is_louder_on_the_right(name: str) -> None:
    kind, beds = STRUCK[name]

    def sides(x: float) -> F32:
        event = event_of(kind, TIMES[0], x=x)
        return effects.make_one_shot(event, timeline(events=(event,), beds=beds))[0]

    assert decibels(sides(0.8)[1]) > decibels(sides(0.8)[0]) + 6
    assert decibels(sides(-0.8)[0]) > decibels(sides(-0.8)[1]) + 6
    assert abs(decibels(sides(0.0)[0]) - decibels(sides(0.0)[1])) < 0.5


def test_a_step_sounds_of_pavement_in_a_town_and_of_gravel_elsewhere() -> None:
    def step(*beds: Bed) -> F32:
        event = event_of("step")
        return effects.make_one_shot(event, timeline(events=(event,), beds=beds))[0]

    assert np.array_equal(step(bed_of("traffic")), step(bed_of("crowd")))
    assert np.array_equal(step(bed_of("rain")), step())
    assert not np.array_equal(step(bed_of("traffic")), step())
