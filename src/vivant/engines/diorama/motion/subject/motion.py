"""All that a subject without a human face does in a frame: one displacement, and patches for its eyes.

Follows the timeline's curves. Pure functions of the frame number, callable from any thread.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from vivant.engines.diorama.motion.fields import Field, Patch
from vivant.engines.diorama.motion.subject.lids import Lid
from vivant.engines.diorama.motion.subject.pose import BodyPose
from vivant.engines.diorama.scene.body import Body
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.timing.curves import BodyCurves

VAGUE: Final = 0.7  # of the motion that is left where its surroundings move along, see `BodyPose`


class BodyMotion:
    """The subject of a scene, and how it moves. Made once per clip."""

    def __init__(self, scene: Scene, body: Body, curves: BodyCurves, *, cut_out: bool) -> None:
        """cut_out: it moves before a completed background; else what is beside it moves along a little."""
        h, w = scene.depth.shape
        self._curves = curves
        self._share = 1.0 if cut_out else VAGUE
        self._pose = BodyPose(body, scene.matte.mask, (w, h), cut_out=cut_out)
        self._lids = tuple(Lid(scene.source, eye) for eye in body.eyes if all(one.blinks for one in body.eyes))
        self._names = tuple(field.name for field in fields(BodyCurves) if field.name in self._pose.moves)

    def field(self, n: int) -> Field | None:
        """The displacement at frame n, None at rest."""
        values = {name: self._share * float(getattr(self._curves, name)[n]) for name in self._names}
        return self._pose.field(values)

    def patches(self, n: int) -> tuple[Patch, ...]:
        """What differs from the picture at frame n: eyes that are not open."""
        shut = float(self._curves.lids[n])
        return tuple(lid.draw(shut) for lid in self._lids) if shut > 0 else ()
