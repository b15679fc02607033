"""What happens once happens exactly then: transients against the clock, places, causes."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from support.timelines import RATE, bed_of, brightness, decibels, envelope, event_of, timeline
from vivant.engines.diorama.sound import effects, stems
from vivant.engines.diorama.timing.timeline import Event, EventKind
from vivant.media import F32

TIMES = [Fraction(1), Fraction(37, 24), Fraction(2, 3), Fraction(70_001, 48_000)]
STRUCK = ["thunder", "splash", "chirp", "step:hard", "step:wood", "step:gravel", "step:snow", "chirp:gull", "wave:lake"]


def struck(name: str, time: Fraction, **fields: float) -> Event:
    kind, _, detail = name.partition(":")
    if detail == "lake":
        return event_of(kind, time, strength=0.2, **fields)
    return event_of(kind, time, detail=detail, **fields)


@pytest.mark.parametrize("name", STRUCK)
@pytest.mark.parametrize("time", TIMES)
def test_a_blow_is_silent_before_its_sample_and_sounds_from_it_on(name: str, time: Fraction) -> None:
    event = struck(name, time)
    stem = stems.events(timeline(events=(event,)))
    at = round(time * RATE)
    assert not np.any(stem[:, :at])
    peak = np.abs(stem).max()
    first = int(np.argmax(np.abs(stem).max(axis=0) > 1e-3 * peak))
    assert 0 <= first - at < 72  # 1.5 ms
    if name.startswith(("step", "splash")):
        assert np.abs(stem[:, at : at + 480]).max() > 0.5 * peak  # within 10 ms


def test_a_wave_strikes_at_its_event() -> None:
    event = event_of("wave", Fraction(2), strength=0.8, depth=0.2)
    for seed in range(3):
        level = 20 * np.log10(envelope(stems.events(timeline(seed=seed, events=(event,))), 0.02) + 1e-9)
        jumps = level[53:150] - level[50:147]
        assert abs(int(np.argmax(jumps)) + 53 - 100) <= 4  # 20 ms each: the steepest rise ends within 80 ms of 2 s
        assert level[101:120].mean() > level[80:98].mean() + 6


@pytest.mark.parametrize("kind", ["pass", "gust"])
def test_what_swells_is_fullest_at_its_event(kind: EventKind) -> None:
    found = []
    for seed in range(4):
        level = envelope(stems.events(timeline(seed=seed, events=(event_of(kind, depth=0.3),))), 0.05)
        smooth = np.convolve(level, np.hanning(15), "same")
        found.append(int(np.argmax(smooth)) * 0.05)
    assert abs(np.median(found) - 2.0) < 0.35


def test_a_swell_that_began_before_the_clip_is_heard_from_its_start() -> None:
    early = timeline(events=(event_of("wave", Fraction(1, 2), strength=0.8),))
    sound, start = effects.one_shot(early.events[0], early)
    assert start < 0
    stem = stems.events(early)
    assert np.allclose(stem[:, :150], sound[:, -start : 150 - start], atol=1e-6)  # before the room answers


def test_what_outlasts_the_clip_is_cut_at_its_end() -> None:
    late = timeline(events=(event_of("thunder", Fraction(39, 10)),))
    assert stems.events(late).shape == (2, late.samples)


def test_lightning_is_silent_and_its_thunder_is_heard() -> None:
    strike = event_of("strike", Fraction(1), depth=0.2)
    thunder = event_of("thunder", Fraction(2), depth=0.2, cause=strike.id)
    line = timeline(events=(strike, thunder))
    assert effects.one_shot(strike, line)[0].shape == (2, 0)
    assert not np.any(stems.events(line)[:, : 2 * RATE])


def test_lightning_without_thunder_brings_its_own_after_the_time_sound_takes() -> None:
    near, far = (event_of("strike", Fraction(1), depth=d) for d in (0.0, 0.6))
    for strike, earliest, latest in ((near, 0.2, 0.5), (far, 1.5, 3.5)):
        sound, start = effects.one_shot(strike, timeline(events=(strike,)))
        assert earliest < start / RATE - 1 < latest
        assert np.any(sound)


@pytest.mark.parametrize("name", ["step:hard", "splash", "chirp:tit", "pass"])
def test_far_is_softer_and_duller(name: str) -> None:
    near, far = (
        effects.one_shot(e, timeline(events=(e,)))[0] for e in (struck(name, TIMES[0], depth=d) for d in (0.1, 0.9))
    )
    assert decibels(near) > decibels(far) + 4
    assert brightness(near) > 0.95 * brightness(far)


@pytest.mark.parametrize("name", ["step:gravel", "splash", "chirp:robin"])
def test_what_is_on_the_right_is_louder_on_the_right(name: str) -> None:
    def sides(x: float) -> F32:
        event = struck(name, TIMES[0], x=x)
        return effects.one_shot(event, timeline(events=(event,)))[0]

    assert decibels(sides(0.8)[1]) > decibels(sides(0.8)[0]) + 6
    assert decibels(sides(-0.8)[0]) > decibels(sides(-0.8)[1]) + 6
    assert abs(decibels(sides(0.0)[0]) - decibels(sides(0.0)[1])) < 0.5


def test_one_walks_on_what_the_place_has() -> None:
    def step(**fields: Any) -> F32:
        event = event_of("step")
        return effects.one_shot(event, timeline(events=(event,), **fields))[0]

    def on(surface: str) -> F32:
        event = event_of("step", detail=surface)
        return effects.one_shot(event, timeline(events=(event,)))[0]

    assert np.array_equal(step(), on("gravel"))
    assert np.array_equal(step(beds=(bed_of("traffic"),)), on("hard"))
    assert np.array_equal(step(room=0.5), on("wood"))
