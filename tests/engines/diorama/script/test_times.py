"""Times in many forms: what they say, what they are about, and what becomes of those that cannot be kept."""

from __future__ import annotations

import time

import pytest

from vivant.engines.diorama.script.grammar import read
from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.script.time_words import find_time_words
from vivant.engines.diorama.script.times import When, read_times
from vivant.engines.diorama.storyboard import Action, FaceFact, PictureFacts, Storyboard
from vivant.request import FPS, Canvas

PAIR = PictureFacts(faces=(FaceFact(x=0.3, y=0.4, height=0.2), FaceFact(x=0.7, y=0.4, height=0.2)))


def board(prompt: str, seconds: int = 5) -> Storyboard:
    canvas = Canvas.of("480p", "16:9", seconds)
    return write(prompt, PAIR, canvas=canvas, seed=7, audio=True, camera_fixed=False, morph=False)


def spans(prompt: str, seconds: int = 5) -> list[tuple[float | None, float | None]]:
    """(start, end) of each stretch, in seconds."""
    found = read_times(read(prompt), Canvas.of("480p", "16:9", seconds).frames).value
    return [(_seconds(one.when.start), _seconds(one.when.end)) for one in found.stretches]


def _seconds(frame: int | None) -> float | None:
    return None if frame is None else round(frame / FPS, 2)


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("0-3s: she smiles", (0, 3)),
        ("[2s-4s] she smiles", (2, 4)),
        ("[2-4s] she smiles", (2, 4)),
        ("[00-03s] she smiles", (0, 3)),
        ("(00:00-00:03) she smiles", (0, 3)),
        ("00:01 - 00:03: she smiles", (1, 3)),
        ("1.5s–3.5s: she smiles", (1.5, 3.5)),
        ("From 2s to 4s she smiles", (2, 4)),
        ("Between 2 and 4 seconds she smiles", (2, 4)),
        ("she smiles from second 2 to second 4", (2, None)),
        ("in seconds 2-4 she smiles", (2, 4)),
        ("t=2.3s she smiles", (2.29, None)),
        ("@2s she smiles", (2, None)),
        ("after 2 seconds she smiles", (2, None)),
        ("she smiles after two seconds", (2, None)),
        ("at 3 seconds she smiles", (3, None)),
        ("at 0:03 she smiles", (3, None)),
        ("at the 3-second mark she smiles", (3, None)),
        ("two seconds in, she smiles", (2, None)),
        ("for the first 2 seconds she smiles", (0, 2)),
        ("the first two seconds: she smiles", (0, 2)),
        ("in the last second she smiles", (4, None)),
        ("for the final 2 seconds she smiles", (3, None)),
        ("halfway through, she smiles", (2.5, None)),
        ("in the middle of the clip she smiles", (2.5, None)),
        ("at the end she smiles", (3.5, None)),
        ("first 40%: she smiles", (0, 2)),
        ("she smiles until t=4s", (0, 4)),
        ("0–2秒：她笑了", (0, 2)),
        ("前40%：她笑了", (0, 2)),
        ("后40%：她笑了", (3, 5.04)),
        ("【0-2秒】她笑了", (0, 2)),
        ("第2秒到第4秒她笑了", (2, 4)),
        ("一秒到三秒她笑了", (1, 3)),
        ("2秒后她笑了", (2, None)),
        ("第3秒，她笑了", (3, None)),
        ("3秒时她笑了", (3, None)),
        ("前两秒她笑了", (0, 2)),
        ("最后一秒她笑了", (4, None)),
        ("后2秒她笑了", (3, None)),
        ("中途她笑了", (2.5, None)),
        ("在00:02处她笑了", (2, None)),
        ("两秒之后她笑了", (2, None)),
    ],
)
def test_a_time_is_read(prompt: str, told: tuple[float, float | None]) -> None:
    start, end = spans(prompt)[0]
    assert (start, end if told[1] is not None else None) == told
    (smile,) = [action for action in board(prompt).actions if action.kind == "smile"]
    assert smile.start == round(told[0] * FPS)
    assert board(prompt).notes == ()


@pytest.mark.parametrize(
    "prompt",
    [
        "She is 24 years old.", "A 50mm lens, f/1.8, 24fps.", "A film of the 1990s.", "He wears number 7.",
        'She says "wait 3 seconds".', "A 16:9 frame.", "Chapter 2-3 of the book.", "他今年三十岁", "她说：“等3秒”。",
        "第3个女孩笑了",
        "two people, one dog",
    ],
)  # fmt: skip
def test_a_number_that_is_no_time_tells_none(prompt: str) -> None:
    assert spans(prompt) == []


def test_a_heading_holds_until_the_next_and_all_that_stands_under_it_has_its_time() -> None:
    made = board("0-2s: she smiles. It rains. The camera pans left. 2-5s: she nods and says “Hi”. The camera zooms in.")
    assert [(a.kind, a.start, a.end) for a in made.actions] == [("smile", 0, 48), ("nod", 48, 121)]
    assert [(m.start, m.end) for m in made.motions if m.kind == "rain"] == [(0, 48)]
    assert [(c.start, c.end) for c in made.cues if c.kind == "rain"] == [(0, 48)]
    assert [(line.start, line.end) for line in made.lines] == [(48, 121)]
    assert [(s.start, s.end, s.moves[0].kind) for s in made.shots] == [(0, 48, "pan"), (48, 121, "zoom")]


def test_a_time_in_a_sentence_holds_for_its_clause() -> None:
    made = board("She smiles after 2 seconds, then nods. He frowns.")
    assert [(a.kind, a.start) for a in made.actions] == [("smile", 48), ("nod", None), ("frown", None)]


