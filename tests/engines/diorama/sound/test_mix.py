"""The finished soundtrack: loudness, peaks, balance and ducking, beginning and end."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from support.timelines import RATE, band, bed_of, chords, decibels, envelope, event_of, make_line, timeline
from vivant.encode.mp4 import write_mp4
from vivant.engines.diorama.sound import levels, limiter, mix, stems
from vivant.engines.diorama.timing.timeline import EventKind, Timeline
from vivant.media import F32, Clip, Planes
from vivant.request import Canvas

TALK = (make_line(0.6, 1.4), make_line(2.6, 0.9, seed=2))
CLIPS: dict[str, tuple[dict[str, Any], bool, float, float]] = {
    # Name: fields of the timeline, whether there is music, target LUFS, tolerance.
    "speech": ({"lines": TALK}, False, -16, 1),
    "speech and rain": ({"lines": TALK, "beds": (bed_of("rain", strength=0.9),)}, False, -16, 1),
    "speech, storm and music": (
        {
            "lines": TALK,
            "beds": (bed_of("rain", strength=0.8), bed_of("wind", strength=0.8)),
            "events": (event_of("strike", Fraction(1)), event_of("thunder", Fraction(3, 2), strength=1.0, depth=0.1)),
        },
        True,
        -16,
        1,
    ),
    "music": ({}, True, -16, 1),
    "music by the sea": ({"beds": (bed_of("waves"),), "events": (event_of("wave"),)}, True, -16, 1),
    "a thunderstorm": (
        {"beds": (bed_of("rain", strength=0.8),), "events": (event_of("thunder", depth=0.1, strength=1.0),)},
        False,
        -18,
        2,
    ),
    "footsteps in a street": (
        {
            "events": tuple(event_of("step", Fraction(3 + 5 * i, 10), depth=0.25) for i in range(7)),
            "beds": (bed_of("traffic", strength=0.0, asked=False),),
        },
        False,
        -18,
        2,
    ),
    "a fire that was asked for": ({"beds": (bed_of("fire", strength=0.7),)}, False, -18, 2),
    "a town": ({"beds": (bed_of("traffic"), bed_of("crowd")), "events": (event_of("pass"),)}, False, -18, 2),
    "a shore nobody asked for": (
        {"beds": (bed_of("waves", asked=False), bed_of("birds", strength=0.3, asked=False))},
        False,
        -24,
        3,
    ),
    "a quiet room": ({"beds": (bed_of("room", asked=False),)}, False, -24, 3),
}


@pytest.fixture(scope="module", params=CLIPS)
def clip(request: pytest.FixtureRequest) -> tuple[Timeline, F32, float, float]:
    fields, music, target, tolerance = CLIPS[request.param]
    line = timeline(**fields)
    return line, mix.make_soundtrack(line, music=chords() if music else None).samples, target, tolerance


Mixed = tuple[Timeline, F32, float, float]


def test_a_clip_is_as_loud_as_its_kind_wants(clip: Mixed) -> None:
    _, sound, target, tolerance = clip
    assert levels.measure_loudness(sound) == pytest.approx(target, abs=tolerance)


def test_no_wave_rises_over_the_ceiling_even_between_samples(clip: Mixed) -> None:
    assert levels.measure_true_peak(clip[1]) <= -1.5


def test_sound_is_exactly_as_long_as_the_picture(clip: Mixed) -> None:
    line, sound, _, _ = clip
    assert sound.shape == (2, 2000 * line.frames)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()


def test_it_begins_and_ends_without_a_click(clip: Mixed) -> None:
    sound = clip[1]
    assert np.abs(sound[:, 0]).max() == 0
    assert np.abs(sound[:, -1]).max() == 0
    assert np.abs(sound[:, :240]).max() < 0.5 * np.abs(sound[:, :4800]).max() + 1e-4  # 5 ms


def test_it_has_no_direct_current_and_keeps_its_level_when_it_is_summed_to_mono(clip: Mixed) -> None:
    sound = clip[1]
    assert np.abs(sound.mean(axis=1)).max() < 2e-3
    assert np.corrcoef(*sound)[0, 1] > 0
    assert decibels(sound.mean(axis=0)) > decibels(sound) - 3.5


def test_it_is_stereo_where_the_scene_is_wide() -> None:
    rain = mix.make_soundtrack(timeline(beds=(bed_of("rain"),))).samples
    assert np.corrcoef(*rain)[0, 1] < 0.8


def test_the_same_timeline_gives_the_same_samples() -> None:
    line = timeline(lines=TALK, beds=(bed_of("crowd"),), events=(event_of("thunder"),))
    assert np.array_equal(
        mix.make_soundtrack(line, music=chords()).samples, mix.make_soundtrack(line, music=chords()).samples
    )


def test_nothing_to_hear_is_silence() -> None:
    assert not np.any(mix.make_soundtrack(timeline()).samples)


def test_beds_are_ducked_by_ten_decibels_before_a_line_and_come_back_after_it() -> None:
    gain = 20 * np.log10(mix.duck((make_line(2.0, 2.0),), 8 * RATE))
    assert gain[: int(1.6 * RATE)].max() == pytest.approx(0, abs=0.01)  # unchanged long before
    assert gain[int(1.85 * RATE)] < -2  # falling already: look-ahead
    assert gain[2 * RATE : 4 * RATE] == pytest.approx(-10, abs=0.01)  # during the whole line
    assert gain[5 * RATE :] == pytest.approx(0, abs=0.01)
    assert np.abs(np.diff(gain)).max() * RATE < 80  # never faster than 80 dB/s


def test_ducking_lasts_through_a_short_gap_between_lines() -> None:
    gain = 20 * np.log10(mix.duck((make_line(1.0, 1.0), make_line(2.6, 1.0)), 6 * RATE))
    assert gain[int(1.0 * RATE) : int(3.6 * RATE)].max() < -9.9


def balanced_stem(name: str, parts: dict[str, F32], line: Timeline) -> F32:
    """One stem after balancing and ducking, before the limiter."""
    return mix.balance(parts, line)[name]


def test_speech_stands_fourteen_units_over_the_loudest_bed() -> None:
    loud = (bed_of("rain", strength=1.0, depth=0.0), bed_of("crowd", strength=1.0))
    line = timeline(lines=(make_line(0.5, 3.0),), beds=loud)
    parts = {"speech": stems.make_speech(line), "beds": stems.make_beds(line)}
    spoken = slice(int(0.5 * RATE), int(3.5 * RATE))
    voice, bed = (levels.measure_loudness(balanced_stem(name, parts, line)[:, spoken]) for name in ("speech", "beds"))
    assert voice - bed >= 14


@pytest.mark.parametrize("kind", ["thunder", "wave", "step", "pass"])
def test_no_event_masks_speech(kind: EventKind) -> None:
    line = timeline(lines=(make_line(0.8, 2.4),), events=(event_of(kind, Fraction(3, 2), strength=1.0, depth=0.05),))
    parts = {"speech": stems.make_speech(line), "events": stems.make_events(line)}
    voice, event = balanced_stem("speech", parts, line), balanced_stem("events", parts, line)
    spoken = slice(int(0.9 * RATE), int(3.1 * RATE))
    assert levels.measure_loudness(voice) - levels.measure_momentary_loudness(event[:, spoken]).max() >= 8.5


def test_music_is_ducked_under_speech() -> None:
    line = timeline(lines=(make_line(2.0, 1.5),))
    music = balanced_stem("music", {"speech": stems.make_speech(line), "music": chords()}, line)
    before, during = music[:, RATE // 2 : int(1.5 * RATE)], music[:, int(2.5 * RATE) : int(3.5 * RATE)]
    assert decibels(before) - decibels(during) == pytest.approx(10, abs=0.5)


def test_a_whisper_is_softer_than_a_shout_and_both_are_heard() -> None:
    shout, whisper = (replace(TALK[0], line=replace(TALK[0].line, tone=tone)) for tone in ("shout", "whisper"))
    loud, soft = (levels.measure_loudness(stems.make_speech(timeline(lines=(line,)))) for line in (shout, whisper))
    assert 2 < loud - soft < 6


def test_a_line_is_where_the_timeline_put_it_and_its_speaker_stands() -> None:
    stem = stems.make_speech(timeline(lines=(make_line(1.25, 1.0, pan=0.8),)))
    assert not np.any(stem[:, : int(1.25 * RATE)])
    assert np.any(stem[:, int(1.25 * RATE) : int(1.26 * RATE)])
    assert 1 < decibels(stem[1]) - decibels(stem[0]) < 12


def test_beds_fade_at_the_end_and_a_last_word_does_not() -> None:
    end = timeline(lines=(make_line(2.0, 2.0),), beds=(bed_of("rain", strength=1.0),))
    rain = mix.make_soundtrack(timeline(beds=(bed_of("rain"),))).samples
    assert decibels(rain[:, -2400:]) < decibels(rain[:, RATE : 2 * RATE]) - 15
    spoken = mix.make_soundtrack(end).samples
    assert (
        decibels(spoken[:, int(3.78 * RATE) : int(3.86 * RATE)])
        > decibels(spoken[:, int(2.5 * RATE) : int(3.5 * RATE)]) - 6
    )


def test_a_stem_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="speech, beds, events and music"):
        mix.mix({"voices": np.zeros((2, timeline().samples), np.float32)}, timeline())
    with pytest.raises(ValueError, match="must be"):
        mix.mix({"beds": np.zeros((2, 100), np.float32)}, timeline())


def test_steps_do_not_dim_the_rain_they_are_heard_in() -> None:
    steps = tuple(event_of("step", Fraction(i, 2), depth=0.1, strength=1.0) for i in range(1, 8))
    line = timeline(beds=(bed_of("rain"), bed_of("traffic", strength=0.0)), events=steps)
    treble = 20 * np.log10(envelope(band(mix.make_soundtrack(line).samples, 9000, 16_000), 0.05))
    after = [treble[10 * i + 2] for i in range(1, 8)]  # 100 to 150 ms after each heel, where a limiter would recover
    assert np.mean(after) > np.median(treble[10:70]) - 1


def test_clicks_are_rounded_and_all_else_is_left_as_it_was() -> None:
    sound = 0.3 * chords() / np.abs(chords()).max()
    clicked = sound.copy()
    clicked[:, 5000] = 2.0
    held = limiter.soft_clip(clicked, -3.0)
    assert np.abs(held).max() <= 10 ** (-3 / 20)
    untouched = np.arange(sound.shape[1]) != 5000
    assert np.array_equal(held[:, untouched], sound[:, untouched])


def test_the_limiter_leaves_alone_what_is_under_its_ceiling() -> None:
    soft = 0.1 * chords()
    assert limiter.limit(soft, -1.5) is soft


def test_the_limiter_holds_a_click_and_lets_the_rest_recover() -> None:
    sound = np.full((2, RATE), 0.2, np.float32)
    sound[0, RATE // 2] = 3.0
    held = limiter.limit(sound, -1.5)
    assert levels.measure_true_peak(held) <= -1.5 + 1e-3
    assert held[1, RATE // 4] == pytest.approx(0.2, abs=0.005)
    assert held[1, -1] == pytest.approx(0.2, abs=0.005)


@pytest.mark.parametrize(
    "name", ["speech, storm and music", "footsteps in a street", "a thunderstorm", "a fire that was asked for"]
)
def test_the_ceiling_still_holds_after_aac(name: str, tmp_path: Path) -> None:
    fields, music, target, tolerance = CLIPS[name]
    line = timeline(**fields)
    track = mix.make_soundtrack(line, music=chords() if music else None)
    grey = Planes(np.full((64, 64), 126, np.uint8), *[np.full((32, 32), 128, np.uint8)] * 2)
    canvas = Canvas(64, 64, line.frames)
    path = tmp_path / "clip.mp4"
    write_mp4(Clip(canvas, (grey for _ in range(line.frames)), lambda: track), path)
    with av.open(str(path)) as movie:
        decoded = np.concatenate([frame.to_ndarray() for frame in movie.decode(audio=0)], axis=1).astype(np.float32)
    assert levels.measure_true_peak(decoded) <= -1.0
    assert levels.measure_loudness(decoded[:, : line.samples]) == pytest.approx(target, abs=tolerance)
