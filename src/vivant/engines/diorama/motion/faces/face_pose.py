"""How a face sits in the picture: its axes, its size, how far it is turned. Made once from the landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.scene.scene import Face

F64 = NDArray[np.float64]

CORNERS: Final = (61, 291)  # of the mouth, left and right in the picture
OUTER_EYES: Final = (33, 263)
FOREHEAD, CHIN = 10, 152


@dataclass(frozen=True, slots=True, eq=False)
class FacePose:
    """axes: rows are the face's right (the picture's right), down and back as unit vectors of canvas space (x, y, z).
    origin: the middle of the mouth's corners. unit: the face's height in pixels, the unit of `own` coordinates."""

    landmarks: F64
    origin: F64
    axes: F64
    unit: float

    @property
    def turned(self) -> float:
        """How far the head is turned from the viewer, radians, either way."""
        return float(np.arccos(np.clip(self.axes[2, 2], -1, 1)))

    def own(self, points: F64) -> F64:
        """Canvas points (n, 3) -> right, down, back of the mouth's middle in face heights."""
        away = (points - self.origin) / self.unit
        return np.stack([(away * axis).sum(-1) for axis in self.axes], axis=-1)

    def flat(self, vectors: F64) -> F64:
        """Vectors (..., 3) in own coordinates -> canvas pixels (..., 2)."""
        projected: F64 = (vectors[..., None] * self.axes[:, :2]).sum(-2) * self.unit
        return projected


def pose_of(face: Face) -> FacePose:
    points = face.landmarks.astype(np.float64)
    right = points[OUTER_EYES[1]] - points[OUTER_EYES[0]]
    right /= np.linalg.norm(right)
    down = points[CHIN] - points[FOREHEAD]
    down -= (down @ right) * right
    down /= np.linalg.norm(down)
    axes = np.stack([right, down, np.cross(right, down)])
    return FacePose(points, points[list(CORNERS)].mean(0), axes, float(face.size))
