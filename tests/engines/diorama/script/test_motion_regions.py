"""A motion moves its region of the picture if that was surely found, or if the prompt names it and it may be there."""

from __future__ import annotations

from typing import get_args

import pytest

from vivant.engines.diorama.explain import explain
from vivant.engines.diorama.script.motion_regions import find_regions
from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import FaceFact, Motion, MotionKind, Origin, PictureFacts, Storyboard
from vivant.request import Canvas


def board(prompt: str, facts: PictureFacts) -> Storyboard:
    canvas = Canvas.of("480p", "16:9", 5)
    return write(prompt, facts, canvas=canvas, seed=7, audio=True, camera_fixed=False, morph=False)


def has_region(kind: MotionKind, origin: Origin, **facts: float) -> bool:
    (motion,) = find_regions([Motion(kind=kind, origin=origin)], PictureFacts(**facts))  # type: ignore[arg-type]  # only its numbers
    return motion.has_region


def test_doubtful_water_moves_only_if_the_prompt_names_it() -> None:
    assert has_region("water", "prompt", water=0.3, water_trust=0.35)
    assert not has_region("water", "picture", water=0.3, water_trust=0.35)


def test_what_is_hardly_there_does_not_move_even_if_named() -> None:
    assert not has_region("water", "prompt", water=0.3, water_trust=0.05)
    assert not has_region("water", "prompt", water=0.0, water_trust=0.9)


def test_rain_makes_rings_only_on_water_that_was_surely_seen() -> None:
    assert has_region("rain", "prompt", water=0.3, water_trust=0.6)
    assert not has_region("rain", "prompt", water=0.3, water_trust=0.35)


@pytest.mark.parametrize("kind", sorted({"snow", "fog", "leaves", "petals", "dust", "fireflies", "bubbles"}))
def test_what_needs_nothing_of_the_picture_always_moves(kind: MotionKind) -> None:
    assert has_region(kind, "prompt")


def test_a_motion_asked_for_without_its_region_is_a_note_with_the_words_and_not_listed_as_moving() -> None:
    made = board("Waves roll on the lake, clouds drift, snow falls.", PictureFacts())
    assert next(note for note in made.notes if "no water is seen" in note).startswith("“Waves")
    assert any("no sky is seen" in note for note in made.notes)
    moving = [line for line in explain(made) if line.startswith("Moving:")]
    assert moving == ["Moving: snow (asked)"]


@pytest.mark.parametrize("carried", ["snow drifts past", "petals fall", "rain falls", "smoke rises"])
def test_wind_that_carries_something_is_seen_without_plants_and_leaves_no_note(carried: str) -> None:
    assert not any("wind" in note for note in board(f"Soft wind, {carried}.", PictureFacts()).notes)
    assert any("wind" in note for note in board("Soft wind.", PictureFacts()).notes)


def test_the_sea_beside_a_waterfall_moves_although_only_the_fall_is_named() -> None:
    def kinds(water: float) -> set[str]:
        made = board("The waterfall pours over the rocks.", PictureFacts(water=water, water_trust=0.6))
        return {motion.kind for motion in made.motions}

    assert {"falls", "water"} <= kinds(0.5)
    assert "water" not in kinds(0.1)  # there the fall is all the water


def test_no_note_where_everything_asked_for_can_move() -> None:
    lake = PictureFacts(sky=0.4, sky_trust=0.9, water=0.3, water_trust=0.9)
    assert board("Waves roll on the lake, clouds drift.", lake).notes == ()


def test_a_motion_that_only_the_picture_would_have_started_leaves_no_note() -> None:
    assert board("A quiet day.", PictureFacts(water=0.5, water_trust=0.3)).notes == ()


