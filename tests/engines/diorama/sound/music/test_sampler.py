"""The sampler plays its notes in tune and without clicks, each instrument as the SoundFont describes it."""

from __future__ import annotations

import numpy as np
import pytest

from vivant.assets import asset
from vivant.engines.diorama.sound.music.soundfont import DRUMS, Note, SoundFont, _envelope, load_soundfont
from vivant.errors import Misconfigured
from vivant.media import F32

RATE = 48_000


def one(
    program: int,
    key: int = 69,
    velocity: int = 90,
    length: float = 1.2,
    seconds: float = 2.0,
    pan: float = 0.0,
    gain: float = 0.0,
    swell: float = 0.0,
) -> F32:
    """A single note, 0.05 s after the start of so many seconds."""
    note = Note(start=0.05, length=length, key=key, velocity=velocity, program=program, pan=pan, gain=gain, swell=swell)
    return load_soundfont().play([note], seconds)


def cents_off(sound: F32, key: int) -> float:
    """The error in cents of the strongest of the first three harmonics."""
    part = sound.sum(axis=0)[round(0.3 * RATE) : round(1.2 * RATE)].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 20))
    frequency = np.fft.rfftfreq(1 << 20, 1 / RATE)
    found = []
    for harmonic in (1, 2, 3):
        wanted = harmonic * 440 * 2 ** ((key - 69) / 12)
        low, high = np.searchsorted(frequency, [wanted * 2 ** (-0.6 / 12), wanted * 2 ** (0.6 / 12)])
        peak = low + int(np.argmax(spectrum[low:high]))
        found.append((spectrum[peak], 1200 * float(np.log2(frequency[peak] / wanted))))
    return max(found)[1]


@pytest.mark.parametrize("choked", [0.02, 0.3, np.inf])
@pytest.mark.parametrize("swell", [0.0, 1.5, -12.0])
@pytest.mark.parametrize(("sustain", "release"), [(0, 3000), (1000, -1200), (300, -12000)])
def test_an_envelope_is_the_one_of_the_specification(sustain: int, release: int, swell: float, choked: float) -> None:
    # Generators 33 to 38 in timecents and centibels: 0.3 s of attack, 0.1 s of hold, 4 s for a fall of 100 dB.
    g = {33: -12000, 34: -2084, 35: -3986, 36: 2400, 37: sustain, 38: release}
    note = Note(start=0, length=0.8, key=60, velocity=90, program=0, swell=swell)
    given = _envelope(g, note, 40_000, choked)

    attack, hold, let_go = 2 ** (-2084 / 1200), 2 ** (-3986 / 1200), min(0.8, choked)
    falls = max(2 ** (release / 1200) if release > -12000 else 0, 0.008)
    time = np.arange(len(given)) / RATE
    begin, low = attack + hold, -sustain / 10
    held = np.interp(np.minimum(time, let_go), [begin, begin + 4 * sustain / 1000], [0, low])
    fall = np.maximum(time - let_go, 0) * 100 / falls
    if choked < 0.8:
        fall = np.maximum(fall, np.maximum(time - choked, 0) * 100 / 0.012)
    level = held - fall + swell * np.minimum(time / 0.8, 1)
    gain = 10 ** (level / 20) * np.clip(time / attack, 0, 1)
    gain[-96:] *= np.linspace(1, 0, 96)
    np.testing.assert_allclose(given, gain, rtol=1e-5, atol=1e-9)
    assert len(given) == 40_000 or level[-1] > -90 or time[-1] < attack  # ends where it falls silent


@pytest.mark.parametrize("program", [0, 4, 8, 9, 10, 11, 12, 24, 25, 32, 56, 71, 75])
def test_instruments_are_in_tune(program: int) -> None:
    off = [abs(cents_off(one(program, key), key)) for key in (57, 64, 69, 76)]
    assert max(off) < 6 and np.median(off) < 4


def test_an_octave_is_an_octave_on_the_piano() -> None:
    assert all(abs(cents_off(one(0, key), key)) < 6 for key in range(48, 85, 6))


