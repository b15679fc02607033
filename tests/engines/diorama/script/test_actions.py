"""What faces are asked to do, in the words that people use, and whose faces."""

from __future__ import annotations

from typing import get_args

import pytest

from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.script.words import load_lexicon
from vivant.engines.diorama.storyboard import ActionKind, FaceFact, PictureFacts, Storyboard
from vivant.request import Canvas

ONE = (FaceFact(x=0.5, y=0.4, height=0.3),)
TWO = (FaceFact(x=0.3, y=0.4, height=0.2), FaceFact(x=0.7, y=0.4, height=0.2))


def board_of(text: str, faces: tuple[FaceFact, ...]) -> Storyboard:
    facts, canvas = PictureFacts(faces=faces), Canvas.of("480p", "16:9", 5)
    return write(text, facts, canvas=canvas, seed=7, audio=True, camera_fixed=False, morph=False)


def acting(text: str, faces: tuple[FaceFact, ...] = ONE) -> list[str]:
    """Kinds in order; with the number of the face where there are two."""
    return [
        action.kind if len(faces) == 1 else f"{action.kind} {action.face_index + 1}"
        for action in board_of(text, faces).actions
    ]


def test_every_action_has_words_in_both_languages() -> None:
    known: dict[str, set[bool]] = {}
    stack = [(load_lexicon().root, "")]
    while stack:
        node, text = stack.pop()
        stack += [(child, word) for word, child in node.next.items()]
        for entry in node.entries:
            if entry.action:
                known.setdefault(entry.action, set()).add(text.isascii())
    assert known == {kind: {True, False} for kind in get_args(ActionKind)}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a smirk plays on her lips", "smirk"), ("他露出一抹坏笑", "smirk"), ("撇了撇嘴", "smirk"),
        ("a faint micro-smile", "smile"), ("苦笑了一下", "smile"), ("脸颊带笑", "smile"),
        ("brows slightly furrowed", "frown"), ("眉头微蹙", "frown"), ("with a raised eyebrow", "raise_brow"),
        ("her eyes widen in horror", "fear"), ("一脸惊恐", "fear"), ("her eyes widen", "surprise"),
        ("瞪大了眼", "surprise"), ("恍然大悟的表情", "surprise"),
        ("he sneers in disgust", "disgust"), ("嫌弃的表情", "disgust"),
        ("the animation is all breath", "breathe"), ("he is chewing", "chew"), ("咀嚼着食物", "chew"),
        ("mouthing words", "talk"), ("she talks silently", "talk"), ("sings along", "sing"), ("生气地", "angry"),
        ("冰冷狠厉", "angry"), ("睁开双眼", "open_eyes"), ("晃了晃脑袋", "shake_head"),
        ("slight eye movement", "move_eyes"),
    ],
)  # fmt: skip
def test_an_action_is_found_in_usual_words(text: str, kind: str) -> None:
    assert kind in acting(text)


@pytest.mark.parametrize(
    "text", ["皱眉", "皱了眉", "皱着眉", "皱起眉", "皱了皱眉", "皱一皱眉", "皱了一下眉", "皱起了眉", "皱皱眉"]
)
def test_a_split_chinese_verb_is_the_same_verb(text: str) -> None:
    assert acting(f"女孩{text}。") == ["frown"]


@pytest.mark.parametrize("whose", ["her", "his", "their", "its", "the", "my", ""])
@pytest.mark.parametrize("verb", ["shakes", "shook", "slowly shakes", "shaking"])
def test_whoevers_head_is_shaken_it_is_shaken(verb: str, whose: str) -> None:
    assert acting(f"{verb} {whose} head") == ["shake_head"]


def test_what_is_owned_may_be_described() -> None:
    assert acting("she slowly closes her tired eyes") == ["close_eyes"]


def test_only_what_people_do_is_found_split() -> None:
    """Else 镜头上移 would be any 镜头移."""
    board = board_of("镜头缓慢上移", ONE)
    assert [move.kind for move in board.shots[0].moves] == ["pedestal"]


@pytest.mark.parametrize(
    "text",
    ["she does not smile", "她不笑", "without blinking", "crowd laughter", "gulls cry over the sea", "the cat yawns",
     "小猫打了个哈欠", "The camera turns to the man", "观众的笑声", "she looks like a queen"],
)  # fmt: skip
def test_what_no_face_does_is_no_action(text: str) -> None:
    assert acting(text) == []


def test_an_animal_that_acts_is_told() -> None:
    assert any("yawns" in note for note in board_of("the cat yawns", ONE).notes)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("she glances at her watch", "look_down"), ("他看着手机", "look_down"), ("she gazes at the stars", "look_up"),
        ("he stares out of the window", "look_away"), ("看向窗外", "look_away"), ("望向远方", "look_away"),
        ("looks at the cat on the left", "look_left"), ("看向画面右侧", "look_right"),
        ("looks past the camera", "look_away"),
        ("looks up at the camera", "look_camera"), ("瞥了她一眼", "look_away"),
        ("turns her head to the camera", "look_camera"), ("看了看镜头", "look_camera"),
    ],
)  # fmt: skip
def test_a_look_goes_where_its_object_is(text: str, kind: str) -> None:
    assert acting(text) == [kind]


def test_a_look_at_someone_goes_to_their_face() -> None:
    assert acting("The woman on the right turns to the man on the left.", TWO) == ["look_left 2"]
    assert acting("They look at each other.", TWO) == ["look_right 1", "look_left 2"]
    assert acting("She looks at the flower.") == []  # nobody knows where it is


def test_both_act_where_both_are_named() -> None:
    assert acting("They laugh.", TWO) == ["laugh 1", "laugh 2"]
    assert acting("两人点了点头", TWO) == ["nod 1", "nod 2"]
    assert acting("The man on the right laughs.", TWO) == ["laugh 2"]


def test_a_feeling_that_colours_a_line_shows_on_the_face() -> None:
    board = board_of("她生气地说：“走开！”", ONE)
    assert board.lines[0].tone == "angry"
    assert [action.kind for action in board.actions] == ["angry"]


def test_who_speaks_a_line_does_not_talk_without_words_as_well() -> None:
    assert acting('She is talking to the camera: "Hello there."') == []
    quiet = board_of("She is talking to the camera.", ONE)
    assert [action.kind for action in quiet.actions] == ["talk"]
    assert any("nothing is heard" in note for note in quiet.notes)


def test_an_action_without_a_face_is_told() -> None:
    board = board_of("She smiles.", ())
    assert board.actions == ()
    assert any("smiles" in note for note in board.notes)


def test_an_action_of_a_face_that_cannot_move_is_told_and_not_listed() -> None:
    board = board_of("She smiles and nods.", (FaceFact(x=0.5, y=0.4, height=0.02, still=True),))
    assert board.actions == ()
    (note,) = (note for note in board.notes if "too small" in note)
    assert "“smiles”" in note
    assert "“nods”" in note


def test_what_follows_a_sound_that_is_heard_is_done() -> None:
    made = board_of("女生听到钢琴声缓缓抬起头。", ONE)
    assert [action.kind for action in made.actions] == ["look_up"]
