"""Weather, water and the rest in many sentences: said, denied, over, compared, only heard; and lookalikes."""

from __future__ import annotations

from pathlib import Path

import pytest

from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import PictureFacts, Storyboard
from vivant.request import Canvas

LOOKALIKES = (Path(__file__).parent / "prompts" / "lookalikes.txt").read_text(encoding="utf-8").splitlines()
ENGLISH = {
    "rain": "rain",
    "heavy snow": "snow",
    "ocean waves": "water",
    "a waterfall": "falls",
    "drifting clouds": "clouds",
    "strong wind": "wind",
    "flames": "fire",
    "smoke": "smoke",
    "fog": "fog",
    "lightning": "lightning",
    "falling leaves": "leaves",
    "cherry blossom petals": "petals",
    "dust particles": "dust",
    "sparks": "sparks",
    "fireflies": "fireflies",
    "bubbles": "bubbles",
}
CHINESE = {
    "下雨": "rain",
    "雪花": "snow",
    "海浪": "water",
    "瀑布": "falls",
    "云层": "clouds",
    "狂风": "wind",
    "火焰": "fire",
    "烟雾": "smoke",
    "薄雾": "fog",
    "闪电": "lightning",
    "落叶": "leaves",
    "花瓣": "petals",
    "尘埃": "dust",
    "火花": "sparks",
    "萤火虫": "fireflies",
    "气泡": "bubbles",
}
SAID = [
    "{}",
    "A girl stands in a street with {} behind her",
    "Beautiful {}, slow zoom in",
    "There is {}; she smiles",
    "{} and soft light",
]
DENIED = [
    "no {}",
    "without {}",
    "no people or {}",
    "There is no {} in this scene",
    "avoid {}",
    "no text, people, or {}",
    "{} has stopped",
    "no music, no {}",
]
COMPARED = ["her eyes are like {}", "a poster of {}", "she dreams of {}", "a song about {}"]
CHINESE_SAID = ["{}", "女孩站在街上，身后是{}", "{}，镜头推近", "画面中有{}"]
CHINESE_DENIED = ["没有{}", "不要{}", "不要出现{}", "没有音乐和{}", "{}停了", "画面中没有人，也没有{}"]
CHINESE_COMPARED = ["她的眼睛像{}一样", "仿佛{}", "{}般的裙子"]


def moving(prompt: str) -> set[str]:
    return {motion.kind for motion in board(prompt).motions}


def board(prompt: str) -> Storyboard:
    canvas = Canvas.of("480p", "16:9", 5)
    facts = PictureFacts(
        sky=0.2, sky_trust=0.3, water=0.2, water_trust=0.3, plants=0.2, plants_trust=0.3, fire=0.1, fire_trust=0.3
    )  # there, and too doubtful to move unless named
    return write(prompt, facts, canvas=canvas, seed=3, audio=True, camera_fixed=False, morph=False)


@pytest.mark.parametrize("sentence", SAID)
@pytest.mark.parametrize("words", ENGLISH)
def test_what_is_said_moves(words: str, sentence: str) -> None:
    assert ENGLISH[words] in moving(sentence.format(words))


@pytest.mark.parametrize("sentence", DENIED + COMPARED)
@pytest.mark.parametrize("words", ENGLISH)
def test_what_is_denied_or_compared_does_not_move(words: str, sentence: str) -> None:
    assert moving(sentence.format(words)) == set()


@pytest.mark.parametrize("sentence", CHINESE_SAID)
@pytest.mark.parametrize("words", CHINESE)
def test_what_is_said_in_chinese_moves(words: str, sentence: str) -> None:
    assert CHINESE[words] in moving(sentence.format(words))


@pytest.mark.parametrize("sentence", CHINESE_DENIED + CHINESE_COMPARED)
@pytest.mark.parametrize("words", CHINESE)
def test_what_is_denied_or_compared_in_chinese_does_not_move(words: str, sentence: str) -> None:
    assert moving(sentence.format(words)) == set()


@pytest.mark.parametrize("prompt", LOOKALIKES)
def test_what_only_looks_like_it_does_not_move(prompt: str) -> None:
    assert moving(prompt) == set()


@pytest.mark.parametrize(
    "prompt",
    [
        "the sound of rain",
        "Audio: rain",
        "we hear rain on the roof",
        "SFX: rain, thunder",
        "雨声",
        "听到下雨的声音",
        "音效：下雨",
    ],
)
def test_what_is_only_heard_is_not_seen(prompt: str) -> None:
    made = board(prompt)
    assert made.motions == ()
    assert "rain" in {cue.kind for cue in made.cues}


def test_the_strength_of_the_words_is_kept() -> None:
    strengths = [board(words).motions[0].strength for words in ("drizzle", "rain", "heavy rain")]
    assert strengths == sorted(strengths)
    assert len(set(strengths)) == 3
    gentle, usual, strong = (board(words).motions[0].strength for words in ("微风", "风吹", "狂风"))
    assert gentle < usual < strong


def test_the_direction_of_a_drift_is_understood() -> None:
    (motion,) = board("clouds drift from right to left").motions
    assert motion.direction == "left"


@pytest.mark.parametrize(
    ("prompt", "start", "end"),
    [
        ("It starts to rain after 2 seconds. The rain stops at 4 seconds.", 48, 96),
        ("The rain stops after 3 seconds.", None, 72),
        ("Heavy rain, then the rain stops.", None, 60),
        ("先下雨，4秒后雨停了。", None, 96),
    ],
)
def test_rain_that_stops_at_a_time_falls_until_then(prompt: str, start: int | None, end: int) -> None:
    made = board(prompt)
    assert [(m.start, m.end) for m in made.motions if m.kind == "rain"] == [(start, end)]
    assert [(c.start, c.end) for c in made.cues if c.kind == "rain"] == [(start, end)]


@pytest.mark.parametrize("prompt", ["The rain has stopped.", "雨停了，女孩抬头。", "The rain stops."])
def test_rain_that_is_over_does_not_fall(prompt: str) -> None:
    assert not [motion for motion in board(prompt).motions if motion.kind == "rain"]


@pytest.mark.parametrize(
    "prompt", ["Sparks rain down beside the shuttle", "Sparks fall from above", "A shower of sparks"]
)
def test_sparks_that_rain_down_are_sparks_that_fall_and_no_rain(prompt: str) -> None:
    written = write(
        prompt,
        PictureFacts(),
        canvas=Canvas.of("480p", "16:9", 5),
        seed=1,
        audio=False,
        camera_fixed=False,
        morph=False,
    )
    assert [(motion.kind, motion.direction) for motion in written.motions] == [("sparks", "down")]


@pytest.mark.parametrize(
    ("prompt", "often"),
    [
        ("Lightning strikes again and again, heavy rain.", True),
        ("Heavy rain, lightning flashes repeatedly.", True),
        ("Several bolts of lightning, one after another.", True),
        ("闪电一次又一次划过天空。", True),
        ("A bolt of lightning strikes the tower.", False),
        ("She nods again and again. Lightning flashes.", False),
    ],
)
def test_lightning_is_frequent_where_its_sentence_says_so(prompt: str, often: bool) -> None:
    [motion] = [motion for motion in board(prompt).motions if motion.kind == "lightning"]
    assert motion.often is often
