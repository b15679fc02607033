"""Hair of photographs in the wind, judged by its field: it moves, most at its ends, and the face keeps still."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from support.faces import photo
from support.timelines import still
from vivant.engines.diorama.motion.ambient.compose import compose
from vivant.engines.diorama.motion.fields import Ambient, Field
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.faces import FaceFinder
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Motion, Shot, Storyboard
from vivant.engines.diorama.timing.wind import make_wind
from vivant.request import Canvas

FRAMES = 97
PEOPLE = {"portrait_curie": (560, 752), "portrait_mendeleev": (560, 752), "astronaut": (640, 640)}


@cache
def scene_of(name: str) -> Scene:
    picture = photo(f"{name}.jpg", PEOPLE[name])
    return SceneAnalyser().analyse(picture, Canvas(*PEOPLE[name], FRAMES), faces=FaceFinder().find(picture))


@cache
def blown(name: str, strength: float) -> Ambient:
    scene = scene_of(name)
    height, width = scene.depth.shape
    board = Storyboard(
        width=width, height=height, frames=FRAMES, seed=6, language="en", audio=False, camera_fixed=True, morph=False,
        shots=(Shot(start=0, end=FRAMES, moves=()),), motions=(Motion(kind="wind", strength=strength),),
    )  # fmt: skip
    return compose(scene, board, replace(still(FRAMES, 6), wind=make_wind(6, FRAMES, strength)))


def field(name: str, strength: float, n: int) -> Field:
    found = blown(name, strength).field(n)
    assert found is not None
    return found


def speeds(name: str, strength: float) -> list[np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
    """Pixels per frame at 640 px on the long side, on the quarter grid; the mean of each quarter of the clip."""
    quarters = []
    for quarter in range(4):
        some = []
        for n in range(24 * quarter + 3, 24 * quarter + 22, 6):
            one, other = field(name, strength, n), field(name, strength, n + 1)
            some.append(np.hypot(other.dx - one.dx, other.dy - one.dy) * 640 / max(PEOPLE[name]))
        quarters.append(np.mean(some, axis=0))
    return quarters


@pytest.mark.parametrize("name", PEOPLE)
def test_hair_moves_in_every_quarter_and_the_face_does_not(name: str) -> None:
    scene = scene_of(name)
    assert scene.hair is not None
    hair = scene.hair.mask[::4, ::4] > 0.5
    points = (scene.faces[0].landmarks[[1, 4, 13, 17, 50, 280, 159, 386], :2] / 4).astype(int)
    for quarter in speeds(name, 0.5):
        fast = np.sort(quarter[hair])
        assert fast[int(0.95 * len(fast)) :].mean() > 0.5
        assert quarter[points[:, 1], points[:, 0]].max() < 0.05


def test_a_strong_wind_moves_it_more_than_a_breeze() -> None:
    hair = scene_of("portrait_curie").hair
    assert hair is not None
    inside = hair.mask[::4, ::4] > 0.5
    breeze, gale = (np.mean([quarter[inside].mean() for quarter in speeds("portrait_curie", s)]) for s in (0.25, 0.9))
    assert gale > 1.6 * breeze


def test_hair_is_moved_most_at_its_ends_and_hardly_ever_folded() -> None:
    scene = scene_of("portrait_curie")
    face = scene.faces[0]
    top, size = face.landmarks[10, 1], face.size
    near, far = (int((top - share * size) / 4) for share in (0.05, 0.35))
    columns = slice(int((face.landmarks[10, 0] - 0.2 * size) / 4), int((face.landmarks[10, 0] + 0.2 * size) / 4))
    moved = np.mean([np.abs(field("portrait_curie", 0.9, n).dx) for n in range(20, FRAMES, 8)], axis=0)
    assert moved[far, columns].mean() > 2 * moved[near, columns].mean()
    for n in range(10, FRAMES, 10):
        found = field("portrait_curie", 0.9, n)
        for closes in (np.diff(found.dx, axis=1), np.diff(found.dy, axis=0)):
            assert closes.min() > -6
            assert (closes < -4).mean() < 1e-3  # here and there a lock goes over another one


def test_frame_0_is_not_moved() -> None:
    assert blown("portrait_curie", 0.5).field(0) is None
