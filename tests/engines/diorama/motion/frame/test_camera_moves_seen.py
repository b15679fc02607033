"""Every camera move as it is seen: what was in the middle of the first frame has gone the asked way in the last, at
least so far, at an even speed. Measured by a homography between matched corners, on frames that were encoded and
decoded again: what a viewer gets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from threading import Barrier
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from support.film import develop
from support.paths import PHOTOS
from support.timelines import still
from vivant.engines.diorama.motion.frame import renderer
from vivant.engines.diorama.motion.frame.reach import find_short_moves
from vivant.engines.diorama.motion.frame.renderer import Renderer
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.faces import FaceFinder
from vivant.engines.diorama.scene.matte import CUT_OUT_FROM
from vivant.engines.diorama.scene.part import cut_part
from vivant.engines.diorama.scene.scene import Margins, Scene, Source
from vivant.engines.diorama.scene.surroundings import Surroundings, measure_room, surround
from vivant.engines.diorama.storyboard import Framing, Move, Shot, Storyboard
from vivant.engines.diorama.timing.camera import make_camera
from vivant.engines.diorama.timing.views import View
from vivant.media import F64, U8, fit, to_planes
from vivant.request import Canvas

FRAMES = 121
LAST = FRAMES - 1
ANALYSER = SceneAnalyser()


def picture_of(name: str) -> U8:
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        return np.asarray(image.convert("RGB"))


def scene_of(picture: U8, ratio: str = "16:9") -> Scene:
    return ANALYSER.analyse(picture, Canvas.of("480p", ratio, 5))


@pytest.fixture(scope="module")
def city() -> Scene:
    return scene_of(picture_of("city_day"))


@pytest.fixture(scope="module")
def lake() -> Scene:
    return scene_of(picture_of("mountain_lake"))


@pytest.fixture(scope="module")
def antelope() -> Scene:
    return scene_of(picture_of("antelope"))


def board(scene: Scene, *shots: Shot) -> Storyboard:
    h, w = scene.depth.shape
    return Storyboard(
        width=w, height=h, frames=FRAMES, seed=3, language="en", audio=False, camera_fixed=False, morph=False,
        shots=shots,
    )  # fmt: skip


def film(scene: Scene, *moves: Move, shots: tuple[Shot, ...] = ()) -> Renderer:
    storyboard = board(scene, *(shots or (Shot(start=0, end=FRAMES, moves=moves),)))
    return Renderer(scene, replace(still(FRAMES, 3), camera=make_camera(storyboard, scene.facts)), storyboard)


def watch(made: Renderer, *frames: int) -> list[U8]:
    """Luma of these frames as a viewer gets them."""
    return develop([made.frame(n) for n in frames])


@dataclass(frozen=True)
class Seen:
    """dx, dy: how far the middle has moved, shares of the frame; scale; roll, degrees clockwise; wide: scale at the
    right border over that at the left."""

    dx: float
    dy: float
    scale: float
    roll: float
    wide: float


def compare(before: U8, after: U8, where: U8 | None = None) -> Seen:
    """Between two frames' luma; where: a mask of the corners in the first that count."""
    h, w = before.shape
    orb: Any = cv2.ORB_create(3000, fastThreshold=8)  # type: ignore[attr-defined]  # missing in the stubs
    points, codes = orb.detectAndCompute(before, where)
    others, their_codes = orb.detectAndCompute(after, None)
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(codes, their_codes)
    source = np.array([points[m.queryIdx].pt for m in matches])
    target = np.array([others[m.trainIdx].pt for m in matches])
    way, inliers = cv2.findHomography(source, target, cv2.RANSAC, 3.0)
    assert way is not None and inliers.sum() > 40, "the frames show nothing in common"

    def at(x: float, y: float) -> F64:
        return np.asarray(cv2.perspectiveTransform(np.array([[[x, y]]], np.float64), way)[0, 0], np.float64)

    def scale_at(x: float) -> float:
        return float(np.linalg.norm(at(x, h / 2 + 20) - at(x, h / 2 - 20)) / 40)

    middle = at(w / 2, h / 2) - (w / 2, h / 2)
    along = at(w / 2 + 20, h / 2) - at(w / 2 - 20, h / 2)
    return Seen(
        float(middle[0] / w), float(middle[1] / h), float(np.linalg.norm(along) / 40),
        float(np.degrees(np.arctan2(along[1], along[0]))), scale_at(0.9 * w) / scale_at(0.1 * w),
    )  # fmt: skip


