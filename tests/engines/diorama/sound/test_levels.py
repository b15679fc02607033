"""Loudness and true peak, compared with the figures of the standard and with an independent implementation."""

from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest
from scipy import signal

from support.timelines import RATE, bed_of, chords, make_line, timeline
from vivant.engines.diorama.sound import effects, levels, stems
from vivant.media import F32


def sine(hz: float, decibels: float, seconds: float = 3.0, phase: float = 0.0) -> F32:
    t = np.arange(int(seconds * RATE)) / RATE
    wave = 10 ** (decibels / 20) * np.sin(2 * np.pi * hz * t + phase)
    return np.stack([wave, wave]).astype(np.float32)


def test_the_reference_tone_of_the_standard_reads_as_it_should() -> None:
    # BS.1770-4: 997 Hz at 0 dBFS in one front channel reads -3.01 LKFS; in both it is 3.01 more.
    both = sine(997, -20)
    one = both * np.array([[1], [0]], np.float32)
    assert levels.measure_loudness(both) == pytest.approx(-20.0, abs=0.05)
    assert levels.measure_loudness(one) == pytest.approx(-23.01, abs=0.05)


@pytest.mark.parametrize("name", ["rain", "fire", "birds", "traffic", "speech", "music"])
def test_loudness_agrees_with_pyloudnorm(name: str) -> None:
    if name == "speech":
        sound = stems.make_speech(timeline(lines=(make_line(0.5, 2.5),)))
    elif name == "music":
        sound = chords()
    else:
        sound = effects.make_bed(bed_of(name), timeline())
    # It designs its filters for each rate; they differ by up to 0.05 dB from the table of the standard.
    assert levels.measure_loudness(sound) == pytest.approx(
        pyloudnorm.Meter(RATE).integrated_loudness(sound.T), abs=0.15
    )


def test_silence_between_does_not_count() -> None:
    tone = sine(997, -20)
    with_silence = np.concatenate([tone, np.zeros((2, 5 * RATE), np.float32)], axis=1)
    assert levels.measure_loudness(with_silence) == pytest.approx(levels.measure_loudness(tone), abs=0.3)


def test_a_quiet_part_far_under_the_rest_does_not_count() -> None:
    loud, quiet = sine(997, -20), sine(997, -45)
    assert levels.measure_loudness(np.concatenate([loud, quiet], axis=1)) > -20.5


def test_silence_has_no_loudness_and_no_peak() -> None:
    nothing = np.zeros((2, RATE), np.float32)
    assert levels.measure_loudness(nothing) == -np.inf
    assert levels.measure_true_peak(nothing) == -np.inf


def test_a_clip_shorter_than_a_gating_block_still_has_a_loudness() -> None:
    assert levels.measure_loudness(sine(997, -20, seconds=0.3)) == pytest.approx(-20, abs=0.3)


@pytest.mark.parametrize("hz", [997.0, 6000.0, 12_000.0])
def test_a_peak_between_the_samples_is_found(hz: float) -> None:
    # At a quarter of the rate and 45 degrees off, no sample is higher than 0.71 of the wave.
    tone = sine(hz, 0.0, phase=np.pi / 4) * signal.windows.tukey(3 * RATE, 0.2).astype(np.float32)
    assert levels.measure_true_peak(tone) == pytest.approx(0.0, abs=0.1)


def test_true_peak_agrees_with_sixteen_fold_oversampling() -> None:
    chance = np.random.default_rng(4)
    noise = (0.1 * chance.standard_normal((2, RATE))).astype(np.float32)
    exact = 20 * np.log10(np.abs(signal.resample_poly(noise, 16, 1, axis=1, window=("kaiser", 10.0))).max())
    assert levels.measure_true_peak(noise) == pytest.approx(exact, abs=0.3)


def test_the_floor_of_a_peak_search_changes_nothing_above_it() -> None:
    chance = np.random.default_rng(5)
    noise = (0.1 * chance.standard_normal((2, RATE))).astype(np.float32)
    noise[1] = 0
    everything, high = levels.find_peaks(noise), levels.find_peaks(noise, 0.2)
    over = np.maximum(np.abs(noise[0]), np.abs(np.append(noise[0, 1:], 0))) >= 0.2
    assert np.allclose(everything[over], high[over])
    assert (high <= everything + 1e-7).all()
