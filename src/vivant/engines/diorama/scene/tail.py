"""Which samples of a subject are its tail, and where it joins the trunk: what is thin about the tail's tip, the mask
without its opening by a disc. Knows no motion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.scene.body import THIN, Body, Limb, Mask, Point
from vivant.media import F32

GRID: Final = 4  # pixels of the canvas per sample
LEAST: Final = (0.55, 0.25)  # of the matte, from which a sample is the subject's: with less a narrow gap closes
LONG: Final = (0.5, 2.0)  # lengths of the limb: how far the tail goes from its tip
SEEN: Final = 0.035  # of the canvas's long side: a shorter tail swings by less than one sees
NEAR: Final = 3.0  # samples: so near to the tip the tail begins, and so near to the border it may be cut off


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """root: where it joins the trunk; tip; thick: how thick it is at most; canvas pixels. part: its samples, rest: all
    others of the subject, bool on the quarter grid."""

    root: Point
    tip: Point
    thick: float
    part: Mask
    rest: Mask


def find_tail(soft: F32, body: Body) -> Tail | None:
    """soft: the matte averaged over squares of 4 pixels, float32 0..1. None where nothing thin goes from the tip of the
    body's tail to its trunk: what stands out there is no tail, or the border cuts it off."""
    if body.tail is None or _is_cut_off(body.tail.tip, soft):
        return None
    tail = body.tail
    long = max(2.0, tail.length / GRID)
    columns, rows = np.meshgrid(np.arange(soft.shape[1]), np.arange(soft.shape[0]))
    away = np.hypot(columns - tail.tip[0] / GRID, rows - tail.tip[1] / GRID)
    fattest = max(2, int(np.ceil(THIN * body.trunk.radius / GRID)))
    for least in LEAST:
        inside = soft > least
        # The larger the disc, the farther goes what is thinner: too short with the largest, it is so with each.
        most = _thin_part(inside, away, fattest)
        if most is None or away[most].max() < LONG[0] * long:
            continue
        for radius in range(1, fattest + 1):
            part = _thin_part(inside, away, radius)
            if part is None or not LONG[0] * long <= away[part].max() <= LONG[1] * long:
                continue
            rest = inside & ~part
            joint = part & (cv2.dilate(rest.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
            if joint.any():
                root = GRID * float(columns[joint].mean()), GRID * float(rows[joint].mean())
                return Tail(root, tail.tip, GRID * (2.0 * radius + 1), part, rest)
    return None


def with_sure_tail(body: Body, matte: F32) -> Body:
    """The body with the tail from where it joins the trunk, or without one that is not told from the trunk, or whose
    swing nobody would see: words that ask for it get a note then. matte: float32 (h, w), 0..1."""
    if body.tail is None:
        return body
    h, w = matte.shape
    soft = cv2.resize(matte, (-(-w // GRID), -(-h // GRID)), interpolation=cv2.INTER_AREA)
    found = find_tail(np.asarray(soft, np.float32), body)
    tail = None if found is None else Limb(found.root, found.tip)
    return replace(body, tail=tail if tail is not None and tail.length >= SEEN * max(h, w) else None)


def _thin_part(inside: Mask, away: NDArray[np.float64], radius: int) -> Mask | None:
    """What is thinner than a disc of that radius and holds the sample nearest to the tip."""
    size = 2 * radius + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    padded = np.pad(inside.astype(np.uint8), size, mode="edge")
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, disc)[size:-size, size:-size]
    thin = inside & (opened == 0)
    nearest = int(np.argmin(np.where(thin, away, np.inf)))
    if not thin.flat[nearest] or away.flat[nearest] > NEAR:
        return None
    _, labels = cv2.connectedComponents(thin.astype(np.uint8), connectivity=8)
    return np.asarray(labels == labels.flat[nearest])


def _is_cut_off(tip: Point, soft: F32) -> bool:
    """Whether the tip is at the border, beyond which the tail may go on."""
    x, y = tip[0] / GRID, tip[1] / GRID
    return bool(min(x, y, soft.shape[1] - 1 - x, soft.shape[0] - 1 - y) < NEAR)
