from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from support.faces import photo
from support.scenes import HEIGHT, WIDTH, Play, region, scene_of
from support.timelines import still
from vivant.engines.diorama.motion.ambient.compose import compose
from vivant.engines.diorama.motion.ambient.hearth import find_hearth
from vivant.engines.diorama.motion.ambient.plume import find_opening
from vivant.engines.diorama.motion.fields import Ambient, Sheet
from vivant.engines.diorama.motion.frame.renderer import Renderer
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import Motion, Shot, Storyboard, Thing
from vivant.engines.diorama.timing.light import make_flicker
from vivant.media import F32, U8, Planes
from vivant.request import Canvas

LOG = Thing(kind="other", words="the log")
CUP = Thing(kind="cup", words="the cup")
CALM = np.zeros(97, np.float32)


@pytest.fixture(scope="module")
def dusk() -> Scene:
    return scene_of(np.full((HEIGHT, WIDTH, 3), 50, np.uint8))


def box(top: int, bottom: int, left: int, right: int) -> F32:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[top:bottom, left:right] = 1
    return mask


def finds(mask: F32) -> Any:
    return lambda thing: Region(mask, 0.9)


def light_of(sheet: Sheet) -> F32:
    """What a sheet does to each pixel of the canvas, as linear light added to or taken from a grey of 0.05."""
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    at: Any = cv2.remap(
        sheet.amount, (x - sheet.left) / sheet.step, (y - sheet.top) / sheet.step, cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
    )  # fmt: skip
    steps = np.linspace(0, 1, len(sheet.table))
    factor, added = (np.interp(at, steps, sheet.table[:, k]) for k in (0, 3))
    return np.asarray(np.where(at > 0, 0.05 * (factor - 1) + added, 0), np.float32)


def flames(ambient: Ambient, n: int) -> F32:
    return light_of(ambient.sheets(n)[-1])


def test_flames_stand_on_the_thing_that_is_named(dusk: Scene, play: Play) -> None:
    log = box(190, 215, 90, 190)
    ambient = play(dusk, Motion(kind="fire", has_region=False, thing=LOG), frames=97, wind=CALM, find=finds(log))
    assert ambient.sheets(0) == ()
    mean = np.mean([flames(ambient, n) for n in range(24, 97, 6)], axis=0)
    assert mean[150:195, 90:190].max() > 0.3
    assert mean[:, 300:].max() < 0.01 and mean[:60].max() < 0.01
    assert mean[225:].max() < 0.02  # they lick upward, not down


def test_flames_move_in_every_quarter(dusk: Scene, play: Play) -> None:
    log = box(190, 215, 90, 190)
    ambient = play(dusk, Motion(kind="fire", has_region=False, thing=LOG), frames=97, wind=CALM, find=finds(log))
    for quarter in range(4):
        at = 24 * quarter + 14
        changed = np.abs(flames(ambient, at) - flames(ambient, at + 3)) > 0.1
        assert changed[120:215, 80:200].mean() > 0.05


def test_flames_come_from_the_same_seed_alike_and_from_another_otherwise(dusk: Scene, play: Play) -> None:
    motion = Motion(kind="fire", has_region=False)
    one, again, other = (play(dusk, motion, seed=seed, wind=np.zeros(49, np.float32)) for seed in (3, 3, 4))
    assert (flames(one, 30) == flames(again, 30)).all()
    assert (flames(one, 30) != flames(other, 30)).any()


def test_a_fire_lights_what_is_beside_it_warmly_and_less_what_is_far(dusk: Scene, play: Play) -> None:
    log = box(190, 215, 90, 190)
    ambient = play(dusk, Motion(kind="fire", has_region=False, thing=LOG), frames=97, wind=CALM, find=finds(log))
    glow = light_of(ambient.sheets(38)[0])
    assert glow[200, 60] > glow[200, 250] > glow[20, 470]
    table = ambient.sheets(38)[0].table
    assert table[1, 0] > table[1, 1] > table[1, 2]


