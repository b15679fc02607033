from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from support.scenes import HEIGHT, WATERLINE, WIDTH, Play, region, rows_between, scene_of
from vivant.engines.diorama.motion.fields import Ambient
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Lighting, Motion, MotionKind
from vivant.media import F32, U8, Planes

FALLING: list[MotionKind] = ["rain", "snow"]


def draw(scene: Scene, ambient: Ambient, n: int) -> Planes:
    source = scene.source.planes
    frame = Planes(source.y.copy(), source.u.copy(), source.v.copy())
    ambient.overlay(n, frame)
    return frame


def change(scene: Scene, ambient: Ambient, n: int) -> F32:
    """What the overlay adds to luma, its own haze taken off."""
    difference = draw(scene, ambient, n).y.astype(np.float32) - scene.source.planes.y
    return difference - cv2.medianBlur(difference, 5)


@pytest.mark.parametrize("kind", FALLING)
def test_what_falls_through_a_fallen_night_is_dim(play: Play, kind: MotionKind) -> None:
    grey = scene_of(np.full((HEIGHT, WIDTH, 3), 110, np.uint8))
    grey = replace(grey, facts=replace(grey.facts, brightness=0.5))
    motion = Motion(kind=kind, strength=0.6)
    day, night = play(grey, motion), play(grey, motion, lights=(Lighting(kind="night"),))
    dark = scene_of(np.full((HEIGHT, WIDTH, 3), 30, np.uint8))  # luma 42
    by_day, by_night = (np.percentile(draw(dark, ambient, 47).y, 99) for ambient in (day, night))
    assert 46 <= by_night <= 0.75 * by_day
    # While it is still day nothing differs.
    assert np.abs(draw(dark, day, 2).y.astype(int) - draw(dark, night, 2).y).max() <= 4


@pytest.mark.parametrize("kind", FALLING)
def test_weather_is_not_there_at_frame_0_and_grows_in_without_switching_on(
    night: Scene, play: Play, kind: MotionKind
) -> None:
    ambient = play(night, Motion(kind=kind, strength=0.6))
    assert np.array_equal(draw(night, ambient, 0).y, night.source.planes.y)
    amounts = [float(np.abs(draw(night, ambient, n).y.astype(float) - night.source.planes.y).mean()) for n in range(25)]
    assert amounts[24] > 0.1
    assert max(np.diff(amounts)) < 0.25 * amounts[24]  # no frame brings a quarter of it


@pytest.mark.parametrize("kind", FALLING)
def test_weather_is_gone_again_on_a_last_picture(night: Scene, play: Play, kind: MotionKind) -> None:
    ambient = play(night, Motion(kind=kind), morph=True)
    assert np.array_equal(draw(night, ambient, 48).y, night.source.planes.y)
    assert not np.array_equal(draw(night, ambient, 30).y, night.source.planes.y)


@pytest.mark.parametrize("kind", FALLING)
def test_more_strength_is_more_weather(night: Scene, play: Play, kind: MotionKind) -> None:
    light, usual, heavy = (
        float((change(night, play(night, Motion(kind=kind, strength=s)), 30) > 4).sum()) for s in (0.1, 0.5, 1.0)
    )
    assert light * 1.5 < usual < heavy / 1.3


def lean(picture: F32) -> float:
    """Sine of the mean angle of thin bright strokes against the vertical, by the structure tensor; positive: \\."""
    gx, gy = cv2.Sobel(picture, cv2.CV_32F, 1, 0), cv2.Sobel(picture, cv2.CV_32F, 0, 1)
    return float(-(gx * gy).sum() / (gx * gx + gy * gy).sum())


def test_rain_slants_with_the_wind_and_to_its_side(night: Scene, play: Play) -> None:
    def at(wind: float, side: str) -> float:
        curve = np.full(49, wind, np.float32)
        rain = Motion(kind="rain", strength=0.7, direction="right" if side == "right" else "left")
        return lean(change(night, play(night, rain, wind=curve), 30))

    assert abs(at(0.0, "right")) < 0.05
    assert 0.03 < at(0.4, "right") < at(0.9, "right")
    assert at(0.9, "left") < -0.1


