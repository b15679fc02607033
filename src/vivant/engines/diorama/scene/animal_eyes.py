"""The eyes of an animal. Both, if it looks toward the viewer: dark ellipses of like size beside each other, each in
brighter surroundings, whose neighbourhoods mirror each other and are of like colours. Else one, if it is certain.

Tried and left: OpenCV's frontal cat cascades miss a real cat's face and fire on flowers. A dog's nose and the corner of
its mouth mirror each other as well as two eyes do, but lie in fur of different colours. Knows no animals.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.scene.body import AnimalEye
from vivant.engines.diorama.scene.fur import FURRY, measure_fur
from vivant.engines.diorama.scene.iris import find_iris
from vivant.engines.diorama.scene.lone_eye import find_lone_eye, is_stark, measure_shape
from vivant.engines.diorama.scene.pupils import Pupil, find_pupils, fit_opening, measure_opening, sample_rings
from vivant.media import F32, U8

SIDE: Final = 440  # long side of the copy of the subject on which eyes are looked for
ENLARGED: Final = 3.0  # times that it is enlarged at most
LIKE: Final = 1.75  # ratio of the sizes of two pupils
TILT: Final = 30.0  # degrees
APART: Final = (2.4, 9.0)  # radii of an eye between the two
NEAR: Final = 1.25  # radii of an eye: its neighbourhood
AROUND: Final = 12.0  # a and b of Lab: by which the colours about two eyes differ at most
WITHIN: Final = 40.0  # Lab: the same of the eyes themselves
OTHER: Final = 13.0  # a and b: by which both eyes together differ from what is about them at least; stripes do not
IRIS: Final = (1.7, 6.0)  # an eye larger by this factor than its pupil has an iris, which differs by this at least
MIRRORED: Final = 0.12  # correlation of one's neighbourhood with the other's mirror image
PATCH: Final = 0.24  # distances between the eyes: a dark circle as large is no eye but a patch of fur about it
LEAST: Final = 0.17  # score of a pair, below which fur, stone and petals have some
MANY: Final = 4  # pairs as good as the best, from which on they are a pattern (seeds, petals, windows)
WHOLE: Final = 1.4  # pupil radii, below which a pupil is all that one sees of an eye
# An eye of a pair that proves an animal: pupil radii that its iris reaches, share of the way around it on which its
# edge is round, and difference of a and b about it, at least. Holes in lava and portholes of a ship have less.
PROOF: Final = (1.5, 0.65, 12.0)
HOLE: Final = 0.02  # of the subject's area: holes in it are no larger

_Pair = tuple[float, Pupil, Pupil, tuple[float, float]]  # score, pupils, radii of the eyes


class Closeup(NamedTuple):
    """The subject's part of a picture, enlarged or reduced by scale, and where it begins in it, pixels."""

    top: int
    left: int
    scale: float
    lab: U8  # (h, w, 3)
    inside: NDArray[np.bool_]  # (h, w), without small holes


