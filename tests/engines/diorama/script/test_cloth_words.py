"""Which cloth and fur a prompt wants moved, and how strongly."""

from __future__ import annotations

import pytest

from vivant.engines.diorama.script.cloth import find_cloths
from vivant.engines.diorama.script.script import name_things, read_prompt, write
from vivant.engines.diorama.storyboard import PictureFacts, Storyboard, Thing, ThingFact
from vivant.request import Canvas


def board(prompt: str, *things: tuple[Thing, float]) -> Storyboard:
    facts = PictureFacts(things=tuple(ThingFact(thing=thing, trust=trust) for thing, trust in things))
    return write(prompt, facts, canvas=Canvas(864, 496, 97), seed=1, audio=False, camera_fixed=True, morph=False)


@pytest.mark.parametrize(
    ("prompt", "kind", "strength"),
    [
        ("The flag flutters in the wind.", "flag", 0.5),
        ("A red flag waves in the gale.", "flag", 0.85),
        ("The flag barely moves.", "flag", 0.25),
        ("Fluttering banners on the castle.", "flag", 0.5),
        ("The wind fills the white sails.", "sail", 0.5),
        ("The curtains billow gently in the breeze.", "curtain", 0.25),
        ("The wind lifts her dress.", "skirt", 0.5),
        ("A woman in a long coat stands on the beach. Strong wind.", "clothes", 0.85),
        ("His scarf streams behind him.", "scarf", 0.5),
        ("The dog's fur ripples in the wind.", "fur", 0.5),
        ("旗帜在风中飘扬", "flag", 0.5),
        ("微风轻拂，窗帘轻轻飘动", "curtain", 0.25),
        ("狂风中她的裙摆飞扬", "skirt", 0.85),
        ("狮子的鬃毛随风飘动", "fur", 0.5),
    ],
)
def test_cloth_that_is_to_move_is_named(prompt: str, kind: str, strength: float) -> None:
    (cloth,) = find_cloths(read_prompt(prompt))
    assert cloth.thing.kind == kind
    assert cloth.strength == pytest.approx(strength, abs=0.15)
    assert name_things(prompt)[-1] == cloth.thing


@pytest.mark.parametrize(
    "prompt",
    [
        "He wears a coat and smiles.",
        "No flags wave. A man smiles.",
        "The camera flies over the flag.",
        "A field of grass in the wind.",
        "The sound of a flag flapping.",
        "她穿着裙子，微笑着",
    ],
)
def test_cloth_that_nothing_moves_is_not_looked_for(prompt: str) -> None:
    assert find_cloths(read_prompt(prompt)) == ()


def test_colour_and_place_of_a_flag_are_read() -> None:
    (cloth,) = find_cloths(read_prompt("The blue flag on the left waves."))
    assert (cloth.thing.colour, cloth.thing.place) == ("blue", "left")


def test_cloth_that_is_found_is_listed_and_not_told() -> None:
    prompt = "The flag flutters in the wind."
    (thing,) = name_things(prompt)
    told = board(prompt, (thing, 0.9))
    assert [motion.kind for motion in told.motions if motion.thing == thing] == ["flag"]
    assert told.notes == ()


@pytest.mark.parametrize(
    "prompt", ["The flag flutters in the wind.", "Her dress flows.", "窗帘飘动", "The wind ruffles its fur."]
)
def test_cloth_that_is_doubtful_is_told_and_not_listed(prompt: str) -> None:
    (thing,) = name_things(prompt)
    told = board(prompt, (thing, 0.3))
    assert not any(motion.thing for motion in told.motions)
    assert sum(thing.words in note for note in told.notes) == 1


def test_what_is_only_named_is_not_told_when_the_wind_has_other_things_to_move() -> None:
    prompt = "A woman in a long coat stands on the beach. Strong wind."
    told = board(prompt)
    assert not any("coat" in note for note in told.notes)
