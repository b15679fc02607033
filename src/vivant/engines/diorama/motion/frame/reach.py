"""Which of the moves that a prompt asks for go less far than asked, because the picture has no room for them: found
when the clip is planned, so that it can be told. Renders nothing."""

from __future__ import annotations

from typing import Final

from vivant.engines.diorama.motion.frame.renderer import SMOOTH_PARALLAX, make_nearness
from vivant.engines.diorama.motion.frame.rig import Rig
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.scene.surroundings import measure_room
from vivant.engines.diorama.storyboard import Move, Storyboard
from vivant.engines.diorama.timing.camera import make_camera, split_segments

_SHORT: Final = 0.65  # share of a move, under which it is told
_OUTWARD: Final = frozenset({"zoom", "dolly", "dolly_zoom"})
_ASIDE: Final = frozenset({"pan", "tilt", "truck", "pedestal", "orbit", "roll", "whip"})


def find_short_moves(storyboard: Storyboard, scene: Scene) -> tuple[Move, ...]:
    """The asked moves up to the first cut that have room for clearly less than was asked, in order. Later shots show a
    part of the picture and have room around them."""
    if storyboard.morph or storyboard.camera_fixed:
        return ()
    shots = split_segments(storyboard.shots)[0]
    moves = [move for shot in shots for move in shot.moves if move.origin == "prompt"]
    if not any(move.kind in _OUTWARD | _ASIDE for move in moves):
        return ()
    end = shots[-1].end
    height, width = scene.depth.shape
    nearness, subject = make_nearness(scene)
    first = Storyboard(
        width=width, height=height, frames=end, seed=storyboard.seed, language=storyboard.language, audio=False,
        camera_fixed=False, morph=False, shots=tuple(shots),
    )  # fmt: skip
    rig = Rig(
        make_camera(first, scene.facts), (width, height), (nearness,), subject=subject, parallax=SMOOTH_PARALLAX,
        segments=((0, end),), room=measure_room(scene),
    )  # fmt: skip
    return tuple(
        move
        for move in moves
        if (move.kind in _OUTWARD and move.direction == "out" and rig.outward < _SHORT)
        or (move.kind == "dolly_zoom" and move.direction == "in" and rig.outward < _SHORT)
        or (move.kind in _ASIDE and rig.aside < _SHORT)
    )
