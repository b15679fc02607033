"""Cuts, framings and the steps of the camera: where a prompt cuts, to what, and where it does not."""

from __future__ import annotations

import json

import pytest

from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import FaceFact, PictureFacts, Shot, Storyboard
from vivant.request import Canvas

PAIR = PictureFacts(
    faces=(FaceFact(x=0.3, y=0.4, height=0.2), FaceFact(x=0.7, y=0.4, height=0.2)), subject=0.4, subject_trust=0.9
)


def board(prompt: str, seconds: int = 6, *, camera_fixed: bool = False, morph: bool = False) -> Storyboard:
    canvas = Canvas.of("480p", "16:9", seconds)
    return write(prompt, PAIR, canvas=canvas, seed=7, audio=True, camera_fixed=camera_fixed, morph=morph)


def cuts(prompt: str, seconds: int = 6) -> list[Shot]:
    return [shot for shot in board(prompt, seconds).shots if shot.cut]


@pytest.mark.parametrize(
    "prompt",
    [
        "Shot 1: a street. Shot 2: close-up of her face. Shot 3: wide shot.",
        "Scene 1 · 2 sec: a street. Scene 2 · 2 sec: close-up. Scene 3 · 2 sec: wide.",
        "**Shot 1** (0-2s): a street\n**Shot 2** (2-4s): close-up\n**Shot 3** (4-6s): wide shot",
        "## Shot 1\n- a street\n## Shot 2\n- close-up of the woman\n## Shot 3\n- wide shot",
        "A street. Cut to a close-up of the woman. Hard cut to a wide shot.",
        "镜头一：街道。镜头二：女人特写。镜头三：全景。",
        "镜头1，街道；镜头2，女人特写；镜头3，全景",
        "第1个镜头：街道。第2个镜头：女人特写。第3个镜头：全景。",
        "【镜头1】街道\n【镜头2】女人特写\n【镜头3】全景",
        "街道上下着雨。切镜，女人特写。镜头切换到全景，男人微笑。",
        "[0-2s] Shot 1: a street. [2-4s] Shot 2: a close-up. [4-6s] Shot 3: wide.",
        json.dumps({"shots": [{"camera": "pan left"}, {"camera": "close-up"}, {"camera": "wide shot"}]}),
        json.dumps({"scenes": [{"time": "0-2s", "action": "a street"}, {"time": "2-4s", "action": "close-up"},
                               {"time": "4-6s", "action": "wide shot"}]}),
        "3 shots of a woman in the rain",
    ],
)  # fmt: skip
def test_three_shots_are_three(prompt: str) -> None:
    found = cuts(prompt)
    assert [shot.start for shot in found] == [48, 96] or [round(shot.start / 12) for shot in found] == [4, 8]
    assert board(prompt).notes == ()


@pytest.mark.parametrize(
    "prompt",
    [
        "The camera pans left, then zooms in.", "A fresh haircut.", "She cuts a cake.", "A shot glass on the bar.",
        "No cuts, one continuous take, the camera orbits.", "Medium close-up portrait, 50mm.", "女人在切菜",
        "一镜到底，镜头环绕",
        "[0-2s] she smiles. [2-4s] she nods.", "A scene from the 1950s.", "Smooth transition.",
        "She says “Shot 2: cut to black”.",
    ],
)  # fmt: skip
def test_without_words_for_a_cut_there_is_none(prompt: str) -> None:
    assert cuts(prompt) == []


@pytest.mark.parametrize(
    ("words", "size", "target", "angle", "face"),
    [
        ("close-up of the woman", "close-up", "", "", 0),
        ("extreme close-up of his eyes", "detail", "eyes", "", 1),
        ("medium shot of the man", "medium", "", "", 1),
        ("low angle wide shot", "wide", "", "low", -1),
        ("bird's eye view", "", "", "high", -1),
        ("macro of the cup", "detail", "", "", -1),
        ("女人面部特写", "close-up", "", "", 0),
        ("中景，男人", "medium", "", "", 1),
        ("男人的眼神，大特写", "detail", "eyes", "", 1),
        ("仰拍全景", "wide", "", "low", -1),
        ("俯拍", "", "", "high", -1),
    ],
)
def test_a_framing_is_read(words: str, size: str, target: str, angle: str, face: int) -> None:
    who = "A woman and a man." if words.isascii() else "一个女人和一个男人。"
    made = board(f"{who} Shot 1: wide. Shot 2: {words}.")
    framing = made.shots[-1].framing
    assert framing is not None
    assert (framing.size, framing.target, framing.angle, framing.face_index) == (size, target, angle, face)


def test_the_reverse_shot_is_of_the_other_face() -> None:
    made = board("A woman and a man. Cut to a close-up of the woman. Reverse shot. 反打")
    faces = [shot.framing.face_index for shot in made.shots if shot.framing]
    assert faces[:2] == [0, 1]


def test_the_times_of_shots_are_exact_and_what_happens_in_them_stays_in_them() -> None:
    made = board("Shot 1 (0-1.5s): she nods. Shot 2 (1.5-4s): she smiles. Shot 3 (4-6s): rain falls.")
    assert [shot.start for shot in made.shots if shot.cut] == [36, 96]
    assert [(a.kind, a.start, a.end) for a in made.actions] == [("nod", 0, 36), ("smile", 36, 96)]


def test_lengths_of_shots_add_up() -> None:
    assert [s.start for s in cuts("Scene 1 · 1 sec: wide. Scene 2 · 2 sec: close-up. Scene 3 · 3 sec: wide.")] == [
        24,
        72,
    ]


def test_weather_runs_on_through_cuts() -> None:
    made = board("Shot 1: rain falls on a street. Shot 2: close-up. Shot 3: wide, thunder.")
    (rain,) = [motion for motion in made.motions if motion.kind == "rain"]
    (thunder,) = [cue for cue in made.cues if cue.kind == "thunder"]
    assert (rain.start, rain.end, thunder.start) == (None, None, made.shots[-1].start)


def test_a_move_stays_in_its_shot_and_a_handheld_camera_lasts_through_all() -> None:
    made = board("Handheld. Shot 1: a street. Shot 2: slow push in. Shot 3: wide.")
    assert [shot.moves[0].kind for shot in made.shots] == ["handheld", "dolly", "handheld"]


def test_more_shots_than_there_is_time_for_are_told() -> None:
    made = board(" ".join(f"Shot {n}: a view." for n in range(1, 13)), seconds=4)
    assert len(made.shots) == 5
    assert "12 shots were asked for; 4 s have time for 5" in made.notes[0]


def test_a_dissolve_is_told_to_be_a_hard_cut() -> None:
    assert "“Dissolve to”: done as a hard cut." in board("She smiles. Dissolve to a close-up of the man.").notes


def test_a_fixed_camera_and_a_last_picture_have_no_cuts_and_say_so() -> None:
    prompt = "A street. Cut to a close-up."
    assert len(board(prompt, camera_fixed=True).shots) == len(board(prompt, morph=True).shots) == 1
    assert "“Cut to”" in board(prompt, camera_fixed=True).notes[0]
    assert "“Cut to”" in board(prompt, morph=True).notes[0]


def test_a_cut_inside_what_a_time_heads_lies_in_the_middle_of_that_time() -> None:
    made = board("0-2秒：女人微笑。2-5秒：镜头迅速向下摇，转场，女人点头。")
    assert [shot.start for shot in made.shots if shot.cut] == [84]


def test_a_montage_that_a_time_heads_makes_no_shots_beyond_it() -> None:
    assert not any(shot.cut for shot in board("0-2秒：女人微笑。2-5秒：快切，镜头推近。").shots)
