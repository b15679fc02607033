"""A line in a language that the voices do not speak is noticed; an English line with foreign names and words is not."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from vivant.engines.diorama.script.languages import seems_foreign
from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import PictureFacts, Storyboard
from vivant.request import Canvas

HERE = Path(__file__).parent
LINES = {
    language: lines.split("\n")[:-1]
    for language, lines in tomllib.loads((HERE / "languages.toml").read_text(encoding="utf-8")).items()
}
PROMPTS = tomllib.loads((HERE / "prompts" / "english.toml").read_text(encoding="utf-8"))["prompt"]


def board(prompt: str) -> Storyboard:
    canvas = Canvas.of("480p", "16:9", 5)
    return write(prompt, PictureFacts(), canvas=canvas, seed=7, audio=True, camera_fixed=False, morph=False)


@pytest.mark.parametrize("language", [name for name in LINES if name != "English"])
def test_nine_in_ten_lines_of_a_language_are_found(language: str) -> None:
    missed = [line for line in LINES[language] if not seems_foreign(line)]
    assert len(LINES[language]) >= 30
    assert len(missed) <= len(LINES[language]) / 10, missed


@pytest.mark.parametrize(
    "line",
    [
        "Dobrý den, jak se máte?",
        "Děkuji vám, přátelé.",
        "Hyvää huomenta, mitä kuuluu?",
        "Minä rakastan sinua.",
        "Jeg elsker dig, og det er godt.",
        "Hvordan har du det i dag?",
        "Jó reggelt, hogy vagy?",
        "Nagyon szeretlek.",
        "Bună ziua, ce mai faci?",
        "Te iubesc foarte mult.",
        "Salve, quid agis hodie?",
    ],
)
def test_common_phrases_of_further_languages_are_found(line: str) -> None:
    assert seems_foreign(line)


def test_no_english_line_is_taken_for_another_language() -> None:
    lines = LINES["English"] + [prompt["text"] for prompt in PROMPTS]
    assert len(lines) >= 200
    assert not [line for line in lines if seems_foreign(line)]


def test_the_words_of_a_line_that_is_read_with_the_rules_of_english_are_noted() -> None:
    for prompt in ('The man says: "Hola, ¿cómo estás?"', "The man says „Guten Morgen, Freunde.“"):
        made = board(prompt)
        assert [line.language for line in made.lines] == ["en"]
        assert any("the voices speak only English and Chinese" in note for note in made.notes), prompt
    made = board('The man says: "Good morning, José, a café au lait, please."')
    assert not any("English and Chinese" in note for note in made.notes)
