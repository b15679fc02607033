"""Where a fire stands that the picture does not show: on the upper edge of the thing that is named, or of the subject,
or on open ground in the lower part of the picture. Knows nothing of flames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.checks import check_array, check_number
from vivant.engines.diorama.motion.fields import average_quarter
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import PORTRAIT
from vivant.media import F32

CAMPFIRE: Final = 0.24  # of the picture's height, a fire on the ground
LEAST, MOST = 0.10, 0.34  # and the flames of a thing that burns
CANDLE: Final = (0.035, 0.10)  # and that of a candle
GROUND: Final = (0.58, 0.64, 0.70, 0.76, 0.82, 0.87)  # rows tried, as shares of the height
_FOUND: Final = 0.42  # merit from which a place on the ground will do


@dataclass(frozen=True, slots=True, eq=False)
class Hearth:
    """burning: float32 (h, w), 0..1, what flames rise from. spared: float32 (h, w), 0..1, what they never cover: faces.
    tall: pixels, how high the flames reach. on_subject: whether the subject burns."""

    burning: F32
    spared: F32
    tall: float
    on_subject: bool = False
    is_ground: bool = False

    def __post_init__(self) -> None:
        check_array("Hearth.burning", self.burning, np.float32, (None, None), 0, 1)
        check_array("Hearth.spared", self.spared, np.float32, self.burning.shape, 0, 1)
        check_number("Hearth.tall", self.tall, 1)

    @property
    def glowing(self) -> F32:
        """Where embers rise from: float32 on the quarter grid, 0..1, over a half also where the edge is thin."""
        return np.asarray(np.clip(3 * average_quarter(self.burning), 0, 1), np.float32)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(top, bottom, left, right) of what burns, pixels."""
        rows, columns = np.flatnonzero(self.burning.max(axis=1) > 0.3), np.flatnonzero(self.burning.max(axis=0) > 0.3)
        return float(rows[0]), float(rows[-1]), float(columns[0]), float(columns[-1])


def find_hearth(scene: Scene, named: F32 | None, seed: int) -> Hearth | None:
    """named: float32 (h, w), 0..1, the thing that the prompt says burns; None: it says none, or it was not found. None
    before a portrait, in which only its light is seen."""
    spared = mark_faces(scene)
    if named is not None and (named > 0.5).mean() > 0.0005:
        return _burn(named, spared, scene)
    height = scene.depth.shape[0]
    if scene.faces and max(face.size for face in scene.faces) > PORTRAIT * height:
        return None
    ground, merit = _find_ground(scene, seed)
    matte = scene.matte
    alive = scene.body is not None or bool(scene.faces)  # nobody burns who is not said to
    if merit < _FOUND and not alive and matte.trust > 0.5 and 0.01 < float(matte.mask.mean()) < 0.5:
        return _burn(matte.mask, spared, scene)
    rows = np.flatnonzero(ground.max(axis=1) > 0.3)
    return Hearth(ground, spared, CAMPFIRE * height * _size_at(scene, float(rows.mean())), is_ground=True)


def light_candle(scene: Scene, candle: F32) -> Hearth | None:
    """The wick of a candle, float32 (h, w), 0..1: a small fire over the middle of its upper end. None where there is
    none."""
    height, width = candle.shape
    solid = candle > 0.5
    rows = np.flatnonzero(solid.any(axis=1))
    if not len(rows):
        return None
    top = int(rows[0])
    columns = np.flatnonzero(solid[min(height - 1, top + max(1, round(0.06 * len(rows))))])
    if not len(columns):
        return None
    x, thick = 0.5 * (float(columns[0]) + float(columns[-1])), float(columns[-1] - columns[0] + 1)
    tall = float(np.clip(1.1 * thick, CANDLE[0] * height, CANDLE[1] * height))
    half = 0.10 * tall
    across = (np.arange(width)[None] - x) / half
    down = (np.arange(height)[:, None] - (top - 0.08 * tall)) / (1.2 * half)
    wick = np.clip(1.6 - across**2 - down**2, 0, 1).astype(np.float32)
    return Hearth(wick, mark_faces(scene), tall, is_ground=True)


