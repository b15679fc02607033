"""Where the camera is in each frame: the storyboard's moves as smooth curves. Knows the intent, not the picture; how
far a scene lets the camera go is the rig's business."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from vivant.engines.diorama.easing import glide, smootherstep
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.storyboard import Direction, Move, MoveKind, PictureFacts, Shot, Speed, Storyboard
from vivant.engines.diorama.timing.curves import HOME, CameraCurves
from vivant.media import F64
from vivant.request import FPS

_SPEED: Final[dict[Speed, float]] = {"slow": 0.6, "normal": 1.0, "fast": 1.55}
_USUAL: Final[dict[MoveKind, Direction]] = {
    "pan": "right", "truck": "right", "orbit": "right", "tilt": "up", "pedestal": "up", "zoom": "in", "dolly": "in",
    "roll": "clockwise",
}  # fmt: skip
_NEGATIVE: Final = frozenset({"left", "up", "out", "counterclockwise"})

# How far a move of strength 0.5 at normal speed goes in five seconds; tuned by eye on the sample photos.
_REACH: Final[dict[MoveKind, float]] = {
    "pan": 0.10,  # widths
    "tilt": 0.10,  # heights
    "zoom": 0.22,  # share of the focal length
    "dolly": 0.24,  # share of the way to the nearest thing
    "truck": 0.12,  # widths, of the nearest thing
    "pedestal": 0.12,  # heights
    "orbit": 0.10,  # widths, of the nearest thing against the farthest
    "roll": 0.07,  # radians
    "handheld": 0.0045,  # widths, standard deviation
}  # fmt: skip
_OUTWARD: Final = 0.45  # backing away shows what the picture does not have: go less far
TOWARD: Final = 0.75  # how far a zoom or dolly aims from the middle of the picture to its subject
_CLOSER: Final = 1.28  # a second shot frames its subject this much tighter


def path(storyboard: Storyboard, facts: PictureFacts, *, frames: int) -> CameraCurves:
    """The camera of a clip. Frame 0 is home; a storyboard that morphs is home again at its last frame."""
    curves = {name: np.full(frames, home) for name, home in HOME.items()}
    aim = _subject(facts)
    for index, shot in enumerate(storyboard.shots):
        start, end = max(shot.start, 0), min(shot.end, frames)
        if end <= start:
            continue
        last = end == frames
        filmed = _film(shot, end - start, storyboard.seed, index, returns=storyboard.morph and last)
        _turn_toward(filmed, aim)
        if index % 2 and not (storyboard.morph and last):
            _step_closer(filmed, facts)
        for name, values in filmed.items():
            curves[name][start:end] = values
    return CameraCurves(**{name: curve.astype(np.float32) for name, curve in curves.items()})


def _subject(facts: PictureFacts) -> tuple[float, float]:
    """Where the camera wants to go, from the middle of the picture, shares of width and height."""
    if facts.faces:
        face = max(facts.faces, key=lambda f: f.height)
        return face.x - 0.5, face.y - 0.5
    if facts.subject_trust > 0.3:
        return facts.subject_x - 0.5, facts.subject_y - 0.5
    return 0.0, 0.0


def _turn_toward(filmed: dict[str, F64], aim: tuple[float, float]) -> None:
    """Let zooms and dollies go toward the subject: a part of the way, for all four borders must still move outward."""
    for name, turn, share in (("x", "pan", aim[0]), ("y", "tilt", aim[1])):
        toward = TOWARD * float(np.clip(share, -0.3, 0.3))
        filmed[name] += toward * np.maximum(filmed["z"], 0) * (1 - filmed["pivot"])
        filmed[turn] += toward * (1 - 1 / np.maximum(filmed["zoom"], 1))


def _film(shot: Shot, length: int, seed: int, index: int, *, returns: bool) -> dict[str, F64]:
    filmed = {name: np.full(length, home) for name, home in HOME.items()}
    for move in shot.moves:
        if move.kind != "static":
            _add(filmed, move, length, seed, index, returns=returns)
    return filmed


def _add(filmed: dict[str, F64], move: Move, length: int, seed: int, index: int, *, returns: bool) -> None:
    u = np.linspace(0.0, 1.0, length) if length > 1 else np.zeros(1)
    # Longer shots go further, but not in proportion: the picture has only so much to show.
    scale = np.clip(move.strength, 0, 1) / 0.5 * _SPEED[move.speed] * np.sqrt(length / (5 * FPS))
    direction = move.direction or _USUAL.get(move.kind, "")
    reach = _REACH[move.kind] * float(min(scale, 2.2)) * (-1 if direction in _NEGATIVE else 1)
    if move.kind == "handheld":
        _breathe(filmed, abs(reach), length, seed, index, returns=returns)
        return
    ease = glide if move.kind in ("pan", "tilt", "truck", "pedestal") else smootherstep
    gone = _there_and_back(u, ease) if returns else ease(u)
    match move.kind:
        case "pan":
            filmed["pan" if direction in ("left", "right") else "tilt"] += reach * gone
            # An operator's pan swings the lens a little sideways as well: just enough for depth to be felt.
            filmed["x" if direction in ("left", "right") else "y"] += 0.12 * reach * gone
        case "tilt":
            filmed["tilt" if direction in ("up", "down") else "pan"] += reach * gone
            filmed["y" if direction in ("up", "down") else "x"] += 0.12 * reach * gone
        case "truck":
            filmed["x" if direction in ("left", "right") else "y"] += reach * gone
        case "pedestal":
            filmed["y" if direction in ("up", "down") else "x"] += reach * gone
        case "zoom":
            filmed["zoom"] *= (1 + (reach if reach > 0 else _OUTWARD * reach)) ** gone
        case "dolly":
            filmed["z"] += (reach if reach > 0 else _OUTWARD * reach) * gone
            if reach < 0:  # what is far hardly answers to a step back: a little less focal length makes it felt
                filmed["zoom"] *= (1 + 0.12 * reach) ** gone
        case "orbit":
            filmed["x" if direction not in ("up", "down") else "y"] += reach * gone
            filmed["pivot"] = np.ones(length)
        case "roll":
            filmed["roll"] += reach * gone


def _there_and_back(u: F64, ease: Callable[[F64], F64]) -> F64:
    """Half as far, and home at the end, for shots that must end on an exact picture."""
    return 0.5 * ease(np.clip(u / 0.55, 0, 1)) * (1 - smootherstep((u - 0.45) / 0.55))


def _breathe(filmed: dict[str, F64], reach: float, length: int, seed: int, index: int, *, returns: bool) -> None:
    """Hands: four sines per axis whose frequencies share no period, quieter the faster; still at the first frame."""
    chance = rng(seed, f"camera.handheld.{index}")
    t = np.arange(length) / FPS
    fade = smootherstep(t / 0.8)
    if returns:
        fade = fade * smootherstep(t[::-1] / 0.8)
    frequencies = np.array([0.23, 0.41, 0.73, 1.27])  # Hz
    weights = 1 / frequencies**0.8
    weights *= np.sqrt(2) / np.linalg.norm(weights)  # standard deviation 1
    for name, share in (
        ("pan", 0.7), ("tilt", 0.9), ("x", 1.0), ("y", 0.8), ("roll", 0.55),
        ("z", 0.8),
    ):  # fmt: skip
        phases = chance.uniform(0, 2 * np.pi, 4)
        detuned = frequencies * chance.uniform(0.9, 1.1, 4)
        filmed[name] += (
            share
            * reach
            * fade
            * (weights[:, None] * np.sin(2 * np.pi * detuned[:, None] * t + phases[:, None])).sum(0)
        )


def _step_closer(filmed: dict[str, F64], facts: PictureFacts) -> None:
    """Move a later shot nearer its subject, so that the cut is seen as one."""
    target = facts.faces[0] if facts.faces else None
    x, y = (target.x, target.y) if target else (facts.subject_x, facts.subject_y)
    room = (1 - 1 / _CLOSER) / 2
    filmed["zoom"] *= _CLOSER
    filmed["pan"] += float(np.clip(x - 0.5, -room, room))
    filmed["tilt"] += float(np.clip(y - 0.5, -room, room))
