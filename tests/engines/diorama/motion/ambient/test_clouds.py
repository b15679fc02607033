from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from support.scenes import HEIGHT, WIDTH, Play, region, rows_between, scene_of
from support.timelines import still
from vivant.engines.diorama.motion.frame.renderer import Renderer
from vivant.engines.diorama.scene.colour import make_source
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Drift, Motion, Shot, Storyboard
from vivant.media import F32, U8

FRAMES = 97
USUAL = 0.5 * WIDTH / 640  # px per frame: what is seen at 640 px as half a pixel

Film = Callable[..., Renderer]


@pytest.fixture(scope="module")
def ridge() -> F32:
    """The row of the lower rim of the sky, per column."""
    x = np.arange(WIDTH)
    line: F32 = (150 + 22 * np.sin(x / 31) + 9 * np.abs((x % 46) - 23) / 23).astype(np.float32)
    return line


@pytest.fixture(scope="module")
def peaks(ridge: F32) -> Scene:
    """White clouds in a blue sky over a dark jagged ridge; a thin pole stands before the sky."""
    chance = np.random.default_rng(3)
    noise = cv2.GaussianBlur(chance.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 9, sigmaY=5)
    cloud = np.clip(0.5 + 2.2 * noise / noise.std() / 2, 0, 1)[..., None]
    picture = (1 - cloud) * np.array([70, 120, 190]) + cloud * 215
    sky = np.arange(HEIGHT)[:, None] < ridge[None]
    picture[~sky] = 45 + chance.normal(0, 6, (HEIGHT, WIDTH))[~sky][:, None] + np.array([10, 6, 0])
    picture[70:170, 300:305] = (35, 30, 30)
    mask = sky.astype(np.float32)
    mask[70:170, 300:305] = 0
    return with_depth(np.clip(picture, 0, 255).astype(np.uint8), mask)


def with_depth(picture: U8, sky: F32) -> Scene:
    return replace(scene_of(picture, sky=region(sky)), source=make_source(picture))


@pytest.fixture(scope="module")
def film(play: Play) -> Film:
    """film(scene, motion, frames=): the clip with the camera at rest."""

    def make(scene: Scene, motion: Motion, frames: int = FRAMES) -> Renderer:
        storyboard = Storyboard(
            width=WIDTH, height=HEIGHT, frames=frames, seed=7, language="en", audio=False, camera_fixed=True,
            morph=False, shots=(Shot(start=0, end=frames, moves=()),), motions=(motion,),
        )  # fmt: skip
        return Renderer(scene, still(frames, 7), storyboard, play(scene, motion, frames=frames))

    return make


def shift(renderer: Renderer, n: int, rows: slice = slice(0, 90), gap: int = 3) -> float:
    """Pixels per frame by which the clouds in these rows move to the right at frame n."""
    one, two = (renderer.frame(k).y for k in (n, n + gap))
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = search.calc(one, two, None)[rows, 60:-60, 0]
    down, right = np.gradient(cv2.GaussianBlur(one, (0, 0), 1.5).astype(np.float32))
    edges = np.hypot(down, right)[rows, 60:-60]
    return float(np.median(flow[edges > np.percentile(edges, 70)])) / gap


@pytest.mark.parametrize(("direction", "sign"), [("left", -1), ("right", 1)])
def test_clouds_are_seen_to_drift_in_every_quarter(peaks: Scene, film: Film, direction: Drift, sign: int) -> None:
    clip = film(peaks, Motion(kind="clouds", direction=direction))
    assert min(sign * shift(clip, n) for n in (1, 10, 34, 58, 82, 93)) > USUAL


def test_strong_wind_drives_clouds_three_times_as_fast(peaks: Scene, film: Film) -> None:
    clip = film(peaks, Motion(kind="clouds", strength=0.8, direction="right"))
    assert min(shift(clip, n) for n in (4, 30, 60)) > 3 * USUAL


def test_the_ridge_and_all_below_it_are_still_to_the_bit(peaks: Scene, film: Film, ridge: F32) -> None:
    clip = film(peaks, Motion(kind="clouds", strength=0.7))
    ground = np.arange(HEIGHT)[:, None] > ridge[None] + 3
    for n in (1, 30, 96):
        assert np.array_equal(clip.frame(n).y[ground], peaks.source.planes.y[ground])


def test_no_rim_is_left_beside_what_stands_before_the_sky(peaks: Scene, film: Film) -> None:
    """A pole is as dark as before, and the sky beside it no other than that a little farther off."""
    clip = film(peaks, Motion(kind="clouds", direction="right"))
    for n in (40, 96):
        y = clip.frame(n).y[85:140].astype(np.float32)
        assert y[:, 301:304].max() < 60
        step = [np.abs(y[:, c] - y[:, c + 3]).mean() for c in (305, 294)]
        usual = np.mean([np.abs(y[:, c] - y[:, c + 3]).mean() for c in range(220, 280)])
        assert max(step) < 3 * usual + 6