def mark_faces(scene: Scene) -> F32:
    """float32 (h, w), 0..1: the faces and a little more."""
    out: F32 = np.zeros(scene.depth.shape, np.float32)
    for face in scene.faces:
        x, y = face.landmarks[:, 0], face.landmarks[:, 1]
        centre = (round(float(x.mean())), round(float(y.mean())))
        axes = (max(1, round(0.75 * float(np.ptp(x)))), max(1, round(0.8 * float(np.ptp(y)))))
        cv2.ellipse(out, centre, axes, 0, 0, 360, 1.0, -1)
    return (
        np.asarray(np.clip(filters.blur(out, 0.008 * scene.depth.shape[1]), 0, 1), np.float32) if scene.faces else out
    )


def _burn(mask: F32, spared: F32, scene: Scene) -> Hearth:
    """The upper edge of a thing, and less of what is under it."""
    height = mask.shape[0]
    solid = mask > 0.5
    rows = np.flatnonzero(solid.any(axis=1))
    size = float(rows[-1] - rows[0] + 1)
    tall = float(np.clip(0.7 * size, LEAST * height, MOST * height))
    band = max(2, round(0.10 * tall))
    soft = np.clip(filters.blur(mask, 1.5), 0, 1)
    lowered = np.zeros_like(soft)
    lowered[band:] = soft[:-band]
    edge = np.clip(soft - lowered, 0, 1)
    # What reaches up to the picture's border has no upper edge there; of what fills the picture, the middle burns.
    edge[: round(0.04 * height)] = 0
    inside = np.asarray(cv2.erode(soft, np.ones((2 * band + 1, 2 * band + 1), np.uint8)), np.float32)
    low = np.clip((np.arange(height, dtype=np.float32)[:, None] / height - 0.3) / 0.3, 0, 1)
    burning = np.maximum(edge, 0.15 * inside * low)
    if edge.max() < 0.5:
        burning = np.asarray(0.6 * inside * low, np.float32)
    # Of much that burns the lower part does, here and there: the rest stays to be seen.
    if float(solid.mean()) > 0.25:
        rows_share = np.arange(height, dtype=np.float32)[:, None] / height
        burning = np.maximum(burning, inside) * np.clip((rows_share - 0.45) / 0.15, 0, 1)
    on_subject = float((soft * scene.matte.mask).sum()) > 0.5 * float(soft.sum())
    return Hearth(np.clip(burning, 0, 1).astype(np.float32), spared, tall, on_subject=on_subject)


def _size_at(scene: Scene, y: float) -> float:
    """How large a fire on row y looks, 1 in the foreground: ground seen nearer to the horizon is farther off."""
    height = scene.depth.shape[0]
    near = 0.84 * height - min(scene.horizon, 0.6 * height)
    return float(np.clip((y - min(scene.horizon, 0.6 * height)) / near, 0.45, 1.1))


def _find_ground(scene: Scene, seed: int) -> tuple[F32, float]:
    """The best patch of even ground low in the picture, away from the subject: float32 (h, w), 0..1, and its merit,
    0..1."""
    height, width = scene.depth.shape
    luma = scene.source.planes.y.astype(np.float32)
    taken = np.max([scene.sky.mask, scene.water.mask, scene.matte.mask * min(1.0, 2 * scene.matte.trust)], axis=0)
    rough = np.clip(filters.blur(np.abs(luma - filters.blur(luma, 3.0)), 12.0) / 16, 0, 1)
    merit = (1 - np.clip(taken, 0, 1)) * (1 - 0.5 * rough) * (1 - 0.35 * filters.blur(luma, 12.0) / 235)
    whole = 0.45 * CAMPFIRE * height
    merit = filters.blur(merit.astype(np.float32), 0.7 * whole, 0.2 * whole)
    tried = [
        # Near and in the middle where there is a choice.
        (
            float(merit[round(share * height), round(x)]) - 0.3 * abs(x / width - 0.5) - 0.6 * abs(share - 0.84),
            float(x),
            share * height,
        )
        for share in GROUND
        if share * height > scene.horizon + 0.02 * height or share == GROUND[-1]
        for x in np.linspace(whole + 4, width - whole - 4, 33)
    ]
    best, x, y = max(tried)
    half = whole * _size_at(scene, y)
    noise = filters.blur(rng(seed, "hearth").standard_normal((height, width)), 0.06 * half)
    across = (np.arange(width)[None] - x) / half
    down = (np.arange(height)[:, None] - y) / (0.22 * half)
    inside = 1 - across**2 - down**2 + 0.4 * noise / (noise.std() + 1e-6)
    patch = np.clip(inside, 0, 1) * (across**2 + down**2 < 1.6)
    return patch.astype(np.float32), best
