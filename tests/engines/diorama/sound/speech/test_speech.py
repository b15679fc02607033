"""Lines are spoken as written, in their voice and tone, with phoneme times that match the sound."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from support.speech_recognition import characters, edit_distance, transcribe, words
from vivant.engines.diorama.script.casting import VOICES_BY_GENDER, VOICES_BY_TRAIT
from vivant.engines.diorama.sound.speech import g2p, vocal, voices
from vivant.engines.diorama.sound.speech.speech import LEVEL, Speech, split_into_breaths
from vivant.engines.diorama.storyboard import Age, Line, Speaker, Tone
from vivant.engines.diorama.timing.timeline import Spoken
from vivant.media import F32


@pytest.fixture(scope="module")
def speech() -> Speech:
    return Speech()


def line(text: str, voice: str, tone: Tone = "neutral") -> Line:
    """A line for that voice, by a speaker of its language, gender and age."""
    chosen = voices.VOICES[voice]
    speaker = Speaker(gender=chosen.gender, age=chosen.age)
    return Line(text=text, language=chosen.language, speaker=speaker, tone=tone, voice=voice)


SEA = line("She sells sea shells, such as six sea stars, sir.", "af_heart")


@pytest.fixture(scope="module")
def sea(speech: Speech) -> Spoken:
    return speech.say(SEA)


@pytest.mark.parametrize(
    "said",
    [
        line("The old lighthouse keeper said tomorrow would be a good day.", "en_grandfather"),
        line("Mommy, look at the big yellow bird in the garden!", "en_girl", "happy"),
        line("Get down from there right now before you fall!", "am_michael", "shout"),
        line("They are right outside the door, do not move.", "af_heart", "whisper"),
    ],
    ids=lambda said: f"{said.speaker.age}-{said.tone}",
)
def test_a_listener_hears_every_english_word_but_one_at_most(speech: Speech, said: Line) -> None:
    heard = transcribe(speech.say(said).samples, "en")
    assert edit_distance(words(said.text), words(heard)) <= 1, heard


@pytest.mark.parametrize(
    "said",
    [
        line("你好，今天的天气真好，我们一起去海边散步吧。", "zf_xiaoxiao"),
        line("2024年5月，北京的气温是25度。", "zm_yunxi"),
        line("妈妈，你看花园里有一只黄色的大鸟！", "zh_girl", "happy"),
        line("马上从上面下来，不然你会摔倒的！", "zm_yunjian", "shout"),
    ],
    ids=lambda said: f"{said.speaker.age}-{said.tone}",
)
def test_a_listener_hears_every_chinese_character_but_one_at_most(speech: Speech, said: Line) -> None:
    heard = transcribe(speech.say(said).samples, "zh")
    assert edit_distance(characters(said.text), characters(heard)) <= 1, heard


def test_phonemes_follow_each_other_without_gaps_inside_the_sound(sea: Spoken) -> None:
    seconds = len(sea.samples) / 48_000
    assert all(p.end > p.start for p in sea.phones)
    assert all(a.end == pytest.approx(b.start) for a, b in zip(sea.phones, sea.phones[1:], strict=False))
    assert 0 <= sea.phones[0].start < 0.1
    assert seconds - 0.2 < sea.phones[-1].end <= seconds
    assert all(p.symbol in g2p.vocabulary() for p in sea.phones)


@pytest.mark.parametrize(
    "said",
    [SEA, replace(SEA, tone="sad"), replace(SEA, voice="en_girl", tone="excited")],
    ids=["neutral", "sad", "girl"],
)
def test_sibilants_hiss_when_their_phonemes_say_so(speech: Speech, said: Line) -> None:
    spoken = speech.say(said)
    hiss = sosfiltfilt(butter(4, 4500, "highpass", fs=48_000, output="sos"), spoken.samples)
    loud = np.sqrt(np.convolve(hiss**2, np.ones(480) / 480, "same"))
    expected = np.zeros(len(loud))
    for phone in spoken.phones:
        if phone.symbol in "szʃ":
            expected[int(phone.start * 48_000) : int(phone.end * 48_000)] = 1
    lags = range(-7200, 7201, 240)
    best = max(lags, key=lambda lag: float(np.dot(np.roll(expected, lag) - expected.mean(), loud)))
    assert abs(best) / 48 <= 20  # milliseconds


def test_pauses_are_silent_and_stand_where_the_commas_do(sea: Spoken) -> None:
    loud = np.abs(sea.samples).max()
    pauses = [p for p in sea.phones if p.symbol == ","]
    assert pauses
    for pause in pauses:
        inside = sea.samples[int(pause.start * 48_000) + 240 : int(pause.end * 48_000) - 240]
        assert np.sqrt(np.mean(inside**2)) < 0.02 * loud


def test_silence_around_the_line_is_trimmed_and_nothing_clicks(sea: Spoken) -> None:
    loud = np.abs(sea.samples) > 0.02 * np.abs(sea.samples).max()
    assert np.argmax(loud) / 48_000 < 0.08
    assert np.argmax(loud[::-1]) / 48_000 < 0.25
    assert abs(float(sea.samples[0])) < 1e-4 and abs(float(sea.samples[-1])) < 1e-4


def test_the_same_line_and_seed_give_the_same_samples(speech: Speech, sea: Spoken) -> None:
    again = speech.say(SEA)
    assert np.array_equal(again.samples, sea.samples) and again.phones == sea.phones
    old = line("Well then.", "en_grandfather")
    first, second, other = (speech.say(old, seed=s).samples for s in (1, 1, 2))
    assert np.array_equal(first, second) and not np.array_equal(first, other)


def test_spoken_sound_is_mono_48_khz_with_nothing_over_12_khz_and_an_even_level(speech: Speech, sea: Spoken) -> None:
    assert sea.samples.dtype == np.float32 and sea.samples.ndim == 1
    spectrum = np.abs(np.fft.rfft(sea.samples.astype(np.float64))) ** 2
    frequency = np.fft.rfftfreq(len(sea.samples), 1 / 48_000)
    assert spectrum[frequency > 12_600].sum() < 1e-7 * spectrum.sum()
    assert abs(level(speech.say(line("Yes, sir.", "am_michael")).samples) - LEVEL) < 1
    assert abs(level(sea.samples) - LEVEL) < 1


def level(samples: F32) -> float:
    power = (samples[: len(samples) // 960 * 960].reshape(-1, 960).astype(np.float64) ** 2).mean(axis=1)
    return 10 * math.log10(power[power > power.max() * 10**-2.6].mean())


def pitch(samples: F32) -> float:
    """The median fundamental in Hz of frames of 40 ms, by their autocorrelation; 0 where hardly any frame is voiced."""
    found = []
    loudest = np.abs(samples).max()
    for start in range(0, len(samples) - 1920, 960):
        frame = samples[start : start + 1920].astype(np.float64) * np.hanning(1920)
        if np.abs(frame).max() < 0.25 * loudest:
            continue
        likeness = np.fft.irfft(np.abs(np.fft.rfft(frame, 4096)) ** 2)[:800]
        lag = 96 + int(np.argmax(likeness[96:]))
        if likeness[lag] > 0.4 * likeness[0]:
            found.append(48_000 / lag)
    return float(np.median(found)) if len(found) > 5 else 0.0


def test_children_speak_higher_than_women_and_women_than_men_and_the_old_slower(speech: Speech) -> None:
    text = "I found a little frog."
    child = speech.say(line(text, "en_girl")).samples
    woman = speech.say(line(text, "af_heart")).samples
    man = speech.say(line(text, "am_michael")).samples
    assert pitch(child) > 1.2 * pitch(woman) > 1.2 * 1.3 * pitch(man)
    assert len(speech.say(line(text, "en_grandfather")).samples) > 1.05 * len(man)


def test_tones_differ_as_they_should(speech: Speech) -> None:
    text = "You will leave me here."
    tones: tuple[Tone, ...] = ("neutral", "sad", "shout", "whisper")
    said = {t: speech.say(line(text, "af_heart", tone=t)) for t in tones}
    samples = {tone: spoken.samples for tone, spoken in said.items()}
    assert len(samples["sad"]) > 1.1 * len(samples["neutral"])
    assert level(samples["whisper"]) < level(samples["neutral"]) - 5 < level(samples["shout"]) - 7
    assert pitch(samples["shout"]) > pitch(samples["neutral"]) > pitch(samples["sad"])


def test_a_whisper_has_no_voice_in_it(sea: Spoken) -> None:
    whisper = vocal.add_breath(sea.samples, 48_000, 1.0, np.random.default_rng(0))
    assert pitch(sea.samples) > 150 and pitch(whisper) == 0
    assert len(whisper) == len(sea.samples)


def test_a_line_with_nothing_to_say_is_silent(speech: Speech) -> None:
    for text in ("", "…", "😀"):
        spoken = speech.say(line(text, "af_heart"))
        assert spoken.samples.shape == (0,) and spoken.phones == ()


@pytest.mark.parametrize("name", ["nobody", ""])
def test_a_voice_that_does_not_exist_is_refused(speech: Speech, name: str) -> None:
    with pytest.raises(KeyError):
        speech.say(replace(SEA, voice=name))


def test_long_text_is_cut_at_sentences_and_every_symbol_is_said() -> None:
    text = "The sea was calm that night. " * 20 + "And " + "then we sailed on and on, " * 20
    symbols = g2p.phonemize(text, "en")
    parts = split_into_breaths(symbols)
    assert max(map(len, parts)) <= 300 and len(parts) >= len(symbols) / 300
    assert " ".join(parts) == symbols
    assert parts[0].endswith(".")
    assert (
        all(len(p) <= 300 for p in split_into_breaths("a" * 1000))
        and "".join(split_into_breaths("a" * 1000)) == "a" * 1000
    )


def test_two_breaths_are_joined_with_a_pause_between() -> None:
    spoken = Speech(max_breath=20).say(line("The sea is calm. The moon is up.", "af_heart"))
    pauses = [p for p in spoken.phones if p.symbol == "."]
    assert len(pauses) == 1 and pauses[0].end - pauses[0].start > 0.3
    assert spoken.phones[-1].end <= len(spoken.samples) / 48_000


def test_the_voices_that_the_script_chooses_are_those_of_the_table() -> None:
    chosen = {
        *((language, gender, "", name) for (language, gender), names in VOICES_BY_GENDER.items() for name in names),
        *((language, gender, trait, name) for (language, gender, trait), name in VOICES_BY_TRAIT.items()),
    }
    for language, gender, trait, name in chosen:
        voice = voices.VOICES[name]
        assert voice.language == language and (not gender or voice.gender == gender), name
        assert trait not in get_args(Age) or voice.age == trait, name
        assert trait != "british" or voice.british, name
    assert {name for *_, name in chosen} == voices.VOICES.keys()


def test_every_voice_has_a_style_for_every_length() -> None:
    for name, voice in voices.VOICES.items():
        for shares in (voice.tables, voice.melody):
            assert not shares or sum(shares.values()) == pytest.approx(1)
        for symbols in (1, 100, 510):
            style = voices.make_style(name, symbols)
            assert style.shape == (256,) and style.dtype == np.float32 and np.isfinite(style).all()
