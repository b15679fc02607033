"""Where the camera is in each frame: the storyboard's moves as smooth curves. Knows the intent only; the rig in
motion/frame limits the curves to what a scene allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
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

_SPEED: Final[dict[Speed, float]] = {"slow": 0.6, "normal": 1.0, "fast": 1.5}
_USUAL: Final[dict[MoveKind, Direction]] = {
    "pan": "right", "truck": "right", "orbit": "right", "tilt": "up", "pedestal": "up", "zoom": "in", "dolly": "in",
    "roll": "clockwise", "whip": "right", "dolly_zoom": "out", "rack_focus": "out",
}  # fmt: skip
_NEGATIVE: Final = frozenset({"left", "up", "out", "counterclockwise"})

# How far a move of strength 0.5 at normal speed goes in five seconds: far enough that one feels it; tuned by eye on the
# sample photos.
_REACH: Final[dict[MoveKind, float]] = {
    "pan": 0.13,  # widths
    "tilt": 0.13,  # heights
    "zoom": 0.24,  # share of the focal length
    "dolly": 0.26,  # share of the way to the nearest thing
    "truck": 0.14,  # widths by which the subject passes
    "pedestal": 0.19,  # heights
    "orbit": 0.32,  # by which what is at the border comes nearer or goes away
    "roll": 0.11,  # radians
    "handheld": 0.0062,  # widths, standard deviation
    "whip": 0.24,  # widths between the views before and after
    "dolly_zoom": 0.5,  # share of the way to the nearest thing
    "rack_focus": 1.0,  # of the blur
}  # fmt: skip
_MOST: Final = 2.6  # times the usual reach: more is more than a picture holds
_FELT: Final = 1.7  # power of a strength over the usual one: "dramatic" (1.5) is twice as far
_OUTWARD: Final = 0.7  # of the reach for moves outward, which show what lies beyond the picture
_LENS: Final = 1.5  # by which the lens helps a dolly, times its reach squared: what is far away hardly grows by the way
_SIDEWAYS: Final = 0.5  # of the reach of an orbit, by which the camera passes the subject, widths
# Of the reach of an orbit about no subject of its own, by which the view lags behind it, widths: what is far would
# stand still, and the side that goes away would need a zoom for its room.
_TRAILS: Final = 0.3
_LOOKS_BACK: Final = 0.3  # of the reach of a pedestal, by which the camera turns to what it rises over, heights
_KEYSTONE: Final = 0.25  # of it, by which what is at the border comes nearer or goes away
_BEGINS: Final = 0.4  # seconds in which a move aside comes up to its speed: with more, nothing is seen to begin
_ENDS: Final = 0.6  # seconds in which it comes to rest: with more, nothing is seen to move in the last quarter
_EASED: Final = 0.2  # of its time at most, each
_WHIP_SECONDS: Final = 0.6  # that a whip takes
_WHIP_TURNS: Final = 2.0  # widths that the view is torn through: the picture and its mirror image
_WHIP_AT: Final = 0.45  # of the shot
TOWARD: Final = 0.75  # how far a zoom or dolly aims from the middle of the picture to its subject


def make_camera(storyboard: Storyboard, facts: PictureFacts, views: Sequence[View] = (WHOLE,)) -> CameraCurves:
    """The camera of a clip. Frame 0 is home, and so is the first frame after each cut: home is the view of its segment,
    one of `views`. Without a cut each shot goes on from where the one before ended. A storyboard that morphs is home
    again at its last frame."""
    curves = {name: np.full(storyboard.frames, home) for name, home in HOME.items()}
    for view, shots in zip(views, split_segments(storyboard.shots), strict=True):
        start, end = shots[0].start, shots[-1].end
        subject = _subject(facts, view)
        returns = storyboard.morph and end == storyboard.frames
        moved = _segment(storyboard, shots, returns=returns, about=subject is not None)
        _aim_at_subject(moved, subject or (0.0, 0.0))
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


def _subject(facts: PictureFacts, view: View) -> tuple[float, float] | None:
    """What zooms and dollies aim at, and orbits turn about: its offset from the middle of the view, shares of the
    view's width and height. The largest face in it, else the subject; None for none."""
    inside = [face for face in facts.faces if _is_in(view, face.x, face.y)]
    if inside:
        face = max(inside, key=lambda f: f.height)
        return (face.x - view.x) / view.size, (face.y - view.y) / view.size
    if facts.subject_trust > SUBJECT_TRUSTED and _is_in(view, facts.subject_x, facts.subject_y):
        return (facts.subject_x - view.x) / view.size, (facts.subject_y - view.y) / view.size
    return None


def _is_in(view: View, x: float, y: float) -> bool:
    """Whether a point is in the view; the whole picture has no outside."""
    return view == WHOLE or (abs(x - view.x) <= view.size / 2 and abs(y - view.y) <= view.size / 2)


def _aim_at_subject(moved: dict[str, F64], aim: tuple[float, float]) -> None:
    """Aim zooms and dollies at the subject, though not fully: all four borders must still move outward."""
    for name, turn, share in (("x", "pan", aim[0]), ("y", "tilt", aim[1])):
        toward = TOWARD * float(np.clip(share, -0.3, 0.3))
        # Of what the subject passes by: z counts the way to the nearest thing, of which about half reaches the subject.
        moved[name] += 0.5 * toward * np.maximum(moved["z"], 0) * (1 - moved["pivot"]) * (1 - moved["counter"])
        moved[turn] += toward * (1 - 1 / np.maximum(moved["zoom"], 1))


