from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest

from support.scenes import HEIGHT, WATERLINE, WIDTH, Play, region, rows_between, scene_of
from vivant.engines.diorama.motion.ambient.places import Places
from vivant.engines.diorama.motion.fields import Ambient
from vivant.engines.diorama.scene import sea
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Motion
from vivant.engines.diorama.timing.timeline import Event
from vivant.media import F32, U8

SHORE = 205  # row at which the beach begins
WAVES = Motion(kind="water", strength=0.5)


def picture(*, sand: tuple[int, int, int] = (190, 165, 120)) -> U8:
    """Grey sky, blue sea with level streaks, and a beach below."""
    chance = np.random.default_rng(4)
    streaks = cv2.GaussianBlur(chance.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), sigmaX=9, sigmaY=1.2)
    rgb = np.empty((HEIGHT, WIDTH, 3), np.float32)
    rgb[:] = (185, 190, 200)
    rgb[WATERLINE:SHORE] = np.array([70, 100, 140]) + 240 * streaks[WATERLINE:SHORE, :, None]
    rgb[SHORE:] = np.array(sand) + 3 * chance.normal(0, 1, (HEIGHT - SHORE, WIDTH, 1))
    return np.clip(rgb, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def beach() -> Scene:
    """All below the waterline is taken for water, as a mask by colour often does."""
    return scene_of(
        picture(), water=region(rows_between(WATERLINE, HEIGHT)), sky=region(rows_between(0, WATERLINE - 10))
    )


def edges(ambient: Ambient, frames: range) -> list[float]:
    """How far down the beach water is shown, px below the shoreline, in the middle of the picture."""
    found = []
    for n in frames:
        field = ambient.field(n)
        assert field is not None
        rows = 4.0 * np.arange(field.dy.shape[0])
        read = rows[:, None] + field.dy[:, 40:80]
        covered = (rows[:, None] > SHORE + 6) & (read < SHORE - 2)
        found.append(float(np.max(np.where(covered, rows[:, None], SHORE)) - SHORE))
    return found


def test_sand_is_told_from_the_water_it_was_taken_for(beach: Scene) -> None:
    places = Places(beach)
    assert places.sand[SHORE + 8 :].mean() > 0.95 and places.sand[: SHORE - 8].max() == 0
    assert places.water[SHORE + 8 :].max() < 0.05 and places.water[WATERLINE + 10 : SHORE - 8].mean() > 0.9


def test_a_warm_sky_mirrored_in_water_is_no_sand() -> None:
    """Its streaks go on to the lower border."""
    sea_at_noon = picture()
    rgb = sea_at_noon.copy()
    rgb[SHORE:] = np.clip(sea_at_noon[SHORE - 67 : SHORE].astype(np.int16) + np.array([145, 60, -35]), 0, 255)
    rgb[: WATERLINE - 10] = (220, 165, 105)
    sky: F32 = rows_between(0, WATERLINE - 10)
    assert sea.find_sand(rgb, rows_between(WATERLINE, HEIGHT), sky, float(WATERLINE)).max() == 0


def test_waves_run_up_the_beach_and_draw_back(beach: Scene, play: Play) -> None:
    ambient = play(beach, WAVES, frames=97)
    run = edges(ambient, range(1, 97, 2))
    assert max(run) > 6 and min(run) < 3
    top = int(np.argmax(run))
    assert min(run[top:]) < 0.5 * max(run) or min(run[:top]) < 0.5 * max(run)


def test_the_dry_beach_stays_still(beach: Scene, play: Play) -> None:
    ambient = play(beach, WAVES, frames=97)
    dry = (SHORE + 50) // 4
    for n in range(1, 97, 8):
        field = ambient.field(n)
        assert field is not None and field.gain is not None
        assert np.abs(field.dy[dry:]).max() == 0 and np.abs(field.dx[dry:]).max() == 0
        assert np.abs(field.gain[dry:] - 1).max() < 0.02


def test_a_wave_that_is_heard_is_seen_to_run_up(beach: Scene, play: Play) -> None:
    """It is highest within a second after the sound of its breaking."""
    front = Event(id="wave0", kind="wave", time=Fraction(2))
    run = edges(play(beach, WAVES, frames=97, events=(front,)), range(24, 90, 3))
    assert 1.8 <= (24 + 3 * int(np.argmax(run))) / 24 <= 3.2


def test_a_lake_without_a_beach_has_no_surf(lake: Scene, play: Play) -> None:
    ambient = play(lake, WAVES)
    field = ambient.field(20)
    assert field is not None
    assert Places(lake).sand.max() == 0
    assert not field.dy[: WATERLINE // 4].any()


def test_a_beach_of_the_colour_of_the_sea_is_told_by_its_evenness() -> None:
    dusk = picture(sand=(72, 100, 138))
    sand = sea.find_sand(dusk, rows_between(WATERLINE, HEIGHT), rows_between(0, WATERLINE - 10), float(WATERLINE))
    assert sand[SHORE + 14 :].mean() > 0.9 and sand[: SHORE - 14].max() == 0
