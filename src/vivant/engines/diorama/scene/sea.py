"""How rough the water of a picture is, and which parts of it are rocks or the beach."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.scene.guided_filter import refine
from vivant.media import F32, U8

ROWS: Final = 360  # height of the copy that is judged, so that all canvas sizes give the same answer
EVEN: Final = 0.42  # share of the far water's contrast below which near water is sand
WAVY: Final = 1.8  # contrast, L per pixel of the small copy, of far water that shows waves
UPRIGHT: Final = 0.16  # median share of upright edges from which on far water mirrors walls: waves are level streaks
BLUE: Final = -12.0  # Lab b: what is bluer is deep water and no rock
ROUGH: Final = 0.3  # roughness above which water mirrors nothing sharply
SHARP: Final = 6.0  # mean slope of the outline, luma levels per pixel: reflections have soft ones
ON_SAND: Final = 0.2  # area of what lies on a beach and looks like water, of the beach's
BESIDE: Final = 0.22  # heights of the picture: how far from what was found of a beach its shaded part may begin
BLACK: Final = 16.0  # Lab L below which a plain body before a beach is its shaded part
TURQUOISE: Final = -12.0  # Lab a of water over pale sand
TEXTURED: Final = 2.2  # mean fine contrast, luma levels, from which a dark body is a rock and no reflection


def measure_roughness(luma: U8, water: F32) -> float:
    """0 like a mirror .. 1 surf: the fine contrast of the water. luma: uint8 (h, w). water: float32 (h, w), 0..1."""
    small, mask = _small(luma, water)
    fine = np.abs(small - filters.blur(small, 2.0))
    mean = float((fine * mask).sum() / max(1.0, float(mask.sum())))
    return float(np.clip((mean - 3.0) / 6.0, 0, 1))


def find_rocks(rgb: U8, luma: U8, water: F32, roughness: float) -> F32:
    """Rocks in water, which must not move with it: float32 (h, w), 0..1. rgb: uint8 (h, w, 3); luma: uint8 (h, w);
    water: float32 (h, w), 0..1, in which the rocks lie; roughness: its, 0..1.

    They are darker than the water (Otsu's threshold parts the two), compact, and textured in all directions; the dark
    sides of waves are level streaks, and dark reflections are smooth. Where their hue is also warmer than that of the
    far water, which is the surest, less texture and no sharp outline is enough; in a calm
    mirror only such are rocks, as the darkest parts of it are reflections."""
    small, mask = _small(luma, water)
    wet = mask > 0.5
    if not wet.any():
        return np.zeros_like(water)
    soft = filters.blur(small, 1.5)
    dark = (soft < _otsu(soft[wet])) & (mask > 0.3)
    gx, gy = cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)
    ex, ey = filters.blur(gx * gx, 5.0), filters.blur(gy * gy, 5.0)
    upright = ex / (ex + ey + 50)
    fine = filters.blur(np.abs(small - filters.blur(small, 2.0)), 3.0)
    yellow, warmth = _warmth(rgb, wet, upright)
    kept = np.zeros(small.shape, np.float32)
    slope = np.hypot(cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)) / 8
    inland = cv2.erode(wet.astype(np.uint8), np.ones((9, 9))) > 0
    kinds = [(dark & (warmth > 7), 0.2, 0.0)]
    if roughness > ROUGH:
        kinds.append((dark & (warmth <= 12) & (yellow > BLUE), 0.2, SHARP))
    for where, least, sharp in kinds:
        body = cv2.morphologyEx(where.astype(np.uint8), cv2.MORPH_OPEN, _disc(5))
        body = cv2.morphologyEx(body, cv2.MORPH_CLOSE, _disc(11))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(body)
        for label in range(1, count):
            here = labels == label
            large = stats[label, cv2.CC_STAT_AREA] > 0.0006 * body.size
            if not large or upright[here].mean() < least or fine[here].mean() < TEXTURED:
                continue
            outline = here & inland & (cv2.erode(here.astype(np.uint8), np.ones((3, 3))) == 0)
            if sharp == 0 or (outline.any() and slope[outline].mean() > sharp):
                kept[here] = 1
    return filters.resize(cv2.dilate(kept, np.ones((3, 3))), water.shape[1], water.shape[0])


def find_sand(rgb: U8, water: F32, sky: F32, waterline: float) -> F32:
    """The beach: float32 (h, w), 0..1. rgb: uint8 (h, w, 3); water, sky: float32 (h, w), 0..1, where water may have
    taken in sand; waterline: row, pixels.

    Sand is smooth and warmer than both the far water and the sky that water could mirror, or at dusk at least far more
    even than the sea before it, and runs out of the picture."""
    height, width = water.shape
    columns = max(2, round(width * ROWS / height))
    lab = cv2.cvtColor(cv2.resize(rgb, (columns, ROWS), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB)
    lab = lab.astype(np.float32) - np.float32(128)
    light, green, yellow = (lab[..., 0] + 128) * 100 / 255, *(filters.blur(lab[..., k], 2.0) for k in (1, 2))
    wet, open_ = filters.resize(water, columns, ROWS) > 0.5, filters.resize(sky, columns, ROWS) > 0.5
    top = round(waterline / height * ROWS)
    far = wet.copy()
    far[top + ROWS // 10 :] = False
    nothing = np.zeros_like(water)
    if not wet.any() or top >= ROWS:
        return nothing
    coolest = max(
        float(np.median(yellow[far])) + 6 if int(far.sum()) > 200 else 6.0,
        float(np.percentile(yellow[open_], 90)) + 3 if open_.any() else 3.0,
    )
    if int(far.sum()) > 200 and float(np.median(green[far])) < TURQUOISE:
        coolest = max(coolest, 1.0)  # foam is grey, which is warmer than such water, but no sand
    fine = filters.blur(np.abs(light - filters.blur(light, 2.0)), 3.0)
    warm = (yellow > coolest) & (fine < 2.6) & (light > 25) & (green > -4)
    body = (warm | _is_even(light, wet, top)).astype(np.uint8)
    body[:top] = 0
    body = np.asarray(cv2.morphologyEx(body, cv2.MORPH_OPEN, np.ones((3, 5), np.uint8)), np.uint8)
    body = np.asarray(cv2.morphologyEx(body, cv2.MORPH_CLOSE, np.ones((9, 13), np.uint8)), np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(body)
    at_border = np.unique(np.concatenate([labels[-3:].ravel(), labels[:, :3].ravel(), labels[:, -3:].ravel()]))
    large = [k for k in at_border if k > 0 and stats[k, cv2.CC_STAT_AREA] > 0.02 * body.size]
    if not large:
        return nothing
    beach = np.isin(labels, large)
    beach = _fill_beach(beach | _find_shaded(light, beach, wet & ~beach, top), wet, top)
    coarse = filters.resize(beach.astype(np.float32), width, height)
    # The measures above bleed a little over the water's edge, which light shows exactly.
    return np.clip(3 * refine(coarse, rgb, radius=0.03, eps=4e-4) - 1, 0, 1).astype(np.float32)


def _find_shaded(
    light: NDArray[np.floating], beach: NDArray[np.bool_], wet: NDArray[np.bool_], top: int
) -> NDArray[np.bool_]:
    """Stones and dry sand beside a beach against the light: bool of the small copy. They are nearly black, and run out
    of the picture at its foot; the dark faces of waves do not, and what is mirrored is cut off from the foot by the
    beach. light: float32; beach: what was found of it; wet: what else was taken for water; top: its first row."""
    nothing = np.zeros_like(wet)
    if int(wet.sum()) < 200:
        return nothing
    dark = wet & (light < min(BLACK, 0.6 * float(np.median(light[wet]))))
    dark[: top + ROWS // 10] = False
    body = cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, _disc(7))
    body = np.asarray(cv2.morphologyEx(body, cv2.MORPH_CLOSE, _disc(11)), np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(body)
    beside = labels[cv2.distanceTransform((~beach).astype(np.uint8), cv2.DIST_L2, 3) < BESIDE * ROWS]
    foot = np.intersect1d(labels[-3:], beside)
    large = [k for k in foot if k > 0 and stats[k, cv2.CC_STAT_AREA] > 0.004 * body.size]
    return np.asarray(np.isin(labels, large), np.bool_) if large else nothing


def _fill_beach(sand: NDArray[np.bool_], wet: NDArray[np.bool_], top: int) -> NDArray[np.bool_]:
    """A beach with what lies on it and was taken for water, as cool shadows and glass are: what does not reach up to
    the far water is none. bool (ROWS, w) each; top: the first row of water."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((wet & ~sand).astype(np.uint8))
    far = np.unique(labels[: top + ROWS // 10])
    lie = [k for k in range(1, len(stats)) if k not in far and stats[k, cv2.CC_STAT_AREA] < ON_SAND * sand.sum()]
    return np.asarray(sand | np.isin(labels, lie), np.bool_)


def _is_even(light: NDArray[np.floating], wet: NDArray[np.bool_], top: int) -> NDArray[np.bool_]:
    """Where what was taken for water is much more even than the far water: waves are not, the nearer the less. light:
    float32 of the small copy; top: its first row of water."""
    gx, gy = cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)
    busy = np.sqrt(filters.blur(gx * gx, 6.0) + filters.blur(gy * gy, 6.0)) / 8
    nearer = top + round(0.3 * (ROWS - top))
    far = wet.copy()
    far[nearer:] = False
    usual = float(np.median(busy[far])) if int(far.sum()) > 200 else 0.0
    ex, ey = filters.blur(gx * gx, 5.0), filters.blur(gy * gy, 5.0)
    if usual > WAVY and float(np.median((ex / (ex + ey + 50))[far])) > UPRIGHT:
        return np.zeros_like(wet)
    even = wet & (busy < EVEN * usual) & (np.arange(ROWS)[:, None] > nearer)
    # Only what lies before a sea as wide as the picture, and is nearly as wide: elsewhere it is a calm spot.
    sea_wide = far.any(axis=0).mean() > 0.8
    beach_wide = even[-ROWS // 20 :].any(axis=0).mean() > 0.7
    if usual <= WAVY or not sea_wide or not beach_wide:
        return np.zeros_like(wet)
    # Footprints and driftwood leave no holes.
    padded = np.pad(even.astype(np.uint8), 20, mode="edge")
    return np.asarray(cv2.morphologyEx(padded, cv2.MORPH_CLOSE, _disc(35))[20:-20, 20:-20] > 0, np.bool_)


def _warmth(rgb: U8, wet: NDArray[np.bool_], upright: F32) -> tuple[F32, F32]:
    """(Lab b, and how far it is above that of the far water: 0 where none is seen), float32 of the small copy."""
    rows, columns = wet.shape
    lab = cv2.cvtColor(cv2.resize(rgb, (columns, rows), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB)
    yellow = filters.blur(lab[..., 2].astype(np.float32) - np.float32(128), 2.0)
    top = int(np.argmax(wet.any(axis=1)))
    far = wet & (upright < 0.3)
    far[top + round(0.08 * ROWS) :] = False
    if int(far.sum()) < 200:
        return yellow, np.zeros_like(yellow)
    return yellow, np.asarray(yellow - np.median(yellow[far]), np.float32)


def _otsu(values: NDArray[np.float32]) -> float:
    """The threshold that parts values, 0..255, into two classes farthest apart (Otsu, 1979)."""
    counts, edges = np.histogram(values, bins=128, range=(0, 256))
    share = counts / counts.sum()
    middle = 0.5 * (edges[1:] + edges[:-1])
    below, sums = np.cumsum(share), np.cumsum(share * middle)
    between = (sums[-1] * below - sums) ** 2 / np.maximum(below * (1 - below), 1e-6)
    return float(edges[int(between.argmax()) + 1])


def _disc(size: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _small(luma: U8, water: F32) -> tuple[F32, F32]:
    columns = max(2, round(luma.shape[1] * ROWS / luma.shape[0]))
    return filters.resize(luma, columns, ROWS), filters.resize(water, columns, ROWS)