@pytest.mark.parametrize("prompt", ["Static for 2 seconds, then zoom in.", "镜头静止2秒，然后推近"])
def test_what_lasts_for_a_time_is_followed_at_once_by_the_next_step(prompt: str) -> None:
    made = board(prompt)
    assert [(shot.start, shot.end) for shot in made.shots] == [(0, 48), (48, 121)]
    assert made.notes == ()


def test_what_lasts_from_the_end_on_ends_with_the_clip() -> None:
    made = board("At the end, snow falls for 2 seconds.")
    assert made.notes == () and [motion.kind for motion in made.motions] == ["snow"]


def test_a_time_in_braces_is_no_speech() -> None:
    made = board("{0-2s} The camera pushes in. {2-3s} She smiles.")
    assert made.lines == () and [(a.start, a.end) for a in made.actions] == [(48, 72)]


def test_a_static_camera_is_a_step_like_any_other() -> None:
    made = board("0-2s: static. 2-4s: push in.")
    assert [(s.start, s.end, s.moves[0].kind) for s in made.shots] == [
        (0, 48, "static"),
        (48, 96, "dolly"),
        (96, 121, "static"),
    ]
    assert made.notes == ()


@pytest.mark.parametrize(
    ("prompt", "order"),
    [
        ("She first tilts her head, then laughs.", ["tilt_head", "laugh"]),
        ("She laughs, then nods, finally looks at the camera.", ["laugh", "nod", "look_camera"]),
        ("女孩先点头，然后微笑，最后看向镜头", ["nod", "smile", "look_camera"]),
    ],
)
def test_an_order_in_words_is_kept(prompt: str, order: list[str]) -> None:
    actions = board(prompt).actions
    assert [action.kind for action in sorted(actions, key=lambda action: action.order)] == order
    assert len({action.order for action in actions}) == len(actions)


@pytest.mark.parametrize("prompt", ["The woman laughs while the man frowns.", "女人大笑，与此同时男人皱眉"])
def test_what_happens_meanwhile_has_the_same_place_in_the_order(prompt: str) -> None:
    woman, man = board(prompt).actions
    assert woman.order == man.order


def test_a_line_takes_its_turn_among_the_actions() -> None:
    made = board("She nods, then says “Hello”, then smiles.")
    nod, smile = made.actions
    assert nod.order < made.lines[0].order < smile.order


def test_what_begins_then_begins_with_its_turn() -> None:
    made = board("She smiles, then it starts to rain.")
    assert [motion.start for motion in made.motions if motion.kind == "rain"] == [60]


def test_a_share_of_the_clip_goes_on_where_the_one_before_ended() -> None:
    assert spans("前40%：她笑了；中20%：她点头；后40%：她看向镜头") == [(0, 2), (2, 3), (3, 5.04)]


def test_what_ends_before_the_next_step_begins_holds_still_until_then() -> None:
    made = board("0-1s: pan left. 3-5s: zoom in.")
    steps = [(shot.start, shot.end, shot.moves[0].kind) for shot in made.shots]
    assert steps == [(0, 24, "pan"), (24, 72, "static"), (72, 121, "zoom")]


def test_music_goes_on_after_the_heading_that_it_begins_under() -> None:
    music = board("0-2s: she smiles. 2-4s: soft piano music begins. 4-5s: she nods.").music
    assert music is not None and (music.start, music.end) == (48, None)


def test_times_beyond_the_clip_are_shrunk_alike_and_told() -> None:
    made = board("0-5s: she smiles. 5-10s: she nods.")
    assert [(a.start, a.end) for a in made.actions] == [(0, 60), (60, 121)]
    assert made.notes == ("“5-10s”: the clip lasts 5 s, the times of the prompt go on to 10 s; all were shrunk alike.",)


def test_a_length_that_is_not_the_clips_is_told() -> None:
    assert board("Duration: 15s. She smiles.").notes == ("“Duration: 15s”: the clip lasts 5 s, as the request says.",)
    for same in ("A 5 second video of a woman.", "5秒的视频，女人微笑", "A woman smiles, 5-second clip."):
        assert board(same).notes == ()
    for same in ("将视频延长5秒。", "9:16竖屏，5秒，女人微笑。"):
        assert board(same).notes == ()
    for other in ("15秒，女人微笑", "A 14-second ad: a woman smiles."):
        assert any("the clip lasts 5 s" in note or "以请求为准" in note for note in board(other).notes)


def test_a_time_that_nobody_can_keep_is_quoted() -> None:
    assert any("every 2 seconds" in note for note in board("She blinks every 2 seconds.").notes)


def test_every_pattern_is_linear_in_the_length_of_the_text() -> None:
    for run in (
        "1" * 20_000,
        "1 " * 10_000,
        "秒" * 20_000,
        "0-" * 10_000,
        "the first " * 2_000,
        "第一" * 10_000,
        "\n" * 20_000,
    ):
        reading = read(run[:9_000])
        began = time.process_time()
        find_time_words(reading)
        assert time.process_time() - began < 0.5


def test_when_nothing_is_said_there_is_no_time() -> None:
    assert read_times(read("She smiles."), 121).value.when(0) == When()
    assert isinstance(board("She smiles.").actions[0], Action) and board("She smiles.").actions[0].start is None


@pytest.mark.parametrize(
    ("prompt", "room"),
    [
        ("After 2 seconds it starts to rain. No music.", True),
        ("前两秒下雨，没有音乐", True),
        ("It rains. No music.", False),
        ("Birds sing. After 2 seconds it starts to rain.", False),
    ],
)
def test_before_and_after_sounds_that_have_a_time_the_place_itself_is_heard(prompt: str, room: bool) -> None:
    assert any(cue.kind == "room" for cue in board(prompt).cues) == room
