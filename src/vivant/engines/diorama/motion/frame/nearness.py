"""How near each place of a picture is, as a camera that moves needs it."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.fields import STEP, sample_quarter
from vivant.engines.diorama.motion.frame.rig import FAR
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import SUBJECT_TRUSTED
from vivant.engines.diorama.timing.curves import CameraCurves
from vivant.media import F32

_FALLS_OFF: Final = 0.04  # of the longer side, over which nearness falls off about a subject that was not cut out


def make_nearness(scene: Scene, camera: CameraCurves | None = None) -> tuple[F32, float]:
    """The nearness of a scene, float32 on the quarter grid, FAR..1, as `camera` needs it, and that of its subject."""
    nearness = sample_quarter(filters.blur(FAR + (1 - FAR) * scene.depth, 2.0))
    if camera is not None and not scene.depth_measured and _rises(camera):
        nearness = even_columns(nearness)
    return nearness, measure_subject_nearness(scene, nearness)


def _rises(camera: CameraCurves) -> bool:
    """Whether it goes up or down more than aside."""
    return float(np.abs(camera.y).max()) > float(np.abs(camera.x).max())


def even_columns(nearness: F32) -> F32:
    """Nearness, float32 (h, w), FAR..1, in which no column as a whole is nearer than another: the cards that towers in
    haze are guessed to be stay upright as one passes them, but as one rises over them a horizon behind them bends."""
    nearer = np.median(nearness - np.median(nearness, axis=1, keepdims=True), axis=0, keepdims=True)
    return np.asarray(np.clip(nearness - nearer, FAR, 1), np.float32)


def hold_subject(scene: Scene, nearness: F32, subject: float) -> F32:
    """For a dolly zoom over one surface: the nearness with the whole subject, if it is trusted, at the one distance
    that keeps its size, falling off softly about it. float32 on the quarter grid, like `nearness`."""
    if scene.matte.trust <= SUBJECT_TRUSTED:
        return nearness
    soft = _FALLS_OFF * max(nearness.shape)
    reach = 2 * round(1.5 * soft) + 1
    held = cv2.dilate(sample_quarter(scene.matte.mask), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    mask = filters.blur(np.asarray(held, np.float32), soft)
    return (nearness + mask * (subject - nearness)).astype(np.float32)


def measure_subject_nearness(scene: Scene, nearness: F32) -> float:
    """Nearness of what an orbit turns about: of the subject if it is trusted, else of the middle of the picture.
    nearness: float32 on the quarter grid."""
    mask = scene.matte.mask[::STEP, ::STEP]
    if scene.matte.trust > SUBJECT_TRUSTED and float(mask.sum()) > 1:
        return float((nearness * mask).sum() / mask.sum())
    h, w = nearness.shape
    return float(np.median(nearness[h // 3 : -(-2 * h // 3), w // 3 : -(-2 * w // 3)]))
