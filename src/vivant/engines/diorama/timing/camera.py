"""Where the camera is in each frame: the storyboard's moves as smooth curves. Knows the intent only; the rig in
motion/frame limits the curves to what a scene allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from vivant.engines.diorama.easing import glide, smootherstep
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.storyboard import (
    SUBJECT_TRUSTED,
    Direction,
    Move,
    MoveKind,
    PictureFacts,
    Shot,
    Speed,
    Storyboard,
)
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
_OUTWARD: Final = 0.45  # of the reach for moves outward, which show what lies beyond the picture
TOWARD: Final = 0.75  # how far a zoom or dolly aims from the middle of the picture to its subject
_CLOSER: Final = 1.28  # zoom of every second shot on its subject, so that the change of shot is seen


def make_camera(storyboard: Storyboard, facts: PictureFacts) -> CameraCurves:
    """The camera of a clip. Frame 0 is home; a storyboard that morphs is home again at its last frame."""
    frames = storyboard.frames
    curves = {name: np.full(frames, home) for name, home in HOME.items()}
    aim = _subject(facts)
    for index, shot in enumerate(storyboard.shots):
        start, end = shot.start, shot.end
        last = end == frames
        moved = _move(shot, end - start, storyboard.seed, index, returns=storyboard.morph and last)
        _aim_at_subject(moved, aim)
        if index % 2 and not (storyboard.morph and last):
            _step_closer(moved, facts)
        for name, values in moved.items():
            curves[name][start:end] = values
    return CameraCurves(**{name: curve.astype(np.float32) for name, curve in curves.items()})


def _subject(facts: PictureFacts) -> tuple[float, float]:
    """What zooms and dollies aim at: its offset from the middle of the picture, shares of width and height."""
    if facts.faces:
        face = max(facts.faces, key=lambda f: f.height)
        return face.x - 0.5, face.y - 0.5
    if facts.subject_trust > SUBJECT_TRUSTED:
        return facts.subject_x - 0.5, facts.subject_y - 0.5
    return 0.0, 0.0


def _aim_at_subject(moved: dict[str, F64], aim: tuple[float, float]) -> None:
    """Aim zooms and dollies at the subject, though not fully: all four borders must still move outward."""
    for name, turn, share in (("x", "pan", aim[0]), ("y", "tilt", aim[1])):
        toward = TOWARD * float(np.clip(share, -0.3, 0.3))
        moved[name] += toward * np.maximum(moved["z"], 0) * (1 - moved["pivot"])
        moved[turn] += toward * (1 - 1 / np.maximum(moved["zoom"], 1))


def _move(shot: Shot, length: int, seed: int, index: int, *, returns: bool) -> dict[str, F64]:
    moved = {name: np.full(length, home) for name, home in HOME.items()}
    for move in shot.moves:
        if move.kind != "static":
            _add(moved, move, length, seed, index, returns=returns)
    return moved


def _add(moved: dict[str, F64], move: Move, length: int, seed: int, index: int, *, returns: bool) -> None:
    u = np.linspace(0.0, 1.0, length) if length > 1 else np.zeros(1)
    # Longer shots go further, but less than in proportion, as the picture is limited.
    scale = move.strength / 0.5 * _SPEED[move.speed] * np.sqrt(length / (5 * FPS))
    direction = move.direction or _USUAL.get(move.kind, "")
    reach = _REACH[move.kind] * float(min(scale, 2.2)) * (-1 if direction in _NEGATIVE else 1)
    if move.kind == "handheld":
        _add_handheld(moved, abs(reach), length, seed, index, returns=returns)
        return
    ease = glide if move.kind in ("pan", "tilt", "truck", "pedestal") else smootherstep
    travelled = _there_and_back(u, ease) if returns else ease(u)
    match move.kind:
        # A real pan or tilt moves the lens a little as well; the slight parallax makes depth visible.
        case "pan":
            moved["pan"] += reach * travelled
            moved["x"] += 0.12 * reach * travelled
        case "tilt":
            moved["tilt"] += reach * travelled
            moved["y"] += 0.12 * reach * travelled
        case "truck":
            moved["x"] += reach * travelled
        case "pedestal":
            moved["y"] += reach * travelled
        case "zoom":
            moved["zoom"] *= (1 + (reach if reach > 0 else _OUTWARD * reach)) ** travelled
        case "dolly":
            moved["z"] += (reach if reach > 0 else _OUTWARD * reach) * travelled
            if reach < 0:  # a step back hardly changes what is far away; a shorter focal length makes it visible
                moved["zoom"] *= (1 + 0.12 * reach) ** travelled
        case "orbit":
            moved["x"] += reach * travelled
            moved["pivot"] = np.ones(length)
        case "roll":
            moved["roll"] += reach * travelled


def _there_and_back(u: F64, ease: Callable[[F64], F64]) -> F64:
    """Half as far, and home again at the end: for a shot that ends on the last picture."""
    return 0.5 * ease(np.clip(u / 0.55, 0, 1)) * (1 - smootherstep((u - 0.45) / 0.55))


def _add_handheld(moved: dict[str, F64], reach: float, length: int, seed: int, index: int, *, returns: bool) -> None:
    """Handheld shake: per axis four sines without a common period, smaller the faster; 0 at the first frame."""
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
        moved[name] += (
            share
            * reach
            * fade
            * (weights[:, None] * np.sin(2 * np.pi * detuned[:, None] * t + phases[:, None])).sum(0)
        )


def _step_closer(moved: dict[str, F64], facts: PictureFacts) -> None:
    """Frame a later shot closer to its subject."""
    target = facts.faces[0] if facts.faces else None
    x, y = (target.x, target.y) if target else (facts.subject_x, facts.subject_y)
    room = (1 - 1 / _CLOSER) / 2
    moved["zoom"] *= _CLOSER
    moved["pan"] += float(np.clip(x - 0.5, -room, room))
    moved["tilt"] += float(np.clip(y - 0.5, -room, room))
