"""Light that changes, on rendered frames: where it acts, how much, that it goes on, and that the rest stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from support.scenes import HEIGHT, WIDTH, region, scene_of
from support.timelines import still
from vivant.engines.diorama.motion.frame.renderer import Renderer
from vivant.engines.diorama.motion.light.compose import compose_light
from vivant.engines.diorama.scene.colour import make_source
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Lighting, LightKind, Move, Shot, Storyboard
from vivant.engines.diorama.timing.lights import make_lights
from vivant.media import F32, U8

FRAMES = 97
QUARTERS = (0, 24, 48, 72, 96)
SEEN = 10.0  # levels of luma
RIM = 120  # row of the lower rim of the sky

Film = Callable[..., Renderer]


def with_facts(picture: U8, sky: F32, brightness: float) -> Scene:
    scene = replace(scene_of(picture, sky=region(sky)), source=make_source(picture))
    return replace(scene, facts=replace(scene.facts, brightness=brightness, drawn=0.0))


@pytest.fixture(scope="module")
def sky() -> F32:
    return ((np.arange(HEIGHT) < RIM)[:, None] * np.ones((1, WIDTH))).astype(np.float32)


@pytest.fixture(scope="module")
def field(sky: F32) -> Scene:
    """A pale sky with faint clouds over sunny ground."""
    chance = np.random.default_rng(4)
    noise = cv2.GaussianBlur(chance.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 9)
    picture = np.array([170, 195, 225]) + 60 * noise[..., None] / noise.std() / 6
    ground = cv2.GaussianBlur(chance.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 1.2)
    picture[RIM:] = (np.array([150, 150, 90]) + 20 * ground[..., None] / ground.std())[RIM:]
    return with_facts(np.clip(picture, 0, 255).astype(np.uint8), sky, 0.6)


@pytest.fixture(scope="module")
def houses(sky: F32) -> Scene:
    """Grey houses with rows of dark windows under a pale sky."""
    picture = np.full((HEIGHT, WIDTH, 3), 205, np.uint8)
    picture[RIM:] = 90
    for left in range(20, WIDTH - 60, 70):
        picture[60 : HEIGHT - 10, left : left + 52] = 150
        for top in range(70, HEIGHT - 24, 8):
            for x in range(left + 5, left + 46, 7):
                picture[top : top + 3, x : x + 3] = 90
    mask = sky.copy()
    mask[60:, :] = 0
    return with_facts(picture, mask, 0.6)


@pytest.fixture(scope="module")
def film() -> Film:
    """film(scene, kind, …): the clip, with the camera at rest unless a move is given."""

    def make(
        scene: Scene, kind: LightKind, strength: float = 0.5, move: Move | None = None, morph: bool = False
    ) -> Renderer:
        storyboard = Storyboard(
            width=WIDTH, height=HEIGHT, frames=FRAMES, seed=7, language="en", audio=False, camera_fixed=move is None,
            morph=morph, shots=(Shot(start=0, end=FRAMES, moves=(move,) if move else ()),),
            lights=(Lighting(kind=kind, strength=strength),),
        )  # fmt: skip
        timeline = replace(still(FRAMES), lights=make_lights(storyboard))
        return Renderer(scene, timeline, storyboard, illumination=compose_light(scene, storyboard, timeline))

    return make


def luma(renderer: Renderer, n: int) -> F32:
    return renderer.frame(n).y.astype(np.float32)


@pytest.mark.parametrize(
    "kind", ["night", "dusk", "dawn", "dark", "bright", "sweep", "flicker", "shadows", "rays", "noir"]
)  # fmt: skip
def test_frame_0_is_the_picture_and_later_frames_are_not(field: Scene, film: Film, kind: LightKind) -> None:
    renderer = film(field, kind)
    assert (renderer.frame(0).y == field.source.planes.y).all()
    assert (renderer.frame(0).u == field.source.planes.u).all()
    share = 97 if kind == "rays" else 90  # shafts are seen where they are
    assert np.percentile(np.abs(luma(renderer, 72) - luma(renderer, 0)), share) >= SEEN


@pytest.mark.parametrize("kind", ["night", "dusk", "dark"])
def test_falling_light_falls_in_every_quarter_of_the_clip(field: Scene, film: Film, kind: LightKind) -> None:
    renderer = film(field, kind)
    means = [float(luma(renderer, n)[RIM + 8 :].mean()) for n in QUARTERS]
    assert all(before - after >= 2 for before, after in pairwise(means))
    assert means[0] - means[-1] >= 3 * SEEN


def test_a_dawn_by_day_sinks_to_first_light_and_the_sun_rises_into_the_picture(field: Scene, film: Film) -> None:
    renderer = film(field, "dawn")
    means = [float(luma(renderer, n)[RIM + 8 :].mean()) for n in (0, 26, 40, 56, 72, 96)]
    assert means[0] - means[1] >= 4 * SEEN
    assert all(after - before >= 2 for before, after in pairwise(means[1:]))
    assert means[-1] >= means[0]
    # First light is blue, and the sky turns warm before it is day.
    first, gold = renderer.frame(26), renderer.frame(62)
    assert first.u[: RIM // 4].mean() > 132 > gold.u[RIM // 4 : RIM // 2 - 6].mean()


def test_a_dawn_in_a_dark_picture_only_grows_brighter(field: Scene, film: Film) -> None:
    dark = replace(field, facts=replace(field.facts, brightness=0.2))
    means = [float(luma(film(dark, "dawn"), n)[RIM + 8 :].mean()) for n in QUARTERS]
    assert all(after - before >= 2 for before, after in pairwise(means))


def test_by_night_the_sky_is_blue_and_darker_above_and_the_rim_has_no_bright_edge(field: Scene, film: Film) -> None:
    frame = film(field, "night").frame(FRAMES - 1)
    rows = frame.y.astype(np.float32).mean(axis=1)
    assert rows[10] < rows[RIM - 25]
    assert frame.u[: RIM // 2 - 6].mean() > 132
    # Between sky and ground no row is brighter than both.
    assert rows[RIM - 6 : RIM + 6].max() < max(rows[RIM - 14], rows[RIM + 14]) + 4


def test_stars_come_out_in_the_sky_and_nowhere_else(field: Scene, film: Film) -> None:
    frame = film(field, "night").frame(FRAMES - 1).y.astype(np.float32)
    sparks = frame - cv2.medianBlur(frame, 5)
    assert (sparks[: RIM - 30] > 12).sum() >= 12
    assert (sparks[RIM + 10 :] > 30).sum() == 0


def test_windows_are_lit_one_by_one_and_warm(houses: Scene, film: Film) -> None:
    renderer = film(houses, "night")
    lit = [int((luma(renderer, n)[75:] > 130).sum()) for n in (56, 64, 72, 88)]
    assert lit[0] < lit[1] < lit[2] <= lit[3]
    assert lit[3] > 300
    frame = renderer.frame(88)
    bright = cv2.resize(frame.y, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA) > 110
    bright[:38] = False
    assert frame.v[bright].mean() > 133 > 123 > frame.u[bright].mean()


def test_shadows_of_clouds_pass_over_the_ground_in_every_quarter_and_leave_the_sky_alone(
    field: Scene, film: Film
) -> None:
    renderer = film(field, "shadows")
    first = luma(renderer, 0)
    frames = [luma(renderer, n) for n in QUARTERS]
    for before, after in pairwise(frames):
        assert np.percentile(np.abs(after - before)[RIM + 12 :], 90) >= SEEN / 2
        assert np.percentile(np.abs(after - first)[RIM + 12 :], 90) >= SEEN
        assert (after[: RIM - 12] == first[: RIM - 12]).all()


def test_shafts_of_light_go_on_from_a_bright_sky_over_dark_ground(sky: F32, film: Film) -> None:
    picture = np.full((HEIGHT, WIDTH, 3), (170, 185, 205), np.uint8)
    picture[RIM:] = 50
    renderer = film(with_facts(picture, sky, 0.4), "rays")
    change = cv2.blur(luma(renderer, 60) - luma(renderer, 0), (9, 5))
    above, below = change[RIM - 8, 40:-40], change[RIM + 8, 40:-40]
    assert np.ptp(above) >= SEEN / 2
    assert np.ptp(below) >= SEEN
    assert np.corrcoef(above, below)[0, 1] > 0.8
    # No shaft ends in the foreground, either.
    assert np.ptp(change[HEIGHT - 20, 40:-40]) >= SEEN


def test_light_stays_with_the_picture_when_the_camera_moves(houses: Scene, film: Film) -> None:
    move = Move(kind="pan", direction="right")
    renderer = film(houses, "night", move=move)
    frame = luma(renderer, FRAMES - 1)
    lit = frame[75:] > 130
    assert lit.sum() > 200  # windows are still sharp, and lit
    assert np.isfinite(frame).all()


def test_a_dark_sky_is_dithered_and_shows_no_bands(field: Scene, film: Film) -> None:
    flat = np.full((HEIGHT, WIDTH, 3), (170, 195, 225), np.uint8)
    flat[RIM:] = (150, 150, 90)
    scene = with_facts(flat, field.sky.mask, 0.6)
    rows = film(scene, "night").frame(90).y[: RIM - 24, 40:440].astype(np.float32)
    steps = np.diff(rows.mean(axis=1))
    # A gradient rounded to whole levels stands still for rows and then jumps by one.
    assert np.abs(steps).max() < 0.6
    assert (rows.std(axis=1) > 0.1).mean() > 0.8


def test_noir_takes_the_colour_away_and_vintage_lifts_black(field: Scene, film: Film) -> None:
    before = field.source.planes
    noir, vintage = film(field, "noir").frame(90), film(field, "vintage").frame(90)
    assert np.abs(noir.u.astype(float) - 128).mean() < 0.5 * np.abs(before.u.astype(float) - 128).mean()
    assert noir.y.std() > before.y.std() * 0.9
    assert vintage.y.min() >= before.y.min()


def test_under_a_vintage_grade_exposure_wavers_a_little_to_the_end_and_under_a_warm_one_it_does_not(
    field: Scene, film: Film
) -> None:
    vintage, warm = (
        [float(luma(film(field, kind), n).mean()) for n in range(48, FRAMES, 6)] for kind in ("vintage", "warm")
    )
    assert 2 <= np.ptp(vintage) <= 2 * SEEN
    assert np.ptp(warm) < 0.5


def test_on_the_way_to_a_last_picture_light_comes_back_to_what_it_was(field: Scene) -> None:
    storyboard = Storyboard(
        width=WIDTH, height=HEIGHT, frames=FRAMES, seed=7, language="en", audio=False, camera_fixed=True, morph=True,
        shots=(Shot(start=0, end=FRAMES, moves=()),), lights=(Lighting(kind="rays"), Lighting(kind="shadows")),
    )  # fmt: skip
    for curve in make_lights(storyboard):
        assert curve[0] == 0
        assert curve.max() > 0.8
        assert curve[-12:].max() == 0


def test_lamplight_falls_on_what_is_near_and_less_on_what_is_far(film: Film) -> None:
    room = np.full((HEIGHT, WIDTH, 3), 70, np.uint8)
    cv2.circle(room, (120, 100), 8, (255, 245, 225), -1)
    scene = with_facts(room, np.zeros((HEIGHT, WIDTH), np.float32), 0.25)
    renderer = film(scene, "lamps")
    grown = luma(renderer, FRAMES - 1) - luma(renderer, 0)
    near, far = grown[90:110, 140:160].mean(), grown[220:260, 400:460].mean()
    assert near >= 2 * SEEN
    assert near > 2 * far
    assert renderer.frame(FRAMES - 1).v[45:55, 70:80].mean() > 131  # warm


def test_the_same_seed_gives_the_same_light_and_another_one_another(field: Scene, film: Film) -> None:
    one, again = film(field, "shadows"), film(field, "shadows")
    assert (one.frame(40).y == again.frame(40).y).all()
    assert (one.frame(40).y == one.frame(40).y).all()


@pytest.mark.parametrize("kind", ["vintage", "noir"])
def test_the_light_of_old_film_wavers_in_every_quarter(field: Scene, film: Film, kind: LightKind) -> None:
    renderer = film(field, kind)
    for first in (42, 60, 78):  # it is there from 1.6 s on
        means = [float(luma(renderer, n).mean()) for n in range(first, first + 18, 2)]
        assert 2.5 < max(means) - min(means) < 30
