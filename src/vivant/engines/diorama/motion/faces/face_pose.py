"""The pose of a face in the picture: its axes, its size, how far it is turned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from vivant.engines.diorama.scene.scene import Face
from vivant.media import F64

CORNERS: Final = (61, 291)  # of the mouth, left and right in the picture
OUTER_EYES: Final = (33, 263)
FOREHEAD, CHIN = 10, 152


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
        return float(np.arccos(np.clip(self.axes[2, 2], -1, 1)))

    def own(self, points: F64) -> F64:
        """Canvas points, float64 (n, 3), pixels -> own coordinates (n, 3)."""
        away = (points - self.origin) / self.unit
        return np.stack([(away * axis).sum(-1) for axis in self.axes], axis=-1)

    def flat(self, vectors: F64) -> F64:
        """Vectors in own coordinates, float64 (..., 3) -> canvas pixels (..., 2)."""
        projected: F64 = (vectors[..., None] * self.axes[:, :2]).sum(-2) * self.unit
        return projected


def measure_pose(face: Face) -> FacePose:
    """The pose of a face: right is the way between the outer eyes, down the way to the chin at a right angle to it."""
    points = face.landmarks.astype(np.float64)
    right = points[OUTER_EYES[1]] - points[OUTER_EYES[0]]
    right /= np.linalg.norm(right)
    down = points[CHIN] - points[FOREHEAD]
    down -= (down @ right) * right
    down /= np.linalg.norm(down)
    axes = np.stack([right, down, np.cross(right, down)])
    return FacePose(points, points[list(CORNERS)].mean(0), axes, float(face.size))
