"""Every word is understood in the finished mix, over rain, a crowd and music."""

from __future__ import annotations

import pytest

from support.speech_recognition import edit_distance, transcribe, words
from support.timelines import bed_of, chords, timeline
from vivant.engines.diorama.sound import mix
from vivant.engines.diorama.sound.speech.speech import Speech
from vivant.engines.diorama.storyboard import Line, Speaker
from vivant.engines.diorama.timing.timeline import BedKind, PlacedLine

TEXT = "I have waited for this rain all summer long."


@pytest.fixture(scope="module")
def line() -> PlacedLine:
    said = Line(text=TEXT, language="en", speaker=Speaker(gender="woman"), voice="af_heart")
    return PlacedLine(line=said, spoken=Speech().say(said), start=24_000)


@pytest.mark.parametrize("kinds", [("rain",), ("crowd", "traffic"), ("waterfall", "wind")])
def test_every_word_is_understood_over_the_scene(line: PlacedLine, kinds: tuple[BedKind, ...]) -> None:
    scene = timeline(lines=(line,), beds=tuple(bed_of(kind, strength=0.9) for kind in kinds), room=0.2)
    heard = transcribe(mix.make_soundtrack(scene, music=chords()).samples, "en")
    assert edit_distance(words(TEXT), words(heard)) <= 1, heard
