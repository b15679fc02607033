"""Which part of the picture each segment shows: the whole one until the first cut, after a cut what its framing asks
for, as far as the picture has the pixels. Knows where faces and the subject are, no pixels."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vivant.engines.diorama.storyboard import (
    SUBJECT_TRUSTED,
    FaceFact,
    Framing,
    PictureFacts,
    ShotSize,
    Storyboard,
    Target,
)
from vivant.engines.diorama.timing.views import WHOLE, View

_MOST_ENLARGED: Final = 1.7  # canvas pixels per pixel of the picture; with more a view looks soft
_SMALLEST: Final = 0.22  # of the canvas, whatever the picture has
_SAME: Final = 0.18  # difference in log size, and in place as a share of the view, under which a cut is not seen
_OTHER: Final = 0.68  # size of a view beside the one before, where nothing else makes a difference
_TILTED: Final = 0.12  # of the canvas height, by which a low or high angle looks up or down

# Height of the view in heights of the face, brow to chin.
_OF_FACE: Final[dict[ShotSize, float]] = {"medium": 5.2, "close-up": 3.1, "detail": 1.9}
_OF_PARTS: Final[dict[Target, tuple[float, float]]] = {"eyes": (0.85, -0.32), "mouth": (0.8, 0.28)}  # and its middle
# How far under the middle of the face that of the view is, in heights of the face: the eyes stay in the upper half, and
# the nearer the view, the less of the chest and then of the chin is in it.
_BELOW: Final = ((1.2, 1.7, 2.3, 3.1, 5.2), (-0.3, -0.22, 0.0, 0.35, 1.25))
# Share of the canvas, where there is no face: times the size of the subject, at least and at most.
_OF_SUBJECT: Final[dict[ShotSize, tuple[float, float, float]]] = {
    "medium": (1.5, 0.6, 0.78), "close-up": (1.05, 0.42, 0.62), "detail": (0.6, 0.3, 0.42),
}  # fmt: skip


def make_views(board: Storyboard, facts: PictureFacts) -> tuple[View, ...]:
    """One view for each segment: for the first, and for each cut."""
    views = [WHOLE]
    for shot in board.shots:
        if shot.cut:
            views.append(_frame(shot.framing, facts, views[-1]))
    return tuple(views)


def _frame(framing: Framing | None, facts: PictureFacts, before: View) -> View:
    if framing is None or framing == Framing(words=framing.words):
        framing = Framing(size="medium" if before.size > 0.8 else "wide")
    size: ShotSize = framing.size or ("close-up" if framing.target else "medium" if before.size > 0.8 else "close-up")
    if size == "wide" and not framing.angle:
        return WHOLE
    least = max(_SMALLEST, min(1.0, 1 / (_MOST_ENLARGED * facts.detail)))
    wanted = min(_size(framing, size, facts), 1 - 1.5 * _TILTED if framing.angle else 1.0)
    view = _view(framing, facts, max(wanted, least))
    if not _is_like(view, before):
        return view
    closer = view.size * _OTHER
    return _view(framing, facts, closer if closer >= least else min(1.0, view.size / _OTHER))


def _size(framing: Framing, size: ShotSize, facts: PictureFacts) -> float:
    """Of the view, as a share of the canvas."""
    face = _face(framing, facts)
    if size == "wide":
        return 1.0
    if face is not None and framing.target != "hands":
        height = _OF_PARTS[framing.target][0] if framing.target in _OF_PARTS else _OF_FACE[size]
        return min(0.85, height * face.height)
    if framing.target in ("left", "right", "hands"):
        return 0.5
    grown, low, high = _OF_SUBJECT[size]
    if facts.subject_trust <= SUBJECT_TRUSTED:
        return (low + high) / 2
    return min(high, max(low, grown * math.sqrt(facts.subject)))


def _view(framing: Framing, facts: PictureFacts, size: float) -> View:
    """The view of this size on what the framing is on."""
    face = _face(framing, facts)
    trusted = facts.subject_trust > SUBJECT_TRUSTED
    x, y = (facts.subject_x, facts.subject_y) if trusted else (0.5, 0.5)
    if framing.target in ("left", "right"):
        x = 0.27 if framing.target == "left" else 0.73
    elif face is not None:
        below = float(np.interp(size / face.height, *_BELOW))
        if framing.target in _OF_PARTS:
            below = _OF_PARTS[framing.target][1]
        elif framing.target == "hands":
            below = 2.6
        x, y = face.x, face.y + below * face.height
    elif framing.target == "hands":
        y += 0.18
    if framing.angle:
        y += _TILTED if framing.angle == "high" else -_TILTED
    return _inside(size, x, y)


def _face(framing: Framing, facts: PictureFacts) -> FaceFact | None:
    if 0 <= framing.face_index < len(facts.faces):
        return facts.faces[framing.face_index]
    if framing.target in ("left", "right", "subject"):
        return None
    return max(facts.faces, key=lambda face: face.height, default=None)


def _inside(size: float, x: float, y: float) -> View:
    """The view of this size whose middle is as near to x, y as the picture allows."""
    room = 1 - size
    return View(left=min(room, max(0.0, x - size / 2)), top=min(room, max(0.0, y - size / 2)), size=size)


def _is_like(one: View, other: View) -> bool:
    apart = math.hypot(one.x - other.x, one.y - other.y) / max(one.size, other.size)
    return abs(math.log(one.size / other.size)) < _SAME and apart < _SAME
