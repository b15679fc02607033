"""Finding the cloth and fur that a prompt names: where it is, and when it is not there."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from PIL import Image

from support.drawn_cloth import draw_curtains, draw_flag
from support.paths import PHOTOS
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.faces import FaceFinder
from vivant.engines.diorama.scene.hang import hang
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import CLOTHS, MOVABLE, Thing, ThingKind
from vivant.media import fit
from vivant.request import Canvas, nearest_ratio


@cache
def analyser() -> SceneAnalyser:
    return SceneAnalyser()


@cache
def scene_of(name: str) -> Scene:
    drawn = {"drawn_flag": draw_flag, "drawn_curtains": draw_curtains}.get(name)
    picture = drawn() if drawn else np.asarray(Image.open(PHOTOS / f"{name}.jpg").convert("RGB"))
    canvas = Canvas.of("480p", nearest_ratio(picture.shape[1], picture.shape[0]), 4)
    faces = FaceFinder().find(fit(picture, canvas.width, canvas.height))
    return analyser().analyse(picture, canvas, faces=faces)


@cache
def look(name: str, kind: ThingKind) -> Region:
    return analyser().find(scene_of(name), Thing(kind=kind))


@pytest.mark.parametrize(
    ("name", "kind", "box"),
    [
        ("drawn_flag", "flag", (0.38, 0.0, 0.68, 0.5)),
        ("drawn_curtains", "curtain", (0.14, 0.05, 0.86, 0.9)),
        ("cameraman", "clothes", (0.0, 0.2, 0.75, 1.0)),
        ("astronaut", "clothes", (0.0, 0.25, 1.0, 1.0)),
        ("things/junk_lake", "sail", (0.3, 0.5, 0.46, 0.8)),
        ("golden_dog", "fur", (0.05, 0.1, 0.95, 1.0)),
        ("parrot", "fur", (0.1, 0.1, 1.0, 1.0)),
    ],
)
def test_what_is_there_is_found_in_its_place(
    name: str, kind: ThingKind, box: tuple[float, float, float, float]
) -> None:
    region = look(name, kind)
    assert region.trust >= MOVABLE
    h, w = region.mask.shape
    left, top, right, bottom = box
    inside = region.mask[round(top * h) : round(bottom * h), round(left * w) : round(right * w)]
    assert float(inside.sum()) > 0.85 * float(region.mask.sum())
    assert float(inside.mean()) > 0.1


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("dune_grass", "flag"),
        ("city_day", "flag"),
        ("mountain_lake", "sail"),
        ("city_day", "curtain"),
        ("wine_room", "curtain"),
        ("dune_grass", "clothes"),
        ("astronaut", "fur"),
        ("mountain_lake", "fur"),
    ],
)
def test_what_is_not_there_is_not_found(name: str, kind: ThingKind) -> None:
    assert look(name, kind).trust < MOVABLE


def test_clothes_have_neither_the_face_nor_the_hair() -> None:
    scene, region = scene_of("astronaut"), look("astronaut", "clothes")
    (face,) = scene.faces
    x, y = face.landmarks[:, 0], face.landmarks[:, 1]
    head = region.mask[: round(float(y.max())), round(float(x.min())) : round(float(x.max()))]
    assert float(head.mean()) < 0.02


def test_in_a_grey_photo_too_an_arm_and_what_is_behind_it_are_no_clothes() -> None:
    region = look("portrait_curie", "clothes")
    h, w = region.mask.shape
    assert region.trust > 0.5
    assert float(region.mask[round(0.75 * h) :, round(0.25 * w) : round(0.45 * w)].mean()) > 0.7  # her dress
    assert float(region.mask[round(0.75 * h) :, round(0.75 * w) :].mean()) < 0.1


@pytest.mark.parametrize(("mirrored", "side"), [(False, 1.0), (True, -1.0)])
def test_a_flag_hangs_from_its_pole_on_either_side(mirrored: bool, side: float) -> None:
    picture = draw_flag()[:, ::-1] if mirrored else draw_flag()
    scene = analyser().analyse(np.ascontiguousarray(picture), Canvas(864, 496, 97))
    region = analyser().find(scene, Thing(kind="flag"))
    hung = hang(scene, region, CLOTHS["flag"])
    assert hung is not None
    assert (hung.along_x, hung.along_y) == (side, 0.0)
    assert hung.length == pytest.approx(206, rel=0.1)