def cut_subject(rgb: U8, matte: F32) -> Closeup | None:
    """None where there is no subject. rgb: uint8 (h, w, 3); matte: float32 (h, w), 0..1."""
    rows, columns = np.flatnonzero((matte > 0.5).any(axis=1)), np.flatnonzero((matte > 0.5).any(axis=0))
    if not len(rows):
        return None
    top, left = int(rows[0]), int(columns[0])
    box = slice(top, int(rows[-1]) + 1), slice(left, int(columns[-1]) + 1)
    h, w = matte[box].shape
    scale = min(ENLARGED, SIDE / max(h, w))
    size = (max(2, round(w * scale)), max(2, round(h * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    lab = np.asarray(cv2.cvtColor(cv2.resize(rgb[box], size, interpolation=how), cv2.COLOR_RGB2LAB), np.uint8)
    return Closeup(top, left, scale, lab, _fill(cv2.resize(matte[box], size, interpolation=cv2.INTER_AREA) > 0.5))


def find_turned_eye(rgb: U8, matte: F32) -> tuple[AnimalEye, ...]:
    """The one eye of an animal, whichever way its head is turned; none where it is not certain. To be asked where
    something else tells that there is an animal and `find_eyes` found nothing. rgb: uint8 (h, w, 3); matte: float32
    (h, w), 0..1."""
    cut = cut_subject(rgb, matte)
    iris = None if cut is None else find_iris(cut.lab.astype(np.float32), cut.inside)
    if cut is None or iris is None:
        return ()
    return (AnimalEye(
        x=cut.left + (iris.x + 0.5) / cut.scale - 0.5, y=cut.top + (iris.y + 0.5) / cut.scale - 0.5,
        across=iris.long / cut.scale, down=iris.short / cut.scale, tilt=iris.tilt, upright=False,
    ),)  # fmt: skip


def find_eyes(rgb: U8, matte: F32) -> tuple[AnimalEye, ...]:
    """Both eyes of the subject, the left one in the picture first, or the one that is seen, in canvas pixels; none
    where they are not certain. rgb: uint8 (h, w, 3); matte: float32 (h, w), 0..1."""
    cut = cut_subject(rgb, matte)
    if cut is None:
        return ()
    top, left, scale, lab, inside = cut.top, cut.left, cut.scale, cut.lab, cut.inside
    pupils = find_pupils(np.ascontiguousarray(lab[..., 0]), inside)
    light = lab.astype(np.float32)
    pairs: list[_Pair] = sorted(
        ((score, one, other, sizes) for one, other in combinations(pupils, 2)
         if (found := _judge(light, one, other)) for score, sizes in (found,)),
        key=lambda pair: -pair[0],
    )  # fmt: skip

    def show(pupil: Pupil, radius: float, *, blinks: bool, proves: bool) -> AnimalEye:
        x, y, across, down = fit_opening(light, pupil, radius)
        return AnimalEye(
            x=left + float((x + 0.5) / scale - 0.5), y=top + float((y + 0.5) / scale - 0.5),
            across=float(across / scale), down=float(down / scale), blinks=blinks, proves=proves,
        )  # fmt: skip

    pair = _choose(pairs)
    if pair is None or not _is_sure(light, pair):
        lone = find_lone_eye(light, pupils)
        if lone is None:
            return ()
        stark = is_stark(np.asarray(cv2.GaussianBlur(light, (0, 0), 0.8), np.float32), lone[0])
        eye = show(*lone, blinks=not stark, proves=not stark and measure_fur(light[..., 0], inside) >= FURRY)
        if (
            lone[1] < WHOLE * lone[0].radius
        ):  # all that one sees of it is dark: its middle is the middle of what is dark
            eye = replace(eye, x=left + float((lone[0].x + 0.5) / scale - 0.5),
                          y=top + float((lone[0].y + 0.5) / scale - 0.5))  # fmt: skip
        return (eye,)
    apart = float(np.hypot(pair[1].x - pair[2].x, pair[1].y - pair[2].y))
    proves = _proves(light, pair)
    # What is dark as a whole and large is a patch of dark fur, with the eye somewhere in it.
    eyes = (
        show(pupil, radius, blinks=radius <= PATCH * apart or radius >= WHOLE * pupil.radius, proves=proves)
        for pupil, radius in zip(pair[1:3], pair[3], strict=True)
    )
    return tuple(sorted(eyes, key=lambda eye: eye.x))


def _choose(pairs: list[_Pair]) -> _Pair | None:
    """The eyes among pairs, the best first; None: they are a pattern, or there are none."""
    if not pairs:
        return None
    best = pairs[0]
    # Dark fur about the eyes is a pair, too; the eyes lie inside it.
    best = next((pair for pair in pairs if pair[0] > 0.4 * best[0] and _lies_inside(pair, best)), best)
    rivals = [pair for pair in pairs if pair[0] > 0.85 * best[0] and not _share_an_eye(pair, best)]
    return best if len(rivals) < MANY else None


def _fill(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The subject without small holes: mattes leave out eyes that are as dark as the background."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~inside).astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < HOLE * inside.sum()
    small[0] = False
    small[[k for k in range(1, count) if (labels[[0, -1]] == k).any() or (labels[:, [0, -1]] == k).any()]] = False
    return np.asarray(inside | small[labels], np.bool_)


def _judge(lab: F32, one: Pupil, other: Pupil) -> tuple[float, tuple[float, float]] | None:
    """How good a pair two pupils are, and how large the eyes are (radii); None: no pair."""
    across, down = abs(other.x - one.x), abs(other.y - one.y)
    if max(one.radius, other.radius) > LIKE * min(one.radius, other.radius):
        return None
    if np.degrees(np.arctan2(down, max(across, 1e-6))) > TILT or abs(one.aspect - other.aspect) > 0.4:
        return None
    apart = float(np.hypot(across, down))
    radii = measure_opening(lab, one, apart), measure_opening(lab, other, apart)
    mean = float(np.sqrt(radii[0] * radii[1]))
    radii = float(np.clip(radii[0], 0.8 * mean, 1.25 * mean)), float(np.clip(radii[1], 0.8 * mean, 1.25 * mean))
    if not APART[0] * mean < apart < APART[1] * mean:
        return None
    alike = _mirror(lab[..., 0], one, other, NEAR * mean)
    if alike < MIRRORED:
        return None
    score = (0.35 + alike) * min(one.contrast, other.contrast) / 60 * (mean / max(lab.shape)) ** 0.5
    return (score, (radii[0], radii[1])) if score >= LEAST else None


def _colours(lab: F32, pupil: Pupil, radius: float) -> tuple[F32, F32]:
    """Mean Lab of an eye of this radius, and of what lies about it up to twice as far."""
    rings = sample_rings(lab, pupil, np.linspace(0, 2, 21) * radius, 32).mean(axis=1)
    return rings[:11].mean(axis=0), rings[13:].mean(axis=0)


def _is_sure(lab: F32, pair: _Pair) -> bool:
    """Whether two pupils lie in fur of like colour and differ from it, as eyes do; nose and mouth, stripes and stones
    that mirror each other do not."""
    _, one, other, radii = pair
    mean = float(np.sqrt(radii[0] * radii[1]))
    inner, outer = zip(*(_colours(lab, pupil, mean) for pupil in (one, other)), strict=True)
    if np.linalg.norm(outer[0][1:] - outer[1][1:]) > AROUND or np.linalg.norm(inner[0] - inner[1]) > WITHIN:
        return False
    differ = [float(np.linalg.norm((a - b)[1:])) for a, b in zip(inner, outer, strict=True)]
    return sum(differ) >= OTHER and all(
        radius <= IRIS[0] * pupil.radius or much >= IRIS[1]
        for pupil, radius, much in zip((one, other), radii, differ, strict=True)
    )


def _proves(lab: F32, pair: _Pair) -> bool:
    """Whether both of a pair have an iris of their own colour about a round pupil."""
    soft = np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.8), np.float32)
    for pupil, radius in zip(pair[1:3], pair[3], strict=True):
        round_, _, chroma = measure_shape(soft, pupil)
        if radius < PROOF[0] * pupil.radius or round_ < PROOF[1] or chroma < PROOF[2]:
            return False
    return True


def _mirror(light: F32, one: Pupil, other: Pupil, reach: float) -> float:
    """Correlation of the neighbourhood of one pupil with the mirror image of the other's."""
    grid = np.linspace(-1, 1, 17, dtype=np.float32) * np.float32(reach)
    x, y = np.meshgrid(grid, grid)
    a, b = (
        cv2.remap(
            light, side * x + np.float32(p.x), y + np.float32(p.y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        for p, side in ((one, 1), (other, -1))
    )
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def _share_an_eye(pair: _Pair, best: _Pair) -> bool:
    return any(np.hypot(p.x - q.x, p.y - q.y) < 2 * q.radius for p in pair[1:3] for q in best[1:3])


def _lies_inside(pair: _Pair, best: _Pair) -> bool:
    inner, outer = sorted(pair[1:3], key=lambda p: p.x), sorted(best[1:3], key=lambda p: p.x)
    return all(
        np.hypot(p.x - q.x, p.y - q.y) < q.radius and p.radius < 0.75 * q.radius
        for p, q in zip(inner, outer, strict=True)
    )
