"""The pose of a face in the picture: its axes, its size, how far it is turned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from vivant.engines.diorama.scene.faces import measure_axes, measure_turn
from vivant.engines.diorama.scene.scene import Face
from vivant.media import F64

CORNERS: Final = (61, 291)  # of the mouth, left and right in the picture


@dataclass(frozen=True, slots=True, eq=False)
class FacePose:
    """landmarks: float64 (478, 3), canvas pixels. origin: (3,), the middle between the corners of the mouth. axes: (3,
    3), rows are the face's right (as seen in the picture), down and back, unit vectors in canvas space. unit: the
    face's height in pixels.

    Own coordinates: right, down and back of the origin, in face heights."""

    landmarks: F64
    origin: F64
    axes: F64
    unit: float

    @property
    def turned(self) -> float:
        """Angle between the face and the viewer, radians."""
        return measure_turn(self.axes)

    def own(self, points: F64) -> F64:
        """Canvas points, float64 (n, 3), pixels -> own coordinates (n, 3)."""
        away = (points - self.origin) / self.unit
        return np.stack([(away * axis).sum(-1) for axis in self.axes], axis=-1)

    def flat(self, vectors: F64) -> F64:
        """Vectors in own coordinates, float64 (..., 3) -> canvas pixels (..., 2)."""
        projected: F64 = (vectors[..., None] * self.axes[:, :2]).sum(-2) * self.unit
        return projected


def measure_pose(face: Face) -> FacePose:
    """The pose of a face."""
    points = face.landmarks.astype(np.float64)
    return FacePose(points, points[list(CORNERS)].mean(0), measure_axes(points), float(face.size))
