"""All that a subject without a human face does in a frame: one displacement, and patches for its eyes. Where
it is several animals, each moves by itself.

Follows the timeline's curves. Pure functions of the frame number, callable from any thread.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from vivant.engines.diorama.motion.fields import Field, Patch
from vivant.engines.diorama.motion.subject.beside import find_beside
from vivant.engines.diorama.motion.subject.grounds import share_out
from vivant.engines.diorama.motion.subject.lids import Lid
from vivant.engines.diorama.motion.subject.pose import BodyPose
from vivant.engines.diorama.scene.body import Body
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Being
from vivant.engines.diorama.timing.curves import BodyCurves

LAG: Final = 7  # frames by which each of several animals is behind the one before
SIDED: Final = frozenset({"yaw", "roll", "lean", "tail", "drift"})  # curves that have a left and a right
VAGUE: Final = 0.7  # of the motion that is left where its surroundings move along, see `BodyPose`


class BodyMotion:
    """The subject of a scene, and how it moves. Made once per clip."""

    def __init__(self, scene: Scene, body: Body, curves: BodyCurves, *, cut_out: bool, being: Being = "animal") -> None:
        """cut_out: it moves before a completed background; else what is beside it moves along a little."""
        h, w = scene.depth.shape
        self._curves = curves
        self._share = 1.0 if cut_out else VAGUE
        matte = scene.matte.mask
        self._poses = [
            (BodyPose(own, mask, (w, h), cut_out=cut_out, being=being), ground)
            for own, mask, ground in share_out((body, *scene.others), matte)
        ]
        self.beside = find_beside((body, *scene.others), matte, scene.source.planes.y, being) if cut_out else None
        self._lids = tuple(
            tuple(Lid(scene.source, eye) for eye in own.eyes if all(one.blinks for one in own.eyes))
            for own in (body, *scene.others)
        )

    def field(self, n: int) -> Field | None:
        """The displacement at frame n, None at rest."""
        found: Field | None = None
        for number, (pose, ground) in enumerate(self._poses):
            one = pose.field(self._read(number, n, pose.moves))
            if one is None:
                continue
            if ground is not None:
                one = Field(one.dx * ground, one.dy * ground)
            found = one if found is None else Field(found.dx + one.dx, found.dy + one.dy)
        return found

    def patches(self, n: int) -> tuple[Patch, ...]:
        """What differs from the picture at frame n: eyes that are not open."""
        drawn = []
        for number, lids in enumerate(self._lids):
            shut = float(self._curves.lids[_lag(number, n)])
            drawn += [lid.draw(shut) for lid in lids] if shut > 0 else []
        return tuple(drawn)

    def _read(self, number: int, n: int, moves: frozenset[str]) -> dict[str, float]:
        """The curves of the body of this number: each does the same some time after the one before, every other one to
        the other side."""
        at = _lag(number, n)
        other = number % 2 == 1
        return {
            field.name: self._share
            * (-1.0 if other and field.name in SIDED else 1.0)
            * float(getattr(self._curves, field.name)[at])
            for field in fields(BodyCurves)
            if field.name in moves
        }


def _lag(number: int, n: int) -> int:
    return max(0, n - LAG * number)