def _segment(storyboard: Storyboard, shots: Sequence[Shot], *, returns: bool, about: bool) -> dict[str, F64]:
    """The curves of the shots between two cuts, over all their frames. about: whether there is a subject to orbit."""
    first, end = shots[0].start, shots[-1].end
    moved = {name: np.full(end - first, home) for name, home in HOME.items()}
    alone = len(shots) == 1
    for shot in shots:
        for move in shot.moves:
            if move.kind not in ("static", "handheld"):
                _add(moved, move, shot.start - first, shot.end - first, returns=returns and alone, about=about)
    if any(move.kind == "orbit" for shot in shots for move in shot.moves):
        moved["pivot"] = np.ones(end - first)  # all along: it must not change while x and y are away from home
    _add_handheld(moved, shots, storyboard.seed, storyboard.shots.index(shots[0]), returns=returns)
    if returns and not alone:
        _come_home(moved, shots[-1].start - first)
    return moved


def _add(moved: dict[str, F64], move: Move, start: int, end: int, *, returns: bool, about: bool) -> None:
    """Add a move over frames start..end-1 of a segment; what it has reached lasts to the end of the segment."""
    length = end - start
    u = np.linspace(0.0, 1.0, length) if length > 1 else np.zeros(1)
    reach = _reach(move, length)
    if move.kind == "rack_focus":
        _rack(moved, start, u, inward=reach > 0, strength=min(1.0, abs(reach)))
        return
    aside = move.kind in ("pan", "tilt", "truck", "pedestal", "orbit")
    begins, ends = (min(_EASED, seconds * FPS / length) for seconds in (_BEGINS, _ENDS))
    ease = partial(glide, into=begins, ramp=ends) if aside else smootherstep
    if move.kind == "whip" and length > 1:
        quick = min(1.0, _WHIP_SECONDS * FPS / length)
        u = (u - max(0.0, _WHIP_AT - quick / 2)) / quick
    during = _there_and_back(u, ease) if returns else ease(u)
    travelled = np.concatenate([np.zeros(start), during, np.full(len(moved["x"]) - end, during[-1])])
    match move.kind:
        # A real pan or tilt moves the lens a little as well; the slight parallax makes depth visible.
        case "pan":
            moved["pan"] += 0.9 * reach * travelled
            moved["x"] += 0.1 * reach * travelled
        case "tilt":
            moved["tilt"] += 0.9 * reach * travelled
            moved["y"] += 0.1 * reach * travelled
        case "whip":
            moved["pan"] += reach * travelled
            if not returns:
                moved["whip"] += _WHIP_TURNS * np.sign(reach) * travelled
        case "truck":
            moved["x"] += reach * travelled
        case "orbit":
            moved["x"] += _SIDEWAYS * reach * travelled
            moved["yaw"] += reach * travelled
            moved["pan"] += (0.0 if about else _TRAILS) * reach * travelled
        case "pedestal":
            # Turning back leaves of the rise what tells it from a tilt: the ground sinks more than the distance.
            moved["y"] += reach * travelled
            moved["tilt"] -= _LOOKS_BACK * reach * travelled
            moved["pitch"] += _KEYSTONE * reach * travelled
        case "zoom":
            moved["zoom"] *= (1 + abs(reach) * (1 if reach > 0 else _OUTWARD)) ** (np.sign(reach) * travelled)
        case "dolly":
            moved["z"] += (reach if reach > 0 else _OUTWARD * reach) * travelled
            moved["zoom"] *= (1 + _LENS * reach**2) ** (np.sign(reach) * travelled)
        case "dolly_zoom":
            moved["z"] += reach * travelled
            moved["counter"] = np.ones_like(moved["counter"])
        case "roll":
            moved["roll"] += reach * travelled


def _rack(moved: dict[str, F64], start: int, u: F64, *, inward: bool, strength: float) -> None:
    """The focus goes from what is far to what is near (inward) or the other way. A photograph shows both as they are;
    so first what the focus is not on goes soft, then the focus changes over."""
    first, second = ("near_soft", "far_soft") if inward else ("far_soft", "near_soft")
    over = smootherstep((u - 0.38) / 0.34)
    after = len(moved["x"]) - start - len(u)
    for name, values in ((first, smootherstep(u / 0.24) * (1 - over)), (second, over)):
        moved[name][start:] = strength * np.concatenate([values, np.full(after, values[-1])])


def _reach(move: Move, length: int) -> float:
    """How far a move of so many frames goes, with its sign. Longer ones go further, but less than in proportion, as the
    picture is limited."""
    strength = move.strength / 0.5
    scale = (strength**_FELT if strength > 1 else strength) * _SPEED[move.speed]
    if move.kind in ("whip", "rack_focus"):
        scale = min(scale, 1.5)  # as long as they take, they go from one view to another
    else:
        scale *= np.sqrt(length / (5 * FPS))
    direction = move.direction or _USUAL.get(move.kind, "")
    return _REACH[move.kind] * float(min(scale, _MOST)) * (-1 if direction in _NEGATIVE else 1)


def _there_and_back(u: F64, ease: Callable[[F64], F64]) -> F64:
    """Half as far, and home again at the end: for a shot that ends on the last picture."""
    return 0.5 * ease(np.clip(u / 0.55, 0, 1)) * (1 - smootherstep((u - 0.45) / 0.55))


def _come_home(moved: dict[str, F64], start: int) -> None:
    """All curves back at home at the end of the segment, from frame `start` of it on."""
    length = len(moved["x"]) - start
    back = 1 - smootherstep(np.linspace(0.0, 1.0, length))
    for name, home in HOME.items():
        if name not in ("pivot", "counter"):
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
    frequencies = np.array([0.31, 0.62, 1.17, 2.1])  # Hz
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
