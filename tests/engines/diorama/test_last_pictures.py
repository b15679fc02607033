"""What is done with a last picture, and when: it is registered first, and analysed only where that is used."""

from __future__ import annotations

import itertools
from dataclasses import replace
from threading import Event
from typing import Any, cast

import numpy as np
import pytest

from support.faces import photo
from support.timelines import still
from vivant.engines.diorama.checkpoints import never_stop
from vivant.engines.diorama.first_to_last import LastPicture
from vivant.engines.diorama.motion.frame.segments import Frames
from vivant.engines.diorama.motion.frame.transition import Transition
from vivant.engines.diorama.motion.warm_up import warm_up_frames
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.found_things import FoundThings
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import Motion, Origin, Shot, Storyboard
from vivant.media import U8
from vivant.request import Canvas

CANVAS = Canvas(640, 368, 49)
SHOWN_ALONE = 12  # frames at least, in which nothing is seen of the last picture where the places differ


@pytest.fixture(scope="module")
def analyser() -> SceneAnalyser:
    warm_up_frames()
    return SceneAnalyser()


@pytest.fixture(scope="module")
def lake(analyser: SceneAnalyser) -> Scene:
    return analyser.analyse(photo("mountain_lake.jpg"), CANVAS)


class Looks:
    """An analyser that counts its looks, and takes its time for them until it may go."""

    def __init__(self, analyser: SceneAnalyser) -> None:
        self._analyser = analyser
        self.find = analyser.find
        self.begun, self.may_go = Event(), Event()

    def analyse(self, *given: Any, **more: Any) -> Scene:
        self.begun.set()
        assert self.may_go.wait(60)
        return self._analyser.analyse(*given, **more)


def film(scene: Scene, last: U8, looks: Any, *motions: Motion) -> Frames:
    board = Storyboard(
        width=CANVAS.width, height=CANVAS.height, frames=CANVAS.frames, seed=3, language="en", audio=False,
        camera_fixed=False, morph=True, shots=(Shot(start=0, end=CANVAS.frames, moves=()),), motions=motions,
    )  # fmt: skip
    looked = LastPicture(scene.rgb, last, CANVAS, looks)
    return looked.render_from(scene, board, still(CANVAS.frames, 3), FoundThings(scene, looks.find), never_stop)


CLOUDS = Motion(kind="clouds", strength=0.7)


def closer_to(picture: U8) -> U8:
    h, w = picture.shape[:2]
    return np.ascontiguousarray(picture[h // 6 : -h // 6, w // 6 : -w // 6])


@pytest.mark.parametrize("last", ["closer", "evening"])
def test_a_picture_of_the_same_place_is_never_analysed(lake: Scene, analyser: SceneAnalyser, last: str) -> None:
    evening = np.rint(lake.rgb * np.array([0.7, 0.6, 0.6])).astype(np.uint8)
    looks, closer = Looks(analyser), closer_to(lake.rgb)
    made = film(lake, closer if last == "closer" else evening, looks, CLOUDS)
    frames = [made.frame(n).y.astype(np.int16) for n in range(0, CANVAS.frames, 4)]
    assert not looks.begun.is_set()
    # The camera is on its way, or the clouds drift, in the light of the moment, up to the end.
    sky = lake.sky.mask > 0.9
    steps = [float(np.abs(b - a)[sky].mean()) for a, b in itertools.pairwise(frames)]
    assert min(steps) > 0.5


def test_frames_of_the_first_place_do_not_wait_for_the_look_at_another(lake: Scene, analyser: SceneAnalyser) -> None:
    looks = Looks(analyser)
    made = film(lake, photo("waves_sunset.jpg"), looks)
    assert isinstance(made, Transition)
    first = [made.frame(n) for n in range(SHOWN_ALONE)]
    looks.may_go.set()
    assert len(first) == SHOWN_ALONE and made.frame(CANVAS.frames // 2).y.shape == first[0].y.shape
    assert looks.begun.is_set()


@pytest.mark.parametrize(("origin", "told"), [("prompt", 1), ("default", 0)])
def test_clouds_that_do_not_drift_on_a_way_of_the_camera_are_not_listed(
    lake: Scene, analyser: SceneAnalyser, origin: Origin, told: int
) -> None:
    board = write("Clouds drift.", lake.facts, canvas=CANVAS, seed=3, audio=False, camera_fixed=False, morph=True)
    board = replace(board, motions=(Motion(kind="clouds", origin=origin), Motion(kind="water")))
    looks = Looks(analyser)
    nearer = LastPicture(lake.rgb, closer_to(lake.rgb), CANVAS, cast(Any, looks)).tell_seen(board)
    assert [motion.kind for motion in nearer.motions] == ["water"]
    assert len(nearer.notes) == len(board.notes) + told
    evening = np.rint(lake.rgb * 0.7).astype(np.uint8)
    assert LastPicture(lake.rgb, evening, CANVAS, cast(Any, looks)).tell_seen(board) == board
