"""Hair of photographs: found around the face, not on it and not on the cloth below."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from support.faces import photo
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.faces import FaceFinder
from vivant.engines.diorama.scene.hair import OVAL, find_hair
from vivant.engines.diorama.scene.matte import Matting
from vivant.engines.diorama.scene.part import cut_part
from vivant.engines.diorama.scene.scene import Face, Region
from vivant.media import F32, U8
from vivant.request import Canvas

SIZES = {
    "portrait_barkla": (420, 560),
    "portrait_curie": (420, 588),
    "portrait_mendeleev": (420, 588),
    "astronaut": (512, 512),
}


@cache
def look(name: str) -> tuple[U8, Region, tuple[Face, ...]]:
    picture = photo(f"{name}.jpg", SIZES[name])
    faces = FaceFinder().find(picture)
    return picture, Matting().matte(picture, faces), faces


@pytest.mark.parametrize("name", SIZES)
def test_hair_is_above_the_face_and_neither_on_it_nor_on_the_chest(name: str) -> None:
    picture, matte, faces = look(name)
    hair = find_hair(picture, matte, faces)
    assert hair.trust > 0.6
    (face,) = faces
    x, y = face.landmarks[10, :2].astype(int)  # the upper end of the face
    top = hair.mask[max(0, y - int(0.5 * face.size)) : max(1, y - int(0.15 * face.size)), x - 20 : x + 20]
    assert top.max() > 0.9
    inside = np.zeros(picture.shape[:2], np.uint8)
    hull = cv2.convexHull(face.landmarks[list(OVAL), :2])
    cv2.fillConvexPoly(inside, np.rint(hull).astype(np.int32), 1)
    core = cv2.erode(inside, np.ones((9, 9), np.uint8)) > 0
    assert hair.mask[core].mean() < 0.02
    chin = int(face.landmarks[152, 1])
    assert hair.mask[chin + int(0.5 * face.size) :].mean() < 0.02
    assert hair.mask[matte.mask < 0.05].mean() < 0.02


def test_who_is_bald_has_no_hair() -> None:
    picture, matte, faces = look("astronaut")
    (face,) = faces
    skin = np.median(picture[tuple(np.rint(face.landmarks[[50, 280], 1::-1]).astype(int).T)], axis=0)
    bald = picture.copy()
    bald[find_hair(picture, matte, faces).mask > 0.02] = skin
    assert find_hair(bald, matte, faces).trust < 0.3


def test_without_a_trusted_outline_or_a_face_there_is_no_hair() -> None:
    picture, matte, faces = look("astronaut")
    assert find_hair(picture, replace(matte, trust=0.1), faces).trust == 0
    assert find_hair(picture, matte, ()).share == 0


def test_hair_is_found_in_a_shot_that_shows_a_part_of_the_picture() -> None:
    picture, _, faces = look("astronaut")
    canvas = Canvas(512, 512, 97)
    whole = SceneAnalyser().analyse(picture, canvas, faces=faces)
    part, kept = cut_part(whole, picture, canvas, left=0.2, top=0.0, size=0.5)
    assert len(kept) == 1
    assert part.hair is not None
    assert whole.hair is not None
    assert part.hair.trust == whole.hair.trust
    assert part.facts.hair > 3 * whole.facts.hair  # all of it, twice as large


@cache
def look_close() -> tuple[U8, Region, tuple[Face, ...]]:
    picture, _, _ = look("astronaut")
    close = np.asarray(cv2.resize(picture[:320, 66:386], (640, 640), interpolation=cv2.INTER_CUBIC), np.uint8)
    faces = FaceFinder().find(close)
    return close, Matting().matte(close, faces), faces


def paint_hair(picture: U8, shape: F32, hair: Region) -> U8:
    """`picture` with what looks like the hair in it, its colour in fine threads, where `shape`, 0..1, is."""
    threads = cv2.GaussianBlur(
        np.random.default_rng(3).normal(0, 1, shape.shape).astype(np.float32), (0, 0), sigmaX=1.0, sigmaY=12
    )
    colour = np.median(picture[hair.mask > 0.9], axis=0) + (8 / threads.std()) * threads[..., None]
    share = cv2.GaussianBlur(shape, (0, 0), 1.0)[..., None]
    return np.asarray(np.rint(picture + share * (np.clip(colour, 0, 255) - picture)), np.uint8)


def draw_locks(shape: tuple[int, int], face: Face, longest: float) -> F32:
    """One lock on either side of a head, from beside the eyes down before the shoulders, tapering to its end `longest`
    faces below the chin: float32 (h, w), 0 or 1."""
    unit, locks = face.size, np.zeros(shape, np.float32)
    top = float(face.landmarks[[234, 454], 1].mean()) - 0.1 * unit
    bottom = float(face.landmarks[152, 1]) + longest * unit
    for ear, side in ((234, -1), (454, 1)):
        for row in range(round(top), round(bottom)):
            t = (row - top) / (bottom - top)
            middle = face.landmarks[ear, 0] + side * unit * (0.16 + 0.4 * np.sin(min(1.0, 1.4 * t) * np.pi / 2))
            half = 0.24 * unit * (1 - t) ** 0.7
            locks[row, max(0, round(middle - half)) : round(middle + half)] = 1
    return locks


def test_long_locks_are_hair_down_to_their_ends() -> None:
    picture, matte, faces = look_close()
    (face,) = faces
    locks = draw_locks(picture.shape[:2], face, 1.5)
    painted = paint_hair(picture, locks, find_hair(picture, matte, faces))
    hair = find_hair(painted, Matting().matte(painted, faces), faces)
    chin, unit = face.landmarks[152, 1], face.size
    below = (np.arange(picture.shape[0])[:, None] - chin) / unit
    core = cv2.erode(locks, np.ones((5, 5), np.uint8)) > 0
    left = np.arange(picture.shape[1])[None] < face.landmarks[152, 0]

    def found(upper: float, lower: float, side: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> float:
        part = core & side & (below > upper) & (below < lower)
        assert part.sum() > 50
        return float(hair.mask[part].mean())

    assert hair.trust > 0.6
    for side in (left, ~left):
        assert min(found(0.1, 0.5, side), found(0.5, 0.9, side)) > 0.8
    # The tip of one of the two, a few samples wide where hair is looked for, may be missed.
    assert max(found(0.9, 1.25, left), found(0.9, 1.25, ~left)) > 0.8
    beside = (cv2.dilate(locks, np.ones((17, 17), np.uint8)) == 0) & (below > 0.3)
    assert hair.mask[beside].mean() < 0.01


@pytest.mark.parametrize("collar", [0.15, 0.45])
def test_a_coat_of_the_colour_of_the_hair_is_not_hair(collar: float) -> None:
    """collar: how far below the chin it begins, faces."""
    picture, matte, faces = look_close()
    (face,) = faces
    own = find_hair(picture, matte, faces)
    below = (np.arange(picture.shape[0])[:, None] - face.landmarks[152, 1]) / face.size
    coat = ((matte.mask > 0.5) & (below > collar)).astype(np.float32)
    painted = paint_hair(picture, coat, own)
    hair = find_hair(painted, Matting().matte(painted, faces), faces)
    assert hair.trust > 0.6
    assert hair.mask[coat > 0].mean() < 0.03
    head = own.mask > 0.9
    assert hair.mask[head].mean() > 0.9
