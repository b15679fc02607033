"""Lines and how they are read, by kind. The tables are in the folder `readings`, as TOML: line = how it is read.

In `*_held_out.toml` are lines that were written before the rules had been tried on them.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from vivant.engines.diorama.sound.speech import g2p, g2p_chinese

READINGS = Path(__file__).parent / "readings"


def cases(language: str, *kinds: str) -> list[object]:
    """Each (line, reading) of the named kinds."""
    return [
        pytest.param(line, reading, id=f"{path.stem}-{kind}-{line}")
        for path in sorted(READINGS.glob(f"{language}*.toml"))
        for kind, lines in tomllib.loads(path.read_text(encoding="utf-8")).items()
        if kind in kinds
        for line, reading in lines.items()
    ]


def sounds(symbols: str) -> str:
    """Symbols without stress, pauses and the spaces between words, which a spelling may change."""
    return "".join(c for c in symbols if c not in "ˈˌ ,—")


@pytest.mark.parametrize(("line", "same_as"), cases("chinese", "traditional", "units", "signs", "numbers"))
def test_a_chinese_line_is_read_as_it_would_be_written_out(line: str, same_as: str) -> None:
    assert g2p.phonemize(line, "zh") == g2p.phonemize(same_as, "zh") != ""


@pytest.mark.parametrize(("line", "pinyin"), cases("chinese", "names", "places", "polyphones"))
def test_a_character_with_several_readings_gets_the_one_of_its_line(line: str, pinyin: str) -> None:
    assert f" {pinyin} " in f" {' '.join(g2p_chinese.spell(line))} "


@pytest.mark.parametrize(
    ("line", "same_as"),
    cases("english", "roman", "letters", "shouted", "abbreviations", "numbers", "codes"),
)
def test_an_english_line_is_read_as_it_would_be_written_out(line: str, same_as: str) -> None:
    assert sounds(g2p.phonemize(line, "en")) == sounds(g2p.phonemize(same_as, "en")) != ""


@pytest.mark.parametrize(("line", "symbols"), cases("english", "heteronyms"))
def test_an_english_word_with_two_readings_gets_the_one_of_its_line(line: str, symbols: str) -> None:
    assert symbols.replace(" ", "") in sounds(g2p.phonemize(line, "en"))


@pytest.mark.parametrize(
    ("line", "symbols"),
    [
        ("I read books every day.", "ɹiːd"),
        ("take a bow", "bW"),
        ("with a red bow in her hair", "bQ"),
        ("so close to me", "klQs"),
        ("in minute detail", "mInjuːt"),
        ("Don't tear the paper.", "tɛː"),
        ("the content of the box", "kɒntɛnt"),
    ],
)
def test_a_british_voice_says_words_with_two_readings_in_its_accent(line: str, symbols: str) -> None:
    assert symbols in sounds(g2p.phonemize(line, "en", british=True))
