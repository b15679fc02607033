"""What an animal that is the subject of the picture is asked to do, in the words that people use."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import BodyFact, FaceFact, PictureFacts, Storyboard
from vivant.request import Canvas

WHOLE = PictureFacts(
    subject=0.1, subject_trust=0.9, body=BodyFact(trust=0.9, head=True, ears=True, eyes=True, tail=True)
)


def board_of(text: str, facts: PictureFacts = WHOLE, *, morph: bool = False) -> Storyboard:
    canvas = Canvas.of("480p", "16:9", 5)
    return write(text, facts, canvas=canvas, seed=7, audio=False, camera_fixed=False, morph=morph)


def doing(text: str, facts: PictureFacts = WHOLE) -> list[str]:
    return [action.kind for action in board_of(text, facts).body_actions]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("The cat blinks.", ["blink"]), ("猫眨眼", ["blink"]),
        ("The dog turns its head and wags its tail", ["turn_head", "wag_tail"]), ("狗摇尾巴", ["wag_tail"]),
        ("the antelope looks around, then flicks its tail", ["turn_head", "flick_tail"]),
        ("羚羊抬头，耳朵抖动", ["look_up", "twitch_ears"]), ("羚羊甩了甩尾巴，环顾四周", ["flick_tail", "turn_head"]),
        ("The horse lowers its head and sniffs the ground", ["look_down", "sniff"]), ("the deer nods", ["nod"]),
        ("A cat on a hill", ["breathe"]), ("一只猫在呼吸", ["breathe"]), ("小狗歪头", ["tilt_head"]),
    ],
)  # fmt: skip
def test_what_an_animal_is_told_is_listed_and_needs_no_note(text: str, kinds: list[str]) -> None:
    board = board_of(text)
    assert [action.kind for action in board.body_actions] == kinds
    assert board.actions == ()
    assert board.notes == ()


def test_a_walk_is_done_as_far_as_legs_that_stand_allow_and_says_so() -> None:
    board = board_of("The antelope walks toward the camera")
    assert [action.kind for action in board.body_actions] == ["walk"]
    assert any("walks toward the camera" in note and "legs" in note for note in board.notes)


@pytest.mark.parametrize("text", ["The cat yawns", "the dog runs away", "小猫打了个哈欠"])
def test_what_it_cannot_do_is_told_and_it_breathes(text: str) -> None:
    board = board_of(text)
    assert [action.kind for action in board.body_actions] == ["breathe"]
    assert board.body_actions[0].origin == "picture"
    assert board.notes


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("the cat blinks", BodyFact(trust=0.9, head=True, ears=True, tail=True)),
        ("the dog wags its tail", BodyFact(trust=0.9, head=True, ears=True, eyes=True)),
        ("the horse twitches its ears", BodyFact(trust=0.9, head=True, eyes=True, tail=True)),
        ("the horse nods", BodyFact(trust=0.9, tail=True)),
    ],
)
def test_a_part_that_was_not_found_is_told_and_not_listed(text: str, body: BodyFact) -> None:
    board = board_of(text, replace(WHOLE, body=body))
    assert {action.kind for action in board.body_actions} == {"breathe"}
    assert board.notes


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("birds fly over the castle", WHOLE),  # else the castle would breathe
        ("a castle on a hill", WHOLE),
        ("the cat blinks", PictureFacts(subject=0.1, subject_trust=0.9)),
        ("the cat blinks", replace(WHOLE, body=BodyFact(trust=0.4, head=True, eyes=True))),
        ("the woman looks at her cat", PictureFacts(faces=(FaceFact(x=0.5, y=0.4, height=0.3),))),
    ],
)
def test_nothing_that_is_not_surely_an_animal_lives(text: str, facts: PictureFacts) -> None:
    assert doing(text, facts) == []


@pytest.mark.parametrize(
    ("text", "being"),
    [
        ("The goldfish swims slowly", "fish"), ("The fish swims", "fish"), ("鱼儿游动", "fish"),
        ("The parrot looks around", "bird"), ("猫头鹰眨眼", "bird"), ("The cat blinks", "animal"),
    ],
)  # fmt: skip
def test_what_swims_and_what_flies_moves_as_its_kind_does(text: str, being: str) -> None:
    board = board_of(text, replace(WHOLE, body=BodyFact(trust=0.9, head=True, eyes=True, eye_seen=True)))
    assert {action.being for action in board.body_actions} == {being}


def test_a_fish_that_no_eye_proves_is_not_the_subject() -> None:
    assert doing("Fish swim in the pond before the castle") == []


@pytest.mark.parametrize("text", ["", "The camera is static.", "阳光洒下来"])
def test_an_animal_whose_eyes_prove_it_lives_unasked(text: str) -> None:
    (action,) = board_of(text, replace(WHOLE, body=BodyFact(trust=0.9, head=True, being="animal"))).body_actions
    assert (action.kind, action.being, action.origin) == ("breathe", "animal", "picture")


SEEN = replace(WHOLE, body=BodyFact(trust=0.9, head=True, being="animal"))


@pytest.mark.parametrize(
    "text",
    [
        "A stone statue of a horse in the park", "a teddy bear on the bed", "一只毛绒玩具熊", "公园里的雕像",
        "A toy dog on a shelf", "A horse statue stands in the square", "The plush toy sits on a chair",
    ],
)  # fmt: skip
def test_the_likeness_of_an_animal_does_nothing_unasked(text: str) -> None:
    assert doing(text, SEEN) == []


@pytest.mark.parametrize(
    "text", ["The dog sits on a stone wall", "a bird on a wooden fence", "一只猫坐在木头上", "A cat with a toy"]
)
def test_an_animal_beside_what_is_made_of_stone_lives(text: str) -> None:
    assert doing(text, SEEN) == ["breathe"]


def test_a_toy_that_is_told_to_move_moves() -> None:
    assert doing("The toy dog turns its head", SEEN) == ["turn_head"]


FACELESS = replace(WHOLE, body=BodyFact(trust=0.9, head=True, upright=True))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("A man stands with his back to us", ["breathe"]), ("The hiker turns his head", ["turn_head"]),
        ("男人背对镜头站着", ["breathe"]), ("a castle on a hill", []),
    ],
)  # fmt: skip
def test_a_person_without_a_face_is_one_that_the_prompt_names(text: str, kinds: list[str]) -> None:
    board = board_of(text, FACELESS)
    assert [action.kind for action in board.body_actions] == kinds
    assert {action.being for action in board.body_actions} <= {"person"}


def test_a_person_who_is_told_to_walk_sways_and_comes_nearer_and_a_note_says_why() -> None:
    board = board_of("The woman walks toward the camera", FACELESS)
    assert [action.kind for action in board.body_actions] == ["walk"]
    assert any("legs" in note for note in board.notes)


def test_what_is_not_upright_is_no_person() -> None:
    assert doing("A man looks at the car") == []


def test_a_bird_that_is_told_to_bob_its_head_nods() -> None:
    assert doing("The parrot bobs its head") == ["nod"]


def test_slightly_is_less() -> None:
    (lifted,) = board_of("the horse lifts its head slightly").body_actions
    (plain,) = board_of("the horse lifts its head").body_actions
    assert lifted.strength < plain.strength


def test_the_times_of_the_prompt_are_kept() -> None:
    (action,) = board_of("[00:02-00:04] the dog wags its tail").body_actions
    assert (action.start, action.end) == (48, 96)


def test_on_the_way_to_a_last_picture_it_is_told_that_it_keeps_still() -> None:
    board = board_of("the cat blinks", morph=True)
    assert board.body_actions == ()
    assert board.notes
