"""People of photographs, judged on frames that were encoded and decoded again: where they move, how much, and that
what is behind keeps still.

Pixels per frame at 640 pixels on the long side, the mean of the twentieth of a region that moves most.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from support.faces import photo
from support.film import develop
from support.spoken import SENTENCE, spoken_line
from support.timelines import still
from vivant.engines.diorama.motion.faces.face import FaceMotion
from vivant.engines.diorama.motion.frame.renderer import Renderer
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.faces import FaceFinder
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Action, Shot, Storyboard
from vivant.engines.diorama.timing.acting import PlacedAction
from vivant.engines.diorama.timing.faces import make_faces
from vivant.engines.diorama.timing.timeline import PlacedLine
from vivant.engines.diorama.timing.visemes import add_speech
from vivant.media import F32, U8
from vivant.request import Canvas

FRAMES, GAP = 97, 3
PEOPLE = {"portrait_barkla": (560, 752), "portrait_mendeleev": (560, 752), "astronaut": (640, 640)}


@cache
def scene_of(name: str) -> Scene:
    picture = photo(f"{name}.jpg", PEOPLE[name])
    faces = FaceFinder().find(picture)
    return SceneAnalyser().analyse(picture, Canvas(*PEOPLE[name], FRAMES), faces=faces)


class Film:
    """A clip in which people alone move, before a camera that stands still."""

    def __init__(
        self,
        scene: Scene,
        lines: tuple[PlacedLine, ...] = (),
        actions: tuple[PlacedAction, ...] = (),
        seed: int = 4,
    ) -> None:
        height, width = scene.depth.shape
        board = Storyboard(
            width=width, height=height, frames=FRAMES, seed=seed, language="en", audio=False, camera_fixed=True,
            morph=False, shots=(Shot(start=0, end=FRAMES, moves=()),),
        )  # fmt: skip
        curves = add_speech(make_faces(FRAMES, seed, scene.facts.faces, lines, actions), lines, seed=seed)
        timeline = replace(still(FRAMES, seed), faces=curves)
        faces = FaceMotion(scene, board, timeline)
        self._renderer = Renderer(scene, timeline, board, patches=faces.patches, face_field=faces.field)
        self._scale = 640 / max(width, height)
        face = scene.faces[0]
        y, x = np.mgrid[0:height, 0:width]
        low, high = face.landmarks[:, :2].min(0), face.landmarks[:, :2].max(0)
        head = (x > low[0]) & (x < high[0]) & (y > low[1] - 0.35 * face.size) & (y < high[1])
        person = cv2.dilate((scene.matte.mask > 0.1).astype(np.uint8), np.ones((5, 5), np.uint8))
        beyond = np.array(person) == 0
        self.head, self.behind = (self._shrink(where.astype(np.float32)) > 0.5 for where in (head, beyond))

    def _shrink(self, values: F32) -> F32:
        small = cv2.resize(values, None, fx=self._scale, fy=self._scale, interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.float32)

    def luma(self, *frames: int) -> list[U8]:
        seen = develop([self._renderer.frame(n) for n in frames])
        return [self._shrink(luma.astype(np.float32)).astype(np.uint8) for luma in seen]

    def speeds(self, n: int) -> F32:
        flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        one, other = self.luma(n, n + GAP)
        moved = np.linalg.norm(flow.calc(one, other, np.zeros((*one.shape, 2), np.float32)), axis=2)
        # Flow spills over into what stands still: a pixel that moves by d changes by about d times its slope.
        soft, later = (cv2.GaussianBlur(luma, (0, 0), 1.5).astype(np.float32) for luma in (one, other))
        slope = np.hypot(cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)) / 8 + 0.5
        change = np.abs(soft - later)
        return np.where(change > 3, np.minimum(moved, 2 * change / slope) / GAP, 0).astype(np.float32)


def fastest(speeds: F32, where: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> float:
    found = np.sort(speeds[where])
    return float(found[int(0.95 * len(found)) :].mean())


@pytest.mark.parametrize("name", PEOPLE)
def test_who_speaks_moves_the_head_and_who_has_spoken_is_still_alive(name: str) -> None:
    film = Film(scene_of(name), (spoken_line(SENTENCE, start=0.2),))
    line_ends = round(spoken_line(SENTENCE, start=0.2).end / 2000)
    assert line_ends < 60
    speaks = [film.speeds(n) for n in range(8, line_ends - GAP, 8)]
    rests = [film.speeds(n) for n in range(line_ends + 12, FRAMES - GAP - 1, 6)]
    assert np.median([fastest(speeds, film.head) for speeds in speaks]) > 0.5
    assert np.median([fastest(speeds, film.head) for speeds in rests]) > 0.5
    behind = np.median([fastest(speeds, film.behind) for speeds in speaks + rests])
    assert behind < 0.3


@pytest.mark.parametrize("name", PEOPLE)
def test_who_only_listens_is_seen_to_live_in_every_quarter(name: str) -> None:
    film = Film(scene_of(name))
    behind = []
    for quarter in range(4):
        speeds = [film.speeds(n) for n in range(24 * quarter + 4, 24 * quarter + 22, 6)]
        assert np.mean([fastest(one, film.head) for one in speeds]) > 0.4, f"quarter {quarter + 1}"
        behind += [fastest(one, film.behind) for one in speeds]
    assert np.median(behind) < 0.3


@pytest.mark.parametrize("seed", [8, 9])
def test_who_smiles_moves_the_head_in_every_quarter_too(seed: int) -> None:
    """She smiles in the photo: of another smile little is seen, so the head has to show that something was asked."""
    smile = PlacedAction(action=Action(kind="smile"), start=6, end=FRAMES)
    film = Film(scene_of("astronaut"), actions=(smile,), seed=seed)
    for quarter in range(4):
        speeds = [fastest(film.speeds(n), film.head) for n in range(24 * quarter + 1, 24 * quarter + 22, 5)]
        assert np.median(speeds) > 0.5, f"quarter {quarter + 1}"


@pytest.mark.parametrize("name", PEOPLE)
def test_a_head_that_turns_is_seen_to_turn_before_a_background_that_stays(name: str) -> None:
    scene = scene_of(name)
    film = Film(scene, actions=(PlacedAction(action=Action(kind="turn_head"), start=12, end=FRAMES),))
    speeds = film.speeds(22)
    assert fastest(speeds, film.head) > 0.6
    assert fastest(speeds, film.behind) < 0.3


def test_frame_0_is_the_picture() -> None:
    film = Film(scene_of("astronaut"), (spoken_line(SENTENCE, start=0.2),))
    scene = scene_of("astronaut")
    assert np.array_equal(film._renderer.frame(0).y, scene.source.planes.y)