ASIDE = [
    (Move(kind="pan", direction="right"), (-1, 0)), (Move(kind="pan", direction="left"), (1, 0)),
    (Move(kind="truck", direction="right"), (-1, 0)), (Move(kind="truck", direction="left"), (1, 0)),
    (Move(kind="tilt", direction="up"), (0, 1)), (Move(kind="tilt", direction="down"), (0, -1)),
    (Move(kind="pedestal", direction="up"), (0, 1)), (Move(kind="pedestal", direction="down"), (0, -1)),
]  # fmt: skip


@pytest.mark.parametrize(("move", "way"), ASIDE, ids=lambda v: f"{v.kind}-{v.direction}" if isinstance(v, Move) else "")
@pytest.mark.parametrize("name", ["city", "lake"])
def test_a_move_aside_covers_an_eighth_of_the_frame_the_asked_way_and_evenly(
    move: Move, way: tuple[int, int], name: str, request: pytest.FixtureRequest
) -> None:
    made = film(request.getfixturevalue(name), move)
    first, *later = watch(made, 0, 30, 50, 70, 90, LAST)
    seen = [compare(first, frame) for frame in later]
    gone = [one.dx * way[0] + one.dy * way[1] for one in seen]
    astray = [one.dx * way[1] + one.dy * way[0] for one in seen]
    assert gone[-1] >= 0.12
    assert max(map(abs, astray)) < 0.01
    steps = np.diff(gone[:4])
    assert steps.min() > 0.7 * steps.max() > 0, f"the speed is uneven: {steps}"
    assert max(one.scale for one in seen) < 1.26


def go_down(before: U8, after: U8, rows: slice) -> float:
    """By how much of the height what stands in these rows of the first frame has gone down in the second."""
    where = np.zeros_like(before)
    where[rows] = 255
    corners = cv2.goodFeaturesToTrack(before, 400, 0.01, 6, mask=where)
    room = np.empty_like(corners)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, room, winSize=(31, 31), maxLevel=5)
    return float(np.median((moved - corners)[found[:, 0] == 1][:, 0, 1])) / len(before)


def test_under_a_crane_the_ground_sinks_more_than_the_distance() -> None:
    frames = watch(film(scene_of(picture_of("cypress_field")), Move(kind="pedestal", direction="up")), 0, 40, 80, LAST)
    h = len(frames[0])
    far, near = (
        sum(go_down(a, b, rows) for a, b in pairwise(frames))
        for rows in (slice(round(0.3 * h), round(0.5 * h)), slice(round(0.75 * h), round(0.95 * h)))
    )
    assert near > 0.12 and near > far + 0.03


def test_an_orbit_does_not_turn_its_subject_out_of_the_picture() -> None:
    made = film(scene_of(picture_of("gamepad"), "1:1"), Move(kind="orbit", direction="right"))
    first, last = watch(made, 0, LAST)
    assert (first[:, -3:] > 190).mean() < 0.005 and (last[:, -3:] > 190).mean() < 0.005  # it is white, the table brown
    assert compare(first, last).wide > 1.06


def test_towers_in_haze_pass_each_other_and_stay_upright(city: Scene) -> None:
    assert np.ptp(city.depth.mean(axis=0)) > 0.25  # the one in clear air is nearer
    assert np.ptp(city.depth, axis=0).max() < 0.2  # but from its foot to its top it is one
    made = film(city, Move(kind="truck", direction="right"))
    grid = made.rig.aim(made.rig.pose(LAST), made._whole)
    assert np.ptp(np.diff(grid.x, axis=1)[:, 4:-4]) > 0.5 and np.abs(np.diff(grid.x, axis=0)).max() < 0.25


