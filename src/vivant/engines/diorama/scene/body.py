"""Where the parts of a subject without a human face are: trunk, head and neck, tail, ears and feet, from its matte
alone. Knows no kinds of animals and no motion.

The trunk is the largest circle inside the matte. What stands out of it is found as the points of the matte that are
farthest from the trunk by the way inside it, one after the other; what they are follows from where they are and how
fat the way to them is.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.checks import check_number, check_tuple, check_type
from vivant.engines.diorama.kernels import kernel
from vivant.media import F32

SIDE: Final = 256  # long side of the copy of the matte on which parts are looked for
BEHIND: Final = 24  # pixels of that copy by which a subject that the border cuts off goes on behind it
INSIDE: Final = 0.5  # of the matte, from which a pixel is the subject's
LEAST: Final = 24  # area on that copy, below which a subject is a speck
SHORTEST: Final = 0.45  # trunk radii by which a part stands out of the trunk at least
MOST_PARTS: Final = 10
NECK: Final = 0.72  # trunk radii: where the way from a part to the trunk is as fat, the trunk begins
FAT: Final = 0.22  # trunk radii: the way to a head is at least as fat, a horn or an ear is not
NARROW: Final = 0.85  # head radii: a neck is thinner
HEAD: Final = 0.42  # trunk radii: radius of a head whose own shape does not tell it
TAIL: Final = 1.2  # trunk radii from the head, and a tail stands out as far
THIN: Final = 0.34  # trunk radii: a tail is nowhere fatter
LOW: Final = 0.3  # of the height of the subject: the feet are in its lowest part
EAR: Final = (0.25, 1.25)  # head radii by which ears stand out of a head; horns are longer

Point = tuple[float, float]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Circle:
    """Canvas pixels."""

    x: float
    y: float
    radius: float

    def __post_init__(self) -> None:
        check_number("Circle.radius", self.radius, 0)


@dataclass(frozen=True, slots=True)
class Limb:
    """What stands out: from where it begins to its tip, canvas pixels."""

    root: Point
    tip: Point

    @property
    def length(self) -> float:
        return float(np.hypot(self.tip[0] - self.root[0], self.tip[1] - self.root[1]))


@dataclass(frozen=True, slots=True)
class AnimalEye:
    """An eye that is open: an ellipse about (x, y), half axes across and down, canvas pixels, turned by tilt."""

    x: float
    y: float
    across: float
    down: float
    blinks: bool = True  # False: the eye itself is not told from dark fur about it, so no lid can close over it
    proves: bool = False  # it is one of two with an iris, or round and set in fur: nothing but an animal has such
    tilt: float = 0.0  # of its long axis, clockwise from the right, degrees
    upright: bool = True  # False: nobody knows which of its lids is the upper one

    def __post_init__(self) -> None:
        check_number("AnimalEye.across", self.across, 0.5)
        check_number("AnimalEye.down", self.down, 0.5)


@dataclass(frozen=True, slots=True)
class Body:
    """The parts of a subject, canvas pixels. neck: about which the head turns. ground: the row that its feet, or the
    border that cuts it off, stand on."""

    trunk: Circle
    ground: float
    head: Circle | None = None
    neck: Point | None = None
    ears: tuple[Limb, ...] = ()
    tail: Limb | None = None
    feet: tuple[Point, ...] = ()
    eyes: tuple[AnimalEye, ...] = ()

    def __post_init__(self) -> None:
        check_type("Body.trunk", self.trunk, Circle)
        check_tuple("Body.ears", self.ears, Limb)
        check_tuple("Body.eyes", self.eyes, AnimalEye)
        if (self.head is None) != (self.neck is None):
            raise ValueError("Body.neck must be given with Body.head, and only then.")

    def seen_in(self, left: float, top: float, scale: float) -> Body:
        """The same in a picture that begins at (left, top) of this one and is `scale` times as large."""

        def point(at: Point) -> Point:
            return (at[0] - left) * scale, (at[1] - top) * scale

        def circle(one: Circle) -> Circle:
            return Circle(*point((one.x, one.y)), one.radius * scale)

        def limb(one: Limb) -> Limb:
            return Limb(point(one.root), point(one.tip))

        return Body(
            trunk=circle(self.trunk),
            ground=point((0, self.ground))[1],
            head=circle(self.head) if self.head else None,
            neck=point(self.neck) if self.neck else None,
            ears=tuple(limb(ear) for ear in self.ears),
            tail=limb(self.tail) if self.tail else None,
            feet=tuple(point(foot) for foot in self.feet),
            eyes=tuple(
                replace(eye, x=x, y=y, across=eye.across * scale, down=eye.down * scale)
                for eye in self.eyes
                for x, y in (point((eye.x, eye.y)),)
            ),
        )


@dataclass(frozen=True, slots=True)
class _Way:
    """From a tip to the middle of the trunk: points float64 (k, 2), x and y, and how fat the subject is there."""

    points: NDArray[np.float64]
    fat: NDArray[np.float64]
    out: int  # points until the trunk begins


def find_body(matte: F32) -> Body | None:
    """The parts of the subject of a matte, float32 (h, w), 0..1; None where it is a speck. The caller knows that it
    is a living thing."""
    h, w = matte.shape
    scale = SIDE / max(h, w)
    inside = _largest(filters.resize(matte, max(1, round(w * scale)), max(1, round(h * scale))) > INSIDE)
    if inside is None:
        return None
    # A subject that the border cuts off goes on a little behind it.
    wide = np.pad(np.pad(inside.astype(np.uint8), BEHIND, mode="edge"), 1)
    fat = cv2.distanceTransform(wide, cv2.DIST_L2, 5)[1 + BEHIND : -1 - BEHIND, 1 + BEHIND : -1 - BEHIND]
    rows, columns = np.nonzero(inside)
    top, bottom = int(rows.min()), int(rows.max())
    ty, tx = (int(k) for k in np.unravel_index(int(np.argmax(np.where(inside, fat, 0))), fat.shape))
    radius = float(min(fat[ty, tx], 0.5 * max(bottom - top, int(columns.max() - columns.min())) + 1))
    ways = _find_ways(inside, fat.astype(np.float64), (ty, tx), radius)
    low = bottom - LOW * (bottom - top)
    feet = [way for way in ways if way.points[0, 1] > low and _points_down(way, radius)]
    others = [way for way in ways if all(way is not foot for foot in feet)]
    head = _find_head(others, np.where(inside, fat, 0).astype(np.float64), (tx, ty), radius, top)
    tail = _find_tail(others, head, (tx, ty), radius)
    ears = _find_ears(inside, head, (tx, ty)) if head else ()

    def point(x: float, y: float) -> Point:
        return float((x + 0.5) / scale - 0.5), float((y + 0.5) / scale - 0.5)

    def limb(root: Point, tip: Point) -> Limb:
        return Limb(point(*root), point(*tip))

    return Body(
        trunk=Circle(*point(tx, ty), radius / scale),
        ground=point(0, bottom)[1],
        head=Circle(*point(head[0].x, head[0].y), head[0].radius / scale) if head else None,
        neck=point(*head[1]) if head else None,
        ears=tuple(limb(*ear) for ear in ears),
        tail=limb(*tail) if tail else None,
        feet=tuple(point(*way.points[0]) for way in feet),
    )


def warm_up_body() -> None:
    """Compile what `find_body` runs, or load it, so that no job waits for it."""
    _measure_from(np.ones((2, 2), np.bool_), (0, 0))


def _largest(mask: Mask) -> Mask | None:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return labels == largest if stats[largest, cv2.CC_STAT_AREA] >= LEAST else None


def _find_ways(inside: Mask, fat: NDArray[np.float64], trunk: tuple[int, int], radius: float) -> list[_Way]:
    """The ways to what stands out of the trunk, the farthest first."""
    far, before = _measure_from(inside, trunk)
    found: list[_Way] = []
    taken = np.hypot(*np.ogrid[-trunk[0] : far.shape[0] - trunk[0], -trunk[1] : far.shape[1] - trunk[1]]) < radius
    border = np.zeros_like(inside)
    border[[0, -1]] = border[:, [0, -1]] = True
    left = np.where(inside & ~border & np.isfinite(far), far, -1)
    while len(found) < MOST_PARTS:
        open_ = np.where(taken, -1, left)
        at = int(np.argmax(open_))
        if open_.flat[at] < radius * (1 + SHORTEST):
            break
        points = [at]
        while before.flat[points[-1]] >= 0:
            points.append(int(before.flat[points[-1]]))
        y, x = np.unravel_index(points, far.shape)
        along = fat[y, x]
        reached = np.flatnonzero(along >= NECK * radius)
        out = int(reached[0]) if len(reached) else len(points)
        found.append(_Way(np.stack([x, y], -1).astype(np.float64), along, out))
        # What lies beside this way is no other part.
        for k in range(0, out, 2):
            reach = int(along[k] * 1.5 + 0.35 * radius)
            cv2.circle(mark := taken.astype(np.uint8), (int(x[k]), int(y[k])), reach, 1, -1)
            taken = mark > 0
    return found


@kernel
def _measure_from(inside: Mask, start: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """How far each pixel is from `start` by the way inside the mask, and the pixel before it on that way (-1: none)."""
    h, w = inside.shape
    far = np.full((h, w), np.inf)
    before = np.full(h * w, -1, np.int64)
    far[start[0], start[1]] = 0.0
    queue = [(0.0, start[0], start[1])]
    while len(queue) > 0:
        d, i, j = heapq.heappop(queue)
        if d > far[i, j]:
            continue
        for di in range(-1, 2):
            for dj in range(-1, 2):
                a, b = i + di, j + dj
                if (di == 0 and dj == 0) or not (0 <= a < h and 0 <= b < w) or not inside[a, b]:
                    continue
                length = d + (np.sqrt(2.0) if di != 0 and dj != 0 else 1.0)
                if length < far[a, b]:
                    far[a, b] = length
                    before[a * w + b] = i * w + j
                    heapq.heappush(queue, (length, a, b))
    return far, before


def _points_down(way: _Way, radius: float) -> bool:
    """Whether its last piece leads down: a leg; a tail that hangs curls up or aside at its end."""
    last = way.points[min(len(way.points) - 1, max(3, round(0.5 * radius)))]
    dx, dy = way.points[0] - last
    return bool(dy > 0.5 * abs(dx))


def _find_head(
    ways: list[_Way], fat: NDArray[np.float64], trunk: tuple[int, int], radius: float, top: int
) -> tuple[Circle, Point] | None:
    """The fattest thing that stands out above the middle of the trunk, and where its neck begins."""
    best: tuple[float, Circle, Point] | None = None
    for way in ways:
        solid = np.flatnonzero(way.fat[: way.out] >= FAT * radius)
        if not len(solid):
            continue
        first = int(solid[0])
        x, y = (int(k) for k in way.points[first])
        peak_x, peak_y = _climb(fat, x, y)
        size = float(fat[peak_y, peak_x])
        line = np.linspace((peak_y, peak_x), (trunk[0], trunk[1])[::-1], 32).astype(int)
        thinnest = float(fat[line[:, 0], line[:, 1]].min())
        if np.hypot(peak_x - trunk[0], peak_y - trunk[1]) > radius and thinnest < NARROW * size:
            x, y, size = peak_x, peak_y, 1.05 * size  # a round head on a thinner neck
        else:
            size = HEAD * radius
            x, y = (int(k) for k in way.points[min(first + max(1, round(0.6 * size)), way.out)])
        if y > trunk[1] - 0.15 * radius:
            continue  # a head held low is not told from a leg
        on_way = int(np.hypot(way.points[:, 0] - x, way.points[:, 1] - y).argmin())
        neck = way.points[min(len(way.points) - 1, on_way + round(1.1 * size))]
        score = size / radius + 0.8 * (trunk[1] - y) / max(1.0, trunk[1] - top)
        if best is None or score > best[0]:
            best = score, Circle(float(x), float(y), size), (float(neck[0]), float(neck[1]))
    return None if best is None else (best[1], best[2])


def _climb(fat: NDArray[np.float64], x: int, y: int) -> tuple[int, int]:
    """The top of the hill of fatness on whose slope a point lies."""
    while True:
        top, left = max(0, y - 2), max(0, x - 2)
        near = fat[top : y + 3, left : x + 3]
        i, j = (int(k) for k in np.unravel_index(int(near.argmax()), near.shape))
        if near[i, j] <= fat[y, x]:
            return x, y
        x, y = left + j, top + i


def _find_tail(
    ways: list[_Way], head: tuple[Circle, Point] | None, trunk: tuple[int, int], radius: float
) -> tuple[Point, Point] | None:
    """The longest thin thing that stands out on the other side than the head."""
    best: tuple[float, Point, Point] | None = None
    for way in ways:
        tip = way.points[0]
        if head is not None:
            near = np.hypot(tip[0] - head[0].x, tip[1] - head[0].y) < TAIL * radius + head[0].radius
            ahead = (tip[0] - trunk[0]) * (head[0].x - trunk[0]) + (tip[1] - trunk[1]) * (head[0].y - trunk[1])
            if near or ahead > 0.3 * radius * radius:
                continue
        fat = np.flatnonzero(way.fat[: way.out] > THIN * radius)
        out = int(fat[0]) if len(fat) else way.out
        if out < SHORTEST * radius:
            continue
        root = way.points[min(out, len(way.points) - 1)]
        if best is None or out > best[0]:
            best = out, (float(root[0]), float(root[1])), (float(tip[0]), float(tip[1]))
    return None if best is None else (best[1], best[2])


def _find_ears(inside: Mask, head: tuple[Circle, Point], trunk: tuple[int, int]) -> tuple[tuple[Point, Point], ...]:
    """What stands out of the head's outline on its far side: the mask without its opening by a disc."""
    circle, neck = head
    size = 2 * max(1, round(0.5 * circle.radius)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    opened = cv2.morphologyEx(np.pad(inside.astype(np.uint8), size, mode="edge"), cv2.MORPH_OPEN, disc)
    sharp = inside & (opened[size:-size, size:-size] == 0)
    y, x = np.ogrid[: inside.shape[0], : inside.shape[1]]
    near = np.hypot(x - circle.x, y - circle.y) < (1.5 + EAR[1]) * circle.radius
    away = (x - circle.x) * (circle.x - neck[0]) + (y - circle.y) * (circle.y - neck[1]) > -0.35 * circle.radius**2
    count, labels, stats, _ = cv2.connectedComponentsWithStats((sharp & near & away).astype(np.uint8), connectivity=8)
    ears = []
    for k in range(1, count):
        if stats[k, cv2.CC_STAT_AREA] < max(3.0, 0.03 * np.pi * circle.radius**2):
            continue
        rows, columns = np.nonzero(labels == k)
        out = np.hypot(columns - circle.x, rows - circle.y)
        low, high = int(out.argmin()), int(out.argmax())
        length = float(np.hypot(columns[high] - columns[low], rows[high] - rows[low]))
        if not EAR[0] * circle.radius <= length <= EAR[1] * circle.radius or rows[high] > circle.y:
            continue
        ears.append((length, (float(columns[low]), float(rows[low])), (float(columns[high]), float(rows[high]))))
    ears.sort(key=lambda ear: -ear[0])
    return tuple((root, tip) for _, root, tip in ears[:2])
