"""Frames as the renderer makes them from real photographs: exact where they must be, sharp, straight, without seams."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from support.paths import PHOTOS
from support.timelines import still
from vivant.engines.diorama.kernels import compiled_signatures
from vivant.engines.diorama.motion.fields import Drift, Field, Flow, Patch, Rect, Sheet
from vivant.engines.diorama.motion.frame import blend, compositing, crossfade, light, rig, texels, transition, warp
from vivant.engines.diorama.motion.frame.layers import composite_over
from vivant.engines.diorama.motion.frame.morph import Morph, align
from vivant.engines.diorama.motion.frame.renderer import Renderer
from vivant.engines.diorama.motion.frame.rig import CameraPose, aim
from vivant.engines.diorama.motion.frame.transition import Arrival, Transition
from vivant.engines.diorama.motion.warm_up import warm_up_frames
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.colour import make_source
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import Move, PictureFacts, Shot, Storyboard
from vivant.engines.diorama.timing.camera import make_camera
from vivant.media import F32, U8, Planes
from vivant.request import SIZES, Canvas, nearest_ratio

FRAMES = 97


@pytest.fixture(scope="module")
def scenes() -> dict[str, Scene]:
    warm_up_frames()
    analyser = SceneAnalyser()
    return {name: analyse(analyser, name) for name in ("antelope", "city_day", "dahlia", "mountain_lake")}


def analyse(analyser: SceneAnalyser, name: str) -> Scene:
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        picture = np.asarray(image.convert("RGB"))
    return analyser.analyse(picture, Canvas.of("480p", nearest_ratio(picture.shape[1], picture.shape[0]), 4))


def board(scene: Scene, *moves: Move) -> Storyboard:
    h, w = scene.depth.shape
    return Storyboard(
        width=w, height=h, frames=FRAMES, seed=3, language="en", audio=False, camera_fixed=False, morph=False,
        shots=(Shot(start=0, end=FRAMES, moves=moves),),
    )  # fmt: skip


def film(
    scene: Scene, *moves: Move, ambient: OneMotion | None = None, patch: Patch | None = None, light: F32 | None = None,
) -> Renderer:  # fmt: skip
    storyboard = board(scene, *moves)
    timeline = replace(still(FRAMES, 3), camera=make_camera(storyboard, scene.facts))
    if light is not None:
        timeline = replace(timeline, light=light)
    return Renderer(
        scene, timeline, storyboard, ambient,
        (lambda n: (patch,) if patch and n else ()), None,
    )  # fmt: skip


class OneMotion:
    """One thing that moves by itself: what each frame's field, flow and overlay are."""

    def __init__(self, field: Field | None = None, flow: Flow | None = None, rain: int = 0) -> None:
        self._field, self._flow, self._rain = field, flow, rain

    backdrop = None
    drapery = None

    def drift(self, n: int) -> Drift | None:
        return None

    def worn(self, n: int) -> Field | None:
        return None

    def field(self, n: int) -> Field | None:
        return self._field if n else None

    def flow(self, n: int) -> Flow | None:
        return self._flow if n else None

    def sheets(self, n: int) -> tuple[Sheet, ...]:
        return ()

    def overlay(self, n: int, frame: Planes) -> None:
        if n and self._rain:
            frame.y[: self._rain] = 200


def psnr(a: U8, b: U8) -> float:
    error = float(((a.astype(np.float64) - b) ** 2).mean())
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)


def same(a: Planes, b: Planes) -> bool:
    return all(np.array_equal(x, y) for x, y in ((a.y, b.y), (a.u, b.u), (a.v, b.v)))


