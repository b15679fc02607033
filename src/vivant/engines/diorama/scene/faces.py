"""Finds faces and 478 landmarks on each: two detectors (for near, then for far faces), then the attention mesh.

Formulae and constants are those of mediapipe 0.10.21, whose networks ship in `assets/models`; see there for sources and
licences. This module knows pictures only: nothing of speech, time or motion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from vivant.assets import asset
from vivant.engines.diorama.inference import load_model
from vivant.engines.diorama.scene.scene import Face
from vivant.engines.diorama.storyboard import FaceFact
from vivant.media import F32, F64, U8
from vivant.request import Canvas

# Which mesh point each refined point of the attention mesh replaces, in the order of its outputs.
LIPS: Final = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408,
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
)  # fmt: skip
LEFT_EYE: Final = (
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173,
    130, 25, 110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190,
    226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189,
    35, 124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120, 121, 128, 245,
    156, 70, 63, 105, 66, 107, 55, 193,
)  # fmt: skip
RIGHT_EYE: Final = (
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398,
    359, 255, 339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414,
    446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442, 441, 413,
    265, 353, 276, 283, 282, 295, 372, 340, 346, 347, 348, 349, 350, 357, 465,
    383, 300, 293, 334, 296, 336, 285, 417,
)  # fmt: skip

BROWS: Final = (105, 334)  # the top of each brow
FOREHEAD, CHIN = 10, 152
OUTER_EYES: Final = (33, 263)
SMALLEST: Final = 24.0  # pixels of face height under which a face does not move
PROFILE: Final = float(np.radians(60))  # turned away from the viewer, from which it does not either
MESH_INPUT: Final = 192  # pixels
REGION: Final = 1.5  # side of the mesh's crop over the larger side of the box
PRESENT: Final = 0.5  # the mesh's own probability from which there is a face
SAME: Final = 0.3  # intersection over union of two boxes that are one face
LARGEST: Final = 8  # as many faces are kept, the largest; the others of a crowd are not animated


@dataclass(frozen=True, slots=True)
class Crop:
    """A square of the picture turned by `angle` (radians) about its centre; all else in pixels."""

    x: float
    y: float
    side: float
    angle: float = 0.0

    def sample(self, rgb: U8, n: int, border: int) -> U8:
        """The square as n x n pixels, bilinear. Output pixel (i, j) is (i/n - ½, j/n - ½)·side, no half-pixel term."""
        c, s = np.cos(self.angle) * self.side / n, np.sin(self.angle) * self.side / n
        turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
        turn[:2, 2] = np.array([self.x, self.y]) - turn[:2, :2] @ [n / 2, n / 2]
        return cv2.warpPerspective(
            rgb, turn, (n, n), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=border
        ).astype(np.uint8, copy=False)

    def to_picture(self, points: F64, n: int) -> F64:
        """Points (k, 3) in pixels of the n x n crop -> the same in picture pixels."""
        u, v = points[:, 0] / n - 0.5, points[:, 1] / n - 0.5
        c, s = np.cos(self.angle), np.sin(self.angle)
        x = self.x + (u * c - v * s) * self.side
        y = self.y + (u * s + v * c) * self.side
        return np.stack([x, y, points[:, 2] * self.side / n], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Detector:
    """One of the two networks, with its anchors (centres of cells, 0..1)."""

    net: Any
    size: int
    threshold: float
    anchors: F64

    def find_boxes(self, rgb: U8) -> list[tuple[float, F64]]:
        """(score, points) of each face, best first. points (8, 2) in picture pixels: two corners of the box, eye at the
        picture's left, eye at its right, nose tip, mouth, both ears."""
        h, w = rgb.shape[:2]
        side = float(max(w, h))
        seen = Crop(w / 2, h / 2, side).sample(rgb, self.size, cv2.BORDER_CONSTANT)
        raw, logits = self.net.run(None, {"image": (seen.astype(np.float32) / 127.5 - 1)[None]})
        scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0].astype(np.float64), -100, 100)))
        kept = scores >= self.threshold
        rows, centres, scores = raw[0][kept].astype(np.float64) / self.size, self.anchors[kept], scores[kept]
        middle, half = rows[:, :2] + centres, rows[:, 2:4] / 2
        keys = rows[:, 4:].reshape(-1, 6, 2) + centres[:, None]
        points = np.concatenate([(middle - half)[:, None], (middle + half)[:, None], keys], axis=1)
        order = np.argsort(-scores, kind="stable")
        points, scores = points[order], scores[order]
        found: list[tuple[float, F64]] = []
        while len(points):  # the mean of all that overlap the best, weighted by score
            near = measure_overlap(points[0], points) > SAME
            near[0] = True
            mean = (points[near] * scores[near, None, None]).sum(0) / scores[near].sum()
            found.append((float(scores[0]), mean * side + [(w - side) / 2, (h - side) / 2]))
            points, scores = points[~near], scores[~near]
        return found