def test_the_first_frame_is_the_picture_and_the_second_hardly_another(peaks: Scene, film: Film) -> None:
    clip = film(peaks, Motion(kind="clouds"))
    assert np.array_equal(clip.frame(0).y, peaks.source.planes.y)
    steps = [np.abs(clip.frame(n).y.astype(np.float32) - clip.frame(n + 1).y).mean() for n in (0, 20, 40)]
    assert steps[0] < 1.7 * np.median(steps)


def test_clouds_stay_as_sharp_as_they_were(peaks: Scene, film: Film) -> None:
    clip = film(peaks, Motion(kind="clouds", strength=0.5))

    def detail(n: int) -> float:
        y = clip.frame(n).y[:100, 60:420].astype(np.float32)
        return float(np.abs(y - cv2.GaussianBlur(y, (0, 0), 1.5)).mean())

    assert min(detail(n) for n in (24, 60, 96)) > 0.85 * detail(0)


def test_clouds_change_their_shape_as_they_go(peaks: Scene, film: Film) -> None:
    clip = film(peaks, Motion(kind="clouds", direction="right"))
    first, last = (clip.frame(n).y[10:90].astype(np.float32) for n in (0, 96))
    pattern = first[15:65, 150:290]
    assert cv2.matchTemplate(last, pattern, cv2.TM_CCOEFF_NORMED).max() < 0.97


def test_in_a_time_lapse_no_cloud_comes_back_to_its_place(peaks: Scene, film: Film) -> None:
    clip = film(peaks, Motion(kind="clouds", strength=1.0), frames=145)
    pictures = [clip.frame(n).y[:90].astype(np.float64).ravel() for n in range(0, 145, 6)]
    alike: Any = np.corrcoef(pictures)
    assert max(alike[i, j] for i in range(len(pictures)) for j in range(i + 4, len(pictures))) < 0.75


def test_a_time_lapse_deforms_clouds_no_more_at_its_end_than_at_its_beginning(peaks: Scene, play: Play) -> None:
    ambient = play(peaks, Motion(kind="clouds", strength=1.0, direction="left"), frames=FRAMES)
    stretched = []
    for n in (24, 48, 72, 96):
        drift = ambient.drift(n)
        assert drift is not None
        # Of the copy that is seen most, in the sky away from the border that comes in.
        dx = (drift.ax if drift.weight < 0.5 else drift.bx)[:30, :40]
        dy = (drift.ay if drift.weight < 0.5 else drift.by)[:30, :40]
        parts = [np.gradient(part, axis=axis) / 4 for part in (dx, dy) for axis in (0, 1)]
        stretched.append(float(np.median(np.sqrt(sum(part**2 for part in parts)))))
    assert max(stretched) < 0.6, stretched
    assert stretched[3] < 1.5 * max(stretched[:2]), stretched


def test_the_sun_stays_in_its_place(film: Film) -> None:
    chance = np.random.default_rng(4)
    noise = cv2.GaussianBlur(chance.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 8)
    picture = np.repeat(np.clip(130 + 22 * noise / noise.std(), 0, 200)[..., None], 3, 2)
    picture[180:] = 40
    cv2.circle(picture, (240, 60), 12, (255, 255, 255), -1)
    scene = with_depth(picture.astype(np.uint8), rows_between(0, 180))
    frame = film(scene, Motion(kind="clouds", direction="right")).frame(96)
    bright = np.argwhere(frame.y > 225)
    assert np.abs(bright.mean(axis=0) - (60, 240)).max() < 2
    assert np.abs(frame.y[:60, 40:180].astype(np.float32) - scene.source.planes.y[:60, 40:180]).mean() > 8


def test_clouds_go_faster_overhead_than_at_the_horizon(peaks: Scene, film: Film) -> None:
    clip = film(peaks, Motion(kind="clouds", direction="right"))
    over, low = (np.mean([shift(clip, n, rows) for n in (10, 40, 70)]) for rows in (slice(0, 40), slice(85, 125)))
    assert over > 1.2 * low > 0


def test_a_birds_flock_does_not_drift_with_the_clouds(peaks: Scene, film: Film) -> None:
    picture = peaks.rgb.copy()
    picture[60:64, 120:128] = 15
    scene = with_depth(picture, peaks.sky.mask)
    frame = film(scene, Motion(kind="clouds", direction="right")).frame(90)
    assert frame.y[60:64, 121:127].max() < 90
    assert frame.y[56:68, 140:230].min() > 60


