"""The small copy of a scene on which things that are named are looked for: its colours, sky and water, and what words
for colours mean there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Colour
from vivant.media import F32

Mask = NDArray[np.bool_]
SIDE: Final = 320  # long side of the copy on which proposals are made
# Hue in degrees of Lab (0 pink-red, 40 red, 60 orange, 90 yellow, 140 green, 260 blue, 320 purple), half width.
_HUES: Final[dict[Colour, tuple[float, float]]] = {
    "red": (35, 25), "orange": (62, 16), "yellow": (88, 20), "green": (140, 40), "blue": (262, 40), "purple": (315, 22),
    "pink": (0, 28), "brown": (62, 28),
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class SmallCopy:
    """Arrays are float32 (h, w) of the small size; sky and water 0..1."""

    lab: F32  # (h, w, 3)
    sky: F32
    water: F32
    horizon: float  # row, share of the height

    @property
    def shape(self) -> tuple[int, int]:
        return self.sky.shape

    @property
    def light(self) -> F32:
        return self.lab[..., 0]


def shrink(scene: Scene) -> SmallCopy:
    """The small copy of a scene. A sky or water of little trust counts less."""
    h, w = scene.depth.shape
    scale = SIDE / max(h, w)
    size = (max(16, round(w * scale)), max(16, round(h * scale)))
    small = cv2.resize(scene.rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32)
    sky, water = (
        filters.resize(region.mask, *size) * np.float32(min(1.0, region.trust / 0.3))
        for region in (scene.sky, scene.water)
    )
    return SmallCopy(lab, sky, water, scene.horizon / h)


def score_colour(picture: SmallCopy, colour: Colour) -> F32:
    """float32 (h, w), 0..1: how much a pixel has that colour."""
    light, a, b = (picture.lab[..., k] for k in range(3))
    chroma = np.hypot(a, b)
    if colour in ("black", "white", "grey"):
        dull = 1 - smoothstep((chroma - 10) / 12)
        likely = {
            "black": 1 - smoothstep((light - 18) / 18),
            "white": smoothstep((light - 62) / 18),
            "grey": smoothstep((light - 25) / 10) * (1 - smoothstep((light - 68) / 10)),
        }[colour]
        return np.asarray(dull * likely, np.float32)
    hue, width = _HUES[colour]
    away = np.abs((np.degrees(np.arctan2(b, a)) - hue + 180) % 360 - 180)
    likely = (1 - smoothstep((away - 0.75 * width) / (0.5 * width))) * smoothstep((chroma - 14) / 14)
    if colour == "brown":
        likely = likely * (1 - smoothstep((light - 48) / 15))
    elif colour == "orange":
        likely = likely * smoothstep((light - 40) / 15)
    return np.asarray(likely, np.float32)


def share_of(region: F32, where: Mask) -> float:
    """The mean of a region, float32 (h, w), 0..1, in a part, bool (h, w); 0 where the part is empty."""
    return float(region[where].mean()) if where.any() else 0.0


def overlap(a: Mask, b: Mask) -> float:
    """Of two masks of one size, bool (h, w): what they share of what either has, 0..1."""
    either = int((a | b).sum())
    return int((a & b).sum()) / either if either else 0.0
