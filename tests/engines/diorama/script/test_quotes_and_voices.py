"""Where quotations begin and end; which voice and which face a speaker gets."""

from __future__ import annotations

import pytest

from vivant.engines.diorama.script.casting import VOICES_BY_GENDER, assign_faces, choose_voice
from vivant.engines.diorama.script.dialogue import language_of
from vivant.engines.diorama.script.people import Person
from vivant.engines.diorama.script.quotes import find_quotations
from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import FaceFact, PictureFacts, Storyboard
from vivant.request import Canvas


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ('say "hi" and “ho”', ["hi", "ho"]),
        ("「你好」『再见』《书》", ["你好", "再见", "书"]),
        ("she doesn't know the dogs' bowl isn't hers", []),
        ("she says 'don't go' now", ["don't go"]),
        ("‘It’s late,’ he says", ["It’s late,"]),
        ('a 12" disc and a 5\'10" man', []),
        ("rock 'n' roll in the '80s and '90s", ["n"]),
        ('she says "come here', ["come here"]),
        ('she says "come here\nThe camera pans', ["come here"]),
        ("”the wrong way”", ["the wrong way"]),
        ('“mixed" marks', ["mixed"]),
        ('"I “really” mean it." She nods. "Yes."', ["I “really” mean it.", "Yes."]),
        ('"Hello”, she says. “Bye"', ["Hello", "Bye"]),
        ("„Berlin“ «Paris»", ["Berlin", "Paris"]),
        ('"first paragraph\n\nsecond" paragraph', ["first paragraph", " paragraph"]),
        ('""', [""]),
        ('"', []),
    ],
)
def test_quotations_are_found(text: str, inner: list[str]) -> None:
    assert [quotation.inner for quotation in find_quotations(text)] == inner


@pytest.mark.parametrize("prompt", ['""', '"..."', '"?!"', "“ ”", "「」", '"💥"', "说：“……”"])
def test_marks_around_nothing_are_not_a_line(prompt: str) -> None:
    assert board(prompt).lines == ()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello there", "en"),
        ("你好", "zh"),
        ("我爱 New York", "zh"),
        ("I love 北京 very much indeed", "en"),
        ("おはよう", None),
        ("東京へ行きたいです", None),
        ("안녕하세요", None),
        ("Привет", None),
        ("مرحبا", None),
        ("2024", "en"),
    ],
)
def test_the_language_of_a_line_is_told_by_its_script(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_two_women_do_not_share_a_voice() -> None:
    taken: dict[str, Person | None] = {}
    one, other = Person(name="the woman", gender="woman"), Person(name="the bride", gender="woman")
    first, second = choose_voice(one, "en", taken), choose_voice(other, "en", taken)
    assert first != second
    assert choose_voice(one, "en", taken) == first


def test_when_all_voices_are_taken_the_best_is_shared() -> None:
    taken: dict[str, Person | None] = {}
    voices = [choose_voice(Person(name=str(n), gender="man"), "zh", taken) for n in range(5)]
    assert set(voices[:3]) == set(VOICES_BY_GENDER["zh", "man"])
    assert voices[3:] == ["zm_yunxi"] * 2


def test_someone_keeps_their_voice_in_each_language() -> None:
    taken: dict[str, Person | None] = {}
    man = Person(name="the man", gender="man")
    assert choose_voice(man, "en", taken) == choose_voice(man, "en", taken) == "am_michael"
    assert choose_voice(man, "zh", taken) == "zm_yunxi"


def test_places_in_the_words_choose_the_face() -> None:
    faces = (FaceFact(x=0.8, y=0.4, height=0.2), FaceFact(x=0.2, y=0.4, height=0.2), FaceFact(x=0.5, y=0.4, height=0.2))
    left, right, middle = (Person(name=place, place=place) for place in ("left", "right", "middle"))
    assign_faces([right, middle, left], faces)
    assert (left.face_index, middle.face_index, right.face_index) == (1, 2, 0)


def test_someone_alone_has_the_largest_face() -> None:
    person = Person(name="the man")
    assign_faces(
        [person, Person(name="narrator", kind="voice")],
        (FaceFact(x=0.2, y=0.4, height=0.1), FaceFact(x=0.7, y=0.4, height=0.3)),
    )
    assert person.face_index == 1


def test_a_prompt_pasted_with_its_marks_is_still_a_prompt() -> None:
    made = board('"A slow pan left over a misty lake, cinematic, 4K"')
    assert made.lines == ()
    assert made.shots[0].moves[0].kind == "pan"
    assert [line.text for line in board('"Hello, I am Ann."').lines] == ["Hello, I am Ann."]


def board(prompt: str) -> Storyboard:
    facts = PictureFacts(faces=(FaceFact(x=0.5, y=0.4, height=0.3),))
    return write(
        prompt, facts, canvas=Canvas.of("480p", "16:9", 5), seed=1, audio=True, camera_fixed=False, morph=False
    )


@pytest.mark.parametrize("text", ["7" * 3000, "a" * 3000, "3.14 " * 600, "$1,234,567 " * 200, "他" + "9" * 3000])
def test_figures_and_endless_words_take_their_time_too(text: str) -> None:
    made = board(f'He says: "{text}"')
    assert len(made.lines[0].text) <= 60
    assert any("the end will not be heard" in note for note in made.notes)