def test_a_sky_without_clouds_is_shaded_where_it_is_sky_and_nothing_of_it_is_moved(film: Film, ridge: F32) -> None:
    rows = np.arange(HEIGHT)[:, None]
    sky = (rows < ridge[None]).astype(np.float32)
    ground = np.random.default_rng(4).integers(30, 90, (HEIGHT, WIDTH))
    hazy = np.where(sky > 0, 214 - 20 * rows / HEIGHT, ground)[..., None] * np.ones(3)
    scene = with_depth(np.rint(hazy).astype(np.uint8), sky)
    renderer = film(scene, Motion(kind="clouds", direction="right"))
    first = renderer.frame(0).y.astype(np.float32)
    assert np.array_equal(renderer.frame(0).y, scene.source.planes.y)
    for n in (24, 48, 72, 96):
        change = renderer.frame(n).y.astype(np.float32) - first
        assert (np.abs(change[:120]) > 5).mean() > 0.1, n  # seen
        assert np.abs(change[200:]).max() == 0, n
    # It goes to the right, from one half second to the next.
    one, two = (cv2.GaussianBlur(renderer.frame(n).y[:110].astype(np.float32), (0, 0), 3) for n in (60, 72))
    shift = {k: float(((two[:, 60:-60] - one[:, 60 - k : WIDTH - 60 - k]) ** 2).mean()) for k in range(-24, 25, 2)}
    assert min(shift, key=lambda k: shift[k]) > 3


def test_clouds_that_drift_are_mirrored_in_calm_water(film: Film) -> None:
    chance = np.random.default_rng(3)
    noise = cv2.GaussianBlur(chance.normal(0, 1, (130, WIDTH)).astype(np.float32), (0, 0), 9, sigmaY=5)
    above = 120 + 90 * np.clip(0.5 + noise / noise.std() / 2, 0, 1)
    land = np.full((12, WIDTH), 40.0)
    luma = np.concatenate([above[:124], land, 0.8 * above[:124][::-1], np.full((HEIGHT - 260, WIDTH), 40.0)])
    rgb = np.clip(luma[..., None] * np.array([0.9, 1.0, 1.1]), 0, 255).astype(np.uint8)
    rows = np.arange(HEIGHT)[:, None] * np.ones((1, WIDTH))
    sky, water = (rows < 124).astype(np.float32), ((rows >= 136) & (rows < 260)).astype(np.float32)
    scene = replace(with_depth(rgb, sky), water=region(water), waterline=130.0, horizon=130.0)
    renderer = film(scene, Motion(kind="clouds", direction="right"))
    for n in (48, 96):
        frame = renderer.frame(n).y.astype(np.float32)
        sky_now, lake_now = frame[20:110, 40:-40], frame[150:240, 40:-40][::-1]
        assert float(np.corrcoef(sky_now.ravel(), lake_now.ravel())[0, 1]) > 0.7, n
        was = renderer.frame(0).y[150:240, 40:-40].astype(np.float32)
        assert float(np.corrcoef(was.ravel(), lake_now[::-1].ravel())[0, 1]) < 0.7, n
        assert np.array_equal(renderer.frame(n).y[125:135], renderer.frame(0).y[125:135])  # the shore


def test_ripples_that_are_no_mirror_take_no_clouds(peaks: Scene, film: Film) -> None:
    rows = np.arange(HEIGHT)[:, None] * np.ones((1, WIDTH))
    scene = replace(peaks, water=region((rows > 200).astype(np.float32)), waterline=200.0)
    renderer = film(scene, Motion(kind="clouds"))
    assert np.array_equal(renderer.frame(60).y[200:], renderer.frame(0).y[200:])


@pytest.mark.parametrize("slope", [-0.2, 0.0, 0.2])
def test_streaks_go_on_the_way_they_point_where_the_sky_comes_in(film: Film, slope: float) -> None:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    chance = np.random.default_rng(5)
    lines = cv2.GaussianBlur(chance.normal(0, 1, 900).astype(np.float32)[:, None], (0, 0), 4).ravel()
    streaks = np.interp(rows - slope * columns + 300, np.arange(900), lines / lines.std())
    luma = np.where(rows < 180, 150 + 28 * streaks, 40.0)
    rgb = np.clip(luma[..., None] * np.array([0.9, 1.0, 1.1]), 0, 255).astype(np.uint8)
    renderer = film(with_depth(rgb, (rows < 180).astype(np.float32)), Motion(kind="clouds", direction="right"))
    frame = cv2.GaussianBlur(renderer.frame(FRAMES - 1).y, (0, 0), 1.5).astype(np.float32)
    down, right = (np.gradient(frame, axis=axis)[20:120, 8:40] for axis in (0, 1))  # where the mirror image has come in
    found = 0.5 * np.arctan2(2 * (down * right).sum(), (right**2 - down**2).sum()) + np.pi / 2
    assert np.tan(found) == pytest.approx(slope, abs=0.18)
