"""Plants of photographs in the wind, judged on rendered frames: where they move, how much, and what keeps still."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image

from support.paths import PHOTOS
from support.timelines import still
from vivant.engines.diorama.motion.ambient.compose import compose
from vivant.engines.diorama.motion.frame.renderer import Renderer
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import TRUSTED, Motion, Shot, Storyboard
from vivant.engines.diorama.timing.wind import make_wind
from vivant.media import F32, U8, Planes, fit
from vivant.request import Canvas, nearest_ratio

FRAMES, GAP = 97, 3
# Frames from which motion is measured, three in each quarter of the clip.
TIMES = tuple(tuple(range(24 * quarter + 2, 24 * quarter + 20, 7)) for quarter in range(4))


@cache
def photo(name: str) -> Scene:
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        picture = np.asarray(image.convert("RGB"))
    canvas = Canvas.of("480p", nearest_ratio(picture.shape[1], picture.shape[0]), 4)
    return SceneAnalyser().analyse(fit(picture, canvas.width, canvas.height), canvas)


class Film:
    """A clip in which only the wind blows, before a camera that stands still."""

    def __init__(self, scene: Scene, strength: float) -> None:
        height, width = scene.depth.shape
        board = Storyboard(
            width=width, height=height, frames=FRAMES, seed=11, language="en", audio=False, camera_fixed=True,
            morph=False, shots=(Shot(start=0, end=FRAMES, moves=()),),
            motions=(Motion(kind="wind", strength=strength, direction="right"),),
        )  # fmt: skip
        timeline = replace(still(FRAMES, 11), wind=make_wind(11, FRAMES, strength))
        self._renderer = Renderer(scene, timeline, board, ambient=compose(scene, board, timeline))
        self._scale = 640 / max(width, height)

    def planes(self, n: int) -> Planes:
        return self._renderer.frame(n)

    def luma(self, n: int) -> U8:
        """At 640 pixels on the long side."""
        y = self.planes(n).y
        return np.asarray(cv2.resize(y, None, fx=self._scale, fy=self._scale, interpolation=cv2.INTER_AREA), np.uint8)

    def speeds(self, n: int) -> F32:
        """Pixels per frame at 640 pixels."""
        flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        one, other = self.luma(n), self.luma(n + GAP)
        moved = flow.calc(one, other, np.zeros((*one.shape, 2), np.float32))
        return np.asarray(np.linalg.norm(moved, axis=2) / GAP, np.float32)


def plants_at_640(scene: Scene) -> F32:
    scale = 640 / max(scene.plants.mask.shape)
    return np.asarray(cv2.resize(scene.plants.mask, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.float32)


def measure(scene: Scene, strength: float) -> list[float]:
    """Of each quarter of the clip the speed of the twentieth of the plants that moves most."""
    film, plants = Film(scene, strength), plants_at_640(scene) > 0.5

    def fastest(n: int) -> float:
        speeds = np.sort(film.speeds(n)[plants])
        return float(speeds[int(0.95 * len(speeds)) :].mean())

    return [float(np.median([fastest(n) for n in times])) for times in TIMES]


@pytest.mark.parametrize("name", ["dune_grass", "reeds", "meadow_trees", "leaves"])
def test_plants_are_seen_to_move_in_every_quarter(name: str) -> None:
    assert min(measure(photo(name), 0.5)) > 0.5


def test_a_breeze_is_seen_and_a_strong_wind_is_strong() -> None:
    breeze, strong = measure(photo("reeds"), 0.25), measure(photo("reeds"), 0.85)
    assert min(breeze) > 0.25
    assert min(strong) > 1 and max(strong) > 1.5
    assert np.mean(breeze) < 0.6 * np.mean(strong)


@pytest.mark.parametrize("name", ["reeds", "meadow_trees"])
def test_what_is_not_a_plant_is_the_same_in_every_frame(name: str) -> None:
    scene = photo(name)
    film, before = Film(scene, 0.5), scene.source.planes.y.astype(np.int16)
    near = cv2.dilate((scene.plants.mask > 0.05).astype(np.uint8), np.ones((75, 75), np.uint8)) > 0
    assert (~near).mean() > 0.2
    for n in (10, 50, 90):
        assert np.abs(film.planes(n).y.astype(np.int16) - before)[~near].max() <= 1  # rounding


def test_the_film_begins_with_the_picture_and_stays_sharp() -> None:
    scene = photo("reeds")
    film = Film(scene, 0.5)
    assert np.array_equal(film.planes(0).y, scene.source.planes.y)
    detail = [float(cv2.Laplacian(film.planes(n).y, cv2.CV_32F).std()) for n in (0, 30, 60, 90)]
    assert min(detail) > 0.8 * detail[0]


def test_no_frame_jumps() -> None:
    film = Film(photo("leaves"), 0.5)
    frames = [film.luma(n).astype(np.float32) for n in range(40)]
    steps = [float(np.abs(b - a).mean()) for a, b in pairwise(frames)]
    assert max(steps) < 2.5 * float(np.median(steps))


def test_a_gust_travels_over_the_grass_with_the_wind() -> None:
    """What brightens at a place has brightened a little before on the windward side of it."""
    film = Film(photo("meadow_trees"), 0.7)
    rows = slice(360, 420)  # open grass
    light = np.array(
        [cv2.blur(film.luma(n), (25, 25))[rows, 40:600].mean(axis=0) for n in range(24, 96, 2)], np.float32
    )
    light -= light.mean(axis=0)

    def alike(later: int) -> float:
        """Correlation of each column with the one 60 pixels to the right, `later` samples on."""
        a, b = light[: len(light) - later, :-60], light[later:, 60:]
        if later < 0:
            a, b = light[-later:, :-60], light[:later, 60:]
        return float((a * b).mean() / np.sqrt((a * a).mean() * (b * b).mean()))

    assert max(alike(k) for k in (1, 2, 3)) > 0.2 + max(alike(-k) for k in (1, 2, 3))


def test_a_blossom_sways_as_one_body() -> None:
    scene = photo("dahlia")
    film, scale = Film(scene, 0.5), 640 / max(scene.matte.mask.shape)
    core = cv2.erode(scene.matte.mask, np.ones((41, 41), np.uint8))
    core[int(0.75 * len(core)) :] = 0  # the lower border of the picture cuts another blossom
    inside = cv2.resize(core, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) > 0.95
    speeds = [film.speeds(n)[inside] for times in TIMES for n in times]
    assert np.mean([np.median(s) for s in speeds]) > 0.5
    for fast in sorted(speeds, key=lambda s: float(np.median(s)))[-4:]:
        assert np.percentile(fast, 10) > 0.7 * np.percentile(fast, 90)


def test_a_strong_wind_is_strong_in_fine_grass_in_every_quarter() -> None:
    """Neighbours are pressed down together: leaning apart they would be torn, and so could lean but little."""
    assert min(measure(photo("dune_grass"), 0.85)) > 1.4


def test_slender_trees_before_a_field_bend_in_a_strong_wind() -> None:
    scene = photo("cypress_field")
    film = Film(scene, 0.85)
    mean = np.mean([film.speeds(n) for times in TIMES for n in times], axis=0)
    height, width = mean.shape
    for left, right in ((0.46, 0.50), (0.525, 0.57)):
        tree = mean[int(0.42 * height) : int(0.7 * height), int(left * width) : int(right * width)]
        assert np.percentile(tree, 80) > 0.3


def test_a_pole_stands_in_grass_that_sways() -> None:
    scene = photo("drawn_flag")
    film, before = Film(scene, 0.85), scene.source.planes.y.astype(np.int16)
    height, width = before.shape
    pole = slice(int(0.72 * height), int(0.95 * height)), slice(int(0.401 * width), int(0.406 * width))
    grass = slice(int(0.72 * height), int(0.95 * height)), slice(int(0.6 * width), int(0.9 * width))
    for n in (20, 45, 70, 90):
        moved = np.abs(film.planes(n).y.astype(np.int16) - before)
        assert moved[pole].max() <= 2
        assert moved[grass].mean() > 4


def test_grass_in_a_grey_photo_sways_where_wind_is_named_and_a_tripod_stands_in_it() -> None:
    scene = photo("cameraman")
    assert 0.1 <= scene.facts.plants_trust < TRUSTED  # it never moves by itself
    film = Film(scene, 0.5)
    mean = np.mean([film.speeds(n) for times in TIMES for n in times], axis=0)
    height, width = mean.shape
    assert np.percentile(mean[int(0.75 * height) :, int(0.8 * width) :], 80) > 0.3
    before = scene.source.planes.y.astype(np.int16)
    height, width = before.shape
    column = slice(int(0.66 * height), int(0.9 * height)), slice(int(0.566 * width), int(0.576 * width))
    for n in (30, 80):
        assert np.abs(film.planes(n).y.astype(np.int16) - before)[column].max() <= 2


def test_a_grey_portrait_has_no_grass() -> None:
    assert photo("portrait_moseley").facts.plants_trust == 0