def test_a_fire_that_is_not_in_the_picture_is_drawn_and_a_candle_that_is_not_lights_it_and_says_so() -> None:
    made = board("A campfire burns.", PictureFacts())
    assert any(motion.kind == "fire" and not motion.has_region for motion in made.motions)
    assert made.notes == ()
    made = board("Candlelight flickers.", PictureFacts())
    assert any(motion.look == "candle" for motion in made.motions)
    assert any("its light flickers" in note for note in made.notes)


def test_every_kind_of_motion_has_an_answer() -> None:
    for kind in get_args(MotionKind):
        assert find_regions([Motion(kind=kind)], PictureFacts())


HAIR = PictureFacts(hair=0.1, hair_trust=0.9)


@pytest.mark.parametrize(
    "prompt", ["Wind in her hair.", "The wind blows through her hair.", "头发随风飘动。", "A gentle breeze."]
)
def test_wind_moves_hair_that_was_found(prompt: str) -> None:
    made = board(prompt, HAIR)
    assert [motion.kind for motion in made.motions if motion.has_region] == ["wind"]
    assert not any("hair" in note or "头发" in note for note in made.notes)


def test_doubtful_hair_does_not_move_even_if_named() -> None:
    made = board("Her hair flows in the wind.", PictureFacts(hair=0.1, hair_trust=0.4))
    assert not made.motions
    assert any("Her hair flows" in note or "hair flows" in note for note in made.notes)


def test_hair_that_is_not_found_is_told_though_plants_move() -> None:
    made = board("Her hair blows in the wind, the grass sways.", PictureFacts(plants=0.4, plants_trust=0.9))
    assert [motion.kind for motion in made.motions] == ["wind"]
    assert any("no hair is found" in note for note in made.notes)


@pytest.mark.parametrize(
    ("prompt", "words"),
    [("The flag waves.", "flag waves"), ("Curtains billow.", "urtains billow"), ("红旗飘扬。", "旗飘扬")],
)
def test_cloth_that_wind_is_to_move_is_told(prompt: str, words: str) -> None:
    for facts in (HAIR, PictureFacts()):
        notes = board(prompt, facts).notes
        assert sum(words in note for note in notes) == 1
        assert any("cloth" in note or "布料" in note for note in notes)


@pytest.mark.parametrize(
    ("fixed", "facts", "drifts"),
    [
        (True, PictureFacts(), True),
        (False, PictureFacts(), False),  # the camera moves
        (True, PictureFacts(sky=0.5, sky_trust=0.9), True),  # its clouds may be too faint to be seen
        (True, PictureFacts(plants=0.5, plants_trust=0.9), False),
        (True, PictureFacts(faces=(FaceFact(x=0.5, y=0.4, height=0.3),)), False),
    ],
)
def test_light_drifts_over_a_picture_in_which_nothing_else_moves(
    fixed: bool, facts: PictureFacts, drifts: bool
) -> None:
    board = write("", facts, canvas=Canvas.of("480p", "16:9", 5), seed=3, audio=False, camera_fixed=fixed, morph=False)
    assert ("drifting_light" in {motion.kind for motion in board.motions}) == drifts


@pytest.mark.parametrize(
    ("prompt", "time"),
    [
        ("Whip pan to the right.", (None, None)),
        ("Rack focus to the background.", (None, None)),
        ("[0-3s] The camera pans left. [3-5s] Static shot.", (58, None)),
        ("[0-2s] Static shot. [2-5s] The camera pans left.", (None, 62)),
        ("Static shot. [0-2s] It rains. [2-5s] The rain stops.", (34, None)),
        ("The camera pans left.", None),
    ],
)
def test_light_drifts_for_as_long_as_the_camera_rests_and_nothing_else_moves(
    prompt: str, time: tuple[int | None, int | None] | None
) -> None:
    canvas = Canvas.of("480p", "16:9", 5)
    made = write(prompt, PictureFacts(), canvas=canvas, seed=3, audio=False, camera_fixed=False, morph=False)
    drifts = [(motion.start, motion.end) for motion in made.motions if motion.kind == "drifting_light"]
    assert drifts == ([] if time is None else [time])
