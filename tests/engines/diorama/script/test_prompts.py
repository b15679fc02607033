"""Prompts as people write them, and what must be understood of each: prompts/*.toml, one table a prompt.

`picture` names the facts below; a key that is left out is not checked. `camera` has one entry a shot.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import FaceFact, Move, PictureFacts, Storyboard
from vivant.request import Canvas

PROMPTS = Path(__file__).parent / "prompts"
# Regions that are there and too doubtful to move unless they are named: the corpus is about words.
DOUBTFUL: dict[str, Any] = {
    "sky": 0.2, "sky_trust": 0.3, "water": 0.2, "water_trust": 0.3, "plants": 0.2, "plants_trust": 0.3, "fire": 0.1,
    "fire_trust": 0.3,
}  # fmt: skip
PICTURES = {
    "portrait": PictureFacts(faces=(FaceFact(x=0.5, y=0.4, height=0.3),), subject=0.4, subject_trust=0.9, **DOUBTFUL),
    # Face 1 stands right of face 2.
    "two faces": PictureFacts(
        faces=(FaceFact(x=0.7, y=0.4, height=0.2), FaceFact(x=0.3, y=0.4, height=0.2)),
        subject=0.4,
        subject_trust=0.9,
        **DOUBTFUL,
    ),
    "lake": PictureFacts(
        **{
            **DOUBTFUL,
            "sky": 0.4,
            "sky_trust": 0.9,
            "water": 0.3,
            "water_trust": 0.9,
            "plants": 0.1,
            "plants_trust": 0.8,
        }
    ),
    "plain": PictureFacts(**DOUBTFUL),
}
CANVAS = Canvas.of("480p", "16:9", 5)


def corpus() -> list[Any]:
    found = []
    for path in sorted(PROMPTS.glob("*.toml")):
        for number, case in enumerate(tomllib.loads(path.read_text(encoding="utf-8"))["prompt"], start=1):
            found.append(pytest.param(case, id=f"{path.stem}-{number}"))
    return found


def board_of(text: str, picture: str = "portrait") -> Storyboard:
    return write(text, PICTURES[picture], canvas=CANVAS, seed=7, audio=True, camera_fixed=False, morph=False)


def understood(board: Storyboard) -> dict[str, Any]:
    """The storyboard as prompts/*.toml writes it."""
    music = board.music
    return {
        "camera": [" + ".join(_move(move) for move in shot.moves) for shot in board.shots],
        "moving": sorted(
            m.kind + (f" {m.direction}" if m.direction else "") for m in board.motions if m.origin == "prompt"
        ),
        "lines": [
            f"{line.speaker.name or '-'}, {line.voice}, {line.tone}, face {line.face_index + 1}: {line.text}"
            for line in board.lines
        ],
        "acting": [f"{action.kind} {action.face_index + 1}" for action in board.actions],
        "heard": sorted(cue.kind for cue in board.cues if cue.origin == "prompt"),
        "music": "none"
        if music is None
        else "default"
        if music.origin == "default"
        else " ".join(word for word in (music.mood, music.style, str(music.tempo)) if word),
        "notes": [", ".join(re.findall("“[^”]*”", note)) or note[:60] for note in board.notes],
    }


def _move(move: Move) -> str:
    if move.origin == "default":
        return "default"
    speed = () if move.speed == "normal" else (move.speed,)
    return " ".join((*speed, move.kind, *([move.direction] if move.direction else [])))


@pytest.mark.parametrize("case", corpus())
def test_a_prompt_is_understood(case: dict[str, Any]) -> None:
    found = understood(board_of(case["text"], case.get("picture", "portrait")))
    wanted = {key: value for key, value in case.items() if key not in ("text", "picture")}
    assert {key: found[key] for key in wanted} == wanted


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(corpus()) >= 120
