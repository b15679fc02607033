"""What of the subject are clothes: its matte without the face, the hair and what has the colour of its skin. Knows no
prompt and no motion."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.scene.scene import Face, Region, Scene
from vivant.engines.diorama.storyboard import ThingKind
from vivant.media import F32

STEP: Final = 4  # pixels: looked for at a quarter of the size
CHEEKS: Final = (50, 280, 205, 425)
CHIN: Final = 152
_SKIN: Final = (9.0, 17.0)  # CIE Lab from the cheeks: surely skin, surely none
_THIN: Final = 0.022  # of the picture: what is thinner is no cloth (sticks, the legs of a tripod)
# Face heights (brow to chin) below the chin.
_COLLAR: Final = 0.12  # clothes begin here
_NECK_ENDS: Final = 1.15  # a scarf ends here
_WAIST: Final = 2.0  # a skirt begins here
_HEAD: Final = 0.24  # of the subject's height is head, where no face is seen
_SMALLEST: Final = 0.01  # of the picture


def find_clothes(scene: Scene, kind: ThingKind) -> Region:
    """float32 (h, w), 0..1, and how sure that is: trust 0 where there is no subject whose outline is trusted, and where
    cloth looks like skin. kind: "scarf", "skirt" (a dress where nothing is seen below the waist), or "clothes"."""
    h, w = scene.depth.shape
    nothing = Region(np.zeros((h, w), np.float32), 0.0)
    size = -(-w // STEP), -(-h // STEP)
    subject = filters.resize(scene.matte.mask, *size)
    if scene.matte.trust < 0.3 or not (subject > 0.5).any():
        return nothing
    worn, sure = _worn(scene, subject, size)
    rows = np.arange(size[1])[:, None].astype(np.float32) * STEP
    face = max(scene.faces, key=lambda one: one.size, default=None)
    if face is not None and kind != "clothes":
        below = (rows - float(face.landmarks[CHIN, 1])) / max(face.size, 1.0)
        part = below < _NECK_ENDS if kind == "scarf" else below > _WAIST
        if kind == "scarf" or float((worn * part).sum()) > 0.25 * float(worn.sum()):
            worn = worn * filters.blur(np.broadcast_to(part, worn.shape).astype(np.float32), 2.0)
    elif kind == "scarf":
        return nothing  # nobody's neck is known
    mask = np.clip(filters.resize(worn, w, h), 0, 1) * (scene.matte.mask > 0.02)
    share = float(mask.mean())
    trust = sure * min(1.0, 1.2 * scene.matte.trust) * float(np.clip(share / _SMALLEST - 0.5, 0, 1))
    return Region(mask.astype(np.float32), trust) if trust > 0 else nothing


def _worn(scene: Scene, subject: F32, size: tuple[int, int]) -> tuple[F32, float]:
    """The clothes on the quarter grid, float32, 0..1, and how surely they are told from skin, 0..1."""
    hair = np.zeros_like(subject) if scene.hair is None else filters.resize(scene.hair.mask, *size)
    worn = subject * (1 - np.clip(1.5 * filters.blur(hair, 1.0), 0, 1))
    if not scene.faces:
        rows = np.flatnonzero((subject > 0.5).any(axis=1))
        neck = rows[0] + _HEAD * len(rows)
        if scene.body is not None and scene.body.head is not None:
            neck = max(neck, (scene.body.head.y + 1.1 * scene.body.head.radius) / STEP)
        ramp = smoothstep((np.arange(size[1])[:, None] - neck) / (0.05 * len(rows) + 1))
        return _keep_large((worn * ramp).astype(np.float32)), 0.7
    lab = np.asarray(
        cv2.cvtColor(
            cv2.resize(scene.rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255, cv2.COLOR_RGB2LAB
        ),
        np.float32,
    )
    skin = np.zeros_like(subject)
    kept = np.ones_like(subject)
    for face in scene.faces:
        skin = np.maximum(skin, _skin_like(lab, face))
        kept = np.minimum(kept, _below(face, size))
    worn = worn * kept
    bare = float((worn * skin).sum()) / max(float(worn.sum()), 1e-6)
    dressed = worn * (1 - skin)
    return _keep_large(dressed), float(np.clip((0.75 - bare) / 0.3, 0, 1))


def _keep_large(dressed: F32) -> F32:
    """Without what is thin, and without crumbs."""
    thin = max(3, round(_THIN * max(dressed.shape)) | 1)
    solid = (dressed > 0.5).astype(np.uint8)
    padded = np.pad(solid, thin, mode="edge")  # the border of the picture cuts cloth off, it does not end it
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, np.ones((thin, thin), np.uint8))
    solid = np.ascontiguousarray(opened[thin:-thin, thin:-thin], np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    areas: Any = stats[1:, cv2.CC_STAT_AREA] if count > 1 else np.zeros(0)
    large = [k + 1 for k, area in enumerate(areas) if area > 0.08 * areas.max()]
    near = cv2.dilate(np.isin(labels, large).astype(np.uint8), np.ones((3, 3), np.uint8))
    return (dressed * near).astype(np.float32)


def _skin_like(lab: F32, face: Face) -> F32:
    points = np.rint(face.landmarks[list(CHEEKS), :2] / STEP).astype(int)
    inside = (points[:, 0] >= 0) & (points[:, 1] >= 0) & (points[:, 0] < lab.shape[1]) & (points[:, 1] < lab.shape[0])
    if not inside.any():
        return np.zeros(lab.shape[:2], np.float32)
    tone = np.median(lab[points[inside, 1], points[inside, 0]], axis=0)
    # Skin lies in light and shade: its colour tells more than its brightness.
    apart = (lab - tone) * np.array([0.35, 1, 1], np.float32)
    low, high = _SKIN
    likely = 1 - smoothstep((filters.blur(np.sqrt((apart**2).sum(-1)), 0.8) - low) / (high - low))
    return likely.astype(np.float32)


def _below(face: Face, size: tuple[int, int]) -> F32:
    """float32 (rows, columns): 0 on the head, 1 on what is below its chin, or well beside it."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32) * STEP
    chin = face.landmarks[CHIN, :2]
    down = (y - float(chin[1])) / max(face.size, 1.0)
    aside = np.abs(x - float(face.landmarks[:, 0].mean())) / max(face.size, 1.0)
    return smoothstep((down - _COLLAR + 0.9 * np.clip(aside - 1.1, 0, 1)) / 0.2).astype(np.float32)