class FaceFinder:
    """Finds the faces of a picture. Loads three networks when built; `find` may be called from one thread at a time."""

    def __init__(self) -> None:
        self._near = Detector(_session("face_detect_short"), 128, 0.5, _anchors(128, ((8, 2), (16, 6))))
        self._far = Detector(_session("face_detect_full"), 192, 0.6, _anchors(192, ((4, 1),)))
        self._mesh = _session("face_mesh_attention")
        self._outputs = [output.name for output in self._mesh.get_outputs()]

    def find(self, rgb: U8) -> tuple[Face, ...]:
        """The faces of an RGB uint8 (h, w, 3) picture, at most LARGEST, from left to right.

        Both detectors look: the near one sees one large face best, the far one small ones and groups. A box counts only
        if the mesh agrees that there is a face; `score` is the lower of the two opinions.
        """
        boxes: list[tuple[float, F64]] = []
        for score, points in [*self._near.find_boxes(rgb), *self._far.find_boxes(rgb)]:
            if all(measure_overlap(points, other[None])[0] <= SAME for _, other in boxes):
                boxes.append((score, points))
        found: list[Face] = []
        for score, points in boxes:
            landmarks, presence = self.find_landmarks(rgb, make_mesh_crop(points[0], points[1], points[2], points[3]))
            if presence <= PRESENT:
                continue
            # A second look along the mesh's own eye line: boxes of tilted faces are loose.
            flat = landmarks[:, :2]
            landmarks, again = self.find_landmarks(rgb, make_mesh_crop(flat.min(0), flat.max(0), flat[33], flat[263]))
            if again <= PRESENT:
                continue
            found.append(
                Face(landmarks.astype(np.float32), min(score, presence, again), measure_face_height(landmarks))
            )
        distinct: list[Face] = []
        for face in sorted(found, key=lambda face: -face.size):
            if all(_distance(face, other) > other.size / 2 for other in distinct):
                distinct.append(face)
        return tuple(sorted(distinct[:LARGEST], key=lambda face: float(face.landmarks[:, 0].mean())))

    def find_landmarks(self, rgb: U8, crop: Crop) -> tuple[F64, float]:
        """Landmarks (478, 3) in picture pixels and the mesh's probability, 0..1, that there is a face in the crop."""
        n = MESH_INPUT
        seen = crop.sample(rgb, n, cv2.BORDER_REPLICATE).astype(np.float32) / 255
        out = dict(zip(self._outputs, self._mesh.run(None, {"image": seen[None]}), strict=True))
        points = np.zeros((478, 3))
        points[:468] = out["mesh"].reshape(468, 3)
        for name, index in (("lips", LIPS), ("left_eye", LEFT_EYE), ("right_eye", RIGHT_EYE)):
            points[list(index), :2] = out[name].reshape(-1, 2)
        for name, first, eye in (("left_iris", 468, LEFT_EYE), ("right_iris", 473, RIGHT_EYE)):
            points[first : first + 5, :2] = out[name].reshape(5, 2)
            points[first : first + 5, 2] = points[list(eye[:16]), 2].mean()
        presence = 1 / (1 + np.exp(-float(out["presence"].ravel()[0])))
        return crop.to_picture(points, n), presence


def describe_face(face: Face, canvas: Canvas) -> FaceFact:
    """The face as the script sees it: its middle and height as shares of the canvas."""
    x, y = (face.landmarks[[*BROWS, CHIN], :2].mean(0) / [canvas.width, canvas.height]).tolist()
    still = face.size < SMALLEST or measure_turn(measure_axes(face.landmarks.astype(np.float64))) >= PROFILE
    return FaceFact(x=x, y=y, height=face.size / canvas.height, still=still)


def measure_axes(landmarks: F64) -> F64:
    """(3, 3): the face's right (as seen in the picture), down and back, unit vectors. Right is the way between outer
    eyes, down the way to the chin at a right angle to it. landmarks: (478, 3)."""
    right = landmarks[OUTER_EYES[1]] - landmarks[OUTER_EYES[0]]
    right /= np.linalg.norm(right)
    down = landmarks[CHIN] - landmarks[FOREHEAD]
    down -= (down @ right) * right
    down /= np.linalg.norm(down)
    return np.stack([right, down, np.cross(right, down)])


def measure_turn(axes: F64) -> float:
    """Angle between a face with these axes, (3, 3), and the viewer, radians."""
    return float(np.arccos(np.clip(axes[2, 2], -1, 1)))


def measure_face_height(landmarks: F32 | F64) -> float:
    """From the brows to the chin, in the unit of the landmarks (478, 3); measured in depth too, so that a
    nod does not shorten a face."""
    return float(np.linalg.norm(landmarks[list(BROWS)].mean(0) - landmarks[CHIN]))


def make_mesh_crop(low: F64, high: F64, eye_a: F64, eye_b: F64) -> Crop:
    """The mesh's crop for a box low..high whose eyes (left and right in the picture) are at a and b; (2,), pixels."""
    x, y = (low + high) / 2
    angle = np.arctan2(eye_b[1] - eye_a[1], eye_b[0] - eye_a[0])
    return Crop(float(x), float(y), REGION * float((high - low).max()), float(angle))


def measure_overlap(box: F64, boxes: F64) -> F64:
    """Intersection over union of one box (>=2, 2) with each of boxes (k, >=2, 2), rows 0 and 1 the corners."""
    low, high = np.maximum(box[0], boxes[:, 0]), np.minimum(box[1], boxes[:, 1])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    area = np.prod(box[1] - box[0]) + np.prod(boxes[:, 1] - boxes[:, 0], axis=1)
    result: F64 = shared / np.maximum(area - shared, 1e-12)
    return result


def _distance(a: Face, b: Face) -> float:
    return float(np.linalg.norm(a.landmarks[:, :2].mean(0) - b.landmarks[:, :2].mean(0)))


def _session(name: str) -> Any:
    return load_model(asset(f"models/{name}.onnx").read_bytes())


def _anchors(size: int, layers: tuple[tuple[int, int], ...]) -> F64:
    """Centres (k, 2) of cells, rows first; layers are (stride in pixels, anchors per cell)."""
    parts = []
    for stride, per_cell in layers:
        n = size // stride
        y, x = np.mgrid[0:n, 0:n]
        parts.append(np.repeat(np.stack([(x + 0.5) / n, (y + 0.5) / n], -1).reshape(-1, 2), per_cell, axis=0))
    return np.concatenate(parts)