@pytest.mark.parametrize("program", [40, 42, 48, 52, 60, 71, 73, 89])
def test_a_held_note_outlasts_its_sample_without_a_click(program: int) -> None:
    sound = one(program, 64, length=7.5, seconds=8.0).sum(axis=0).astype(np.float64)
    early, late = sound[RATE : 2 * RATE], sound[5 * RATE : 7 * RATE]
    assert np.sqrt(np.mean(late**2)) > 0.05 * np.sqrt(np.mean(early**2))
    # A click at the loop would have a far greater second difference than the rest of the note.
    bends = np.abs(np.diff(sound[round(0.5 * RATE) : 7 * RATE], 2))
    assert bends.max() < 12 * np.percentile(bends, 99)


def test_a_note_starts_on_time_and_ends_after_its_release() -> None:
    sound = np.abs(one(0, length=0.5, seconds=4.0)).sum(axis=0)
    assert not sound[: round(0.045 * RATE)].any()
    assert sound[round(0.05 * RATE) : round(0.09 * RATE)].max() > 0.2 * sound.max()
    assert sound[round(1.5 * RATE) :].max() < 0.02 * sound.max()


def test_velocity_and_gain_are_heard() -> None:
    soft, hard, louder = (np.abs(one(0, velocity=v, gain=g)).max() for v, g in ((40, 0.0), (100, 0.0), (40, 6.0)))
    assert hard > 3 * soft
    assert louder == pytest.approx(2 * soft, rel=0.01)


def test_pan_moves_the_sound() -> None:
    left, right = np.sqrt((one(8, pan=-0.8) ** 2).mean(axis=1))
    assert left > 3 * right


def test_a_swell_grows_over_the_note() -> None:
    plain, grown = one(48, length=1.8), one(48, length=1.8, swell=12.0)
    ratio = np.abs(grown[:, RATE:]).max() / np.abs(plain[:, RATE:]).max()
    assert ratio > 1.8


def test_a_closed_hat_silences_an_open_one() -> None:
    def hit(start: float, key: int) -> Note:
        return Note(start=start, length=1.0, key=key, velocity=100, program=0, bank=DRUMS)

    alone = load_soundfont().play([hit(0.0, 46)], 1.0)
    stopped = load_soundfont().play([hit(0.0, 46), hit(0.2, 42)], 1.0) - load_soundfont().play([hit(0.2, 42)], 1.0)
    after = slice(round(0.25 * RATE), round(0.4 * RATE))
    assert np.abs(stopped[:, after]).max() < 0.02 * np.abs(alone[:, after]).max()


def test_what_is_cut_by_the_end_of_the_clip_does_not_click() -> None:
    sound = one(48, length=5.0, seconds=1.0)
    assert sound.shape == (2, RATE) and np.abs(sound[:, -1]).max() < 1e-3


def test_the_same_notes_in_any_order_give_the_same_samples() -> None:
    notes = [Note(start=s / 4, length=0.5, key=60 + s, velocity=80, program=p) for s in range(4) for p in (0, 48)]
    assert np.array_equal(load_soundfont().play(notes, 2.0), load_soundfont().play(notes[::-1], 2.0))


def test_only_the_samples_that_sound_are_decoded() -> None:
    soundfont = SoundFont(shipped_bytes := _bytes())
    assert len(shipped_bytes) > 7_000_000 and not soundfont._samples
    soundfont.play([Note(start=0, length=0.2, key=60, velocity=80, program=0)], 0.3)
    assert 1 <= len(soundfont._samples) <= 4


def test_a_program_that_is_not_there_and_a_damaged_font_are_refused() -> None:
    with pytest.raises(KeyError, match="no program 100"):
        one(100)
    for data in (b"", b"RIFF....sfbk", _bytes()[:5000]):
        with pytest.raises(Misconfigured):
            SoundFont(data)


def _bytes() -> bytes:
    return asset("sound/FluidR3Mono_trim.sf3").read_bytes()
