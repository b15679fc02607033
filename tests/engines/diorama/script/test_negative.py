"""Lists of what is not wanted: nothing in them is done or told, and what they name is denied."""

from __future__ import annotations

import pytest

from engines.diorama.script.test_prompts import board_of


@pytest.mark.parametrize(
    "prompt",
    [
        "A quiet street.\n[NEGATIVE] camera shake, rain, smiling",
        "A quiet street.\nNegative prompt: camera shake, rain, she smiles",
        "A quiet street. AVOID: handheld camera, rain, smiling faces.",
        "A quiet street --no shaky cam, rain, smiling",
        "安静的街道。\n负面提示词：镜头抖动，下雨，微笑",
        "安静的街道。避免：镜头晃动、下雨、微笑。",
        "安静的街道。\n【禁止】手持晃动，暴雨，大笑",
    ],
)
def test_nothing_in_a_negative_list_is_done_or_told(prompt: str) -> None:
    made = board_of(prompt)
    assert all(move.origin == "default" for shot in made.shots for move in shot.moves)
    assert not any(motion.origin == "prompt" for motion in made.motions)
    assert not made.actions
    assert made.notes == ()


@pytest.mark.parametrize("prompt", ["A forest.\nNegative prompt: no music, text", "森林。\n负面提示词：背景音乐，字幕"])
def test_music_in_a_negative_list_is_silent(prompt: str) -> None:
    assert board_of(prompt).music is None


@pytest.mark.parametrize(
    "prompt",
    [
        "Avoid: blur, text. The camera pans left.",
        "Negative prompt: blur\n\nThe camera pans left.",
        "避免：模糊。镜头左摇。",
    ],
)
def test_a_negative_list_ends(prompt: str) -> None:
    assert [move.kind for shot in board_of(prompt).shots for move in shot.moves] == ["pan"]
