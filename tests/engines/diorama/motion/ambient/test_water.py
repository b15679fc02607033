from __future__ import annotations

import cv2
import numpy as np
import pytest

from support.scenes import HEIGHT, WATERLINE, WIDTH, Play, region, rows_between, scene_of
from vivant.engines.diorama.motion.ambient.water import make_spectrum
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Motion
from vivant.media import U8

WATER = Motion(kind="water", strength=0.5)


def test_the_land_stays_where_it_is_to_the_bit(lake: Scene, play: Play) -> None:
    ambient = play(lake, WATER)
    land = WATERLINE // 4 + 2  # quarter rows that any pixel of the land can feel, also through a moving camera
    for n in (1, 12, 30):
        field = ambient.field(n)
        assert field is not None and field.gain is not None
        assert not field.dx[: land + 1].any() and not field.dy[: land + 1].any()
        assert (field.gain[: land + 1] == 1).all()
        assert np.abs(field.dy[land + 4 :]).max() > 0.5


def test_an_island_in_the_water_stays_too(texture: U8, play: Play) -> None:
    water = rows_between(WATERLINE, HEIGHT)
    water[180:230, 200:300] = 0
    field = play(scene_of(texture, water=region(water)), WATER).field(20)
    assert field is not None
    assert not field.dy[45:58, 50:75].any()
    assert field.dy[45:58, 10:40].any()


def test_frame_0_is_the_picture_and_frame_1_already_moves(lake: Scene, play: Play) -> None:
    ambient = play(lake, WATER)
    assert ambient.field(0) is None
    first, second = ambient.field(1), ambient.field(2)
    assert first is not None and second is not None
    # No dead start: the step from 0 to 1 is as long as the step from 1 to 2.
    assert 0.5 < np.abs(first.dy).mean() / np.abs(second.dy - first.dy).mean() < 2.0


def test_water_comes_to_rest_before_a_last_picture(lake: Scene, play: Play) -> None:
    ambient = play(lake, WATER, morph=True)
    last = ambient.field(48)
    assert last is None or (not last.dy.any() and not last.dx.any())
    near_the_end = ambient.field(45)
    assert near_the_end is not None and near_the_end.dy.any()


def test_more_strength_lifts_the_water_more(lake: Scene, play: Play) -> None:
    heights = []
    for strength in (0.2, 0.5, 0.9):
        field = play(lake, Motion(kind="water", strength=strength)).field(40)
        assert field is not None
        heights.append(float(np.abs(field.dy).mean()))
    assert heights[0] * 1.2 < heights[1] < heights[2] / 1.2


