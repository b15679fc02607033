"""Which of the moves that a prompt asks for go less far than asked, because the picture has no room for them: found
when the clip is planned, so that it can be told. Renders nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vivant.engines.diorama.motion.frame.nearness import hold_subject, make_nearness
from vivant.engines.diorama.motion.frame.renderer import SMOOTH_PARALLAX, find_outline
from vivant.engines.diorama.motion.frame.rig import Rig
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.scene.surroundings import measure_room
from vivant.engines.diorama.storyboard import Move, Shot, Storyboard
from vivant.engines.diorama.timing.camera import make_camera, split_segments
from vivant.engines.diorama.timing.framing import make_views
from vivant.engines.diorama.timing.views import WHOLE, View

_SHORT: Final = 0.65  # share of a move, under which it is told
_OUTWARD: Final = frozenset({"zoom", "dolly", "dolly_zoom"})
_ASIDE: Final = frozenset({"pan", "tilt", "truck", "pedestal", "orbit", "roll", "whip"})


def find_short_moves(
    storyboard: Storyboard, scene: Scene, part_of: Callable[[View], Scene] | None = None
) -> tuple[Move, ...]:
    """The asked moves that have room for clearly less than was asked, in order. After a cut a part of the picture is
    seen and has the rest of it for room: `part_of` gives the scene of such a view; without it such shots are left
    out."""
    if storyboard.morph or storyboard.camera_fixed:
        return ()
    views = make_views(storyboard, scene.facts)
    short: list[Move] = []
    for view, shots in zip(views, split_segments(storyboard.shots), strict=True):
        moves = [move for shot in shots for move in shot.moves if move.origin == "prompt"]
        if not any(move.kind in _OUTWARD | _ASIDE for move in moves) or (view != WHOLE and part_of is None):
            continue
        seen = scene if view == WHOLE or part_of is None else part_of(view)
        short += _find_short(moves, _rig(storyboard, shots, scene, seen, view))
    return tuple(short)


def _rig(storyboard: Storyboard, shots: list[Shot], scene: Scene, seen: Scene, view: View) -> Rig:
    """The camera of one segment as it would be without layers. seen: the scene of its view."""
    first, frames = shots[0].start, shots[-1].end - shots[0].start
    alone = Storyboard(
        width=storyboard.width, height=storyboard.height, frames=frames, seed=storyboard.seed,
        language=storyboard.language, audio=False, camera_fixed=False, morph=False,
        shots=tuple(
            Shot(start=shot.start - first, end=shot.end - first, moves=shot.moves) for shot in shots
        ),
    )  # fmt: skip
    camera = make_camera(alone, scene.facts, (view,))
    nearness, subject = make_nearness(seen, camera)
    if float(camera.counter.max()) > 0:
        nearness = hold_subject(seen, nearness, subject)
    height, width = seen.depth.shape
    return Rig(
        camera, (width, height), (nearness,), subject=subject, parallax=SMOOTH_PARALLAX, segments=((0, frames),),
        room=measure_room(seen), keep=find_outline(seen),
    )  # fmt: skip


def _find_short(moves: list[Move], rig: Rig) -> list[Move]:
    return [
        move
        for move in moves
        if (move.kind in _OUTWARD and move.direction == "out" and rig.outward < _SHORT)
        or (move.kind == "dolly_zoom" and rig.outward < _SHORT)
        or (move.kind in _ASIDE and rig.aside < _SHORT)
    ]
