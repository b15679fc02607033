"""Faces keep a believable colour under every light that the prompt can ask for, on rendered frames of photographs."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from support.faces import photo
from vivant.engines.diorama.engine import render_segment
from vivant.engines.diorama.motion.frame.renderer import Renderer
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.faces import FaceFinder
from vivant.engines.diorama.scene.found_things import FoundThings
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.timing.resolve import resolve
from vivant.media import F32, Planes, fit
from vivant.request import Canvas

CANVAS = Canvas(272, 368, 61)
LAST = CANVAS.frames - 1
Film = Callable[[str, str], tuple[Scene, Renderer]]


@pytest.fixture(scope="module")
def film() -> Film:
    analyser, finder = SceneAnalyser(), FaceFinder()
    scenes: dict[str, Scene] = {}

    def make(name: str, prompt: str) -> tuple[Scene, Renderer]:
        if name not in scenes:
            picture = fit(photo(f"{name}.jpg"), CANVAS.width, CANVAS.height)
            scenes[name] = analyser.analyse(picture, CANVAS, faces=finder.find(picture))
        scene = scenes[name]
        board = write(prompt, scene.facts, canvas=CANVAS, seed=3, audio=False, camera_fixed=True, morph=False)
        things = FoundThings(scene, analyser.find)
        return scene, render_segment(board, scene, resolve(board, scene.facts, []), things.find)

    return make


def to_lab(frame: Planes) -> F32:
    """CIE L*a*b* of BT.709 video levels, float32 (h, w, 3)."""
    size = frame.y.shape[::-1]
    y = (frame.y.astype(np.float32) - 16) / 219
    cb, cr = ((cv2.resize(plane, size).astype(np.float32) - 128) / 224 for plane in (frame.u, frame.v))
    rgb = np.dstack([y + 1.5748 * cr, y - 0.1873 * cb - 0.4681 * cr, y + 1.8556 * cb])
    return np.asarray(cv2.cvtColor(np.clip(rgb, 0, 1).astype(np.float32), cv2.COLOR_RGB2LAB), np.float32)


def skin(scene: Scene, frame: Planes) -> tuple[float, float, float]:
    """L*, chroma and hue, degrees, of the middle of the face: medians."""
    face = scene.faces[0]
    x, y = face.landmarks[:, :2].mean(0)
    reach = 0.35 * face.size
    lab = to_lab(frame)[round(y - reach) : round(y + reach), round(x - reach) : round(x + reach)]
    light, a, b = np.median(lab.reshape(-1, 3), axis=0)
    return float(light), float(np.hypot(a, b)), float(np.degrees(np.arctan2(b, a)))


@pytest.mark.parametrize(
    ("prompt", "share"),
    [
        ("Dusk falls.", 0.62),
        ("Night falls.", 0.62),
        ("The room darkens.", 0.7),
        ("She sits in firelight.", 0.9),
        ("The lamp turns on.", 0.9),
        ("Cold color grading.", 0.45),
        ("Teal and orange.", 0.9),
        ("Golden hour light.", 0.9),
        ("Vintage film look.", 0.9),
        ("The sun rises.", 0.9),
        ("God rays shine through.", 0.8),
    ],
)
def test_skin_stays_skin(film: Film, prompt: str, share: float) -> None:
    """share: of its chroma for its lightness that is left at least."""
    scene, renderer = film("astronaut", prompt)
    light, chroma, hue = skin(scene, renderer.frame(0))
    lit, coloured, turned = skin(scene, renderer.frame(LAST))
    # Neither green, from about 95 degrees on, nor violet.
    assert abs(turned - hue) < 16
    assert coloured / lit > share * chroma / light
    assert coloured < 2 * chroma
    assert lit > 0.55 * light


def test_only_a_grade_without_colours_takes_them_from_a_face(film: Film) -> None:
    scene, renderer = film("astronaut", "Film noir lighting.")
    assert skin(scene, renderer.frame(LAST))[1] < 0.5 * skin(scene, renderer.frame(0))[1]


def test_by_night_there_is_no_halo_behind_a_head(film: Film) -> None:
    scene, renderer = film("astronaut", "Night falls.")
    face = scene.faces[0]
    x, y = face.landmarks[:, :2].mean(0)
    near_x, near_y = np.meshgrid(np.arange(CANVAS.width), np.arange(CANVAS.height))
    far = np.hypot(near_x - x, near_y - y) / face.size
    behind = cv2.dilate(scene.matte.mask, np.ones((13, 13), np.uint8)) < 0.02
    kept = renderer.frame(LAST).y.astype(float) - 16, renderer.frame(0).y.astype(float) - 16
    share = kept[0] / np.maximum(kept[1], 1)
    beside, away = share[behind & (far < 1.25)], share[behind & (far > 1.8) & (near_y < y + face.size)]
    assert min(len(beside), len(away)) > 100
    assert np.median(beside) < np.median(away) + 0.06


def test_a_bright_coat_is_no_neon_sign(film: Film) -> None:
    scene, _ = film("astronaut", "")
    assert scene.facts.signs == 0


@pytest.mark.parametrize("prompt", ["The lamp turns on.", "The room darkens.", "The light flickers."])
def test_lamps_and_rooms_leave_a_grey_photograph_grey(film: Film, prompt: str) -> None:
    scene, renderer = film("portrait_barkla", prompt)
    frame = renderer.frame(LAST)
    assert np.abs(frame.y.astype(int) - scene.source.planes.y).max() > 10
    assert max(np.abs(plane.astype(int) - 128).max() for plane in (frame.u, frame.v)) <= 4
