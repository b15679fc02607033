"""Effects have properties of the real sound that noise of the same spectrum lacks."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy import signal, stats

from support.timelines import RATE, band, bed_of, brightness, decibels, envelope, event_of, noise_like, timeline
from vivant.engines.diorama.sound import effects
from vivant.engines.diorama.timing.timeline import Bed, BedKind
from vivant.media import F32


def bed(kind: BedKind, strength: float = 0.5, seed: int = 5) -> F32:
    return effects.make_bed(bed_of(kind, strength=strength), timeline(seed=seed))


def share(sound: F32, low: float, high: float) -> float:
    """The share of the energy between two frequencies (Hz), 0..1."""
    power = np.abs(np.fft.rfft(sound, axis=1)) ** 2
    hz = np.fft.rfftfreq(sound.shape[1], 1 / RATE)
    return float(power[:, (hz >= low) & (hz < high)].sum() / power.sum())


def roughness(sound: F32, low: float, high: float) -> float:
    """Skewness of the envelope (5 ms) of a band: about 0.3 for noise, more where single events stand out."""
    return float(stats.skew(envelope(band(sound.mean(axis=0), low, high), 0.005)))


def test_rain_is_made_of_drops() -> None:
    for strength in (0.2, 0.5):
        rain = bed("rain", strength)
        assert roughness(rain, 2000, 4000) > 3 * roughness(np.stack([noise_like(rain)] * 2), 2000, 4000)


def test_drizzle_hisses_and_a_downpour_roars() -> None:
    assert brightness(bed("rain", 0.1)) > 1.5 * brightness(bed("rain", 1.0))
    assert share(bed("rain", 1.0), 150, 1200) > 2 * share(bed("rain", 0.1), 150, 1200)


def test_wind_is_low_and_follows_the_curve_of_the_picture() -> None:
    line = timeline()
    wind = effects.make_bed(bed_of("wind"), line)
    assert share(wind, 20, 1000) > 0.85
    level = envelope(wind, 1 / 24)[: line.frames]
    smooth = np.convolve(level, np.ones(9) / 9, "same")
    assert np.corrcoef(smooth, line.wind[: len(level)])[0, 1] > 0.8


def test_strong_wind_whistles() -> None:
    def tonal(sound: F32) -> float:
        """The strongest frequency between 200 and 1500 Hz relative to their mean power, averaged over time."""
        power = signal.spectrogram(sound.mean(axis=0), RATE, nperseg=8192)[2][34:256]
        return float(np.mean(power.max(axis=0) / power.mean(axis=0)))

    wind = bed("wind", 1.0)
    assert tonal(wind) > 1.4 * tonal(np.stack([noise_like(wind)] * 2))


def test_fire_crackles_over_a_low_roar() -> None:
    fire = bed("fire")
    assert stats.kurtosis(band(fire[0], 2000, 9000)) > 30  # noise has 0
    assert share(fire, 20, 400) > 0.5


def test_a_stream_is_bubbles_of_many_pitches() -> None:
    stream = bed("stream", 0.3)
    bins = signal.spectrogram(stream.mean(axis=0), RATE, nperseg=1024)[2][10:90]
    like_noise = signal.spectrogram(noise_like(stream), RATE, nperseg=1024)[2][10:90]
    assert stats.kurtosis(bins, axis=None) > 2 * stats.kurtosis(like_noise, axis=None)


def test_a_waterfall_has_an_even_level() -> None:
    level = 20 * np.log10(envelope(bed("waterfall"), 0.1))
    assert np.ptp(level) < 6


def test_birds_sing_notes_and_rest_between_phrases() -> None:
    birds = bed("birds", 0.2)
    assert share(birds, 350, 9000) > 0.95
    level = envelope(birds, 0.02)
    assert np.mean(level < 0.1 * level.max()) > 0.15  # pauses
    loudest = int(np.argmax(level)) * 960
    note = np.abs(np.fft.rfft(birds[:, loudest : loudest + 2048].mean(axis=0) * np.hanning(2048))) ** 2
    assert np.sort(note)[-32:].sum() > 0.85 * note.sum()  # a tone, not noise


def test_gulls_cry_by_the_sea_and_an_owl_calls_among_crickets() -> None:
    def heard(*beds: Bed, low: float, high: float) -> float:
        """The share of energy in the band of that bird, the mean over four seeds."""
        takes = (effects.make_bed(bed_of("birds"), timeline(seed=seed, beds=beds)) for seed in range(4))
        return float(np.mean([share(take, low, high) for take in takes]))

    sea, lake, night = (
        (bed_of("waves"), bed_of("birds")),
        (bed_of("waves", strength=0.3), bed_of("birds")),
        (bed_of("crickets"),),
    )
    assert heard(*sea, low=1200, high=2600) > 1.5 * heard(*lake, low=1200, high=2600)
    assert heard(*night, low=600, high=850) > 0.5


def test_crickets_chirp_in_pulses_on_a_high_note() -> None:
    crickets = bed("crickets", 0.0)
    assert share(crickets, 2500, 6000) > 0.9
    level = envelope(band(crickets.mean(axis=0), 3800, 5500), 0.004)
    rate = np.abs(np.fft.rfft(level - level.mean()))
    hz = np.fft.rfftfreq(len(level), 0.004)
    pulses = rate[(hz > 24) & (hz < 40)].max()
    assert pulses > 3 * np.median(rate[(hz > 45) & (hz < 100)])


def test_a_crowd_has_the_rhythm_of_syllables_and_voices_with_a_pitch() -> None:
    crowd = bed("crowd", 0.3)
    flat = np.stack([noise_like(crowd)] * 2)

    def syllables(sound: F32) -> float:
        level = envelope(band(sound.mean(axis=0), 3500, 9000), 0.01)
        power = np.abs(np.fft.rfft(level / level.mean() - 1)) ** 2
        hz = np.fft.rfftfreq(len(level), 0.01)
        return float(power[(hz > 2) & (hz < 8)].sum())

    def voiced(sound: F32) -> float:
        """The periodicity of frames of 60 ms at pitches of a voice: the highest autocorrelation, 0..1."""
        mono, found = band(sound.mean(axis=0), 80, 1500), []
        for start in range(0, len(mono) - 2880, 2880):
            part = mono[start : start + 2880]
            again = np.correlate(part, part, "full")[2880 + 180 : 2880 + 520]
            found.append(again.max() / np.dot(part, part))
        return float(np.mean(found))

    assert syllables(crowd) > 4 * syllables(flat)
    assert voiced(crowd) > 1.2 * voiced(flat)


def test_a_passing_car_sinks_in_pitch() -> None:
    sound = effects.make_one_shot(event_of("pass", depth=0.3), timeline())[0].mean(axis=0)
    middle = int(2.6 * RATE)

    def pitches(at: int) -> np.ndarray:
        """The spectrum from 41 to 690 Hz over log frequency, on which a change of pitch is a shift."""
        part = sound[at : at + RATE] * np.hanning(RATE)
        power = np.log(np.abs(np.fft.rfft(part, 4 * RATE))[4 * 40 : 4 * 700] + 1e-9)
        hz = np.arange(4 * 40, 4 * 700) / 4
        fine = np.interp(np.geomspace(41, 690, 4000), hz, power)
        return np.asarray(fine - signal.medfilt(fine, 401))

    before, after = pitches(middle - int(1.4 * RATE)), pitches(middle + int(0.4 * RATE))
    shifts = np.arange(-200, 201)
    alike = [np.dot(before[200:-200], np.roll(after, s)[200:-200]) for s in shifts]
    ratio = (690 / 41) ** (shifts[int(np.argmax(alike))] / 4000)
    assert 1.02 < ratio < 1.13  # 9 to 17 m/s, seen at an angle


def test_thunder_cracks_first_and_then_rolls_low() -> None:
    near = effects.make_one_shot(event_of("thunder", depth=0.05), timeline())[0]
    crack, roll = near[:, : RATE // 10], near[:, RATE : 2 * RATE]
    assert share(crack, 1000, 20_000) > 4 * share(roll, 1000, 20_000)
    assert share(roll, 20, 300) > 0.6
    level = envelope(near, 0.1)
    assert np.argmax(level) < 12  # loudest within the first 1.2 s
    assert level[20:30].mean() > 0.01 * level.max()  # and still rolling seconds later


def test_far_thunder_has_no_crack() -> None:
    near, far = (
        effects.make_one_shot(event_of("thunder", depth=d), timeline())[0][:, : RATE // 2] for d in (0.05, 0.95)
    )
    assert share(near, 1000, 20_000) > 4 * share(far, 1000, 20_000)


def test_a_wave_hisses_brighter_as_it_runs_up_the_beach() -> None:
    sound, start = effects.make_one_shot(event_of("wave", strength=0.8, depth=0.2), timeline())
    crest = 2 * RATE - start
    swell, crash, hiss = (
        sound[:, : crest // 2],
        sound[:, crest : crest + 24_000],
        sound[:, crest + 60_000 : crest + 110_000],
    )
    assert brightness(swell) < brightness(crash) < brightness(hiss)
    assert decibels(crash) > decibels(hiss) + 3


def footstep(*, paved: bool) -> F32:
    """One step on the pavement of a street, or on a gravel path."""
    beds = (bed_of("traffic"),) if paved else ()
    return effects.make_one_shot(event_of("step"), timeline(beds=beds))[0]


@pytest.mark.parametrize("paved", [True, False])
def test_a_step_has_a_heel_and_a_toe(paved: bool) -> None:
    level = envelope(footstep(paved=paved), 0.01)
    toe = level[11:26]
    assert level[:3].max() > level[4:].max() * 0.5
    assert toe.max() > 1.5 * level[30:].max()


def test_gravel_grinds_longer_than_pavement() -> None:
    def crunch(step: F32) -> float:
        return float(np.mean(envelope(band(step.mean(axis=0), 1500, 8000), 0.005) > 0.01 * np.abs(step).max()))

    assert crunch(footstep(paved=False)) > 1.5 * crunch(footstep(paved=True))


def test_no_two_steps_are_alike() -> None:
    steps = tuple(event_of("step", Fraction(i, 2), depth=0.2) for i in range(4))
    line = timeline(events=steps)
    sounds = [effects.make_one_shot(step, line)[0] for step in steps]
    for i in range(3):
        assert not np.allclose(sounds[i], sounds[i + 1], atol=0.02 * np.abs(sounds[i]).max())