def test_near_water_moves_faster_than_far_water(lake: Scene, play: Play) -> None:
    ambient = play(lake, WATER)
    pairs = [(ambient.field(n), ambient.field(n + 1)) for n in range(10, 40, 3)]
    speed = np.mean([np.abs(b.dy - a.dy).mean(axis=1) for a, b in pairs if a is not None and b is not None], axis=0)
    assert speed[-8:].mean() > 1.5 * speed[WATERLINE // 4 + 8 : WATERLINE // 4 + 14].mean()


def test_even_at_full_strength_the_mirror_hardly_folds_over(lake: Scene, play: Play) -> None:
    ambient = play(lake, Motion(kind="water", strength=1.0))
    for n in range(1, 48, 5):
        field = ambient.field(n)
        assert field is not None
        slope = np.diff(field.dy, axis=0) / 4  # px per px; -1 folds
        assert (slope < -1).mean() < 0.03


def test_long_waves_run_faster_than_short_ones() -> None:
    """Deep water: phase speed is √(g·λ/2π), so four times the length is twice the speed."""
    waves = make_spectrum(seed=3, side=1.0, sea=0.0)
    length = 2 * np.pi / np.hypot(waves.kx, waves.kz)
    speed = waves.omega / np.hypot(waves.kx, waves.kz)
    assert length.max() > 16 * length.min()
    assert np.allclose(speed, speed[0] * np.sqrt(length / length[0]))


def test_crests_come_toward_the_viewer(lake: Scene, play: Play) -> None:
    ambient = play(lake, WATER)
    shifts = []
    for n in range(36, 46):
        now, soon = ambient.field(n), ambient.field(n + 1)
        assert now is not None and soon is not None
        before, after = (cv2.resize(f.dy[-24:], None, fx=1, fy=8, interpolation=cv2.INTER_CUBIC) for f in (now, soon))
        fit = {s: float((before[20:-20] * after[20 + s : len(after) - 20 + s]).sum()) for s in range(-16, 17)}
        shifts.append(max(fit, key=fit.__getitem__))  # eighths of a sample, down the picture
    assert np.mean(shifts) > 1


def test_water_that_the_script_does_not_let_move_is_quiet(lake: Scene, play: Play) -> None:
    assert play(lake, Motion(kind="water", has_region=False)).field(20) is None


def test_water_without_any_water_in_the_picture_is_quiet(night: Scene, play: Play) -> None:
    assert play(night, WATER).field(20) is None


def test_the_same_seed_makes_the_same_waves_and_another_seed_others(lake: Scene, play: Play) -> None:
    one, same, other = (play(lake, WATER, seed=s).field(17) for s in (4, 4, 5))
    assert one is not None and same is not None and other is not None
    assert np.array_equal(one.dy, same.dy) and np.array_equal(one.dx, same.dx)
    assert not np.array_equal(one.dy, other.dy)


def test_a_frame_does_not_depend_on_the_frames_before_it(lake: Scene, play: Play) -> None:
    ambient, fresh = play(lake, WATER), play(lake, WATER)
    for n in (3, 9, 30):
        ambient.field(n)
    late, early = ambient.field(12), fresh.field(12)
    assert late is not None and early is not None and np.array_equal(late.dy, early.dy)


@pytest.mark.parametrize(("strength", "least"), [(0.2, 0.25), (0.5, 0.5)])
def test_near_water_moves_fast_enough_to_be_seen_in_every_quarter(
    lake: Scene, play: Play, strength: float, least: float
) -> None:
    """px per frame at 640 px on the long side, of the half that moves more."""
    ambient = play(lake, Motion(kind="water", strength=strength), frames=97)
    for quarter in range(4):
        speeds = []
        for n in range(24 * quarter + 2, 24 * quarter + 22, 5):
            now, soon = ambient.field(n), ambient.field(n + 1)
            assert now is not None and soon is not None
            step = np.hypot(soon.dx - now.dx, soon.dy - now.dy)[-16:]
            speeds.append(float(np.percentile(step, 75)) * 640 / WIDTH)
        assert np.mean(speeds) > least


def test_facets_of_a_smooth_lake_lighten_and_darken(lake: Scene, play: Play) -> None:
    ambient = play(lake, WATER)
    gains = [
        field.gain[-16:] for n in range(8, 48, 8) if (field := ambient.field(n)) is not None and field.gain is not None
    ]
    assert len(gains) == 5
    assert all(0.04 < float(gain.std()) < 0.2 and gain.min() > 0.5 for gain in gains)


def test_no_storm_makes_a_negative_light(texture: U8, play: Play) -> None:
    rough = scene_of(surf(), water=region(rows_between(WATERLINE, HEIGHT)))
    ambient = play(rough, Motion(kind="water", strength=1.0))
    for n in range(1, 48, 6):
        field = ambient.field(n)
        assert field is not None and field.gain is not None and field.gain.min() > 0.4


def test_a_rough_sea_runs_toward_the_viewer_and_a_mirror_does_not(lake: Scene, play: Play) -> None:
    flow = play(scene_of(surf(), water=region(rows_between(WATERLINE, HEIGHT))), WATER).flow(2)
    assert flow is not None
    assert flow.ay[-12:].mean() < -0.2 and flow.ay[: WATERLINE // 4].max() == 0
    assert abs(flow.ax[-12:].mean()) < 0.5 * abs(flow.ay[-12:].mean())
    assert play(lake, WATER).flow(2) is None


def test_the_dark_mirror_image_of_a_rock_stays_while_the_surf_beside_it_runs(play: Play) -> None:
    """On a wet beach, whose roughness is that of the surf behind it. The wet sand that it cuts off stays with it."""
    picture = surf()
    picture[:WATERLINE] = 200
    rock, image = (slice(80, WATERLINE), slice(30, 230)), (slice(WATERLINE + 14, WATERLINE + 44), slice(30, 230))
    picture[rock] = picture[image] = 30
    water = rows_between(WATERLINE, HEIGHT)
    sky = rows_between(0, WATERLINE)
    sky[rock] = 0
    water[WATERLINE + 14 :, 220:260] = 0
    water[WATERLINE + 14 :, :40] = 0
    flow = play(scene_of(picture, water=region(water), sky=region(sky)), WATER).flow(2)
    assert flow is not None
    moved = np.abs(flow.ay)
    top, bottom = image[0].start // 4, image[0].stop // 4
    assert moved[top + 2 : bottom - 2, 14:51].max() == 0
    assert moved[bottom + 4 : -4, 14:51].max() == 0
    assert moved[top:, 75:115].mean() > 0.2


def test_flat_colours_of_a_drawing_are_not_shaded(play: Play) -> None:
    drawing = np.full((HEIGHT, WIDTH, 3), 150, np.uint8)
    drawing[WATERLINE:] = (90, 140, 190)
    scene = scene_of(drawing, water=region(rows_between(WATERLINE, HEIGHT)))
    assert scene.facts.drawn > 0
    field = play(scene, WATER).field(20)
    assert field is not None and field.gain is not None and (field.gain == 1).all() and field.dy.any()


def surf() -> U8:
    """Level streaks of foam."""
    noise = np.random.default_rng(8).normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32)
    streaks = cv2.GaussianBlur(noise, (0, 0), sigmaX=4, sigmaY=1)
    return np.repeat(np.clip(130 + 260 * streaks, 20, 240)[..., None], 3, axis=2).astype(np.uint8)
