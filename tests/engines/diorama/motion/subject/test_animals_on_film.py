"""Animals that live: where they move, by how much, and that all else keeps still. Judged on rendered frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from support.faces import photo
from support.liveliness import Box, Liveliness, measure
from vivant.engines.diorama.engine import render_segment
from vivant.engines.diorama.motion.fields import STEP
from vivant.engines.diorama.motion.subject.motion import BodyMotion
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import Being, BodyAction, BodyActionKind, Move, Shot, Storyboard, Thing
from vivant.engines.diorama.timing.body import make_body
from vivant.engines.diorama.timing.resolve import resolve
from vivant.media import U8
from vivant.request import Canvas

FRAMES = 73
STATIC = Move(kind="static")
ANTELOPE: Box = (0.1, 0.4, 0.58, 0.95)
ITS_HEAD: Box = (0.11, 0.48, 0.28, 0.75)
CAT: Box = (0.15, 0.45, 0.45, 1.0)


@pytest.fixture(scope="module")
def scenes() -> dict[str, Scene]:
    analyser = SceneAnalyser()
    canvas = Canvas(864, 496, FRAMES)
    return {name: analyser.analyse(photo(f"{name}.jpg"), canvas) for name in ("antelope", "drawing_cat")} | {
        name: analyser.analyse(photo(f"{name}.jpg"), Canvas(640, 640, FRAMES)) for name in ("golden_dog", "goldfish")
    }


def film(
    scene: Scene, *kinds: BodyActionKind, strength: float = 0.5, being: Being = "animal", camera: Move = STATIC
) -> U8:
    """Luma of every frame, uint8 (n, h, w), at 640 px; under a camera that stands still, if no other is given."""
    h, w = scene.depth.shape
    board = Storyboard(
        width=w, height=h, frames=FRAMES, seed=3, language="en", audio=False, camera_fixed=camera == STATIC,
        morph=False, shots=(Shot(start=0, end=FRAMES, moves=(camera,)),),
        body_actions=tuple(
            BodyAction(kind=kind, being=being, strength=strength, order=n) for n, kind in enumerate(kinds)
        ),
    )  # fmt: skip
    renderer = render_segment(board, scene, resolve(board, scene.facts, []), find_nothing)
    return np.stack([
        cv2.resize(renderer.frame(n).y, (640, round(640 * h / w)), interpolation=cv2.INTER_AREA) for n in range(FRAMES)
    ])  # fmt: skip


def find_nothing(thing: Thing) -> Region:
    """No motion of these clips is bound to a thing."""
    raise AssertionError(f"{thing} was looked for")


def alive(frames: U8, where: Box) -> Liveliness:
    return measure(frames, fixed=True, where=where)


def test_a_head_that_is_told_to_turn_turns_in_every_quarter_and_nothing_behind_it_moves(
    scenes: dict[str, Scene],
) -> None:
    seen = alive(film(scenes["antelope"], "turn_head"), ITS_HEAD)
    assert min(quarter.flow for quarter in seen.quarters) > 0.5
    assert max(quarter.flow for quarter in seen.quarters) > 0.5
    whole = alive(film(scenes["antelope"], "turn_head"), ANTELOPE)
    assert max(quarter.elsewhere for quarter in whole.quarters) < 0.05


def test_a_head_that_turns_is_out_of_focus_wherever_it_is(scenes: dict[str, Scene]) -> None:
    rack = Move(kind="rack_focus", direction="out")
    sharp, soft = (film(scenes["antelope"], "turn_head", camera=camera)[-24::6] for camera in (STATIC, rack))
    left, top, right, bottom = ITS_HEAD
    h, w = sharp.shape[1:]
    head = (slice(round(top * h), round(bottom * h)), slice(round(left * w), round(right * w)))
    for before, after in zip(sharp, soft, strict=True):
        # Where it is drawn there is haze behind it, so what is sharp there is the head.
        edges = [np.abs(cv2.Laplacian(frame[head], cv2.CV_32F)) for frame in (before, after)]
        assert np.percentile(edges[1], 99) < 0.5 * np.percentile(edges[0], 99)


@pytest.mark.parametrize(("name", "where"), [("antelope", ITS_HEAD), ("drawing_cat", CAT)])
def test_an_animal_that_is_told_nothing_lives(scenes: dict[str, Scene], name: str, where: Box) -> None:
    seen = alive(film(scenes[name], "breathe"), where)
    assert min(quarter.flow for quarter in seen.quarters) > 0.2
    assert seen.equal_frames <= 1


def test_the_body_of_a_small_animal_shifts_its_weight_in_every_quarter(scenes: dict[str, Scene]) -> None:
    seen = alive(film(scenes["antelope"], "breathe", "turn_head"), ANTELOPE)
    assert min(quarter.flow for quarter in seen.quarters) > 0.33


def test_a_wagging_tail_moves_more_than_the_head(scenes: dict[str, Scene]) -> None:
    frames = film(scenes["drawing_cat"], "wag_tail")
    tail = alive(frames, (0.3, 0.82, 0.45, 1.0))
    assert min(quarter.flow for quarter in tail.quarters) > 0.5


def test_a_fish_swims_with_its_tail_and_its_head_hardly_moves(scenes: dict[str, Scene]) -> None:
    frames = film(scenes["goldfish"], "breathe", being="fish")
    tail, head = alive(frames, (0.08, 0.1, 0.4, 0.7)), alive(frames, (0.55, 0.3, 0.84, 0.66))
    for behind, before in zip(tail.quarters, head.quarters, strict=True):
        assert behind.flow > 0.5
        assert before.flow < 0.6 * behind.flow
    assert np.array_equal(frames[0], film(scenes["goldfish"], "breathe", being="animal")[0])


def test_a_wave_runs_from_the_head_of_a_fish_to_its_tail(scenes: dict[str, Scene]) -> None:
    scene = scenes["goldfish"]
    assert scene.body is not None
    board = [BodyAction(kind="breathe", being="fish")]
    curves = make_body(FRAMES, 3, board)
    assert curves is not None
    motion = BodyMotion(scene, scene.body, curves, cut_out=True, being="fish")
    fields = [motion.field(n) for n in range(24, 72)]
    # toward the tail; amidships; at the eye, which only hovers with the whole
    places = [round(share * scene.depth.shape[1] / STEP) for share in (0.2, 0.45, 0.705)]
    row = round(0.45 * scene.depth.shape[0] / STEP)
    dx = np.array([np.zeros(3) if field is None else field.dx[row, places] for field in fields])
    tail, middle = dx[:, 0] - dx[:, 2], dx[:, 1] - dx[:, 2]
    assert np.ptp(tail) > 1.3 * np.ptp(middle)
    lags = [np.corrcoef(tail[lag:], middle[: len(middle) - lag])[0, 1] for lag in range(16)]
    assert int(np.argmax(lags)) >= 2  # the tail does later what the middle does


def test_each_of_two_animals_moves_by_itself() -> None:
    scene = SceneAnalyser().analyse(photo("two_dogs.jpg"), Canvas(480, 720, FRAMES))
    assert scene.body is not None
    (other,) = scene.others
    curves = make_body(FRAMES, 3, [BodyAction(kind="turn_head", being="animal")])
    assert curves is not None
    motion = BodyMotion(scene, scene.body, curves, cut_out=True)
    fields = [motion.field(n) for n in range(FRAMES)]
    ways = []
    for body in (scene.body, other):
        row, column = round((body.trunk.y - 0.8 * body.trunk.radius) / STEP), round(body.trunk.x / STEP)
        ways.append(np.array([0.0 if field is None else float(field.dx[row, column]) for field in fields]))
    assert min(np.ptp(way) for way in ways) > 1.5
    assert np.corrcoef(np.stack(ways))[0, 1] < 0.5


def test_feet_stand_still(scenes: dict[str, Scene]) -> None:
    frames = film(scenes["antelope"], "turn_head", "walk")
    h, w = frames.shape[1:]
    for x, y in ((0.268, 0.92), (0.385, 0.925)):  # hoofs on the grass
        part = frames[:, round(y * h) - 3 : round(y * h) + 4, round(x * w) - 5 : round(x * w) + 6].astype(np.float32)
        assert np.abs(part - part[0]).mean() < 4


def test_a_strong_action_moves_more_and_a_faint_one_less(scenes: dict[str, Scene]) -> None:
    flows = [
        np.mean([quarter.flow for quarter in alive(film(scenes["antelope"], "nod", strength=s), ITS_HEAD).quarters])
        for s in (0.15, 0.5, 1.0)
    ]
    assert flows[0] < 0.75 * flows[1]
    assert flows[2] > 1.25 * flows[1]


def test_a_cat_that_blinks_shuts_both_eyes_and_opens_them_again(scenes: dict[str, Scene]) -> None:
    scene = scenes["drawing_cat"]
    assert scene.body is not None
    assert len(scene.body.eyes) == 2
    frames = film(scene, "blink")
    scale = 640 / scene.depth.shape[1]
    for eye in scene.body.eyes:
        x, y, r = round(eye.x * scale), round(eye.y * scale), round(1.6 * eye.across * scale)
        bright = [float((frame[y - r : y + r, x - r : x + r] > 150).mean()) for frame in frames]  # the yellow iris
        assert bright[0] > 0.1
        assert min(bright) < 0.25 * bright[0]
        assert bright[-1] > 0.6 * bright[0] or max(bright[len(bright) // 2 :]) > 0.6 * bright[0]


def test_a_dog_that_looks_past_the_viewer_blinks_with_its_eye_and_not_with_its_nose(scenes: dict[str, Scene]) -> None:
    frames = film(scenes["golden_dog"], "blink")
    eye, nose = frames[:, 205:295, 310:420], frames[:, 300:410, 460:590]
    dark_eye, dark_nose = (np.array([(frame < 60).sum() for frame in part]) for part in (eye, nose))
    assert dark_eye[0] > 300
    assert dark_eye.min() < 0.55 * dark_eye[0]
    assert dark_eye.max() < 1.25 * dark_eye[0]
    assert 0.8 * dark_nose[0] < dark_nose.min() <= dark_nose.max() < 1.2 * dark_nose[0]


def test_frame_0_is_the_picture_and_frame_1_hardly_differs(scenes: dict[str, Scene]) -> None:
    frames = film(scenes["antelope"], "breathe")
    assert np.abs(frames[1].astype(np.float32) - frames[0]).mean() < 0.3
    scene = scenes["antelope"]
    h, w = scene.depth.shape
    small = cv2.resize(scene.source.planes.y, (640, round(640 * h / w)), interpolation=cv2.INTER_AREA)
    assert np.array_equal(frames[0], small)
