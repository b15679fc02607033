"""Thin, straight, rigid and upright parts: poles, masts, posts, the legs of a tripod, straight trunks. Whatever moves
about them, they stand. Found by their two edges, without a model."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.scene.open_sky import detect_lines
from vivant.media import F32, F64, U8

# All in long sides of the picture, but for angles.
_EDGE: Final = 0.03  # the least length of an edge
_WIDE: Final = (0.0025, 0.028)  # from one edge to the other
_LEANS: Final = 38.0  # degrees from upright at most, as the legs of a tripod
_PARALLEL: Final = 4.0  # degrees by which two edges of one post may differ
_SLENDER: Final = 3.5  # lengths to a width, at least
_TALL: Final = 0.11  # the least length of a post, all its stretches together
_OUT: Final = 0.3  # share of a post that is seen before something else than plants: stalks and twigs are amid them
_ALIKE: Final = 16.0  # distance in CIE Lab up to which what is below a post is still it
_FOOT: Final = 0.03  # so far a post goes on at both ends, where grass hides its edges


def find_strips(rgb: U8) -> F64:
    """Stretches between two parallel edges, of which one is as the other seen in a mirror, in RGB uint8 (h, w, 3):
    float64 (n, 5), x and y of the upper end and of the lower, and the width, all in long sides."""
    lines = detect_lines(rgb).astype(np.float64)
    along = lines[:, 2:] - lines[:, :2]
    length = np.hypot(along[:, 0], along[:, 1])
    upright = (length > _EDGE) & (np.abs(along[:, 0]) < np.tan(np.radians(_LEANS)) * np.abs(along[:, 1]))
    lines, along, length = lines[upright], along[upright], length[upright]
    unit = along / np.maximum(length, 1e-9)[:, None]
    found = []
    for one in range(len(lines)):
        for other in range(one + 1, len(lines)):
            # The detector gives an edge a direction by which of its sides is bright.
            if float(unit[one] @ unit[other]) > -np.cos(np.radians(_PARALLEL)):
                continue
            strip = _between(lines[one], lines[other], unit[one] - unit[other])
            if strip is not None:
                found.append(strip)
    return np.array(found, np.float64).reshape(-1, 5)


def _between(one: F64, other: F64, way: F64) -> tuple[float, float, float, float, float] | None:
    """The strip between two edges that lie beside each other near enough and long enough."""
    way = way / np.hypot(*way)
    way = way if way[1] > 0 else -way
    across = np.array([-way[1], way[0]])
    first, second = (np.sort(line.reshape(2, 2) @ way) for line in (one, other))
    low, high = max(first[0], second[0]), min(first[1], second[1])
    places = [float((line.reshape(2, 2) @ across).mean()) for line in (one, other)]
    wide = abs(places[0] - places[1])
    shorter = min(np.ptp(first), np.ptp(second))
    if not _WIDE[0] < wide < _WIDE[1] or high - low < max(0.5 * shorter, _SLENDER * wide):
        return None
    middle = 0.5 * sum(places)
    # From end to end of both edges: where one of them is hidden the other shows that it goes on.
    start, end = (t * way + middle * across for t in (min(first[0], second[0]), max(first[1], second[1])))
    return float(start[0]), float(start[1]), float(end[0]), float(end[1]), float(wide)


def find_posts(rgb: U8, plants: F32) -> F32:
    """The posts that stand in plants or before them, float32 (h, w), 0..1. plants: float32 (h, w), 0..1. Stalks,
    twigs and blades are straight as well, but amid plants for most of their length."""
    strips = find_strips(rgb)
    kept = [group for group in _join(strips) if _is_post(strips[group], plants)]
    if not kept:
        return np.zeros(plants.shape, np.float32)
    chosen = strips[np.concatenate(kept)]
    feet = [_follow_down(strip, rgb) for strip in chosen]
    return draw_strips(np.concatenate([chosen, *feet]), plants.shape)


def _follow_down(strip: F64, rgb: U8) -> F64:
    """The foot of a post, as far as its colour goes on below a strip of it: float64 (0 or 1, 5)."""
    h, w = rgb.shape[:2]
    x0, y0, x1, y1, wide = strip
    way = np.array([x1 - x0, y1 - y0]) / max(float(np.hypot(x1 - x0, y1 - y0)), 1e-9)
    radius = max(0, int(0.2 * wide * max(h, w)))
    soft = cv2.blur(rgb, (2 * radius + 1, 2 * radius + 1))

    def seen(x: F64, y: F64) -> F64:
        """CIE Lab of places in long sides, float64 (n, 3)."""
        rows, columns = (np.clip(v * max(h, w), 0, n - 1).astype(int) for v, n in ((y, h), (x, w)))
        colour = cv2.cvtColor(soft[rows, columns][None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        return np.asarray(colour[0], np.float64)

    t = np.linspace(0.5, 1, 24)
    own = np.median(seen(x0 + t * (x1 - x0), y0 + t * (y1 - y0)), axis=0)
    steps = np.arange(0.0, 0.6, 0.004)
    steps = steps[y1 + steps * way[1] < h / max(h, w)]
    if not len(steps):
        return np.zeros((0, 5))
    unlike = np.linalg.norm(seen(x1 + steps * way[0], y1 + steps * way[1]) - own, axis=1) > _ALIKE
    # Three places in a row that are unlike are the end.
    ends = np.flatnonzero(unlike[:-2] & unlike[1:-1] & unlike[2:]) if len(unlike) > 2 else np.zeros(0, np.int64)
    reach = float(steps[ends[0]] if len(ends) else steps[-1])
    return np.array([[x1, y1, x1 + reach * way[0], y1 + reach * way[1], wide]])


def _join(strips: F64) -> list[NDArray[np.int64]]:
    """Indices of the strips that lie in one line, for each line."""
    left, groups = set(range(len(strips))), []
    while left:
        group, new = [], [left.pop()]
        while new:
            at = new.pop()
            group.append(at)
            joined = {k for k in left if _in_line(strips[at], strips[k])}
            left -= joined
            new.extend(joined)
        groups.append(np.array(sorted(group), np.int64))
    return groups


def _in_line(one: F64, other: F64) -> bool:
    way = one[2:4] - one[:2]
    way = way / max(float(np.hypot(*way)), 1e-9)
    across = np.array([-way[1], way[0]])
    apart = np.abs((other[:4].reshape(2, 2) - one[:2]) @ across)
    return float(apart.max()) < 0.6 * float(max(one[4], other[4])) + 0.002


def _is_post(group: F64, plants: F32) -> bool:
    h, w = plants.shape
    total, out = 0.0, 0.0
    for x0, y0, x1, y1, _ in group:
        t = np.linspace(0, 1, 24)
        x, y = (np.clip((a + t * (b - a)) * max(h, w), 0, n - 1).astype(int) for a, b, n in ((x0, x1, w), (y0, y1, h)))
        length = float(np.hypot(x1 - x0, y1 - y0))
        total += length
        out += length * float((plants[y, x] < 0.35).mean())
    tall = float(np.hypot(*(group[:, 2:4].max(axis=0) - group[:, :2].min(axis=0))))
    return tall >= _TALL and total >= 0.5 * tall and out >= _OUT * total


def draw_strips(strips: F64, shape: tuple[int, ...]) -> F32:
    """Strips, float64 (n, 5), see `find_strips`, and a little at both ends: float32 of `shape`, (h, w), 0..1."""
    h, w = shape
    out = np.zeros((h, w), np.uint8)
    for x0, y0, x1, y1, wide in strips:
        way = np.array([x1 - x0, y1 - y0])
        way = way * _FOOT / max(float(np.hypot(*way)), 1e-9)
        start, end = ((np.array([x0, y0]) - way) * max(h, w), (np.array([x1, y1]) + way) * max(h, w))
        thick = max(1, round(1.3 * wide * max(h, w)) + 2)
        cv2.line(out, (round(start[0]), round(start[1])), (round(end[0]), round(end[1])), 255, thick)
    return np.asarray(filters.blur(out.astype(np.float32) / 255, 0.8), np.float32)