def test_near_drops_are_longer_than_far_ones(night: Scene, play: Play) -> None:
    """Not a curtain: the lengths of the strokes differ many times over."""
    rain = play(night, Motion(kind="rain", strength=0.2), wind=np.zeros(49, np.float32))
    strokes = (np.abs(change(night, rain, 30)) > 3).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(strokes)
    heights = np.sort(stats[1:, cv2.CC_STAT_HEIGHT])
    heights = heights[heights > 2]
    assert len(heights) > 15
    assert heights[-1] > 3 * heights[len(heights) // 3]


def test_drops_are_bright_before_the_dark_and_grey_before_the_bright(play: Play) -> None:
    halves: U8 = np.full((HEIGHT, WIDTH, 3), 25, np.uint8)
    halves[:, WIDTH // 2 :] = 248
    scene = scene_of(halves)
    ambient = play(scene, Motion(kind="rain", strength=0.8))
    seen = sum(change(scene, ambient, n) for n in range(24, 36))
    assert isinstance(seen, np.ndarray)
    assert seen[:, : WIDTH // 2 - 8].sum() > 0
    assert seen[:, WIDTH // 2 + 8 :].sum() < 0


def test_far_flakes_fall_behind_a_trusted_subject(play: Play) -> None:
    body = np.zeros((HEIGHT, WIDTH), np.float32)
    body[:, WIDTH // 2 :] = 1
    scene = scene_of(np.full((HEIGHT, WIDTH, 3), 40, np.uint8), matte=region(body, 0.95))
    ambient = play(scene, Motion(kind="snow", strength=0.6))
    seen = sum(np.abs(change(scene, ambient, n)) for n in range(24, 44, 2))
    assert isinstance(seen, np.ndarray)
    before, behind = seen[:, WIDTH // 2 + 8 :].sum(), seen[:, : WIDTH // 2 - 8].sum()
    assert 0 < before < 0.6 * behind


def test_snow_falls_slower_than_rain(night: Scene, play: Play) -> None:
    def fall(kind: MotionKind) -> float:
        """Rows by which the picture of one frame must be shifted to match the next, best over all."""
        ambient = play(night, Motion(kind=kind, strength=0.4), wind=np.zeros(49, np.float32))
        scores = np.zeros(40)
        for n in range(24, 34):
            now, soon = change(night, ambient, n), change(night, ambient, n + 1)
            scores += [float((now[: HEIGHT - 40] * soon[s : HEIGHT - 40 + s]).sum()) for s in range(40)]
        return float(np.argmax(scores))

    assert fall("snow") < 8
    assert fall("rain") > fall("snow")


@pytest.mark.parametrize("kind", FALLING)
def test_any_frame_can_be_drawn_at_any_time(night: Scene, play: Play, kind: MotionKind) -> None:
    ambient, again = (play(night, Motion(kind=kind)) for _ in range(2))
    for n in (5, 31, 12):
        draw(night, ambient, n)
    one, two = draw(night, ambient, 20), draw(night, again, 20)
    assert np.array_equal(one.y, two.y) and np.array_equal(one.u, two.u) and np.array_equal(one.v, two.v)
    other = play(night, Motion(kind=kind), seed=8)
    assert not np.array_equal(one.y, draw(night, other, 20).y)


def test_rings_stay_on_the_water_while_the_camera_tilts(play: Play) -> None:
    flat: U8 = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    scene = scene_of(flat, water=region(rows_between(WATERLINE, HEIGHT)))
    up = np.full(49, -0.2, np.float32)  # the view looks up: the lake sinks by a fifth of the picture
    rain = Motion(kind="rain", strength=1.0)
    still = play(scene, rain, wind=np.zeros(49, np.float32))
    tilted = play(scene, rain, wind=np.zeros(49, np.float32), tilt=up)
    # The drops are the same; what differs are the rings and splashes alone.
    moved = sum(np.abs(change(scene, still, n) - change(scene, tilted, n)) for n in range(20, 40, 2))
    assert isinstance(moved, np.ndarray)
    rows = moved.sum(axis=1)
    assert rows[: WATERLINE - 4].sum() == 0 and rows[WATERLINE + 10 :].sum() > 0
    rings = sum(np.clip(change(scene, tilted, n) - change(scene, still, n), 0, None) for n in range(20, 40, 2))
    assert isinstance(rings, np.ndarray)
    sunk = WATERLINE + round(0.2 * HEIGHT)
    assert rings[: sunk - 4].sum() < 0.6 * rings[sunk - 4 :].sum()


def test_flakes_are_no_darker_than_a_bright_sky_in_which_it_snows(play: Play) -> None:
    """A town in half light under a bright sky, as most snow is asked for: the sky greys and the flakes are white."""
    town = np.full((HEIGHT, WIDTH, 3), 105, np.uint8)
    town[: HEIGHT // 3] = 235
    scene = scene_of(town, sky=region(rows_between(0, HEIGHT // 3)))
    frame = draw(scene, play(scene, Motion(kind="snow")), 47).y[: HEIGHT // 3 - 8].astype(np.float32)
    flakes = frame - cv2.medianBlur(frame, 5)
    assert np.percentile(flakes, 99.5) > 5 * -np.percentile(flakes, 0.5)
    assert np.percentile(flakes, 99.5) > 4
