"""Clips from a first picture to a last one, cut from photographs whose true way between is known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from support.paths import PHOTOS
from support.timelines import still
from vivant.encode.mp4 import write_mp4
from vivant.engines.diorama.motion.ambient.compose import compose, compose_arriving_sky
from vivant.engines.diorama.motion.fields import Ambient, Drift, Field, Flow, Sheet, quarter_shape
from vivant.engines.diorama.motion.frame.morph import Alignment, Morph, align
from vivant.engines.diorama.motion.frame.segments import Frames
from vivant.engines.diorama.motion.frame.transition import Arrival, Transition
from vivant.engines.diorama.motion.frame.view_path import TIGHTEST
from vivant.engines.diorama.motion.warm_up import warm_up_frames
from vivant.engines.diorama.scene.colour import make_source
from vivant.engines.diorama.scene.scene import Face, Region, Scene
from vivant.engines.diorama.storyboard import Direction, FaceFact, Motion, Move, PictureFacts, Shot, Storyboard
from vivant.engines.diorama.timing.camera import make_camera
from vivant.engines.diorama.timing.wind import make_wind
from vivant.media import F32, U8, Clip, Planes

FRAMES = 49
WIDTH, HEIGHT = 640, 360
NOTHING_FOUND = PictureFacts()
OUR_CHOICE = Move(kind="dolly", origin="default", strength=0.15, speed="slow")


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    warm_up_frames()


def photo(name: str) -> U8:
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        return np.asarray(image.convert("RGB"))


def part(picture: U8, left: float, top: float, width: float) -> U8:
    """The part of a picture that begins at left, top (shares of its width and height) and has that share of its
    width, at the size of the clip."""
    h, w = picture.shape[:2]
    scale = width * w / WIDTH
    soft = cv2.GaussianBlur(picture, (0, 0), 0.4 * scale) if scale > 1.1 else picture
    matrix = np.array([[scale, 0, left * w], [0, scale, top * h]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(soft, matrix, (WIDTH, HEIGHT), flags=flags), np.uint8)


def scene_of(rgb: U8, facts: PictureFacts = NOTHING_FOUND) -> Scene:
    """A scene without any region, of even depth."""
    nothing = Region(np.zeros(rgb.shape[:2], np.float32), 0.0)
    return Scene(
        rgb=rgb, source=make_source(rgb), depth=nothing.mask + np.float32(0.5), matte=nothing, sky=nothing,
        water=nothing, plants=nothing, fire=nothing, horizon=100.0, waterline=float(rgb.shape[0]),
        facts=facts, faces=tuple(Face(np.zeros((478, 3), np.float32), 0.9, 100.0) for _ in facts.faces),
    )  # fmt: skip


def board(*shots: Shot) -> Storyboard:
    return Storyboard(
        width=WIDTH, height=HEIGHT, frames=FRAMES, seed=3, language="en", audio=False, camera_fixed=False, morph=True,
        shots=shots,
    )  # fmt: skip


def film(first: U8, last: U8, *moves: Move, shots: tuple[Shot, ...] = (), rain: Ambient | None = None) -> Frames:
    storyboard = board(*(shots or (Shot(start=0, end=FRAMES, moves=moves or (OUR_CHOICE,)),)))
    one, other = scene_of(first), scene_of(last)
    timeline = replace(still(FRAMES, 3), camera=make_camera(storyboard, one.facts))
    aligned = align(one.source.planes, other.source.planes)
    if aligned is None:
        return Transition(one, other.source.planes, lambda: Arrival(other), timeline, storyboard, ambient=rain)
    return Morph(one, other.source, timeline, storyboard, aligned, ambient=rain)


class Rain:
    """Something in front of the camera: it whitens the uppermost rows."""

    backdrop = None
    drapery = None

    def drift(self, n: int) -> Drift | None:
        return None

    def worn(self, n: int) -> Field | None:
        return None

    def field(self, n: int) -> Field | None:
        return None

    def flow(self, n: int) -> Flow | None:
        return None

    def sheets(self, n: int) -> tuple[Sheet, ...]:
        return ()

    def overlay(self, n: int, frame: Planes) -> None:
        if n:
            frame.y[:20] = 235


class Swaying(Rain):
    """Everything in the first picture goes to and fro by 3 px, and is at home at both ends."""

    def field(self, n: int) -> Field | None:
        aside = np.full(quarter_shape(HEIGHT, WIDTH), 3 * math.sin(math.pi * n / 6), np.float32)
        return Field(aside, 0 * aside)

    def overlay(self, n: int, frame: Planes) -> None:
        pass


class Streaming(Rain):
    """Everything in the first picture streams to the right by 1.5 px a frame, over and over for 8 px."""

    def flow(self, n: int) -> Flow | None:
        none = np.zeros(quarter_shape(HEIGHT, WIDTH), np.float32)
        aside = none - np.float32(1.5 * n % 8)
        return Flow(aside, none, aside, none, none, none + np.float32(0 < n < FRAMES - 1))

    def overlay(self, n: int, frame: Planes) -> None:
        pass


def psnr(a: U8, b: U8) -> float:
    error = float(((a.astype(np.float64) - b) ** 2).mean())
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)


def luma(rgb: U8) -> U8:
    return make_source(rgb).planes.y


def detail(y: U8) -> float:
    values = y.astype(np.float32)
    fine = np.asarray(cv2.GaussianBlur(values, (0, 0), 0.8)) - np.asarray(cv2.GaussianBlur(values, (0, 0), 3))
    return float((fine**2).mean())


def assert_without_ghosts(made: Frames) -> None:
    """No frame has much less detail than those before and after it: a double exposure would."""
    energy = np.array([detail(made.frame(n).y) for n in range(FRAMES)])
    for n in range(1, FRAMES - 1):
        assert energy[n] > 0.7 * min(energy[max(0, n - 8) : n].max(), energy[n + 1 : n + 9].max()), n
        assert energy[n] > 0.7 * max(energy[n - 1], energy[n + 1]), n


def locate(frame: U8, picture: U8) -> tuple[float, float, float]:
    """The left, top and width (shares of the picture's) of what a frame shows of a photograph."""
    finder = cv2.SIFT.create(3000)
    (here, one), (there, other) = (finder.detectAndCompute(p, None) for p in (frame, luma(picture)))
    pairs = cv2.BFMatcher(crossCheck=True).match(one, other)
    a = np.array([here[p.queryIdx].pt for p in pairs], np.float32)
    b = np.array([there[p.trainIdx].pt for p in pairs], np.float32)
    found, _ = cv2.estimateAffinePartial2D(a, b, method=cv2.RANSAC, ransacReprojThreshold=2.0)
    h, w = picture.shape[:2]
    return found[0, 2] / w, found[1, 2] / h, found[0, 0] * WIDTH / w


def blob(picture: U8, x: int, y: int, radius: int) -> U8:
    """A striped ball in front of a picture."""
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    inside = np.clip(radius + 0.5 - np.hypot(columns - x, rows - y), 0, 1)[..., None]
    stripes = np.where((columns - x) // max(1, radius // 3) % 2, 1.0, 0.3)[..., None] * np.array([250, 40, 60])
    drawn: U8 = np.rint(picture * (1 - inside) + stripes * inside).astype(np.uint8)
    return drawn


def redness(frame: Planes) -> F32:
    """Where the ball is seen: float32 at the size of chroma."""
    return (frame.v > 165).astype(np.float32)


def test_a_closer_view_of_the_same_place_is_a_push_in_without_a_ghost() -> None:
    city = photo("city_day")
    made = film(part(city, 0.05, 0, 0.88), part(city, 0.4, 0.2, 0.44))
    assert isinstance(made, Morph)
    widths = [locate(made.frame(n).y, city)[2] for n in range(0, FRAMES, 6)]
    steps = np.diff(np.log(widths))
    assert (steps < 0).all()  # nearer all the time
    assert steps[2:-2] == pytest.approx(np.full(len(steps) - 4, steps[2:-2].mean()), rel=0.12)  # and steadily
    left, top, width = locate(made.frame(FRAMES // 2).y, city)
    assert width == pytest.approx(np.sqrt(0.88 * 0.44), rel=0.01)
    assert psnr(made.frame(FRAMES // 2).y, luma(part(city, left, top, width))) > 27
    assert_without_ghosts(made)


def test_a_wider_view_of_the_same_place_is_a_pull_back_whose_borders_show_the_place() -> None:
    city = photo("city_day")
    made = film(part(city, 0.4, 0.2, 0.44), part(city, 0.05, 0, 0.88))
    for n in (4, 12, 24, 36):
        left, top, width = locate(made.frame(n).y, city)
        expected = luma(part(city, left, top, width))
        assert psnr(made.frame(n).y, expected) > 25
        for rim in (np.s_[:20], np.s_[-20:], np.s_[:, :20], np.s_[:, -20:]):
            assert psnr(made.frame(n).y[rim], expected[rim]) > 20
    assert_without_ghosts(made)


def test_two_halves_of_a_wide_place_are_a_pan() -> None:
    antelope = photo("antelope")
    made = film(part(antelope, 0.0, 0.1, 0.6), part(antelope, 0.36, 0.1, 0.6))
    lefts = [locate(made.frame(n).y, antelope)[0] for n in range(0, FRAMES, 6)]
    assert (np.diff(lefts) > 0.008).all()
    assert lefts[0] == pytest.approx(0.0, abs=0.004) and lefts[-1] == pytest.approx(0.36, abs=0.004)
    assert_without_ghosts(made)


def test_clouds_drift_from_one_light_to_the_other_until_the_last_picture_is_reached() -> None:
    day = part(photo("forest_valley"), 0.02, 0, 0.95)
    evening = np.rint(day * np.array([0.62, 0.5, 0.48])).astype(np.uint8)
    sky = np.zeros((HEIGHT, WIDTH), np.float32)
    sky[:120] = 1
    clouds = Motion(kind="clouds", direction="right", strength=0.7)
    storyboard = replace(board(Shot(start=0, end=FRAMES, moves=(OUR_CHOICE,))), motions=(clouds,))
    one, other = (replace(scene_of(rgb), sky=Region(sky, 1.0)) for rgb in (day, evening))
    timeline = still(FRAMES, 3)
    aligned = align(one.source.planes, other.source.planes)
    assert aligned is not None
    ambient = compose(one, storyboard, timeline)
    assert ambient.backdrop is not None
    arrives = compose_arriving_sky(other, storyboard, timeline, ambient.backdrop)
    made = Morph(one, other.source, timeline, storyboard, aligned, ambient=ambient, last_sky=arrives)
    frames = [made.frame(n).y for n in range(FRAMES)]
    assert np.array_equal(frames[0], luma(day)) and np.array_equal(frames[-1], luma(evening))
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    for n in (3, 10, 38, 44):  # away from the cross-fade
        flow = search.calc(frames[n], frames[n + 3], None)[10:90, 40:-40, 0] / 3
        down, right = np.gradient(cv2.GaussianBlur(frames[n], (0, 0), 1.5).astype(np.float32))
        edges = np.hypot(down, right)[10:90, 40:-40]
        assert 1 < np.median(flow[edges > np.percentile(edges, 70)]) < 2.2, n
    assert np.array_equal(
        made.frame(30).y[200:], Morph(one, other.source, timeline, storyboard, aligned).frame(30).y[200:]
    )
    # The last step is as long as the others: nothing jumps to the last picture.
    steps = [float(np.abs(frames[n + 1][10:90].astype(int) - frames[n][10:90]).mean()) for n in range(FRAMES - 1)]
    assert steps[-1] < 2 * float(np.median(steps))
    assert_without_ghosts(made)


@pytest.mark.parametrize("n", [9, 27, 33, 39, 45])
def test_what_sways_sways_on_in_the_nearer_picture_and_farther_there(n: int) -> None:
    city = photo("city_day")
    pair = part(city, 0.05, 0, 0.88), part(city, 0.27, 0.15, 0.44)
    calm, blown = film(*pair).frame(n).y, film(*pair, rain=Swaying()).frame(n).y
    (moved, _), _ = cv2.phaseCorrelate(
        calm[60:300, 60:580].astype(np.float32), blown[60:300, 60:580].astype(np.float32)
    )
    nearer = 2 ** (n / (FRAMES - 1))
    assert abs(moved) == pytest.approx(3 * nearer, rel=0.25)


@pytest.mark.parametrize("n", [9, 33, 41])
def test_what_streams_streams_on_in_the_last_picture(n: int) -> None:
    city = photo("city_day")
    pair = part(city, 0.05, 0, 0.88), part(city, 0.27, 0.15, 0.44)
    calm, runs = film(*pair).frame(n).y, film(*pair, rain=Streaming()).frame(n).y
    (moved, _), _ = cv2.phaseCorrelate(calm[60:300, 60:580].astype(np.float32), runs[60:300, 60:580].astype(np.float32))
    assert moved == pytest.approx(1.5 * n % 8 * 2 ** (n / (FRAMES - 1)), rel=0.25)


@pytest.mark.parametrize("name", ["dune_grass", "reeds", "meadow_trees"])
def test_grass_sways_until_just_before_it_stands_as_the_last_picture_shows_it(name: str) -> None:
    day = part(photo(name), 0.05, 0.05, 0.88)
    dusk = np.rint(day * np.array([0.75, 0.66, 0.62])).astype(np.uint8)
    grass = np.zeros((HEIGHT, WIDTH), np.float32)
    grass[180:] = 1
    storyboard = replace(
        board(Shot(start=0, end=FRAMES, moves=(OUR_CHOICE,))),
        motions=(Motion(kind="wind", strength=0.7, origin="prompt"),),
    )
    one, other = replace(scene_of(day), plants=Region(grass, 1.0)), make_source(dusk)
    timeline = replace(still(FRAMES, 3), wind=make_wind(3, FRAMES, 0.7))
    aligned = align(one.source.planes, other.planes)
    assert aligned is not None
    made = Morph(one, other, timeline, storyboard, aligned, ambient=compose(one, storyboard, timeline))
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def speed(n: int) -> float:
        flow = search.calc(made.frame(n).y, made.frame(n + 2).y, None)[220:340, 40:-40] / 2
        return float(np.percentile(np.hypot(flow[..., 0], flow[..., 1]), 90))

    before, late = (np.mean([speed(n) for n in frames]) for frames in ((20, 24, 28), (36, 39, 42, 45)))
    assert late > 0.6 * before and late > 0.25
    # It arrives: nothing jumps to the last picture, which is reached exactly.
    assert speed(FRAMES - 3) < 2 * max(before, late)
    assert np.array_equal(made.frame(FRAMES - 1).y, luma(dusk))
    assert psnr(made.frame(FRAMES - 2).y, luma(dusk)) > 28


def test_the_same_view_in_another_light_keeps_still_while_its_light_changes() -> None:
    lake = part(photo("mountain_lake"), 0.05, 0, 0.88)
    shade = np.linspace(0.8, 0.35, HEIGHT)[:, None, None] * np.array([1.0, 0.75, 0.7])
    dusk = np.rint(lake * shade).astype(np.uint8)
    made = film(lake, dusk)
    means = [float(made.frame(n).y.mean()) for n in range(0, FRAMES, 4)]
    assert (np.diff(means) < 0.2).all() and means[6] == pytest.approx(math.sqrt(means[0] * means[-1]), rel=0.08)
    first = luma(lake).astype(np.float32)
    for n in (8, 24, 40):
        moved, _ = cv2.phaseCorrelate(first, made.frame(n).y.astype(np.float32))
        assert math.hypot(*moved) < 0.3
    # The light is that of the moment, above and below: no picture shines through the other.
    middle = made.frame(FRAMES // 2).y.astype(np.float32) - 16
    for rows in (np.s_[20:60], np.s_[300:340]):
        ends = (first[rows].mean() - 16) * (luma(dusk)[rows].astype(np.float32).mean() - 16)
        assert middle[rows].mean() == pytest.approx(np.sqrt(ends), rel=0.12)
    assert_without_ghosts(made)


@pytest.mark.parametrize("closer", [1.0, 0.8])
def test_a_subject_that_stands_elsewhere_travels_there_in_one_piece(closer: float) -> None:
    lake = part(photo("mountain_lake"), 0.05, 0, 0.88)
    first, last = blob(lake, 120, 90, 34), part(blob(lake, 420, 150, 26), 0.1, 0.1, closer) if closer < 1 else blob(
        lake, 420, 150, 26
    )  # fmt: skip
    made = film(first, last)
    assert isinstance(made, Morph) and len(made.aligned.travellers) == 1
    places = []
    for n in range(0, FRAMES, 6):
        seen = redness(made.frame(n))
        count, _, stats, centres = cv2.connectedComponentsWithStats((seen > 0).astype(np.uint8))
        large = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] > 40]
        outline = stats[large][:, :4]
        left, right = outline[:, 0].min(), (outline[:, 0] + outline[:, 2]).max()
        assert right - left < 50  # chroma samples: all of it in one place, never in two
        places.append(float(np.mean([centres[k][0] for k in large])))
    assert (np.diff(places) > 1).all()
    assert_without_ghosts(made)


@pytest.mark.parametrize(("before", "after"), [("sea_falls", "waves_sunset"), ("city_day", "city_night")])
def test_of_different_places_both_are_seen_at_a_narrow_edge_only(before: str, after: str) -> None:
    """The last is revealed place by place; a dissolve has the whole picture half one and half the other, and an edge
    half as wide as the picture has a tower's ghost in it."""
    first, last = part(photo(before), 0.05, 0, 0.88), part(photo(after), 0.05, 0, 0.88)
    made = film(first, last)
    assert isinstance(made, Transition)
    one, other = (luma(p).astype(np.float32) for p in (first, last))
    for n in range(FRAMES):
        frame = made.frame(n).y.astype(np.float32)
        soft = [np.asarray(cv2.GaussianBlur(p, (0, 0), 6)) for p in (frame, one, other)]
        share = np.abs(soft[0] - soft[1]) / (np.abs(soft[0] - soft[1]) + np.abs(soft[0] - soft[2]) + 1)
        differ = np.abs(soft[1] - soft[2]) > 40
        assert ((share > 0.35) & (share < 0.65))[differ].mean() < 0.1, n
    assert_without_ghosts(made)


@pytest.mark.parametrize("name", ["mountain_lake", "city_day", "antelope", "clouds"])
def test_no_piece_of_the_last_place_floats_in_the_first(name: str) -> None:
    """What is revealed hangs together with the sky that it comes down from, whatever is bright below."""
    grey = np.repeat(luma(part(photo(name), 0.05, 0, 0.88))[..., None], 3, axis=2)
    red = np.broadcast_to(np.array([200, 40, 60], np.uint8), (HEIGHT, WIDTH, 3)).copy()
    made = film(grey, red)
    assert isinstance(made, Transition)
    for n in range(FRAMES):
        shown = (made.frame(n).v > 155).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(shown)
        hanging = set(labels[0].tolist())
        floating = sum(int(stats[k, cv2.CC_STAT_AREA]) for k in range(1, count) if k not in hanging)
        assert floating < 0.002 * shown.size, n


def test_no_face_is_taken_apart_by_what_is_bright_in_it() -> None:
    """Beside a face the edge sweeps across: what is revealed is all at one side of it."""
    facts = PictureFacts(faces=(FaceFact(x=0.5, y=0.5, height=0.3),))
    dark, bright = photo("city_day"), photo("antelope")
    one, other = scene_of(part(dark, 0.05, 0, 0.88), facts), scene_of(part(bright, 0.2, 0.1, 0.7))
    storyboard = board(Shot(start=0, end=FRAMES, moves=(OUR_CHOICE,)))
    made = Transition(one, other.source.planes, lambda: Arrival(other), still(FRAMES, 3), storyboard)
    frame = made.frame(round(0.5 * FRAMES)).y.astype(np.float32)
    a, b = (p.source.planes.y.astype(np.float32) for p in (one, other))
    left, right = np.s_[:, : WIDTH // 8], np.s_[:, -WIDTH // 8 :]
    assert np.abs(frame - a)[left].mean() < 0.5 * np.abs(frame - b)[left].mean()
    assert np.abs(frame - b)[right].mean() < 0.5 * np.abs(frame - a)[right].mean()


PAIRS = {
    "push": lambda: (part(photo("city_day"), 0.05, 0, 0.88), part(photo("city_day"), 0.4, 0.2, 0.44)),
    "different": lambda: (part(photo("sea_falls"), 0.05, 0, 0.88), part(photo("waves_sunset"), 0.05, 0, 0.88)),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_the_clip_begins_and_ends_on_its_pictures_also_when_it_is_encoded(pair: str, tmp_path: Path) -> None:
    first, last = PAIRS[pair]()
    made = film(first, last, Move(kind="handheld"), Move(kind="pan"), rain=Rain())
    assert np.array_equal(made.frame(0).y, luma(first)) and np.array_equal(made.frame(FRAMES - 1).y, luma(last))
    assert psnr(made.frame(1).y[24:], luma(first)[24:]) > 32
    assert psnr(made.frame(FRAMES - 2).y[24:], luma(last)[24:]) > 32

    def frames() -> Iterator[Planes]:
        for n in range(FRAMES):
            yield made.frame(n)

    clip = Clip(canvas=board(Shot(start=0, end=FRAMES, moves=())).canvas, frames=frames(), soundtrack=None)
    write_mp4(clip, tmp_path / "clip.mp4")
    with av.open(str(tmp_path / "clip.mp4")) as container:
        decoded = [np.asarray(frame.to_ndarray()[:HEIGHT], np.uint8) for frame in container.decode(video=0)]
    assert len(decoded) == FRAMES
    assert psnr(decoded[0], luma(first)) > 40 and psnr(decoded[-1], luma(last)) > 36


def test_camera_words_that_the_pictures_answer_move_nothing_more_and_others_do() -> None:
    city = photo("city_day")
    first, last = part(city, 0.05, 0, 0.88), part(city, 0.25, 0.15, 0.5)
    plain = film(first, last).frame(24).y
    assert np.array_equal(film(first, last, Move(kind="zoom", direction="in")).frame(24).y, plain)
    rolled = film(first, last, Move(kind="roll")).frame(24).y
    assert psnr(rolled, plain) < 25


def test_the_way_begins_when_the_prompt_lets_the_camera_go() -> None:
    city = photo("city_day")
    rest = Shot(start=0, end=24, moves=(Move(kind="static"),))
    push = Shot(start=24, end=FRAMES, moves=(Move(kind="dolly", direction="in"),))
    first = part(city, 0.05, 0, 0.88)
    made = film(first, part(city, 0.4, 0.2, 0.44), shots=(rest, push))
    assert psnr(made.frame(23).y, luma(first)) > 45 and psnr(made.frame(36).y, luma(first)) < 25


def test_a_pan_goes_on_in_the_other_picture_the_same_way() -> None:
    antelope, city = photo("antelope"), photo("city_day")
    ways: tuple[tuple[Direction, int], ...] = (("right", 1), ("left", -1))
    for direction, sign in ways:
        first, last = part(antelope, 0.2, 0.15, 0.6), part(city, 0.05, 0, 0.88)
        made = film(first, last, Move(kind="pan", direction=direction, strength=0.8))
        leaving = [locate(made.frame(n).y, antelope)[0] for n in (2, 8, 14)]
        arriving = [locate(made.frame(n).y, city)[0] for n in (36, 42, 46)]
        assert (sign * np.diff(leaving) > 0.003).all()
        assert (sign * np.diff(arriving) > 0.0005).all()


def test_frames_do_not_depend_on_their_order() -> None:
    first, last = PAIRS["push"]()
    made, again = film(first, last), film(first, last)
    numbers = [30, 4, 44]
    for n, frame in zip(reversed(numbers), [again.frame(n) for n in reversed(numbers)], strict=True):
        assert np.array_equal(made.frame(n).y, frame.y) and np.array_equal(made.frame(n).u, frame.u)


def test_no_move_is_made_of_what_neither_picture_shows() -> None:
    """Two small corners of one place: on the way between them the view would be empty."""
    large = photo("drawing_cat")
    aligned = align(*(make_source(part(large, *corner, 0.5)).planes for corner in ((0.0, 0.0), (0.42, 0.4))))
    assert aligned is None or (isinstance(aligned, Alignment) and aligned.path.tightest <= TIGHTEST)
