"""Where people's hair is: of the subject, what surrounds a face above the mouth, and what hangs down from there in the
same colour. Knows nothing of motion."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.scene.faces import CHIN, OUTER_EYES, PROFILE, SMALLEST, measure_axes, measure_turn
from vivant.engines.diorama.scene.scene import Face, Region
from vivant.media import F32, F64, U8

OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
CHEEKS: Final = (50, 280, 205, 425)
# In face heights (brow to chin), unless said otherwise; heights above the chin.
EYES, MOUTH = 0.72, 0.2
BESIDE: Final = 0.12  # from the face, from which on there is hair and no hairline
FOREHEAD_END: Final = 0.25  # beyond the upper end of the face, up to where there may be skin
THROAT: Final = 0.42  # to both sides of the middle, below the chin
REACH: Final = 1.5  # from the middle of the head, up to which hair is looked for
LONGEST: Final = 1.3  # below the chin, where colour tells hair from cloth
SHORTEST: Final = 0.15  # the same in a grey photo, where it does not
COLLAR: Final = 0.6  # by which that widens for each face height below the chin: there are collars of the hair's colour
FARTHEST: Final = 2.3  # below the chin, where long hair before chest and shoulders ends
THICKEST: Final = 0.75  # a strand is nowhere wider there: what is wider is cloth of its colour
APART: Final = 12.0  # CIE Lab between hair and skin, from which a head is surely not bald
ALIKE: Final = 16.0  # CIE Lab, within which what hangs down is of the same hair
MATTE_FROM: Final = 0.3  # trust of the subject's outline, under which no hair is found
_STEP: Final = 4  # pixels: looked for at a quarter of the size


def find_hair(rgb: U8, matte: Region, faces: tuple[Face, ...]) -> Region:
    """Hair of RGB uint8 (h, w, 3). matte: the subject. Trust is 0 without faces large enough, without an outline that
    is trusted, and where hair and skin look alike."""
    h, w = rgb.shape[:2]
    size = (-(-w // _STEP), -(-h // _STEP))
    found, trust = np.zeros(size[::-1], np.float32), 0.0
    if matte.trust >= MATTE_FROM:
        lab: F32 = cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB).astype(
            np.float32
        )
        lab[..., 0] *= 100 / 255
        subject: Any = cv2.resize(matte.mask, size, interpolation=cv2.INTER_AREA)
        for face in faces:
            turned = measure_turn(measure_axes(face.landmarks.astype(np.float64)))
            if face.size >= 1.5 * SMALLEST and turned < PROFILE:
                own, sure = _hair_of(face, lab, subject)
                found = np.maximum(found, own)
                trust = max(trust, sure)
    mask = cv2.resize(found, (w, h), interpolation=cv2.INTER_LINEAR)
    return Region(np.clip(mask, 0, 1).astype(np.float32), trust * min(1.0, 1.5 * matte.trust))


def _hair_of(face: Face, lab: F32, subject: F32) -> tuple[F32, float]:
    """(float32 (rows, columns) 0..1, trust) of one head."""
    points = face.landmarks[:, :2].astype(np.float64) / _STEP
    unit = face.size / _STEP
    right = points[OUTER_EYES[1]] - points[OUTER_EYES[0]]
    right /= max(float(np.hypot(*right)), 1e-6)
    down = np.array([-right[1], right[0]])
    y, x = np.mgrid[0 : lab.shape[0], 0 : lab.shape[1]]
    away = (np.stack([x, y], axis=-1) - points[CHIN]) / unit
    across, below = away @ right, away @ down
    hull = cv2.convexHull(points[list(OVAL)].astype(np.float32)).astype(np.int32)
    face_itself = np.zeros(lab.shape[:2], np.uint8)
    cv2.fillConvexPoly(face_itself, hull, 1)
    beyond: F64 = cv2.distanceTransform(1 - face_itself, cv2.DIST_L2, 5).astype(np.float64) / unit
    middle = float(((points[234] + points[454]) / 2 - points[CHIN]) @ right / unit)
    near = 1 - smoothstep((np.hypot(across - middle, below + 0.7) - REACH) / 0.2)
    around = (beyond > BESIDE) & (subject > 0.8) & (below < -EYES) & (near > 0.5)
    cheeks = _colours_at(lab, points[list(CHEEKS)], 0.06 * unit)
    if around.sum() < 12 or not len(cheeks):
        return np.zeros(lab.shape[:2], np.float32), 0.0
    skin, hair = np.median(cheeks, axis=0), np.median(lab[around], axis=0)
    to_skin, to_hair = (filters.blur(np.linalg.norm(lab - colour, axis=2), 0.8) for colour in (skin, hair))
    apart = float(np.linalg.norm(hair - skin))
    # Above the eyes all of the head beyond its face is hair, beside them all that is not skin, as ears are.
    not_skin = smoothstep((to_skin / max(apart, 1.0) - 0.35) / 0.3)
    forehead = 1 - smoothstep((beyond - FOREHEAD_END) / 0.2)
    above = (1 - smoothstep((below + EYES - 0.08) / 0.16)) * (1 - forehead * (1 - not_skin))
    beside = not_skin * (1 - smoothstep((below + MOUTH) / 0.2))
    colourful = float(np.hypot(*(skin[1:] - 128))) > 4 or float(np.hypot(*(hair[1:] - 128))) > 4
    lowest = LONGEST if colourful else SHORTEST
    same = not_skin * (1 - smoothstep((to_hair - ALIKE) / 8))
    throat = (1 - smoothstep((np.abs(across - middle) - THROAT) / 0.1)) * smoothstep((below + 0.15) / 0.1)
    hanging = same * (1 - throat) * (1 - smoothstep((below - 0.6 * lowest) / (0.4 * lowest)))
    likely = np.max([above, beside, hanging], axis=0) * subject * near * np.clip(beyond / 0.04, 0, 1)
    kept = _connected(likely > 0.5, around)
    if colourful:
        alike = (to_hair < ALIKE) & (not_skin > 0.5) & (subject > 0.5) & (below > -EYES)
        kept |= _strands(alike, kept, np.stack([np.abs(across - middle), below]), unit)
        likely = np.maximum(likely, kept * filters.blur(alike.astype(np.float32), 0.8) * subject)
    likely = likely * cv2.GaussianBlur(cv2.dilate(kept, np.ones((3, 3), np.uint8)).astype(np.float32), (0, 0), 1.0)
    wide = THROAT + COLLAR * np.clip(below, 0, 1) - np.abs(across - middle)
    likely = likely * (1 - smoothstep(wide / 0.12 + 0.5) * smoothstep(below / 0.15))
    area = float(likely.sum()) / unit**2
    sure = smoothstep(np.array([(apart - 0.4 * APART) / (0.6 * APART), (area - 0.1) / 0.25]))
    return likely.astype(np.float32), float(sure.prod())


def _strands(alike: np.ndarray[Any, np.dtype[np.bool_]], kept: U8, own: F64, unit: float) -> U8:
    """1 where long hair hangs on from what is `kept` of a head, uint8: pieces of its colour that begin there, taper and
    end before the chest. own: float64 (2, rows, columns), aside of the middle of the face and below its chin, in faces.
    A piece that reaches the throat, the border of the picture or far down is a collar or a coat."""
    strands = np.zeros_like(kept)
    # Pieces that hang together by a pixel or two are two things.
    new = cv2.morphologyEx((alike & (kept == 0)).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(new, connectivity=4)
    near = cv2.dilate(kept, np.ones((5, 5), np.uint8)) > 0
    aside, below = own
    for k in range(1, count):
        piece = labels == k
        if stats[k, cv2.CC_STAT_AREA] < 12 or not (piece & near).any() or piece[-1].any():
            continue
        widths = piece.sum(axis=1)
        rows = np.flatnonzero(widths)
        begins, ends = widths[rows[: max(1, len(rows) // 3)]].max(), widths[rows[-max(1, len(rows) // 4) :]].mean()
        inside = (aside[piece] < THROAT) & (below[piece] > -0.15)
        if (
            inside.any()
            or below[piece].max() > FARTHEST
            or below[piece].max() < 0.3
            or widths.max() > THICKEST * unit
            or ends > 0.6 * begins
        ):
            continue
        strands[piece] = 1
    return strands


def _colours_at(lab: F32, points: F64, radius: float) -> F32:
    """The colours, float32 (n, 3), of the pixels about some points inside the picture."""
    found = []
    reach = max(1, round(radius))
    for x, y in np.rint(points).astype(int):
        part = lab[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
        if x >= 0 and y >= 0 and part.size:
            found.append(part.reshape(-1, 3))
    return np.concatenate(found) if found else np.zeros((0, 3), np.float32)


def _connected(likely: np.ndarray[Any, np.dtype[np.bool_]], seeds: np.ndarray[Any, np.dtype[np.bool_]]) -> U8:
    """1 in the parts of `likely` that touch `seeds`."""
    _, labels = cv2.connectedComponents(likely.astype(np.uint8), connectivity=8)
    touched = np.unique(labels[seeds & likely])
    return (np.isin(labels, touched[touched > 0])).astype(np.uint8)
