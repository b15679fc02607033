"""Finds sky, water and fire by colour and texture, without a model, so each mask comes with a trust. Works on a
small copy of the picture; knows nothing of motion."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.scene.brooks import find_brook
from vivant.engines.diorama.scene.features import Features, measure_separation
from vivant.engines.diorama.scene.guided_filter import refine
from vivant.engines.diorama.scene.mirrors import measure_mirrors
from vivant.engines.diorama.scene.open_sky import detect_lines, doubt_sky, measure_openness
from vivant.engines.diorama.scene.pools import SURE, find_pool, weigh
from vivant.engines.diorama.scene.quays import find_quayside
from vivant.engines.diorama.scene.scene import Region
from vivant.engines.diorama.scene.sea_colour import measure_sea_green, measure_turquoise
from vivant.media import F32, F64, U8

ROUGH_SEA: Final = 0.6  # the most that a sea is trusted whose far edge is not seen, or hardly
STEEPEST: Final = 24.0  # the most that a step of the sky's rim from one column to the next costs
SEEN_OVER_SEA: Final = 0.45  # share of what hard edges speak against a sky that a horizon of the sea outweighs
GAP: Final = 0.12  # of the width: gaps in the sky that are wider stay
ALIKE: Final = 9.0  # distance in Lab up to which what is in a gap is the sky beside it
RIDGE: Final = 0.04  # of the height: hills less high than this stay with the sky
DOUBTED: Final = 0.2  # trust in a sky from which on it is worth a second thought
BACKDROP: Final = 0.85  # share of a sky's trust that is lost behind a person where it is not blue


def empty_region(shape: tuple[int, int]) -> Region:
    """A region that was not found."""
    return Region(np.zeros(shape, np.float32), 0.0)


def find_sky(
    seen: Features, rgb: U8, *, indoors: float, portrait: float = 0.0, lines: F32 | None = None
) -> tuple[Region, F32]:
    """The sky in RGB uint8 (h, w, 3), and its lower rim: the row per column of the small copy, float32 (small w,).
    indoors 0..1: how much speaks against open air. portrait 0..1: how surely the picture is of a person seen so near
    that a studio's backdrop may be behind; only what is blue is trusted to be sky there.

    The rim is the border from left to right with the most sky-likeness above and the least below, found by dynamic
    programming; then twice more with the colours that the last border had above and below.
    """
    h, _ = seen.shape
    likeness, drop, aside = _skylike(seen), _drop(seen), _aside(seen)
    border = _best_border(likeness, drop, aside)
    for _ in range(2):
        learned = _learned(seen, border)
        if learned is None:
            break
        border = _best_border(0.6 * learned + 0.6 * likeness, drop, aside)
    border = fill_gaps(seen, find_ridge(seen, border, aside))
    rows = np.arange(h, dtype=np.float32)[:, None]
    above = np.clip(border[None] - rows, 0, 1).astype(np.float32) * (1 - seen.subject)
    area = float(above.mean())
    if area < 0.03:
        return empty_region(rgb.shape[:2]), border
    inside = above > 0.5
    calm = float(np.clip((9 - np.median(seen.busy[inside])) / 6, 0, 1))
    contrast = measure_separation(seen.lab[inside], seen.lab[~inside]) if (~inside).any() else 0.0
    # A green or dull grey area at the top is foliage or a wall rather than sky.
    hue = seen.lab[inside][:, 1:]
    green = (hue[:, 0] < -6) & (hue[:, 1] > -12)
    vivid = (np.hypot(hue[:, 0], hue[:, 1]) > 16) | (seen.lab[inside][:, 0] < 60)  # a hazy sky may be palely green
    leafy = float((green & vivid).mean())
    dull = float(np.hypot(hue[:, 0], hue[:, 1]).mean() < 6 and np.median(seen.lab[inside][:, 0]) < 76)
    # Behind what is seen close up, a blurred room is as smooth as a sky, but seldom as bright or as blue.
    light, blue = float(np.median(seen.lab[inside][:, 0])), float(np.median(seen.lab[inside][:, 2]))
    room = float(np.clip((72 - light) / 10, 0, 1) * np.clip((blue + 12) / 8, 0, 1))
    likely = float(np.clip(0.5 + likeness[inside].mean() / 1.5, 0, 1))
    wide = float(np.clip((above[: max(h // 20, 1)].mean() - 0.3) / 0.4, 0, 1))
    open_ = measure_openness(seen, inside, drop, close=_seen_close(seen))
    trust = (
        (0.25 + 0.75 * calm)
        * max(np.clip(contrast / 1.6, 0, 1), 0.9 * open_)  # a stormy sky has all colours of the ground
        * likely
        * wide
        * (1 - indoors)
        * (1 - leafy)
        * (1 - (0.6 - 0.35 * open_) * dull)
        * (1 - 0.85 * room * _seen_close(seen))
        * (1 - BACKDROP * portrait * float(np.clip((blue + 12) / 8, 0, 1)))
        * (1 - 0.6 * seen.drawn)  # the flat sky of a drawing does not move as vapour does
    )
    if trust > DOUBTED:
        straight = detect_lines(rgb) if lines is None else lines
        trust *= 1 - doubt_sky(seen, straight, inside, drop, close=_seen_close(seen))
    return Region(refine(above, rgb, radius=0.008, eps=1e-3), float(np.clip(trust, 0, 1))), border


def _skylike(seen: Features) -> F32:
    """Positive where a pixel by itself looks like sky: bright, blue or dusk-coloured, smooth, high up."""
    h, _ = seen.shape
    light, a, b = (seen.lab[..., k] for k in range(3))
    high = 1 - 2 * np.linspace(0, 1, h, dtype=np.float32)[:, None]
    blue = np.clip(-b / 18, -0.6, 1) - 0.8 * np.clip(-a / 12 - np.clip(-b / 12, 0, 1), 0, 1)  # green, as leaves are
    bright = np.clip((light - np.median(light)) / 22, -1, 1)
    smooth = 0.8 - np.minimum(seen.busy / 5, 2.4)
    score = 0.55 * high + 0.45 * blue + 0.5 * bright + 0.55 * smooth - 2.5 * seen.subject
    above_sea, sea = _over_the_sea(seen)
    walls = _walls(seen) * (1 - SEEN_OVER_SEA * above_sea)
    return np.asarray(score + 0.6 * above_sea - 2 * sea - walls, np.float32)


def _over_the_sea(seen: Features) -> tuple[F32, F32]:
    """How likely sky is above a level edge that runs through the picture, as the sea's horizon does, where clouds may
    have hard edges; and how surely there is none below. float32 (h, 1), 0..1."""
    level = _level_edges(seen)
    line = int(level.argmax())
    h = len(level)
    sure = float(level[line]) if 0.15 * h < line < 0.85 * h else 0.0
    below = np.arange(h)[:, None] >= line
    known = np.float32(np.clip((sure - 0.25) / 0.4, 0, 1))
    return known * (~below).astype(np.float32), known * below.astype(np.float32)


def _walls(seen: Features) -> F32:
    """0..2: how much hard edge a path from the upper border down to a pixel must cross at least. Clouds have soft
    edges; hills, roofs and the sea lie behind hard ones."""
    crossed = _cross(np.maximum(_edges(seen) - 12, 0))
    return (2.0 * np.clip((crossed - 8) / 25, 0, 1)).astype(np.float32)


@kernel
def _cross(hard: F32) -> F32:
    """The least sum of `hard` on a way from the upper border down to each pixel, which may go two pixels aside from row
    to row: float32 (h, w)."""
    h, w = hard.shape
    crossed = hard.copy()
    for i in range(1, h):
        for j in range(w):
            easiest = crossed[i - 1, j]
            for k in range(max(j - 2, 0), min(j + 3, w)):
                easiest = min(easiest, crossed[i - 1, k])
            crossed[i, j] += easiest
    return crossed


def _edges(seen: Features) -> F32:
    """Strength of edges in all directions over the three channels of Lab."""
    total = np.zeros(seen.shape, np.float32)
    for k in range(3):
        gx = cv2.Sobel(seen.lab[..., k], cv2.CV_32F, 1, 0, ksize=3)
        gy = cv2.Sobel(seen.lab[..., k], cv2.CV_32F, 0, 1, ksize=3)
        total += np.hypot(gx, gy) / 4
    return total


def _drop(seen: Features) -> F32:
    """How strongly a row looks like the lower rim of the sky: an edge downward."""
    edges = np.abs(cv2.Sobel(seen.lab[..., 0], cv2.CV_32F, 0, 1, ksize=3))
    for k in (1, 2):
        edges += np.abs(cv2.Sobel(seen.lab[..., k], cv2.CV_32F, 0, 1, ksize=3))
    return np.minimum(edges / 40, 1.5).astype(np.float32)


def _aside(seen: Features) -> F32:
    """float32 (h, w): what it costs the border to climb past a pixel between two columns: little along an upright edge,
    as beside a tower, much through plain sky."""
    edges = sum(np.abs(cv2.Sobel(seen.lab[..., k], cv2.CV_32F, 1, 0, ksize=3)) for k in range(3))
    return (0.6 * (1 - 0.85 * np.clip((np.asarray(edges) - 8) / 24, 0, 1))).astype(np.float32)


def _best_border(likeness: F32, edge: F32, aside: F32) -> F32:
    """The row per column, float32 (w,), with the largest likeness above minus likeness below plus edge, less a cost of
    steps between columns, see `_aside`; the cost is capped."""
    h, w = likeness.shape
    gain = np.zeros((h + 1, w), np.float32)
    gain[1:] = np.cumsum(likeness, axis=0)
    gain[:h] += 2.0 * edge
    climb = np.zeros((h + 1, w), np.float32)
    climb[1:] = np.cumsum(aside, axis=0)
    return _trace(np.ascontiguousarray(gain.T), np.ascontiguousarray(climb.T), np.float32(STEEPEST))


@kernel
def _trace(gain: F32, climb: F32, steepest: np.float32) -> F32:
    """The row per column that collects the most gain, float32 (w,), by dynamic programming; a step costs the difference
    of `climb`, at most `steepest`. Both float32 (w, h + 1); climb does not fall from row to row."""
    w, rows = gain.shape
    best, total = gain[0].copy(), np.empty(rows, np.float32)
    came = np.empty((w, rows), np.int32)
    for x in range(1, w):
        anywhere = 0
        for r in range(1, rows):
            if best[r] > best[anywhere]:
                anywhere = r
        # As climb is monotonous the cheapest origin is carried along: once down the rows, once up.
        origin = 0
        for r in range(rows):
            if best[r] >= best[origin] - (climb[x, r] - climb[x, origin]):
                origin = r
            total[r], came[x, r] = best[origin] - (climb[x, r] - climb[x, origin]), origin
        origin = rows - 1
        for r in range(rows - 1, -1, -1):
            if best[r] >= best[origin] - (climb[x, origin] - climb[x, r]):
                origin = r
            value = best[origin] - (climb[x, origin] - climb[x, r])
            if value > total[r]:
                total[r], came[x, r] = value, origin
            if best[anywhere] - steepest > total[r]:
                total[r], came[x, r] = best[anywhere] - steepest, anywhere
        for r in range(rows):
            best[r] = total[r] + gain[x, r]
    border = np.empty(w, np.float32)
    at = 0
    for r in range(1, rows):
        if best[r] > best[at]:
            at = r
    for x in range(w - 1, -1, -1):
        border[x] = at
        at = came[x, at]
    return border


def find_ridge(seen: Features, border: F32, aside: F32) -> F32:
    """The rim of a sky, float32 (w,), raised to a far ridge that was taken for sky: hazy hills are as smooth and as
    blue as the sky, but where they begin it suddenly becomes darker, in one line through the picture, as under no
    cloud. aside: see `_aside`."""
    h, _ = seen.shape
    light = seen.lab[..., 0]
    darker = np.clip(-cv2.Sobel(light, cv2.CV_32F, 0, 1, ksize=3) / 40, 0, 1.5).astype(np.float32)
    allowed = np.arange(h)[:, None] < border[None] + 1
    ridge = _best_border(np.where(allowed, 0, -1).astype(np.float32), np.where(allowed, darker, 0), aside)
    ridge = np.minimum(ridge, border)
    moved = border - ridge > RIDGE * h
    if float(moved.mean()) < 0.3 or float(ridge.mean()) < 0.05 * h:
        return border
    found = np.array([darker[max(0, int(y) - 1) : int(y) + 2, x].max() for x, y in enumerate(ridge) if moved[x]])
    rows = np.arange(h)[:, None]
    hills = (rows >= ridge[None] + 2) & (rows < border[None]) & moved[None]
    above = (rows < ridge[None] - 1) & moved[None]
    clear = np.median(found) > 0.9 and np.percentile(found, 20) > 0.35
    if not (clear and above.any() and float(np.median(light[above]) - np.median(light[hills])) > 15):
        return border
    return ridge


def fill_gaps(seen: Features, border: F32) -> F32:
    """The rim of a sky, float32 (w,), lowered where it climbs into the sky in a few columns that have the colour of the
    sky on both sides: a lit hole in the clouds is no tower."""
    h, w = seen.shape
    wide = max(3, round(GAP * w))
    line = border[None].astype(np.float32)
    closed = cv2.morphologyEx(line, cv2.MORPH_CLOSE, np.ones((1, wide), np.uint8), borderType=cv2.BORDER_REPLICATE)[0]
    filled = border.copy()
    count, labels = cv2.connectedComponents((closed - border > 0.04 * h)[None].astype(np.uint8))
    for k in range(1, count):
        columns = np.flatnonzero(labels[0] == k)
        first, last = int(columns[0]), int(columns[-1])
        beside = [x for x in (*range(first - 8, first - 1), *range(last + 2, last + 9)) if 0 <= x < w]
        top, foot = int(border[columns].min()), int(closed[columns].min())
        if seen.drawn or not beside or foot - top < 2:
            continue
        # Two thirds down what made the rim climb is over, and a tower goes on.
        rows = slice((top + 2 * foot) // 3, foot)
        inside = np.median(seen.lab[rows, first : last + 1].reshape(-1, 3), axis=0)
        around = np.median(seen.lab[rows][:, beside].reshape(-1, 3), axis=0)
        # A thin mast has the colour of its sky, but not its calm.
        calm = np.percentile(seen.busy[rows, first : last + 1], 70) < np.percentile(seen.busy[rows][:, beside], 70) + 1
        if calm and float(np.linalg.norm(inside - around)) < ALIKE:
            filled[columns] = np.maximum(border[columns], closed[columns])
    return filled


def _learned(seen: Features, border: F32) -> F32 | None:
    """Log-likelihood ratio of two Gaussians over colour and texture, learned above and below the border; clipped."""
    h, _ = seen.shape
    above = np.arange(h)[:, None] < border[None]
    if above.mean() < 0.02 or above.mean() > 0.97:
        return None
    features = np.dstack([seen.lab / 10, np.log1p(seen.busy)[..., None]]).astype(np.float32, copy=False)
    parts = [_learn(features, above == part) for part in (True, False)]
    ratio = np.zeros(seen.shape, np.float32)
    for (mean, covariance), sign in zip(parts, (1, -1), strict=True):
        spread = covariance + 0.15 * np.eye(4)
        inverse: F64 = np.linalg.inv(spread).astype(np.float64, copy=False)
        _add_likelihood(ratio, features, mean, inverse, float(np.log(np.linalg.det(spread))), -0.5 * sign)
    return np.clip(ratio / 3, -1.5, 1.5).astype(np.float32)


@kernel
def _learn(features: F32, where: NDArray[np.bool_]) -> tuple[F64, F64]:
    """The mean, float64 (4,), and the covariance, float64 (4, 4), of the features, float32 (h, w, 4), of a part."""
    h, w = where.shape
    count = 0
    mean, product = np.zeros(4), np.zeros((4, 4))
    for i in range(h):
        for j in range(w):
            if where[i, j]:
                count += 1
                for k in range(4):
                    mean[k] += features[i, j, k]
    mean /= count
    for i in range(h):
        for j in range(w):
            if where[i, j]:
                for k in range(4):
                    off = features[i, j, k] - mean[k]
                    for m in range(k + 1):
                        product[k, m] += off * (features[i, j, m] - mean[m])
    for k in range(4):
        for m in range(k):
            product[m, k] = product[k, m]
    return mean, product / (count - 1)


@kernel
def _add_likelihood(ratio: F32, features: F32, mean: F64, inverse: F64, spread: float, share: float) -> None:
    """Add to `ratio`, float32 (h, w), in place, a share of the squared distance of each pixel's features, float32
    (h, w, 4), from a Gaussian, and of its log determinant, `spread`. mean: (4,); inverse: (4, 4), of the covariance."""
    h, w = ratio.shape
    off = np.empty(4)
    for i in range(h):
        for j in range(w):
            for k in range(4):
                off[k] = features[i, j, k] - mean[k]
            distance = spread
            for k in range(4):
                for m in range(4):
                    distance += off[k] * inverse[k, m] * off[m]
            ratio[i, j] += np.float32(share * distance)


def find_water(
    seen: Features,
    rgb: U8,
    *,
    rim: F32,
    sky_mask: F32,
    indoors: float,
    open_air: float = 0.0,
    mirror: F32 | None = None,
) -> tuple[Region, float]:
    """Water in RGB uint8 (h, w, 3), and the row of its far edge as a share of the height (1 where there is none).
    rim: see find_sky. sky_mask: float32 (h, w), 0..1. indoors 0..1: how much speaks against open air, as straight walls
    do. open_air 0..1: how surely a sky is above, so that the walls are those of a town. mirror: what `measure_mirrors`
    answered, if it has been asked."""
    lake = measure_mirrors(seen) if mirror is None else mirror
    level, line = _find_level_water(seen, rgb, rim=rim, sky_mask=sky_mask, indoors=indoors, mirror=lake)
    sky = np.asarray(cv2.resize(sky_mask, seen.shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
    if level.trust >= 0.3:
        return level, line
    doubt = (1 - indoors) * (1 - 0.6 * seen.drawn)
    # What could not win anyway is not looked for.
    most = (1 - indoors * (1 - open_air)) * (1 - 0.6 * seen.drawn)
    banks, mirrored = find_quayside(seen) if most > max(level.trust, 0.3) else (np.zeros(seen.shape, np.uint8), 0.0)
    mirrored *= most
    quayside = mirrored > max(level.trust, 0.3)
    pool, trust = np.zeros(seen.shape, np.uint8), 0.0
    if quayside or max(level.trust, SURE * doubt) >= 0.1:
        pool, trust = find_pool(seen, rim=rim, sky=sky)
    # A lake that lies across that edge is but as high above it as below.
    across = float((pool > banks).sum()) > 0.2 * float(pool.sum())
    if quayside and not across:
        return _region_of(banks, mirrored, seen, rgb)
    if max(level.trust, trust * doubt) < 0.1:
        brook, trust = find_brook(seen, sky=sky)
        return _region_of(brook, trust * doubt, seen, rgb) if trust > 0 else (level, line)
    known = cv2.resize(level.mask, seen.shape[::-1], interpolation=cv2.INTER_AREA)
    wins = weigh(trust * doubt, float(pool.mean())) > weigh(level.trust, level.share)
    if trust == 0 or not wins or known[pool > 0].mean() > 0.7:
        return level, line
    return _region_of(pool, trust * doubt, seen, rgb)


def _region_of(part: NDArray[np.uint8], trust: float, seen: Features, rgb: U8) -> tuple[Region, float]:
    """What was found on the small copy, as a region of the picture, and its first row as a share of the height."""
    solid = part.astype(np.float32)
    # Water that stands out is taken for the subject; what lies before it covers a part of it only.
    if seen.subject[part > 0].mean() < 0.6:
        solid *= 1 - seen.subject
    top = int(np.flatnonzero(part.any(axis=1))[0])
    return Region(refine(solid, rgb, radius=0.006, eps=1e-3), float(trust)), top / seen.shape[0]


def _find_level_water(
    seen: Features, rgb: U8, *, rim: F32, sky_mask: F32, indoors: float, mirror: F32
) -> tuple[Region, float]:
    """The same for water below a level line.

    A surface of water shows itself by its far edge, which is level and runs through the whole picture, and by mirroring
    what stands above that edge. Colour and level streaks then tell which of the pixels below are water.
    """
    h, w = seen.shape
    sky_small = cv2.resize(sky_mask, (w, h), interpolation=cv2.INTER_AREA)
    wet = _waterlike(seen, sky_small)
    level = _level_edges(seen)
    below = np.cumsum(np.clip(wet, -0.5, 0.5).mean(axis=1)[::-1])[::-1] / np.arange(h, 0, -1)
    evidence = level + mirror
    score = evidence + 0.8 * below
    score[: max(int(np.median(rim)) - 3, int(0.12 * h))] = -np.inf
    score[int(0.93 * h) :] = -np.inf
    line = int(score.argmax())
    if not np.isfinite(score[line]) or evidence[line] < 0.12:
        return empty_region(rgb.shape[:2]), 1.0
    mirrored = float(mirror[line])
    sure = float(evidence[line])
    line = _find_breaker(seen, line, sky_small)
    light, a, b = (seen.lab[..., k] for k in range(3))
    green = (a < -7) & (b > 5)
    dry = (wet < -0.3 - 0.8 * mirrored) | (seen.subject > 0.5) | (green & (seen.busy > 2 * mirrored))
    solid: Any = ((np.arange(h)[:, None] >= line) & ~dry).astype(np.uint8)
    solid = cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((3, 5), np.uint8))
    solid = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, np.ones((5, 11), np.uint8))
    solid[:line] = 0
    solid = _drop_small_parts(solid)
    part = solid > 0
    if float(part.mean()) < 0.02:
        return empty_region(rgb.shape[:2]), 1.0
    colour = float(np.clip(0.4 + wet[part].mean(), 0, 1))
    filled = float(np.clip(part[line:].mean() / 0.4, 0, 1))
    greyish = float(np.clip((14 - np.hypot(a, b)[part].mean()) / 5, 0, 1))
    pale = greyish * float(np.clip((float(np.median(light[part])) - 60) / 10, 0, 1))  # cloud or snow rather than water
    trust = (np.clip(sure, 0, 1) * (0.55 + 0.45 * colour)) * filled * (1 - 0.6 * pale) * (1 - indoors)
    trust *= 1 - 0.6 * seen.drawn
    # A table on which something stands close by is grey; water has a colour, or shows it from farther away.
    table = float(np.clip((8 - np.median(np.hypot(a, b)[part])) / 3, 0, 1))
    trust *= 1 - 0.85 * table * _seen_close(seen)
    sea = max(_is_rough_sea(seen, part, line, sky_small), measure_sea_green(seen, part, line, sky_small))
    trust = max(trust, ROUGH_SEA * sea * (1 - indoors) * (1 - 0.6 * seen.drawn))
    mask = refine(solid.astype(np.float32), rgb, radius=0.006, eps=1e-3)
    cut = np.clip(np.arange(rgb.shape[0])[:, None] - line / h * rgb.shape[0] + 0.5, 0, 1)
    return Region((mask * cut).astype(np.float32), float(np.clip(trust, 0, 1))), line / h


def _is_rough_sea(seen: Features, part: NDArray[np.bool_], line: int, sky: Any) -> float:
    """0..1: how surely water, (h, w), from the row `line` down is a sea in a storm, whose far edge is lost in breakers:
    as wide as the picture under an open sky, full of foam in level streaks, and grey as neither sand nor fields are.
    sky: float32 (h, w), 0..1."""
    if float(part[line:].mean()) < 0.9 or float(part.mean()) < 0.3 or float(sky.mean()) < 0.15:
        return 0.0
    upright, busy = float(np.percentile(seen.upright[part], 80)), float(np.median(seen.busy[part]))
    chroma = float(np.median(np.hypot(seen.lab[..., 1], seen.lab[..., 2])[part]))
    streaks, foam = np.clip((0.34 - upright) / 0.06, 0, 1), np.clip((busy - 6) / 1.2, 0, 1)
    return float(streaks * foam * np.clip((14 - chroma) / 4, 0, 1))


def _seen_close(seen: Features) -> float:
    """0..1: how surely what stands out is seen from so near that it fills a good part of the picture."""
    return float(np.clip((float(seen.subject.mean()) - 0.2) / 0.1, 0, 1))


def _find_breaker(seen: Features, line: int, sky: Any) -> int:
    """The row where a wave that breaks before the far edge of the water begins, else `line`, that edge as it was found:
    the foot of such a wave is a level edge too. Its crest is a level line of foam, brighter than what is above and
    much brighter than its dark face; no shore is. sky: float32 (h, w), 0..1."""
    h, _ = seen.shape
    light = np.median(seen.lab[..., 0], axis=1)
    for row in range(line - 3, max(line - round(0.12 * h), 4), -1):
        crest = float(light[row : row + 2].max())
        face, beyond = float(light[row + 3 : line].min(initial=100.0)), float(light[row - 4])
        open_water = float(np.median(seen.upright[row:line])) < 0.12 and float(sky[row:line].mean()) < 0.1
        if (
            open_water
            and crest > face + 18
            and crest > beyond + 3
            and float(light[line + 1 : line + 5].max()) > face + 12
        ):
            return row
    return line


def _level_edges(seen: Features) -> F32:
    """float32 (h,): how much a row is a level edge across the picture: the edge strength that more than half of its
    columns reach, against that of the rows about it; or that of the sea under a sky, see `measure_turquoise`."""
    edges = sum(np.abs(cv2.Sobel(seen.lab[..., k], cv2.CV_32F, 0, 1, ksize=3)) for k in range(3))
    common = np.percentile(np.asarray(edges) / 8, 45, axis=1)
    about = cv2.blur(common[:, None], (1, 13)).ravel()
    strength = np.clip((common / (about + 0.6) - 1.25) / 1.2, 0, 1) * np.clip(common / 8, 0, 1)
    return np.minimum(strength + measure_turquoise(seen), 1).astype(np.float32)


def _drop_small_parts(solid: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A mask of 0 and 1 without the connected parts that have under 8 % of the area of the largest."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    if count <= 2:
        return solid
    areas = stats[1:, cv2.CC_STAT_AREA]
    keep = 1 + np.flatnonzero(areas >= 0.08 * areas.max())
    return np.isin(labels, keep).astype(np.uint8)


def _waterlike(seen: Features, sky_small: Any) -> F32:
    """Positive where a pixel by itself looks like water: blue or of the sky's hue, with level streaks, smooth."""
    light, a, b = (seen.lab[..., k] for k in range(3))
    blue = np.clip(-b / 15, -1, 1) - 0.6 * np.clip(-a / 14 - np.clip(-b / 14, 0, 1), 0, 1)
    flat = 0.5 - seen.upright
    smooth = 0.5 - np.minimum(seen.busy / 10, 1.2)
    if float(sky_small.mean()) > 0.02:
        weights = sky_small / sky_small.sum()
        hue = np.stack([(c * weights).sum() for c in (a, b)])
        like_sky = 0.6 - np.hypot(a - hue[0], b - hue[1]) / 18
    else:
        like_sky = np.zeros_like(light)
    score = 0.5 * blue + 0.9 * flat + 0.35 * smooth + 0.5 * np.clip(like_sky, -0.8, 0.6) - sky_small
    out: F32 = score.astype(np.float32)
    return out


def find_fire(seen: Features, rgb: U8, *, sky_mask: F32, grey: bool) -> Region:
    """Bright orange to white-yellow areas of a dark picture, RGB uint8 (h, w, 3), outside the sky. sky_mask: float32
    (h, w), 0..1."""
    if grey:
        return empty_region(rgb.shape[:2])
    h, w = seen.shape
    light, a, b = (seen.lab[..., k] for k in range(3))
    flame = np.clip((light - 50) / 15, 0, 1) * np.clip((b - 28) / 15, 0, 1) * np.clip((a + 2) / 10, 0, 1)
    flame *= 1 - cv2.resize(sky_mask, (w, h), interpolation=cv2.INTER_AREA)
    dark = float(np.clip((45 - np.median(light)) / 25, 0, 1))
    solid = flame > 0.5
    if float(solid.mean()) < 0.002:
        return empty_region(rgb.shape[:2])
    core = float(np.clip((np.percentile(light[solid], 90) - 75) / 15, 0, 1))
    return Region(refine(flame.astype(np.float32), rgb, radius=0.006, eps=1e-3), dark * core * 0.8)
