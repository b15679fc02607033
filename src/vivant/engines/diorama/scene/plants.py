"""Finds plants by colour and texture, without a model: leaves and grass that are green, straw and reeds that are not,
and dark trees. Knows nothing of motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.scene.guided_filter import refine
from vivant.engines.diorama.scene.scene import Region
from vivant.engines.diorama.storyboard import SUBJECT_TRUSTED
from vivant.media import F32, U8

SIDE: Final = 512  # long side of the copy that is looked at: a blade of grass is to be a pixel wide in it
WITHOUT_GREEN: Final = 0.45  # the most that is trusted without green: dry ground has the colour of straw too
GREY_LAWN: Final = 0.3  # and in a grey picture, where grass has no colour at all

# The thresholds below were set by looking at the masks of 84 photographs, among them 30 without plants (rock, sand,
# cities, halls, portraits). Ramps are (none from here, all from there).


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What is measured on the small copy; float32 (h, w)."""

    light: F32  # L, 0..100
    hue: F32  # degrees in Lab: 60 orange, 90 yellow, 130 green, 180 cyan
    chroma: F32
    fine: F32  # mean contrast of L at the scale of a pixel or two
    thin: F32  # that contrast against the one at the scale of ten pixels: blades are thin, rocks are not
    upright: F32  # share of gradient energy of upright edges, 0..1


@dataclass(frozen=True, slots=True, eq=False)
class PlantColours:
    """What looks like plants by itself, on the small copy: float32 (h, w), 0..1."""

    look: Look
    green: F32
    dry: F32
    dark: F32


def look_for_plants(rgb: U8, straight: float) -> PlantColours:
    """The part of `find_plants` that needs to know nothing else of the picture, RGB uint8 (h, w, 3); straight as
    there."""
    look = _look_at(rgb)
    return PlantColours(look, _green(look, straight), _dry(look), _dark(look))


def find_plants(
    rgb: U8,
    *,
    sky: Region,
    water: Region,
    subject: Region,
    grey: bool,
    straight: float,
    seen: PlantColours | None = None,
) -> Region:
    """The plants of RGB uint8 (h, w, 3), outside sky, water and subject as far as these are trusted. straight 0..1: how
    built; greenish walls count less. At most WITHOUT_GREEN is trusted where nothing is green, GREY_LAWN in a
    grey picture. seen: what `look_for_plants` answered, if it has been asked."""
    seen = look_for_plants(rgb, straight) if seen is None else seen
    look, green, dry, dark = seen.look, seen.green, seen.dry, seen.dark
    if grey:
        return _find_lawn(rgb, look, sky=sky, water=water, subject=subject)
    h, w = look.light.shape
    likely = np.maximum(np.maximum(green, dry), dark)
    taken = _ramp(filters.resize(water.mask, w, h) * water.trust, 0.2, 0.4)
    body = _ramp(filters.resize(subject.mask, w, h), 0.3, 0.6)
    # What stands out most may be plants too.
    if subject.trust > SUBJECT_TRUSTED and float((likely * body).sum()) < 0.55 * float(body.sum()):
        taken = np.maximum(taken, body)
    # What stands before the sky has none of its colours and much more texture.
    above = _ramp(filters.resize(sky.mask, w, h) * sky.trust, 0.25, 0.5)
    stands = np.maximum(_ramp(look.chroma, 10, 16) * _ramp(look.hue, 60, 70), dark) * _ramp(look.fine, 1.2, 2.4)
    free = (1 - taken) * (1 - above * (1 - stands))
    mask = filters.blur(_with_blossoms(_with_shade(_drop_crumbs(likely * free), look), look) * free, 0.8)
    solid, area = mask > 0.4, float(mask.mean())
    if area < 0.008 or not solid.any():
        return _nothing(rgb)
    textured = float(_ramp(look.fine, 0.25, 1.2)[solid].mean())
    # Yellowish green is that of rock and haze as well.
    leafy = green * free * _ramp(look.hue, 98, 107)
    lush = float(leafy.mean())
    # A wall may be greenish, but it is not as green as grass.
    vivid = float((leafy * _ramp(look.chroma, 16, 28)).sum() / max(float((green * free).sum()), 1.0))
    built = 1 - 0.85 * straight * (1 - vivid)
    by_green = float(np.clip(lush / 0.06, 0, 1)) * min(1.0, 0.45 + textured)
    found = float((np.maximum(green, dark) * free).mean()) / 0.03 + float((dry * free).mean()) / 0.15
    by_texture = WITHOUT_GREEN * min(1.0, found) * textured
    trust = max(by_green, by_texture) * built
    return Region(refine(mask, rgb, radius=0.006, eps=1e-3), float(np.clip(trust, 0, 1)))