def zeros(scene: Scene) -> F32:
    h, w = scene.depth.shape
    return np.zeros((-(-h // 4), -(-w // 4)), np.float32)


MOVES = [
    Move(kind="pan"), Move(kind="tilt"), Move(kind="zoom"), Move(kind="dolly"), Move(kind="orbit"),
    Move(kind="truck"), Move(kind="roll"), Move(kind="handheld"), Move(kind="zoom", direction="out"),
]  # fmt: skip


@pytest.mark.parametrize("name", ["antelope", "mountain_lake"])  # one cut out, one on a single surface
@pytest.mark.parametrize("move", MOVES, ids=lambda m: f"{m.kind}{m.direction}")
def test_the_first_frame_is_the_picture_and_the_second_hardly_differs(
    scenes: dict[str, Scene], name: str, move: Move
) -> None:
    scene = scenes[name]
    made = film(scene, move)
    assert same(made.frame(0), scene.source.planes)
    assert psnr(made.frame(1).y, scene.source.planes.y) > 45


def test_frames_do_not_depend_on_order_or_thread(scenes: dict[str, Scene]) -> None:
    made = film(scenes["antelope"], Move(kind="orbit"), Move(kind="handheld"))
    numbers = [50, 3, 96, 20]
    alone = [made.frame(n) for n in numbers]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(made.frame, reversed(numbers)))
    assert all(same(a, b) for a, b in zip(alone, reversed(together), strict=True))


def test_a_frame_belongs_to_whoever_asked_for_it(scenes: dict[str, Scene]) -> None:
    made = film(scenes["dahlia"], Move(kind="static"))
    frame = made.frame(5)
    frame.y[:] = 16
    assert same(made.frame(5), scenes["dahlia"].source.planes)


def test_a_static_camera_moves_nothing_at_all(scenes: dict[str, Scene]) -> None:
    made = film(scenes["city_day"], Move(kind="static"))
    for n in (1, 40, 96):
        assert same(made.frame(n), scenes["city_day"].source.planes)


def test_under_a_fixed_camera_only_what_moves_by_itself_moves(scenes: dict[str, Scene]) -> None:
    scene = scenes["mountain_lake"]
    dx, dy = zeros(scene), zeros(scene)
    dy[90:110, 60:100] = 2.5
    made = film(scene, Move(kind="static"), ambient=OneMotion(Field(dx, dy)))
    frame, still = made.frame(9).y, scene.source.planes.y
    outside = np.ones(still.shape, bool)
    outside[4 * 90 - 8 : 4 * 110 + 8, 4 * 60 - 8 : 4 * 100 + 8] = False
    assert np.array_equal(frame[outside], still[outside])
    # In the middle of the field the picture is read 2.5 px lower: half-way between rows 2 and 3 below.
    block = still[400:420, 280:360].astype(float)
    lower = 0.5 * (still[402:422, 280:360].astype(float) + still[403:423, 280:360])
    assert np.abs(frame[400:420, 280:360] - lower).mean() < 0.4 * np.abs(block - lower).mean() + 1.0


def test_houses_keep_their_lines_straight(scenes: dict[str, Scene]) -> None:
    made = film(scenes["city_day"], Move(kind="truck", strength=0.8), Move(kind="dolly"))
    h, w = scenes["city_day"].depth.shape
    rig = made.rig
    grid = rig.aim(rig.pose(FRAMES - 1), Rect(0, 0, w, h))
    x, y = grid.x[8:-8, 8:-8], grid.y[8:-8, 8:-8]  # the blur of the depth bends its outermost rows a little
    rows, columns = np.mgrid[: x.shape[0], : x.shape[1]]
    here = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)
    there = np.stack([x.ravel(), y.ravel()], axis=1)
    plane_to_plane, _ = cv2.findHomography(here, there)
    straight = np.asarray(cv2.perspectiveTransform(here[None], plane_to_plane)[0])
    aside, down = (values.reshape(x.shape) for values in (straight - there).T)
    # Towers pass each other: each column shifts, as a whole. No line that is level bends by a pixel.
    assert np.ptp(aside, axis=0).max() < 1.5
    assert np.abs(down).max() < 1.0


def test_a_moving_picture_stays_as_sharp_as_the_still(scenes: dict[str, Scene]) -> None:
    scene = scenes["city_day"]
    made = film(scene, Move(kind="handheld"))
    inner = slice(60, -60), slice(60, -60)
    still = float(np.asarray(cv2.Laplacian(scene.source.planes.y, cv2.CV_32F))[inner].var())
    for n in (30, 45, 61, 80):
        moving = float(np.asarray(cv2.Laplacian(made.frame(n).y, cv2.CV_32F))[inner].var())
        assert 0.62 * still < moving < 1.1 * still  # bilinear sampling of single luma keeps 0.39 to 0.6


def test_a_dolly_brings_the_subject_nearer_than_its_background(scenes: dict[str, Scene]) -> None:
    scene = scenes["dahlia"]
    made = film(scene, Move(kind="dolly"))
    assert made.layers is not None
    still, moved = scene.source.planes, made.frame(FRAMES - 1)

    orange = still.v > 160
    grown = float(np.sqrt((moved.v > 160).mean() / orange.mean()))
    assert grown > 1.1
    ground = made.rig.surfaces[0]
    assert float(made.rig.surfaces[1].min()) > float(np.median(ground)) + 0.1


def test_the_subject_laid_back_where_it_was_gives_the_picture(scenes: dict[str, Scene]) -> None:
    scene = scenes["antelope"]
    made = film(scene, Move(kind="orbit"))
    assert made.layers is not None
    h, w = scene.depth.shape
    under = made.layers.background.planes
    frame = Planes(under.y.copy(), under.u.copy(), under.v.copy())
    home = CameraPose(x=0, y=0, z=0, pan=0, tilt=0, roll=0, zoom=1, pivot=0)
    grid = aim(made.rig.surfaces[1], home, Rect(0, 0, w, h), w, h)
    composite_over(made.layers.subject, grid, (frame.y, frame.u, frame.v), shift=np.zeros_like(grid.x))
    assert psnr(frame.y, scene.source.planes.y) > 50
    assert psnr(under.y, scene.source.planes.y) < 35  # or the subject was not removed before


def test_a_patch_is_seen_where_the_camera_sees_its_place(scenes: dict[str, Scene]) -> None:
    scene = scenes["mountain_lake"]
    planes = scene.source.planes
    patch = Patch(
        Rect(300, 200, 64, 48), y2=np.full((96, 128), 235, np.uint8),
        u=np.full((24, 32), 128, np.uint8), v=np.full((24, 32), 128, np.uint8),
    )  # fmt: skip
    still = film(scene, Move(kind="static"), patch=patch).frame(4)
    expected = planes.y.copy()
    expected[200:248, 300:364] = 235
    rim = np.zeros(expected.shape, bool)
    rim[199:250, 299:366] = True
    rim[201:247, 301:363] = False
    assert np.array_equal(still.y[~rim], expected[~rim])
    panned = film(scene, Move(kind="pan", direction="right"), patch=patch).frame(60)
    rows, columns = np.nonzero(panned.y > 230)
    white = (columns > 150) & (columns < 420) & (rows > 120) & (rows < 330)
    assert columns[white].mean() < 315  # it moved left with the picture
    assert white.sum() > 64 * 48 * 0.9


def test_light_changes_luma_by_its_gain_without_bands(scenes: dict[str, Scene]) -> None:
    scene = scenes["mountain_lake"]
    light = np.full(FRAMES, 1.05, np.float32)
    frame = film(scene, Move(kind="static"), light=light).frame(10)
    dark = scene.source.planes.y.astype(np.float64)
    room = (dark > 40) & (dark < 200)
    ratio = (frame.y[room] - 16).mean() / (dark[room] - 16).mean()
    assert ratio == pytest.approx(1.05, abs=0.003)
    # A flat tone becomes a mix of two neighbours, not a single rounded step.
    tone = scene.source.planes.y == 60
    assert len(np.unique(frame.y[tone])) >= 2


def test_a_stream_whose_phases_agree_changes_nothing_and_one_that_flows_keeps_its_contrast(
    scenes: dict[str, Scene],
) -> None:
    scene = scenes["mountain_lake"]
    mask = zeros(scene)
    mask[30:60, 40:160] = 1
    none, half = zeros(scene), zeros(scene) + np.float32(0.5)
    at_rest = film(scene, Move(kind="static"), ambient=OneMotion(flow=Flow(none, none, none, none, half, mask))).frame(
        1
    )
    assert np.abs(at_rest.y.astype(int) - scene.source.planes.y).max() <= 1
    shift = zeros(scene) + np.float32(12)
    flowing = film(
        scene, Move(kind="static"), ambient=OneMotion(flow=Flow(shift, none, -shift, none, half, mask))
    ).frame(1)
    inside = slice(4 * 34, 4 * 56), slice(4 * 48, 4 * 150)

    def contrast(plane: U8) -> float:
        values = plane.astype(np.float32)
        return float((values - np.asarray(cv2.GaussianBlur(values, (0, 0), 6)))[inside].std())

    assert 0.75 * contrast(scene.source.planes.y) < contrast(flowing.y) < 1.3 * contrast(scene.source.planes.y)
    assert np.array_equal(flowing.y[: 4 * 28], scene.source.planes.y[: 4 * 28])


def test_after_warming_up_no_frame_waits_for_a_compiler(scenes: dict[str, Scene]) -> None:
    kernels: tuple[Callable[..., object], ...] = (
        warp.look_up, rig._aim, compositing.composite, compositing.lay, crossfade.crossfade_luma,
        crossfade.crossfade_chroma, texels.sample, texels.sample_beside, light._relight, blend._blend_luma,
        blend._blend_chroma, transition._reveal_luma, transition._mix,
    )  # fmt: skip
    before = [len(compiled_signatures(kernel)) for kernel in kernels]
    scene = scenes["antelope"]
    whole, none = zeros(scene) + np.float32(1), zeros(scene)
    dim = np.full(FRAMES, 0.9, np.float32)
    for moves in ((Move(kind="orbit"),), (Move(kind="static"),)):
        motion = OneMotion(
            Field(whole, none, whole * np.float32(0.9)), Flow(whole, none, -whole, none, np.float32(0.5) * whole, whole)
        )
        film(scene, *moves, ambient=motion, light=dim).frame(20)
    pan = replace(board(scene, Move(kind="pan")), morph=True)
    timeline = replace(still(FRAMES, 3), camera=make_camera(pan, scene.facts))
    aligned = align(scene.source.planes, scene.source.planes)
    assert aligned is not None
    for made in (
        Morph(scene, scene.source, timeline, pan, aligned),
        Transition(scene, scene.source.planes, lambda: Arrival(scene), timeline, pan),
    ):
        made.frame(50)
    assert [len(compiled_signatures(kernel)) for kernel in kernels] == before


@pytest.mark.parametrize(("width", "height"), sorted(set(SIZES.values())))
def test_every_size_of_the_table_is_filmed_to_its_last_pixel(width: int, height: int) -> None:
    """Several sizes are not multiples of 4; the maps are, and nothing of them may be left over at right or bottom."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    matte = np.clip(0.25 * height - np.hypot(x - width / 2, y - height / 2), 0, 1).astype(np.float32)
    tones = np.asarray(60 + 120 * x / width + 60 * y / height, np.float32) * (1 - 0.5 * matte)
    rgb = np.repeat(tones.astype(np.uint8)[..., None], 3, axis=2)
    nothing = Region(np.zeros_like(matte), 0.0)
    scene = Scene(
        rgb=rgb, source=make_source(rgb), depth=np.asarray(0.3 + 0.5 * matte, np.float32), horizon=0.0,
        waterline=float(height), matte=Region(matte, 1.0), sky=nothing, water=nothing, plants=nothing, fire=nothing,
        facts=PictureFacts(),
    )  # fmt: skip
    push, none = zeros(scene) + np.float32(0.5), zeros(scene)
    motion = OneMotion(Field(push, none, push * 2), Flow(push, none, none, none, none, push))
    odd = width % 4 or height % 4  # where the completed background is worth its half second
    moves = [Move(kind="static"), *([Move(kind="orbit")] if odd and width < 1400 else [])]
    for move in moves:
        frame = film(scene, move, ambient=motion).frame(40)
        assert frame.y.shape == (height, width)
        corner = slice(-8, None), slice(-8, None)
        assert np.abs(frame.y[corner].astype(int) - scene.source.planes.y[corner]).max() < 15  # by the orbit's turn


def test_a_subject_that_moves_while_the_camera_still_rests_stays_in_the_picture(scenes: dict[str, Scene]) -> None:
    scene = scenes["antelope"]
    rest, push = Move(kind="static"), Move(kind="dolly", strength=1.0)
    storyboard = replace(
        board(scene), shots=(Shot(start=0, end=48, moves=(rest,)), Shot(start=48, end=FRAMES, moves=(push,)))
    )
    timeline = replace(still(FRAMES, 3), camera=make_camera(storyboard, scene.facts))
    shift = np.full_like(zeros(scene), 0.25)  # pixels
    made = Renderer(scene, timeline, storyboard, None, None, lambda n: Field(shift, 0 * shift))
    assert made.layers is not None and made.rig.pose(20).is_home
    body = scene.matte.mask > 0.9
    assert psnr(made.frame(20).y[body], scene.source.planes.y[body]) > 30
