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
from vivant.media import U8
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