def test_a_mountain_that_comes_in_from_a_side_is_no_subject_to_be_cut_out() -> None:
    scene = scene_of(picture_of("altai_tall"), "9:16")
    assert scene.matte.trust >= CUT_OUT_FROM
    assert film(scene, Move(kind="pedestal", direction="up")).layers is None


def test_no_scrap_of_foam_lies_in_the_border_below_still_water() -> None:
    scene = replace(scene_of(picture_of("forest_stream"), "4:3"), outside=None)
    luma = surround(scene, scene.source, Margins(0, 0, 0, 60)).source.planes.y
    h, w = scene.depth.shape
    water = slice(round(0.18 * w), round(0.62 * w))
    soft = cv2.GaussianBlur(luma[:, water].astype(np.float32), (0, 0), 3)
    assert soft[h:].max() < np.percentile(soft[h - 12 : h], 95) + 20


@pytest.mark.parametrize("move", [Move(kind="pan", direction="right"), Move(kind="truck", direction="left")])
def test_a_pan_reads_as_one_from_its_first_frames(city: Scene, move: Move) -> None:
    first, *later = watch(film(city, move), 0, 6, 12, 24)
    gone = []
    for frame in later:
        seen = compare(first, frame)
        assert abs(seen.dx) > 2 * abs(seen.scale - 1) / 2, "the zoom moves the border more than the pan"
        gone.append(640 * abs(seen.dx))
    # Half a second is enough to see where it goes: pixels at 640.
    assert gone[1] > 4.5 and gone[1] - gone[0] > 2.5


def test_fast_and_dramatic_moves_go_twice_as_far(city: Scene) -> None:
    first = city.source.planes.y

    def pan(**how: Any) -> Seen:
        return compare(first, watch(film(city, Move(kind="pan", direction="left", **how)), LAST)[0])

    usual, fast, dramatic = pan(), pan(speed="fast", strength=0.6), pan(strength=0.75)
    assert min(fast.dx, dramatic.dx) > 1.8 * usual.dx


@pytest.mark.parametrize(
    ("move", "least", "most"),
    [
        (Move(kind="zoom", direction="in"), 1.15, 1.45), (Move(kind="dolly", direction="in"), 1.15, 1.6),
        (Move(kind="zoom", direction="out"), 0.8, 1 / 1.12), (Move(kind="dolly", direction="out"), 0.8, 1 / 1.1),
    ],
    ids=lambda v: f"{v.kind}-{v.direction}" if isinstance(v, Move) else "",
)  # fmt: skip
def test_a_zoom_or_dolly_changes_the_scale_and_nothing_else(lake: Scene, move: Move, least: float, most: float) -> None:
    seen = compare(*watch(film(lake, move), 0, LAST))
    assert least <= seen.scale <= most
    assert abs(seen.dx) < 0.02 and abs(seen.dy) < 0.03 and abs(seen.roll) < 0.5


def test_a_wide_picture_on_a_tall_canvas_is_panned_over_itself_and_not_zoomed() -> None:
    picture = picture_of("city_day")
    scene = scene_of(picture, "9:16")
    made = film(scene, Move(kind="pan", direction="right"))
    last = made.frame(LAST).y
    pose = made.rig.pose(LAST)
    assert pose.zoom < 1.01
    assert scene.outside is not None
    margins = scene.outside.margins
    h, w = scene.depth.shape
    left = margins.left + round(pose.pan)
    expected = to_planes(np.ascontiguousarray(scene.outside.rgb[margins.top : margins.top + h])).y
    seen = compare(last, expected[:, left : left + w])
    assert abs(seen.dx) < 0.03 and 0.97 < seen.scale < 1.03  # it is the picture, beside what the canvas shows
    right = last[:, -60:]
    found = cv2.matchTemplate(expected, right[100:-100], cv2.TM_CCOEFF_NORMED)
    assert found.max() > 0.95 and np.unravel_index(found.argmax(), found.shape)[1] > margins.left + w - 10