def test_its_light_flickers_with_the_timeline(dusk: Scene, play: Play) -> None:
    ambient = play(dusk, Motion(kind="fire", look="firelight", has_region=False), frames=97, wind=CALM)
    flicker = np.sin(np.arange(97, dtype=np.float32) * 1.7)  # as the fixture's timeline has it
    light = [float(light_of(ambient.sheets(n)[0])[150, 200]) for n in range(30, 97)]
    assert np.corrcoef(light, flicker[30:])[0, 1] > 0.9
    assert len(ambient.sheets(40)) == 1  # firelight alone: no flames


def test_a_fire_on_the_ground_keeps_off_water_and_subject() -> None:
    grey: U8 = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    scene = scene_of(grey, water=region(box(120, HEIGHT, 0, 260)), matte=region(box(80, 260, 290, 350)))
    hearth = find_hearth(scene, None, 1)
    assert hearth is not None and hearth.is_ground
    top, bottom, left, right = hearth.bounds
    assert left > 355 and top > 120 and bottom < HEIGHT and right < WIDTH


def test_what_fills_the_picture_burns_in_its_lower_middle() -> None:
    grey: U8 = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    hearth = find_hearth(scene_of(grey), np.ones((HEIGHT, WIDTH), np.float32), 1)
    assert hearth is not None
    assert hearth.burning[: HEIGHT // 4].max() == 0 and hearth.burning[HEIGHT // 2 :].max() > 0.3


def test_steam_rises_over_the_cup_and_nowhere_else(dusk: Scene, play: Play) -> None:
    cup = box(170, 250, 200, 280)
    ambient = play(
        dusk, Motion(kind="smoke", look="steam", thing=CUP), frames=97, wind=CALM, find=finds(cup)
    )  # fmt: skip
    mean = np.mean([light_of(ambient.sheets(n)[0]) for n in range(30, 97, 6)], axis=0)
    assert mean[100:175, 205:275].mean() > 0.008
    assert mean[:, :100].max() < 0.01 and mean[:, 380:].max() < 0.01 and mean[215:].max() < 0.01
    early, later = light_of(ambient.sheets(50)[0]), light_of(ambient.sheets(56)[0])
    assert (np.abs(early - later)[90:175, 190:290] > 0.02).mean() > 0.05


def test_steam_of_pancakes_rises_from_all_of_them_though_one_crumb_was_found(play: Play) -> None:
    stack, crumb = box(90, 260, 60, 330), box(150, 165, 100, 115)
    plate = scene_of(np.full((HEIGHT, WIDTH, 3), 50, np.uint8), matte=Region(stack, 0.95))
    steam = [
        Motion(kind="smoke", look="steam", thing=Thing(kind="other", words="pancakes", several=several))
        for several in (True, False)
    ]
    wide, narrow = (
        np.mean(
            [light_of(play(plate, each, frames=97, wind=CALM, find=finds(crumb)).sheets(n)[0]) for n in (40, 70)],
            axis=0,
        )
        for each in steam
    )
    assert (wide.max(axis=0) > 0.02).sum() > 2 * (narrow.max(axis=0) > 0.02).sum()
    assert wide[60:120, 80:310].mean() > 4 * narrow[60:120, 80:310].mean()


def test_candlelight_comes_from_the_bright_side_and_is_felt_to_flicker_in_every_quarter(play: Play) -> None:
    room = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    room[:, 320:] = 100
    scene = scene_of(room)
    board = Storyboard(
        width=WIDTH, height=HEIGHT, frames=97, seed=7, language="en", audio=False, camera_fixed=True, morph=False,
        shots=(Shot(start=0, end=97, moves=()),),
        motions=(Motion(kind="fire", look="candle", strength=0.3, has_region=False),),
    )  # fmt: skip
    timeline = replace(still(97, 7), flicker=make_flicker(board))
    film = Renderer(scene, timeline, board, compose(scene, board, timeline))
    right, left = (
        np.array([float(film.frame(n).y[:, columns].mean()) for n in range(0, 97, 2)])
        for columns in (slice(320, None), slice(160))
    )
    for quarter in range(4):
        here = slice(12 * quarter, 12 * quarter + 13)
        assert np.ptp(right[here]) > 5
    assert np.ptp(right[12:]) > 1.3 * np.ptp(left[12:])


def test_the_opening_of_a_cup_is_its_upper_part() -> None:
    found = find_opening(box(150, 250, 200, 280), narrow=False)
    assert found is not None
    assert abs(found.x - 239.5) < 2 and 150 <= found.y < 190 and 15 < found.half_width < 40
    thread = find_opening(box(150, 250, 200, 280), narrow=True)
    assert thread is not None and thread.half_width < 0.7 * found.half_width
    assert find_opening(np.zeros((HEIGHT, WIDTH), np.float32), narrow=False) is None


def test_a_plume_over_a_wide_thing_near_the_upper_border_fits_into_what_is_seen_of_it() -> None:
    found = find_opening(box(30, 260, 60, 420), narrow=False)
    assert found is not None
    assert found.tall <= max(1.5 * found.y, 0.2 * HEIGHT) and found.half_width <= 0.3 * found.tall


def test_even_ground_gets_wet_in_the_rain_and_the_rest_does_not(play: Play) -> None:
    grain = np.random.default_rng(1).integers(115, 126, (HEIGHT, WIDTH, 1), np.uint8)  # flat, it would be a drawing
    scene = scene_of(np.repeat(grain, 3, axis=2), sky=region(box(0, 110, 0, WIDTH)))
    rain = play(scene, Motion(kind="rain", strength=0.7), frames=97, wind=CALM)
    early, late = (light_of(rain.sheets(n)[0]) for n in (4, 80))
    assert rain.sheets(0) == ()
    assert late[240, 240] < 5 * early[240, 240] <= 0
    assert late[:150].min() == 0


def test_snow_settles_on_the_ground_and_against_the_sky(play: Play) -> None:
    dark: U8 = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    scene = scene_of(dark, sky=region(box(0, 110, 0, WIDTH)))
    snow = play(scene, Motion(kind="snow", strength=0.8), frames=121, wind=np.zeros(121, np.float32))
    late = light_of(snow.sheets(120)[0])
    assert late[240:260].mean() > 0.02 and late[110:114].mean() > 0.005
    assert np.abs(late[:104]).max() < 1e-3 and np.abs(late[125:165]).max() < 1e-3
    assert light_of(snow.sheets(30)[0])[240:260].mean() < 0.5 * late[240:260].mean()


def test_an_animal_is_not_set_on_fire_where_a_fire_has_no_place_of_its_own() -> None:
    analyser = SceneAnalyser()
    scene = analyser.analyse(photo("drawing_cat.jpg"), Canvas(864, 496, 97))
    assert scene.body is not None
    # Nor are the eyes of a cat taken for candles.
    candle = analyser.find(scene, Thing(kind="candle", words="candle"))
    assert float((candle.mask * scene.matte.mask).sum()) <= 0.5 * float(candle.mask.sum())
    hearth = find_hearth(scene, None, 3)
    assert hearth is not None
    assert not hearth.on_subject
    assert float((hearth.burning * scene.matte.mask).sum()) < 0.05 * float(hearth.burning.sum())


def test_a_candle_that_is_named_burns_small_at_its_upper_end(dusk: Scene, play: Play) -> None:
    candle = box(140, 230, 230, 250)
    motion = Motion(kind="fire", look="candle", strength=0.3, has_region=False, thing=Thing(kind="candle"))
    ambient = play(dusk, motion, frames=97, wind=CALM, find=finds(candle))
    mean = np.mean([flames(ambient, n) for n in range(24, 97, 6)], axis=0)
    assert mean[105:140, 232:248].max() > 0.2
    assert mean[150:].max() < 0.02 and mean[:80].max() < 0.02
    assert mean[:, :205].max() < 0.02 and mean[:, 275:].max() < 0.02


def test_a_named_thing_burns_though_something_orange_looks_like_a_fire(play: Play) -> None:
    dark: U8 = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    scene = scene_of(dark, fire=region(box(200, 230, 380, 440), 0.4))
    log = box(190, 215, 90, 190)
    ambient = play(scene, Motion(kind="fire", thing=LOG), frames=97, wind=CALM, find=finds(log))
    assert np.mean([flames(ambient, n) for n in (40, 50, 60)], axis=0)[150:195, 90:190].max() > 0.3
    assert ambient.flow(40) is None


def test_in_a_rendered_film_steam_is_seen_over_its_cup_in_every_quarter_and_the_rest_stays_to_the_bit() -> None:
    rgb = np.random.default_rng(2).integers(40, 70, (HEIGHT, WIDTH, 3), np.uint8)
    scene, cup = scene_of(rgb), box(170, 250, 200, 280)
    board = Storyboard(
        width=WIDTH, height=HEIGHT, frames=97, seed=5, language="en", audio=False, camera_fixed=True, morph=False,
        shots=(Shot(start=0, end=97, moves=()),), motions=(Motion(kind="smoke", look="steam", thing=CUP),),
    )  # fmt: skip
    timeline = still(97, 5)
    film = Renderer(scene, timeline, board, compose(scene, board, timeline, finds(cup)))
    first = film.frame(0)
    assert (first.y == scene.source.planes.y).all()
    for quarter in range(4):
        one, soon = film.frame(24 * quarter + 18).y.astype(int), film.frame(24 * quarter + 21).y.astype(int)
        assert (np.abs(one - soon)[90:180, 190:290] > 6).mean() > 0.05
        assert (one[:, :80] == first.y[:, :80]).all() and (one[:, 400:] == first.y[:, 400:]).all()
        assert (one[225:] == first.y[225:]).all()


def test_smoke_and_sparks_rise_from_the_fire_that_is_drawn(dusk: Scene, play: Play) -> None:
    log = box(190, 215, 90, 190)
    fire = Motion(kind="fire", has_region=False, thing=LOG)
    motions = (Motion(kind="smoke", has_region=False), Motion(kind="sparks", has_region=False))
    ambient = play(dusk, fire, *motions, frames=97, wind=CALM, find=finds(log))
    smoke = np.mean([np.abs(light_of(ambient.sheets(n)[-1])) for n in range(30, 97, 6)], axis=0)
    assert smoke[60:130, 100:180].mean() > 2 * smoke[60:130, 300:].mean() and smoke[60:130, 100:180].max() > 0.005
    planes = dusk.source.planes
    lit = np.zeros(planes.y.shape)
    for n in range(30, 97, 6):
        frame = Planes(planes.y.copy(), planes.u.copy(), planes.v.copy())
        ambient.overlay(n, frame)
        lit += frame.y.astype(float) - planes.y
    assert lit[:, 60:220].sum() > 10 * lit[:, 300:].sum()


def test_flames_are_seen_before_bright_yellow_ground_too(play: Play) -> None:
    yellow = scene_of(np.full((HEIGHT, WIDTH, 3), (228, 205, 70), np.uint8))
    log = box(190, 215, 90, 190)
    ambient = play(yellow, Motion(kind="fire", has_region=False, thing=LOG), frames=97, wind=CALM, find=finds(log))
    storyboard = Storyboard(
        width=WIDTH, height=HEIGHT, frames=97, seed=7, language="en", audio=False, camera_fixed=True, morph=False,
        shots=(Shot(start=0, end=97, moves=()),),
    )  # fmt: skip
    renderer = Renderer(yellow, still(97), storyboard, ambient)
    frames = [renderer.frame(n) for n in range(24, 97, 8)]
    # Against the ground beside them: brighter, and redder at their tips.
    lit = [frame.y[120:200, 90:190].astype(float) - np.median(frame.y[120:200, 10:60]) for frame in frames]
    assert np.mean([(change > 12).mean() for change in lit]) > 0.5
    assert np.median([frame.y[20:60, 250:].mean() for frame in frames]) < yellow.source.planes.y.mean() - 36
    red = np.stack([frame.v for frame in frames])[:, 60:100, 45:95].astype(float)
    assert np.percentile(red.max(0), 75) - np.median(red[:, :, :2]) > 18
