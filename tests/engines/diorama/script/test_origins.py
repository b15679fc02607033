from __future__ import annotations

import pytest

from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import FaceFact, Motion, PictureFacts, Storyboard, Thing
from vivant.request import Canvas


def board_of(prompt: str, facts: PictureFacts | None = None, trust: float = 0.0) -> Storyboard:
    return write(
        prompt, facts or PictureFacts(), canvas=Canvas.of("480p", "16:9", 4), seed=1, audio=False, camera_fixed=True,
        morph=False, find=lambda thing: trust,
    )  # fmt: skip


def motion_of(prompt: str) -> Motion:
    return board_of(prompt).motions[0]


@pytest.mark.parametrize(
    ("prompt", "kind", "look", "thing"),
    [
        ("Steam curls from the red cup on the left.", "smoke", "steam", ("cup", "red", "left")),
        ("The coffee is steaming.", "smoke", "steam", ("cup", "", "")),
        ("Smoke rises from the chimney.", "smoke", "", ("other", "", "")),
        ("Flames rise over the dry leaves.", "fire", "", ("plant", "", "")),
        ("The leaves burn.", "fire", "", ("plant", "", "")),
        ("A burning house at night.", "fire", "", ("other", "", "")),
        ("Candle flame flickers.", "fire", "candle", ("candle", "", "")),
        ("杯子冒着热气", "smoke", "steam", ("cup", "", "")),
        ("烟囱里升起炊烟", "smoke", "", ("other", "", "")),
        ("燃烧的树叶", "fire", "", ("plant", "", "")),
    ],
)
def test_what_rises_is_known_by_what_it_rises_from(
    prompt: str, kind: str, look: str, thing: tuple[str, str, str]
) -> None:
    motion = motion_of(prompt)
    assert (motion.kind, motion.look) == (kind, look)
    assert motion.thing is not None
    assert (motion.thing.kind, motion.thing.colour, motion.thing.place) == thing


@pytest.mark.parametrize(
    "prompt",
    [
        "A campfire crackles in the foreground.",
        "Flames dance in the dark night.",
        "Smoke drifts across the scene.",
        "下雪，篝火",
        "Smoke from a campfire drifts by.",
    ],
)
def test_places_and_times_are_no_things(prompt: str) -> None:
    assert all(motion.thing is None for motion in board_of(prompt).motions)


def test_firelight_is_light_alone_unless_flames_are_named_too() -> None:
    assert motion_of("She smiles in the flickering light of a fire.").look == "firelight"
    assert motion_of("A campfire burns, firelight plays on her face.").look == ""


def test_what_was_not_found_is_told() -> None:
    assert "burns elsewhere in it" in " ".join(board_of("Flames rise from the old barn.").notes)
    assert "“the old barn”" in " ".join(board_of("Flames rise from the old barn.").notes)
    assert "drifts through it" in " ".join(board_of("Steam curls from the cup.").notes)
    assert board_of("Steam curls from the cup.", trust=0.8).notes == ()
    assert board_of("Flames rise from the old barn.", trust=0.8).notes == ()


@pytest.mark.parametrize("prompt", ["A candle burns.", "A burning candle stands on the table.", "蜡烛在燃烧。"])
def test_a_candle_that_burns_is_no_fire_beside_it(prompt: str) -> None:
    assert [motion.look for motion in board_of(prompt).motions if motion.kind == "fire"] == ["candle"]


def test_flames_before_a_portrait_are_told_to_be_light_only() -> None:
    portrait = PictureFacts(faces=(FaceFact(x=0.5, y=0.4, height=0.4),))
    assert "no fire is seen" in " ".join(board_of("A campfire burns.", portrait).notes)
    assert board_of("She sits in the firelight.", portrait).notes == ()


def test_a_storyboard_with_a_thing_is_read_back_as_it_was_written() -> None:
    board = board_of("Steam curls from the red cup on the left.")
    assert Storyboard.from_data(board.to_data()) == board
    assert board.motions[0].thing == Thing(kind="cup", colour="red", place="left", words="the red cup")


@pytest.mark.parametrize(
    ("prompt", "kind", "look"),
    [
        ("Confetti falls over the crowd.", "petals", "confetti"),
        ("Cherry blossom petals drift.", "petals", ""),
        ("Sparkles float around her.", "dust", "sparkles"),
        ("Dust motes drift in the light.", "dust", ""),
        ("五彩纸屑飘落", "petals", "confetti"),
    ],
)
def test_small_things_in_the_air_have_looks_of_their_own(prompt: str, kind: str, look: str) -> None:
    assert (motion_of(prompt).kind, motion_of(prompt).look) == (kind, look)