def test_what_is_completed_around_a_picture_keeps_it_and_is_no_mirror_image(lake: Scene) -> None:
    h, w = lake.depth.shape
    around = surround(lake, lake.source, Margins(40, 40, 100, 40))
    m = around.margins
    inside = around.source.planes.y[m.top : m.top + h, m.left : m.left + w]
    assert np.array_equal(inside, lake.source.planes.y)
    assert min(m.left, m.top, m.bottom) >= 40 and m.right >= 100
    below = around.source.planes.y[m.top + h :, m.left : m.left + w].astype(np.float32)
    edge = inside[-4:].astype(np.float32)
    mirrored = inside[-m.bottom :][::-1].astype(np.float32)
    assert np.abs(cv2.blur(below[:4], (31, 1)).mean(0) - cv2.blur(edge, (31, 1)).mean(0)).mean() < 8  # no seam
    assert np.corrcoef(below[8:].ravel(), mirrored[8:].ravel())[0, 1] < 0.9
    assert below.std() > 0.4 * inside[-80:].std()  # nor is it smeared


def test_where_a_face_fills_the_picture_there_is_no_room_and_a_note_tells_it(city: Scene) -> None:
    assert min(measure_room(city).left, measure_room(city).right) > 0
    picture = picture_of("portrait_curie")[150:620, 120:560]
    canvas = Canvas.of("480p", "1:1", 5)
    square = picture[:440]
    scene = ANALYSER.analyse(square, canvas, faces=FaceFinder().find(fit(square, canvas.width, canvas.height)))
    assert scene.faces
    move = Move(kind="zoom", direction="out", words="zoom out", strength=0.8)
    short = find_short_moves(board(scene, Shot(start=0, end=FRAMES, moves=(move,))), scene)
    assert short == (move,)
    assert find_short_moves(board(scene, Shot(start=0, end=FRAMES, moves=(Move(kind="zoom"),))), scene) == ()


def test_an_orbit_turns_the_picture_round_its_subject(city: Scene, antelope: Scene) -> None:
    seen = compare(*watch(film(city, Move(kind="orbit", direction="right")), 0, LAST))
    assert seen.wide > 1.1  # what is at the right comes nearer
    assert compare(*watch(film(city, Move(kind="orbit", direction="left")), 0, LAST)).wide < 1 / 1.1
    assert -0.12 < seen.dx < -0.06  # about no subject: the view lags behind, or what is far would stand still
    # A subject that was cut out stays, what is behind it passes.
    made = film(antelope, Move(kind="orbit", direction="right"))
    assert made.layers is not None
    first, last = watch(made, 0, LAST)
    subject = (antelope.matte.mask > 0.8).astype(np.uint8)
    behind = (cv2.dilate(antelope.matte.mask, np.ones((25, 25), np.uint8)) < 0.1).astype(np.uint8)
    far = compare(first, last, 255 * behind)
    near = compare(first, last, 255 * subject)
    assert abs(near.dx) < 0.03
    assert far.dx - near.dx > 0.04


