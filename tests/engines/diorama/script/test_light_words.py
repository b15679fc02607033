"""Words of light become lightings: in both languages, denied or compared, in time, and as far as the picture allows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import Lighting, PictureFacts, Storyboard
from vivant.request import Canvas

# A town by night under a clear sky with the moon: every light has its place in it.
TOWN = PictureFacts(sky=0.3, sky_trust=0.9, brightness=0.2, sun=1.0, lamps=3, windows=200, signs=4)
SAID = [
    ("Night falls over the city", "night"),
    ("The sky slowly darkens", "night"),
    ("夜幕降临", "night"),
    ("天色逐渐变暗", "night"),
    ("The sun slowly sets behind the hills", "dusk"),
    ("太阳落山，远山渐远", "dusk"),
    ("The sun rises", "dawn"),
    ("太阳缓缓升起", "dawn"),
    ("the lights come on one by one", "lamps"),
    ("street lights flickering on", "lamps"),
    ("a neon sign flickers to life", "lamps"),
    ("灯亮了", "lamps"),
    ("城市的灯一盏盏亮起。", "lamps"),
    ("The room darkens", "dark"),
    ("灯光熄灭", "dark"),
    ("the lights flare brighter", "bright"),
    ("sunlight slowly moves across the wall", "sweep"),
    ("光影流转", "sweep"),
    ("The neon signs flicker", "neon"),
    ("霓虹灯闪烁", "neon"),
    ("Soft window light flickers", "flicker"),
    ("灯光忽明忽暗", "flicker"),
    ("cloud shadows drift over the hills", "shadows"),
    ("云影掠过草原", "shadows"),
    ("god rays between the trees", "rays"),
    ("阳光洒下", "rays"),
    ("subtle lens flare", "flare"),
    ("stars twinkle", "stars"),
    ("繁星闪烁", "stars"),
    ("the moon glows", "moon"),
    ("warm color grading", "warm"),
    ("冷色调", "cold"),
    ("golden hour", "golden"),
    ("film noir lighting", "noir"),
    ("vintage film look", "vintage"),
    ("teal and orange", "teal"),
    ("a dreamy atmosphere", "dreamy"),
    ("梦幻氛围", "dreamy"),
    ("horror movie style", "horror"),
    ("恐怖氛围", "horror"),
    ("8mm footage", "vintage"),
]


def board(prompt: str, facts: PictureFacts = TOWN, *, morph: bool = False) -> Storyboard:
    canvas = Canvas.of("480p", "16:9", 5)
    return write(prompt, facts, canvas=canvas, seed=1, audio=False, camera_fixed=False, morph=morph)


def lights(prompt: str, facts: PictureFacts = TOWN) -> tuple[Lighting, ...]:
    return board(prompt, facts).lights


@pytest.mark.parametrize(("prompt", "kind"), SAID)
def test_words_of_light_become_a_lighting_and_leave_no_note(prompt: str, kind: str) -> None:
    made = board(prompt)
    assert [light.kind for light in made.lights if light.origin == "prompt"] == [kind]
    assert made.lights[0].words in prompt
    assert not made.notes


@pytest.mark.parametrize(
    "prompt",
    ["no lens flare", "without flickering lights", "eyes like twinkling stars", "she lights a cigarette at sunset",
     "a vintage car", "neon lights in the background", "the night is quiet", "没有镜头光晕", "不要霓虹灯闪烁"],
)  # fmt: skip
def test_what_is_denied_compared_or_only_there_changes_no_light(prompt: str) -> None:
    assert not lights(prompt)


def test_light_has_the_time_and_the_strength_that_are_told() -> None:
    (late,) = lights("After 2 seconds the lights come on")
    assert late.start == 48
    strong, faint = lights("dramatic god rays")[0].strength, lights("subtle god rays")[0].strength
    assert strong > 0.7 > 0.3 > faint


@pytest.mark.parametrize(
    ("prompt", "facts", "told"),
    [
        ("The neon sign flickers", replace(TOWN, signs=0), "no lit sign"),
        ("The lights come on", replace(TOWN, lamps=0, windows=3), "no lamps"),
        ("Stars twinkle", replace(TOWN, brightness=0.6), "no dark sky"),
        ("Lens flare", replace(TOWN, sun=0.0), "no sun"),
        ("The moon glows", replace(TOWN, sun=0.0), "no moon"),
        ("Cloud shadows pass", replace(TOWN, sky=0.0, sky_trust=0.0), "no open sky"),
    ],
)
def test_light_that_the_picture_has_no_place_for_is_told_and_not_listed(
    prompt: str, facts: PictureFacts, told: str
) -> None:
    made = board(prompt, facts)
    assert not made.lights
    assert len(made.notes) == 1
    assert told in made.notes[0]
    assert prompt.removeprefix("The ").split()[0].lower() in made.notes[0].lower()


def test_a_dawn_by_day_is_done_and_told() -> None:
    made = board("The sun rises", replace(TOWN, brightness=0.5))
    assert [light.kind for light in made.lights] == ["dawn"]
    assert len(made.notes) == 1
    assert "sinks to first light" in made.notes[0]


def test_a_last_picture_decides_the_light_of_the_day() -> None:
    made = board("Night falls", morph=True)
    assert not made.lights
    assert "last picture" in made.notes[0]
    assert [light.kind for light in board("god rays", morph=True).lights] == ["rays"]


def test_only_a_sunny_landscape_under_clouds_has_shadows_of_clouds_without_being_asked() -> None:
    sunny = PictureFacts(sky=0.3, sky_trust=0.9, plants=0.4, plants_trust=0.9, brightness=0.55, sunny=0.9)
    (light,) = lights("", sunny)
    assert (light.kind, light.origin) == ("shadows", "picture")
    assert light.strength < 0.3
    assert not lights("no cloud shadows", sunny)
    assert not lights("god rays", sunny)[1:]
    for other in (
        replace(sunny, sunny=0.1), replace(sunny, sky_trust=0.2), replace(sunny, grey=True), replace(sunny, plants=0.0),
        replace(sunny, windows=90),
    ):  # fmt: skip
        assert not lights("", other)


class Looking:
    """Counts how often somebody looks for what shines."""

    def __init__(self, facts: PictureFacts) -> None:
        self.facts, self.times = facts, 0

    def __call__(self) -> PictureFacts:
        self.times += 1
        return self.facts


SUNNY_HILLS = PictureFacts(sky=0.4, sky_trust=0.9, plants=0.4, plants_trust=0.9, brightness=0.6, sunny=0.9)


@pytest.mark.parametrize(
    ("prompt", "facts", "looks"),
    [
        ("The camera pans slowly to the right. No clouds, no wind, no water.", TOWN, 0),
        ("Night falls over the city", TOWN, 0),
        ("The neon signs flicker", TOWN, 1),
        ("The neon signs flicker and the street lights come on", TOWN, 1),
        ("Clouds drift over the hills", SUNNY_HILLS, 1),  # which may lie in the shadows of these clouds
        ("Clouds drift over the hills", replace(SUNNY_HILLS, drawn=1.0), 0),
    ],
)
def test_what_shines_is_looked_for_only_where_a_prompt_depends_on_it(
    prompt: str, facts: PictureFacts, looks: int
) -> None:
    unlit = replace(facts, sun=0.0, sunny=0.0, lamps=0, windows=0, signs=0)
    looking = Looking(facts)
    canvas = Canvas.of("480p", "16:9", 5)

    def write_about(seen: PictureFacts, shining: Looking | None) -> Storyboard:
        return write(prompt, seen, canvas=canvas, seed=3, audio=False, camera_fixed=False, morph=False, shining=shining)

    assert write_about(unlit, looking) == write_about(facts, None)
    assert looking.times == looks


@pytest.mark.parametrize("prompt", ["Night falls.", "It slowly grows dark.", "夜幕降临。"])
def test_a_still_life_grows_dark_where_a_landscape_has_its_night(prompt: str) -> None:
    still_life = PictureFacts(brightness=0.5, subject=0.3, subject_trust=0.9)
    assert [light.kind for light in lights(prompt, still_life)] == ["dark"]
    assert [light.kind for light in lights(prompt)] == ["night"]


@pytest.mark.parametrize("prompt", ["The moon rises over the sea at night. Static camera.", "月亮从海面缓缓升起。"])
def test_a_moon_that_is_to_rise_is_told_of_beside_water_that_moves(prompt: str) -> None:
    made = board(prompt, replace(TOWN, water=0.3, water_trust=0.9))
    assert any("rises" in note or "升起" in note for note in made.notes)


@pytest.mark.parametrize(
    "prompt", ["The sun is slowly setting.", "The sky begins to darken.", "The lights start to flicker."]
)
def test_a_verb_that_goes_on_or_begins_is_read_as_the_verb(prompt: str) -> None:
    assert len(lights(prompt)) == 1
    assert not board(prompt).notes


@pytest.mark.parametrize("prompt", ["The lights are dim.", "Her dreamy eyes.", "The neon sign on the wall is red."])
def test_how_the_light_is_asks_for_no_change(prompt: str) -> None:
    assert not lights(prompt)


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("She sits in golden light.", "golden"),
        ("A cat sleeps in warm light.", "warm"),
        ("A street in cool blue light.", "cold"),
        ("金色的阳光。", "golden"),
    ],
)
def test_words_that_describe_the_light_colour_only_a_picture_that_has_none_of_it_and_gently(
    prompt: str, kind: str
) -> None:
    neutral = replace(TOWN, brightness=0.5)
    [light] = lights(prompt, neutral)
    assert light.kind == kind and light.strength <= 0.25
    for same in (replace(neutral, warm=0.4, cold=0.4), replace(neutral, grey=True)):
        told = board(prompt, same)
        assert told.lights == () and len(told.notes) == 1


@pytest.mark.parametrize("prompt", ["Warm color grading.", "The light turns golden.", "Cold tones.", "暖色调"])
def test_a_grade_that_is_asked_for_is_given_to_a_picture_of_any_colour(prompt: str) -> None:
    for facts in (TOWN, replace(TOWN, warm=0.4, cold=0.4), replace(TOWN, grey=True)):
        assert [light.strength for light in lights(prompt, facts)] == [pytest.approx(0.45, abs=0.06)]


def test_a_night_that_only_takes_the_light_is_told() -> None:
    still_life = PictureFacts(brightness=0.5, subject=0.3, subject_trust=0.9)
    assert any("Night falls" in note for note in board("Night falls.", still_life).notes)
    assert not board("Night falls.").notes
