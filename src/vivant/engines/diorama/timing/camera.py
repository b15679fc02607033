"""Where the camera is in each frame: the storyboard's moves as smooth curves. Knows the intent only; the rig in
motion/frame limits the curves to what a scene allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import cv2
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
from vivant.engines.diorama.timing.views import WHOLE, View
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


def make_camera(storyboard: Storyboard, facts: PictureFacts, views: Sequence[View] = (WHOLE,)) -> CameraCurves:
    """The camera of a clip. Frame 0 is home, and so is the first frame after each cut: home is the view of its segment,
    one of `views`. Without a cut each shot goes on from where the one before ended. A storyboard that morphs is home
    again at its last frame."""
    curves = {name: np.full(storyboard.frames, home) for name, home in HOME.items()}
    for view, shots in zip(views, split_segments(storyboard.shots), strict=True):
        start, end = shots[0].start, shots[-1].end
        moved = _segment(storyboard, shots, returns=storyboard.morph and end == storyboard.frames)
        _aim_at_subject(moved, _subject(facts, view))
        for name, values in moved.items():
            curves[name][start:end] = values
    return CameraCurves(**{name: curve.astype(np.float32) for name, curve in curves.items()})


def split_segments(shots: Sequence[Shot]) -> list[list[Shot]]:
    """The shots between one cut and the next."""
    segments: list[list[Shot]] = []
    for shot in shots:
        if shot.cut or not segments:
            segments.append([])
        segments[-1].append(shot)
    return segments


def _subject(facts: PictureFacts, view: View) -> tuple[float, float]:
    """What zooms and dollies aim at: its offset from the middle of the view, shares of the view's width and height. The
    largest face in it, else the subject."""
    inside = [face for face in facts.faces if _is_in(view, face.x, face.y)]
    if inside:
        face = max(inside, key=lambda f: f.height)
        return (face.x - view.x) / view.size, (face.y - view.y) / view.size
    if facts.subject_trust > SUBJECT_TRUSTED and _is_in(view, facts.subject_x, facts.subject_y):
        return (facts.subject_x - view.x) / view.size, (facts.subject_y - view.y) / view.size
    return 0.0, 0.0


def _is_in(view: View, x: float, y: float) -> bool:
    """Whether a point is in the view; the whole picture has no outside."""
    return view == WHOLE or (abs(x - view.x) <= view.size / 2 and abs(y - view.y) <= view.size / 2)


def _aim_at_subject(moved: dict[str, F64], aim: tuple[float, float]) -> None:
    """Aim zooms and dollies at the subject, though not fully: all four borders must still move outward."""
    for name, turn, share in (("x", "pan", aim[0]), ("y", "tilt", aim[1])):
        toward = TOWARD * float(np.clip(share, -0.3, 0.3))
        moved[name] += toward * np.maximum(moved["z"], 0) * (1 - moved["pivot"])
        moved[turn] += toward * (1 - 1 / np.maximum(moved["zoom"], 1))


def _segment(storyboard: Storyboard, shots: Sequence[Shot], *, returns: bool) -> dict[str, F64]:
    """The curves of the shots between two cuts, over all their frames."""
    first, end = shots[0].start, shots[-1].end
    moved = {name: np.full(end - first, home) for name, home in HOME.items()}
    alone = len(shots) == 1
    for shot in shots:
        for move in shot.moves:
            if move.kind not in ("static", "handheld"):
                _add(moved, move, shot.start - first, shot.end - first, returns=returns and alone)
    if any(move.kind == "orbit" for shot in shots for move in shot.moves):
        moved["pivot"] = np.ones(end - first)  # all along: it must not change while x and y are away from home
    _add_handheld(moved, shots, storyboard.seed, storyboard.shots.index(shots[0]), returns=returns)
    if returns and not alone:
        _come_home(moved, shots[-1].start - first)
    return moved


def _add(moved: dict[str, F64], move: Move, start: int, end: int, *, returns: bool) -> None:
    """Add a move over frames start..end-1 of a segment; what it has reached lasts to the end of the segment."""
    length = end - start
    u = np.linspace(0.0, 1.0, length) if length > 1 else np.zeros(1)
    reach = _reach(move, length)
    ease = glide if move.kind in ("pan", "tilt", "truck", "pedestal") else smootherstep
    during = _there_and_back(u, ease) if returns else ease(u)
    travelled = np.concatenate([np.zeros(start), during, np.full(len(moved["x"]) - end, during[-1])])
    match move.kind:
        # A real pan or tilt moves the lens a little as well; the slight parallax makes depth visible.
        case "pan":
            moved["pan"] += reach * travelled
            moved["x"] += 0.12 * reach * travelled
        case "tilt":
            moved["tilt"] += reach * travelled
            moved["y"] += 0.12 * reach * travelled
        case "truck" | "orbit":
            moved["x"] += reach * travelled
        case "pedestal":
            moved["y"] += reach * travelled
        case "zoom":
            moved["zoom"] *= (1 + (reach if reach > 0 else _OUTWARD * reach)) ** travelled
        case "dolly":
            moved["z"] += (reach if reach > 0 else _OUTWARD * reach) * travelled
            if reach < 0:  # a step back hardly changes what is far away; a shorter focal length makes it visible
                moved["zoom"] *= (1 + 0.12 * reach) ** travelled
        case "roll":
            moved["roll"] += reach * travelled


def _reach(move: Move, length: int) -> float:
    """How far a move of so many frames goes, with its sign. Longer ones go further, but less than in proportion, as the
    picture is limited."""
    scale = move.strength / 0.5 * _SPEED[move.speed] * np.sqrt(length / (5 * FPS))
    direction = move.direction or _USUAL.get(move.kind, "")
    return _REACH[move.kind] * float(min(scale, 2.2)) * (-1 if direction in _NEGATIVE else 1)


def _there_and_back(u: F64, ease: Callable[[F64], F64]) -> F64:
    """Half as far, and home again at the end: for a shot that ends on the last picture."""
    return 0.5 * ease(np.clip(u / 0.55, 0, 1)) * (1 - smootherstep((u - 0.45) / 0.55))


def _come_home(moved: dict[str, F64], start: int) -> None:
    """All curves back at home at the end of the segment, from frame `start` of it on."""
    length = len(moved["x"]) - start
    back = 1 - smootherstep(np.linspace(0.0, 1.0, length))
    for name, home in HOME.items():
        if name != "pivot":
            moved[name][start:] = home + (moved[name][start:] - home) * back


def _add_handheld(moved: dict[str, F64], shots: Sequence[Shot], seed: int, index: int, *, returns: bool) -> None:
    """Handheld shake: per axis four sines without a common period, smaller the faster; 0 at the first frame. It swells
    and fades over the shots of the segment that ask for it."""
    first, length = shots[0].start, shots[-1].end - shots[0].start
    reach = np.zeros(length)
    for shot in shots:
        for move in shot.moves:
            if move.kind == "handheld":
                reach[shot.start - first : shot.end - first] = _reach(move, shot.end - shot.start)
    if not reach.any():
        return
    if np.ptp(reach) > 0:
        reach = cv2.GaussianBlur(reach[None], (0, 0), 0.3 * FPS, borderType=cv2.BORDER_REPLICATE)[0]
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