@pytest.mark.parametrize(("direction", "least", "most"), [("out", 1.15, 1.4), ("in", 0.7, 0.9)])
def test_a_dolly_zoom_keeps_the_subject_and_changes_the_size_of_the_background(
    antelope: Scene, direction: Any, least: float, most: float
) -> None:
    first, half, last = watch(film(antelope, Move(kind="dolly_zoom", direction=direction)), 0, 60, LAST)
    subject = (antelope.matte.mask > 0.8).astype(np.uint8)
    behind = (cv2.dilate(antelope.matte.mask, np.ones((25, 25), np.uint8)) < 0.1).astype(np.uint8)
    far_away = behind.copy()
    far_away[len(behind) // 2 :] = 0  # the ground the subject stands on is as near as it is
    near = compare(first, last, 255 * subject)
    assert near.scale == pytest.approx(1, abs=0.025) and max(abs(near.dx), abs(near.dy)) < 0.01
    scale = compare(first, last, 255 * far_away).scale
    assert least < scale < most
    between = compare(first, half, 255 * far_away).scale
    assert min(1.0, scale) + 0.02 < between < max(1.0, scale) - 0.02  # and does so all the way


def test_where_nothing_is_farther_than_the_subject_a_dolly_zoom_is_told(city: Scene) -> None:
    move = Move(kind="dolly_zoom", words="dolly zoom")
    assert find_short_moves(board(city, Shot(start=0, end=FRAMES, moves=(move,))), city) == (move,)


def test_a_move_after_a_cut_has_the_rest_of_the_picture_for_room_and_is_told_where_it_has_not(lake: Scene) -> None:
    picture, h, w = picture_of("mountain_lake"), *lake.depth.shape
    asked: list[View] = []

    def part_of(view: View) -> Scene:
        asked.append(view)
        canvas = Canvas(w, h, FRAMES)
        return cut_part(lake, picture, canvas, left=view.left, top=view.top, size=view.size)[0]

    def short(*moves: Move, framing: Framing) -> tuple[Move, ...]:
        first = Shot(start=0, end=48, moves=(Move(kind="static"),))
        second = Shot(start=48, end=FRAMES, cut=True, framing=framing, moves=moves)
        return find_short_moves(board(lake, first, second), lake, part_of)

    near = Framing(size="close-up", target="subject")
    pull = Move(kind="zoom", direction="out", strength=0.6)
    assert short(pull, framing=near) == () and len(asked) == 1 and asked[0].size < 0.85
    # A view of the whole picture has nothing around it but a border that is completed.
    far = Move(kind="zoom", direction="out", strength=1.0, speed="fast")
    shots = (
        Shot(start=0, end=40, moves=(Move(kind="static"),)),
        Shot(start=40, end=56, cut=True, framing=near, moves=(Move(kind="static"),)),
        Shot(start=56, end=FRAMES, cut=True, framing=Framing(size="wide"), moves=(far,)),
    )
    assert find_short_moves(board(lake, *shots), lake, part_of) == (far,)
    assert find_short_moves(board(lake, shots[0], replace(shots[2], start=40)), lake, part_of) == (far,)


@pytest.mark.parametrize(("name", "ratio", "alike"), [("mountain_lake", "16:9", 0.98), ("golden_dog", "1:1", 0.75)])
def test_a_completed_border_goes_on_at_the_height_at_which_things_reach_it(name: str, ratio: str, alike: float) -> None:
    """Shores, ridges, lights of a blurred wood: each row of the border is as bright as the row that it continues."""
    scene = replace(scene_of(picture_of(name), ratio), outside=None)
    for margins in (Margins(64, 0, 0, 0), Margins(0, 0, 64, 0)):
        luma = surround(scene, scene.source, margins).source.planes.y.astype(np.float32)
        around = luma if margins.left else luma[:, ::-1]
        beyond, edge = (
            cv2.GaussianBlur(rows.mean(1)[:, None], (0, 0), 4) for rows in (around[:, 12:56], around[:, 64:84])
        )
        assert np.corrcoef(beyond.ravel(), edge.ravel())[0, 1] > alike
        assert around[:, 12:56].std(1).mean() > 0.3 * around[:, 64:108].std(1).mean()  # nor is it drawn out


def test_the_border_of_a_drawing_has_no_trace_of_its_outlines() -> None:
    scene = scene_of(picture_of("drawing_cat"), "4:3")
    around = surround(scene, scene.source, Margins(0, 60, 0, 0))
    above = around.source.planes.y[: around.margins.top].astype(np.float32)
    # The sky over the clouds is a smooth gradient; a mirrored cloud would be a line of some levels in it.
    assert np.abs(above - cv2.GaussianBlur(above, (0, 0), 4)).max() < 4


def detail(luma: U8, mask: NDArray[Any] | None = None) -> float:
    fine = np.abs(cv2.Laplacian(luma, cv2.CV_32F))
    return float(fine.mean() if mask is None else (fine * mask).sum() / mask.sum())


def test_a_whip_is_torn_sideways_and_ends_sharp_on_another_view(city: Scene) -> None:
    made = film(city, Move(kind="whip", direction="right"))
    frames = watch(made, *range(40, 76))
    across = [float(np.abs(np.diff(frame.astype(np.float32), axis=1)).mean()) for frame in frames]
    down = [float(np.abs(np.diff(frame.astype(np.float32), axis=0)).mean()) for frame in frames]
    whole = float(np.abs(np.diff(made.frame(0).y.astype(np.float32), axis=1)).mean())
    fastest = int(np.argmin(across))
    assert across[fastest] < 0.12 * whole and down[fastest] > 3 * across[fastest]  # streaks along the rows
    assert sum(value < 0.5 * whole for value in across) < 20  # and soon over
    first, last = watch(made, 0, LAST)
    assert compare(first, last).dx <= -0.2 and detail(last) > 0.8 * detail(first)


def test_a_rack_focus_goes_from_the_subject_to_what_is_behind_it(antelope: Scene) -> None:
    made = film(antelope, Move(kind="rack_focus", direction="out"))
    subject = cv2.erode((antelope.matte.mask > 0.9).astype(np.float64), np.ones((9, 9), np.uint8))
    behind = (cv2.dilate(antelope.matte.mask, np.ones((31, 31), np.uint8)) < 0.05).astype(np.float64)
    assert np.array_equal(made.frame(0).y, antelope.source.planes.y)
    first, near, far = watch(made, 0, 36, LAST)
    assert detail(near, subject) > 0.9 * detail(first, subject) and detail(near, behind) < 0.35 * detail(first, behind)
    assert detail(far, subject) < 0.35 * detail(first, subject) and detail(far, behind) > 0.9 * detail(first, behind)
    # Nothing moves, and the light stays: the mean does not change.
    assert abs(float(near.mean()) - float(first.mean())) < 1.5


def test_a_roll_turns_the_horizon(city: Scene) -> None:
    assert compare(*watch(film(city, Move(kind="roll", direction="clockwise")), 0, LAST)).roll < -5


def test_a_handheld_camera_is_felt(city: Scene) -> None:
    made = film(city, Move(kind="handheld"))
    steps = []
    frames = watch(made, *(m for n in range(24, 110, 8) for m in (n, n + 1)))
    for before, after in zip(frames[::2], frames[1::2], strict=True):
        corners = cv2.goodFeaturesToTrack(before, 300, 0.01, 8)
        moved, found, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, np.empty_like(corners))
        steps.append(np.median(np.linalg.norm((moved - corners)[found[:, 0] == 1], axis=-1)) * 640 / before.shape[1])
    assert 0.5 < float(np.median(steps)) < 1.6 and max(steps) < 4


def test_one_move_flows_into_the_next(city: Scene) -> None:
    shots = (
        Shot(start=0, end=60, moves=(Move(kind="pan", direction="right"),)),
        Shot(start=60, end=FRAMES, moves=(Move(kind="zoom", direction="in"),)),
    )
    made = film(city, shots=shots)
    x, y = (np.array([getattr(made.rig.aim(made.rig.pose(n), made._whole), axis)[60, 150] for n in range(FRAMES)])
            for axis in "xy")  # fmt: skip
    assert max(np.abs(np.diff(x, 2)).max(), np.abs(np.diff(y, 2)).max()) < 0.35  # pixels per frame per frame


def test_the_borders_of_a_subject_and_of_what_is_behind_it_are_completed_at_the_same_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene, both = scene_of(picture_of("fig_bowl")), Barrier(2)
    orbit = Move(kind="orbit", direction="left")

    def complete(scene: Scene, source: Source, needed: Margins) -> Surroundings:
        both.wait(30)  # one after the other they would wait for ever
        return surround(scene, source, needed)

    alone = film(scene, orbit).frame(60)
    monkeypatch.setattr(renderer, "surround", complete)
    together = film(scene, orbit).frame(60)
    assert np.array_equal(alone.y, together.y)
