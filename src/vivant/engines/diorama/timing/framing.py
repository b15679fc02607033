"""Which part of the picture each take shows: the whole one until the first cut, after a cut what its framing asks for,
as far as the picture has the pixels. Knows where faces and the subject are, no pixels."""

from __future__ import annotations

import math
from typing import Final

from vivant.engines.diorama.storyboard import SUBJECT_TRUSTED, FaceFact, Framing, PictureFacts, ShotSize, Storyboard
from vivant.engines.diorama.timing.views import WHOLE, View

_MOST_ENLARGED: Final = 1.7  # canvas pixels per pixel of the picture; with more a view looks soft
_SMALLEST: Final = 0.22  # of the canvas, whatever the picture has
_SAME: Final = 0.18  # difference in log size, and in place as a share of the view, under which a cut is not seen
_OTHER: Final = 0.68  # size of a view beside the one before, where nothing else makes a difference
_TILTED: Final = 0.12  # of the canvas height, by which a low or high angle looks up or down

# Height of the view in heights of the face (brow to chin) and how far under the middle of the face its middle is.
_OF_FACE: Final[dict[ShotSize, tuple[float, float]]] = {
    "medium": (5.2, 1.25), "close-up": (3.1, 0.35), "detail": (2.0, 0.0),
}  # fmt: skip
# Share of the canvas, where there is no face: times the size of the subject, at least and at most.
_OF_SUBJECT: Final[dict[ShotSize, tuple[float, float, float]]] = {
    "medium": (1.5, 0.6, 0.78), "close-up": (1.05, 0.42, 0.62), "detail": (0.6, 0.3, 0.42),
}  # fmt: skip
_PARTS: Final = {"eyes": (1.5, -0.30), "mouth": (1.4, 0.28)}  # of a face: height of the view, and its middle


def make_views(board: Storyboard, facts: PictureFacts) -> tuple[View, ...]:
    """One view for each take: for the first, and for each cut."""
    views = [WHOLE]
    for shot in board.shots:
        if shot.cut:
            views.append(_frame(shot.framing, facts, views[-1]))
    return tuple(views)


def _frame(framing: Framing | None, facts: PictureFacts, before: View) -> View:
    least = max(_SMALLEST, min(1.0, 1 / (_MOST_ENLARGED * facts.detail)))
    if framing is None or (not framing.size and not framing.angle and not framing.target and framing.face_index < 0):
        framing = Framing(size="medium" if before.size > 0.8 else "wide")
    size, x, y = _place(framing, facts, before)
    if framing.angle:
        y += _TILTED if framing.angle == "high" else -_TILTED
        size = min(size, 1 - 1.5 * _TILTED)
    view = _inside(max(size, least), x, y)
    if framing.size == "wide" or not _is_like(view, before):
        return view
    closer = view.size * _OTHER
    return _inside(closer if closer >= least else min(1.0, view.size / _OTHER), x, y)


def _place(framing: Framing, facts: PictureFacts, before: View) -> tuple[float, float, float]:
    """(size, x, y): share of the canvas, and the middle of the view in shares of it."""
    size: ShotSize = framing.size or ("close-up" if framing.target else "medium" if before.size > 0.8 else "close-up")
    if size == "wide":
        return 1.0, 0.5, 0.5
    if framing.target in ("left", "right"):
        return 0.55, 0.27 if framing.target == "left" else 0.73, 0.5
    face = _face(framing, facts)
    if framing.target == "hands" and face is None:
        return 0.5, facts.subject_x, facts.subject_y + 0.18
    if face is None:
        grown, low, high = _OF_SUBJECT[size]
        if facts.subject_trust <= SUBJECT_TRUSTED:
            return (low + high) / 2, 0.5, 0.5
        return min(high, max(low, grown * math.sqrt(facts.subject))), facts.subject_x, facts.subject_y
    if framing.target == "hands":
        return min(0.7, 4 * face.height), face.x, face.y + 2.6 * face.height
    height, below = _PARTS.get(framing.target) or _OF_FACE[size]
    return min(0.85, height * face.height), face.x, face.y + below * face.height


def _face(framing: Framing, facts: PictureFacts) -> FaceFact | None:
    if 0 <= framing.face_index < len(facts.faces):
        return facts.faces[framing.face_index]
    if framing.target in ("face", "eyes", "mouth", "") or framing.target == "hands":
        return max(facts.faces, key=lambda face: face.height, default=None)
    return None


def _inside(size: float, x: float, y: float) -> View:
    """The view of this size whose middle is as near to x, y as the picture allows."""
    room = 1 - size
    return View(left=min(room, max(0.0, x - size / 2)), top=min(room, max(0.0, y - size / 2)), size=size)


def _is_like(one: View, other: View) -> bool:
    apart = math.hypot(one.x - other.x, one.y - other.y) / max(one.size, other.size)
    return abs(math.log(one.size / other.size)) < _SAME and apart < _SAME
