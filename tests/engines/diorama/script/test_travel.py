"""What the prompt sends somewhere: which thing, how and where to; and what is told of a thing that is not found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vivant.engines.diorama.script import script
from vivant.engines.diorama.storyboard import PictureFacts, Storyboard, Thing, ThingFact, Travel
from vivant.engines.diorama.timing.travel import make_travels
from vivant.request import Canvas


def board(prompt: str, trust: float = 0.9) -> Storyboard:
    """The storyboard for a picture in which all that the prompt names is found as surely as that."""
    things = tuple(
        ThingFact(thing=thing, trust=trust, left=0.4, top=0.3, right=0.6, bottom=0.6)
        for thing in script.name_things(prompt)
    )
    facts = PictureFacts(things=things, water=0.3, water_trust=0.8, sky=0.3, sky_trust=0.8)
    canvas = Canvas.of("480p", "16:9", 5)
    return script.write(prompt, facts, canvas=canvas, seed=1, audio=False, camera_fixed=False, morph=False)


def travel(prompt: str) -> Travel:
    (found,) = board(prompt).travels
    return found


@pytest.mark.parametrize(
    ("prompt", "thing", "kind", "direction", "speed"),
    [
        ("the boat sails to the left", "boat", "go", "left", "normal"),
        ("The car drives away.", "car", "recede", "", "normal"),
        ("the rocket lifts off", "rocket", "rise", "", "normal"),
        ("The hot air balloon slowly rises.", "balloon", "rise", "", "slow"),
        ("birds fly across the sky", "bird", "go", "", "normal"),
        ("A plane takes off", "plane", "take_off", "", "normal"),
        ("The train approaches the camera", "train", "approach", "", "normal"),
        ("The yacht speeds past", "boat", "go", "", "fast"),
        ("The boat bobs gently on the waves", "boat", "bob", "", "slow"),
        ("The duck floats on the pond", "bird", "bob", "", "normal"),
        ("A swan bobs on the water", "bird", "bob", "", "normal"),
        ("鸭子在水面上浮动", "bird", "bob", "", "normal"),
        ("皮划艇在水面漂浮", "boat", "bob", "", "normal"),
        ("小船缓缓驶向左边", "boat", "go", "left", "slow"),
        ("汽车驶过", "car", "go", "", "normal"),
        ("热气球升起", "balloon", "rise", "", "normal"),
        ("飞机起飞", "plane", "take_off", "", "normal"),
        ("鸟儿飞过天空", "bird", "go", "", "normal"),
        ("火车远去", "train", "recede", "", "normal"),
    ],
)
def test_what_is_found_travels(prompt: str, thing: str, kind: str, direction: str, speed: str) -> None:
    found = travel(prompt)
    assert (found.thing.kind, found.kind, found.direction, found.speed) == (thing, kind, direction, speed)


def test_colour_and_place_tell_which_one() -> None:
    assert travel("The red boat on the left sails away").thing == Thing(
        kind="boat", colour="red", place="left", words="red boat"
    )
    assert travel("远处的白色小船缓缓驶过").thing == Thing(
        kind="boat", colour="white", place="background", words="小船"
    )


def test_the_words_of_a_journey_are_used_and_nothing_more_is_told_of_them() -> None:
    assert board("The boat sails to the left.").notes == ()
    assert board("小船缓缓驶向左边。").notes == ()


def test_a_thing_that_is_not_found_stays_and_the_note_says_why() -> None:
    found = board("The boat sails to the left.", trust=0.2)
    assert found.travels == ()
    assert any("sails to the left" in note and "not found" in note for note in found.notes)


@pytest.mark.parametrize("prompt", ["Birds fly across the sky.", "一群鸟飞过天空。"])
def test_birds_that_the_picture_does_not_show_are_drawn_far_off(prompt: str) -> None:
    found = board(prompt, trust=0.1)
    assert [motion.kind for motion in found.motions if motion.origin == "prompt"] == ["birds"]
    assert found.travels == () and found.notes == ()


@pytest.mark.parametrize("prompt", ["A woman drives the car.", "No boats pass by.", "A poster of a rocket"])
def test_what_goes_nowhere_is_not_looked_for(prompt: str) -> None:
    assert script.name_things(prompt) == ()


def test_a_journey_has_the_time_that_the_prompt_gives() -> None:
    found = travel("After 2 seconds the boat sails to the right.")
    assert found.start == 48


def test_the_boat_goes_and_the_camera_moves() -> None:
    found = board("The boat sails to the left while the camera pushes in.")
    assert [one.kind for one in found.travels] == ["go"]
    assert [move.kind for shot in found.shots for move in shot.moves] == ["dolly"]


def told(prompt: str, **fact: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The sides to which things go, and the notes, where what is named was found as `fact` says."""
    (thing,) = script.name_things(prompt)
    found = replace(ThingFact(thing=thing, trust=0.9, left=0.4, top=0.3, right=0.6, bottom=0.6), **fact)  # type: ignore[arg-type]  # any field
    facts = PictureFacts(things=(found,), water=0.3, water_trust=0.8, sky=0.3, sky_trust=0.8)
    canvas = Canvas.of("480p", "16:9", 5)
    made = script.write(prompt, facts, canvas=canvas, seed=1, audio=False, camera_fixed=False, morph=False)
    return tuple(one.direction for one in made.travels), made.notes


