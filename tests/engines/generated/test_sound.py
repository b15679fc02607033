"""The sound of generated clips: fitted, silent, or made by the embedded engine."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import Any, Final

import numpy as np
import pytest

from support.clips import photo
from support.fingerprints import fingerprint
from support.generated_films import tone
from support.speech_recognition import edit_distance, transcribe, words
from support.watches import RecordingWatch
from vivant.engines.base import NullWatch
from vivant.engines.diorama.engine import Diorama
from vivant.engines.generated import sound
from vivant.engines.generated.sound import fit_sound, make_missing_sound, make_silence
from vivant.errors import EngineFailed, Stopped
from vivant.media import F32, SAMPLE_RATE, Pictures
from vivant.request import Brief, VideoRequest

WANTED: Final = 97 * 2000


def make_request(prompt: str, **fields: Any) -> VideoRequest:
    brief = Brief(**{"prompt": prompt, "resolution": "480p", "seconds": 4, "seed": 7, **fields})
    return brief.resolve(864, 496, has_last_frame=False)


# -- fitting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 100, WANTED - 1, WANTED, WANTED + 1, 3 * WANTED])
def test_sound_of_any_length_gets_exactly_2000_samples_a_frame(n: int) -> None:
    made = fit_sound(np.full((2, n), 0.5, np.float32), 97).samples
    assert made.shape == (2, WANTED) and made.dtype == np.float32


def test_sound_of_the_right_length_stays_as_it_is() -> None:
    given = tone(WANTED / SAMPLE_RATE, SAMPLE_RATE)
    assert np.array_equal(fit_sound(given, 97).samples, given)


@pytest.mark.parametrize("n", [WANTED - 20_000, WANTED + 20_000], ids=["short", "long"])
def test_where_sound_ends_it_fades_and_does_not_click(n: int) -> None:
    made = fit_sound(tone(n / SAMPLE_RATE, SAMPLE_RATE), 97).samples
    end = min(n, WANTED)
    assert np.abs(np.diff(made[:, end - 2000 :])).max() < 0.02  # a hard cut of this tone jumps by up to 0.25
    assert not made[:, end:].any()
    assert np.abs(made[:, end - 3000 : end - 1000]).max() > 0.24


def test_sound_that_is_too_loud_is_turned_down_as_a_whole() -> None:
    given = tone(WANTED / SAMPLE_RATE, SAMPLE_RATE, level=1.6)
    made = fit_sound(given, 97).samples
    assert np.abs(made).max() <= 1
    assert np.allclose(made, given / 1.6, atol=1e-5)


def test_one_wild_sample_does_not_silence_the_rest() -> None:
    given = tone(WANTED / SAMPLE_RATE, SAMPLE_RATE)
    given[:, 5000] = 1e6
    made = fit_sound(given, 97).samples
    assert np.abs(made).max() <= 1
    assert np.abs(made[:, 10_000:]).max() > 0.12


def test_samples_that_are_no_numbers_become_silence() -> None:
    given = tone(WANTED / SAMPLE_RATE, SAMPLE_RATE)
    given[0, 10], given[1, 11], given[0, 12] = np.nan, np.inf, -np.inf
    made = fit_sound(given, 97).samples
    assert made[0, 10] == made[1, 11] == made[0, 12] == 0 and made.any()


def test_the_models_samples_are_not_changed() -> None:
    given = tone(10, SAMPLE_RATE, level=1.5)
    before = given.copy()
    fit_sound(given, 97)
    assert np.array_equal(given, before)


@pytest.mark.parametrize("shape", [(2, 0), (1, 100), (100,), (6, 100)])
def test_other_shapes_are_refused_in_words(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"float32 \(2, n\)"):
        fit_sound(np.zeros(shape, np.float32), 97)


def test_silence_is_silent_and_as_long_as_the_clip() -> None:
    made = make_silence(97).samples
    assert made.shape == (2, WANTED) and not made.any()


# -- what a silent model lacks ----------------------------------------------------------------------------------------


def made_for(prompt: str, picture: str, **fields: Any) -> F32:
    return make_missing_sound(make_request(prompt, **fields), Pictures(photo(picture)), NullWatch()).samples


def test_the_spoken_line_of_a_silent_film_is_heard() -> None:
    said = "The boats come home before the storm"
    samples = made_for(f'A woman says "{said}." Waves on the sea.', "portrait_hopper", seconds=5)
    heard = transcribe(samples, "en")
    assert edit_distance(words(said), words(heard)) <= 1, heard


def test_the_spoken_line_is_heard_at_its_time() -> None:
    samples = made_for('At 3 seconds a man says "Good morning."', "portrait_moseley", seconds=6)
    assert "good morning" in " ".join(words(transcribe(samples[:, 2 * SAMPLE_RATE :], "en")))
    assert "morning" not in " ".join(words(transcribe(samples[:, : 2 * SAMPLE_RATE], "en")))


def test_effects_are_heard_where_nobody_speaks() -> None:
    samples = made_for("Waves break on the rocks, thunder.", "sea_cliffs")
    assert samples.shape == (2, WANTED)
    assert np.sqrt(np.mean(samples**2)) > 0.01


def test_it_is_the_sound_that_the_embedded_engine_gives_its_own_clip() -> None:
    engine = Diorama()
    engine.setup()
    request = make_request('Waves on the lake, wind and birds. She says "Good morning."')
    pictures = Pictures(photo("mountain_lake"))
    clip = engine.render(engine.plan(request, pictures, NullWatch()), pictures, NullWatch())
    _, theirs = fingerprint(clip)
    assert clip.soundtrack is not None
    assert theirs == hash_of(make_missing_sound(request, pictures, NullWatch()).samples)


def hash_of(samples: F32) -> str:
    return hashlib.sha256(samples.tobytes()).hexdigest()


def test_equal_requests_get_equal_sound_and_models_are_loaded_once() -> None:
    first = made_for('She says "Hello." Rain.', "portrait_hopper")
    loaded = sound._maker()
    assert np.array_equal(made_for('She says "Hello." Rain.', "portrait_hopper"), first)
    assert sound._maker() is loaded


@pytest.mark.parametrize("stop_at", [1, 2, 4, 8])
def test_it_stops_when_it_is_told_to_and_leaves_no_thread(stop_at: int) -> None:
    made_for("Rain.", "mountain_lake")
    before = set(threading.enumerate())
    request = make_request('She says "Good morning, my dear friends, how are you all today?" Rain.')
    with pytest.raises(Stopped):
        make_missing_sound(request, Pictures(photo("portrait_hopper")), RecordingWatch(stop_at))
    assert set(threading.enumerate()) <= before


def test_it_takes_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    late = RecordingWatch()
    late.raise_if_stopping = lambda: now.__setitem__(0, now[0] + 200)  # type: ignore[method-assign]  # time passes
    with pytest.raises(EngineFailed, match="no sound within 300 s"):
        make_missing_sound(make_request("Rain."), Pictures(photo("mountain_lake")), late)


@pytest.mark.parametrize("prompt", ["", "\x01\x1b[31m", "🌊" * 200, '"', "“”「」", "{{}} %s"])
def test_no_words_make_it_fail(prompt: str) -> None:
    assert made_for(prompt, "mountain_lake").shape == (2, WANTED)


def test_a_clip_with_a_last_picture_gets_sound_too() -> None:
    pictures = Pictures(photo("mountain_lake"), photo("sea_falls"))
    brief = Brief(prompt="Wind.", resolution="480p", seconds=4, seed=7)
    request = brief.resolve(864, 496, has_last_frame=True)
    assert make_missing_sound(request, pictures, NullWatch()).samples.shape == (2, WANTED)