def _nothing(rgb: U8) -> Region:
    return Region(np.zeros(rgb.shape[:2], np.float32), 0.0)


def _look_at(rgb: U8) -> Look:
    scale = SIDE / max(rgb.shape[:2])
    size = (max(8, round(rgb.shape[1] * scale)), max(8, round(rgb.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(rgb, size, interpolation=how).astype(np.float32) / 255
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32)
    light, a, b = np.ascontiguousarray(lab[..., 0]), filters.blur(lab[..., 1], 1.0), filters.blur(lab[..., 2], 1.0)
    soft = filters.blur(light, 1.5)
    fine = filters.blur(np.abs(light - soft), 3.0)
    coarse = np.sqrt(filters.blur((soft - filters.blur(light, 8.0)) ** 2, 6.0))
    gx, gy = cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)
    ex, ey = filters.blur(gx * gx, 4.0), filters.blur(gy * gy, 4.0)
    return Look(
        light=light,
        hue=np.degrees(np.arctan2(b, a)).astype(np.float32) % 360,
        chroma=np.hypot(a, b).astype(np.float32),
        fine=fine,
        thin=(fine / (coarse + 0.5)).astype(np.float32),
        upright=(ex / (ex + ey + 1e-3)).astype(np.float32),
    )


def _green(look: Look, straight: float) -> F32:
    """Leaves and grass, sharp or blurred; bluish green only where it is textured."""
    # Blurred leaves have a deep colour; haze has not.
    leafy = np.maximum(_ramp(look.fine, 0.5, 1.8), 0.6 * _ramp(look.chroma - 0.25 * look.light, 6, 16))
    hue = _ramp(look.hue, 90 + 6 * straight, 101 + 6 * straight) * (1 - _ramp(look.hue, 146, 166))
    green: F32 = hue * _ramp(look.chroma, 5, 10) * _ramp(look.light, 3, 9) * leafy
    return green


def _dry(look: Look) -> F32:
    """Straw, reeds, autumn leaves: yellow to orange, and of thin upright parts; and what of their colour adjoins."""
    colour = _ramp(look.hue, 56, 68) * (1 - _ramp(look.hue, 104, 112)) * _ramp(look.chroma, 9, 15)
    colour *= _ramp(look.light, 4, 12)
    thin = _ramp(look.thin, 0.42, 0.72) * _ramp(look.upright, 0.26, 0.42) * _ramp(look.fine, 1.3, 2.8)
    sure = colour * thin * np.maximum(_ramp(look.hue, 66, 76), _ramp(look.chroma, 20, 28) * _ramp(look.fine, 2.2, 3.2))
    return _grow(sure, colour * _ramp(look.fine, 0.9, 2.0))


def _grow(sure: F32, alike: F32) -> F32:
    """`sure`, and the connected parts of `alike` of which a quarter is sure, float32 (h, w), 0..1."""
    count, labels = cv2.connectedComponents((np.maximum(sure, alike) > 0.3).astype(np.uint8), connectivity=8)
    flat = labels.ravel()
    share = np.bincount(flat, sure.ravel(), count) / np.maximum(np.bincount(flat, None, count), 1)
    share[0] = 0
    return np.asarray(np.maximum(sure, alike * _ramp(share[labels].astype(np.float32), 0.2, 0.4)), np.float32)


def _with_blossoms(mask: F32, look: Look) -> F32:
    """The mask with what is colourful amid it: blossoms and fruit sway with their leaves."""
    amid = _ramp(filters.blur(mask, 9.0), 0.4, 0.65)
    return np.asarray(np.maximum(mask, amid * _ramp(look.chroma, 14, 24)), np.float32)


def _with_shade(mask: F32, look: Look) -> F32:
    """The mask with what is so dark that it has no colour, as far as plants are around it: it is their inside."""
    black = 1 - _ramp(filters.blur(look.light, 1.0), 16, 26)
    for _ in range(3):
        amid = _ramp(filters.blur(mask, 7.0), 0.35, 0.55)
        mask = np.asarray(np.maximum(mask, amid * black), np.float32)
    return mask


def _find_lawn(rgb: U8, look: Look, *, sky: Region, water: Region, subject: Region) -> Region:
    """Grass in a grey picture: ground down to the lower border that is fine and even all over, in all directions, as
    no wall, no sea and no sand is. It is trusted only as far as who names it is right."""
    h, w = look.light.shape
    taken = _ramp(filters.resize(np.maximum(sky.mask * sky.trust, water.mask * water.trust), w, h), 0.2, 0.4)
    body = _ramp(filters.resize(subject.mask, w, h), 0.3, 0.6) * float(subject.trust > SUBJECT_TRUSTED)
    light = filters.blur(look.light, 6.0)
    even = 1 - _ramp(np.abs(light - filters.blur(light, 16.0)), 4, 8)
    grassy = _ramp(look.fine, 0.9, 1.5) * (1 - _ramp(look.fine, 9, 13)) * even * (1 - taken) * (1 - body)
    sure = grassy * _ramp(look.thin, 0.7, 1.0) * _ramp(look.upright, 0.22, 0.32) * (1 - _ramp(look.upright, 0.66, 0.76))
    free = (1 - taken) * (1 - body)
    grown = (filters.blur(_grow(sure, grassy * _ramp(look.thin, 0.45, 0.65)), 2.0) * free > 0.4).astype(np.uint8)
    opened = cv2.morphologyEx(grown, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    solid = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    lawn = np.zeros((h, w), np.float32)
    for part in range(1, count):
        low = stats[part, cv2.CC_STAT_TOP] + stats[part, cv2.CC_STAT_HEIGHT] >= h - 3
        if low and stats[part, cv2.CC_STAT_AREA] > 0.01 * h * w:
            lawn[labels == part] = 1
    wide = float(np.mean(lawn.any(axis=0)))
    if wide < 0.4 or float(lawn.mean()) < 0.08 or float(lawn[: h // 3].mean()) > 0.05:  # grain is everywhere
        return _nothing(rgb)
    mask = filters.blur(lawn, 1.5) * free
    return Region(refine(mask.astype(np.float32), rgb, radius=0.006, eps=1e-3), GREY_LAWN)


def _dark(look: Look) -> F32:
    """Trees and bushes in shadow: dark, textured, more green than brown, but not without colour as rock is."""
    hue = _ramp(look.hue, 78, 92) * (1 - _ramp(look.hue, 150, 170))
    dark: F32 = hue * (1 - _ramp(look.light, 26, 36)) * _ramp(look.chroma, 4, 8) * _ramp(look.fine, 0.9, 2.0)
    return dark


def _drop_crumbs(likely: F32) -> F32:
    """Without parts so small that they would only wobble."""
    solid = (likely > 0.35).astype(np.uint8)
    joined = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= 0.0012 * likely.size
    large[0] = False
    kept = cv2.dilate(large[labels].astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(likely * kept, np.float32)


def _ramp(values: NDArray[np.float32], none: float, all_from: float) -> F32:
    """0 up to `none`, 1 from `all_from`, in a straight line between."""
    return np.asarray(np.clip((values - none) / (all_from - none), 0, 1), np.float32)