@pytest.mark.parametrize("side", ["left", "right"])
def test_without_a_word_for_the_side_a_thing_goes_where_it_faces(side: str) -> None:
    assert told("The car drives along the road", facing=side) == ((side,), ())


def test_a_front_that_is_not_seen_is_told() -> None:
    sides, notes = told("The car drives along the road")
    assert sides == ("",)
    assert any("which way it faces is not seen" in note for note in notes)


def test_a_balloon_has_no_front_to_be_told_of() -> None:
    assert told("The balloon drifts across the sky") == (("",), ())


def test_what_is_asked_to_go_against_its_front_goes_and_is_told() -> None:
    sides, notes = told("The car drives to the right", facing="left")
    assert sides == ("right",)
    assert any("backwards" in note for note in notes)


def test_what_the_border_cuts_off_goes_out_there_and_nowhere_else() -> None:
    assert told("The car drives along the road", cut_left=True)[0] == ("left",)
    assert told("The car drives to the left", cut_left=True)[0] == ("left",)
    assert told("The car drives away", cut_left=True)[0] == ("left",)
    sides, notes = told("The car drives to the right", cut_left=True)
    assert sides == ()
    assert any("cuts it off" in note for note in notes)


def test_what_the_border_cuts_off_may_come_nearer() -> None:
    assert told("The car approaches the camera", cut_left=True) == (("",), ())


def test_a_boat_that_is_only_spoken_of_rocks_on_its_water() -> None:
    found = travel("A quiet evening on the lake, a small red boat at anchor")
    assert (found.thing.kind, found.thing.colour, found.kind, found.origin) == ("boat", "red", "bob", "picture")


def test_a_boat_that_is_not_surely_found_stays_without_a_word() -> None:
    made = board("A quiet evening on the lake, a small boat at anchor", trust=0.55)
    assert (made.travels, made.notes) == ((), ())


def test_a_boat_that_sails_does_not_rock_as_well() -> None:
    assert travel("The boat sails to the left").kind == "go"


def test_where_nothing_else_is_to_move_no_boat_rocks() -> None:
    assert board("A boat lies on the lake. Nothing else moves.").travels == ()


def test_a_duck_on_the_water_rocks_as_a_boat_and_no_bird_in_flight_does() -> None:
    made = board("The duck bobs on the pond")
    facts = PictureFacts(
        things=(ThingFact(thing=made.travels[0].thing, trust=0.9, left=0.4, top=0.4, right=0.6, bottom=0.6),)
    )
    (curves,) = make_travels(made, facts)
    assert curves.afloat
    assert not curves.flies
    assert 0.5 < np.degrees(np.abs(curves.angle).max()) < 4
    assert 0.003 < np.abs(curves.y).max() < 0.02  # of the height: some pixels
    (flying,) = make_travels(board("The duck flies to the left"), facts)
    assert flying.flies
