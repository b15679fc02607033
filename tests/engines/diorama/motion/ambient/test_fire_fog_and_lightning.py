from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from support.scenes import HEIGHT, WIDTH, Play, region, rows_between, scene_of
from support.timelines import still
from vivant.engines.diorama.motion.ambient.compose import compose
from vivant.engines.diorama.motion.ambient.shown_bolt import find_bolt
from vivant.engines.diorama.motion.fields import Ambient
from vivant.engines.diorama.motion.frame.renderer import Renderer
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Motion, Shot, Storyboard
from vivant.engines.diorama.timing.timeline import Event
from vivant.media import F32, U8, Planes

STRIKE = Event(id="strike0", kind="strike", time=Fraction(20, 24), strength=0.8, x=0.4, depth=0.5)


def render_with(scene: Scene, motions: tuple[Motion, ...], events: tuple[Event, ...]) -> Renderer:
    board = Storyboard(
        width=WIDTH, height=HEIGHT, frames=49, seed=7, language="en", audio=False, camera_fixed=True, morph=False,
        shots=(Shot(start=0, end=49, moves=()),), motions=motions,
    )  # fmt: skip
    timeline = replace(still(49, 7), events=events)
    return Renderer(scene, timeline, board, compose(scene, board, timeline))


def draw(scene: Scene, ambient: Ambient, n: int) -> F32:
    """What the overlay changes in luma at frame n."""
    source = scene.source.planes
    frame = Planes(source.y.copy(), source.u.copy(), source.v.copy())
    ambient.overlay(n, frame)
    difference: F32 = frame.y.astype(np.float32) - source.y
    return difference


@pytest.fixture(scope="module")
def hearth() -> Scene:
    dark: U8 = np.full((HEIGHT, WIDTH, 3), 30, np.uint8)
    fire = np.zeros((HEIGHT, WIDTH), np.float32)
    fire[150:240, 200:280] = 1
    return scene_of(dark, fire=region(fire))


@pytest.fixture(scope="module")
def dusk() -> Scene:
    dark: U8 = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    return scene_of(dark, sky=region(rows_between(0, 150)))


def test_flames_rise_and_stay_in_their_place(hearth: Scene, play: Play) -> None:
    flow = play(hearth, Motion(kind="fire")).flow(3)
    assert flow is not None
    assert flow.ay[44:54, 55:65].mean() > 3  # what rises is read from below
    assert flow.mask[:35].max() == 0 and flow.mask[:, :48].max() == 0


def test_fire_flares_with_the_timelines_flicker_and_lights_its_surroundings(hearth: Scene, play: Play) -> None:
    ambient = play(hearth, Motion(kind="fire", strength=0.8))
    flicker = np.sin(np.arange(49, dtype=np.float32) * 1.7)  # as the fixture's timeline has it
    gains = []
    for n in range(1, 49):
        field = ambient.field(n)
        assert field is not None and field.gain is not None
        gains.append((float(field.gain[48, 60]), float(field.gain[48, 45]), float(field.gain[2, 2])))
    fire, beside, far = np.array(gains).T
    assert np.corrcoef(fire, flicker[1:])[0, 1] > 0.99
    assert fire.std() > beside.std() > 0.005
    assert far.std() < 0.002


def test_a_bolt_is_seen_in_the_frame_of_its_strike_and_soon_gone(dusk: Scene, play: Play) -> None:
    ambient = play(dusk, Motion(kind="lightning"), events=(STRIKE,))
    assert not draw(dusk, ambient, 19).any()
    assert draw(dusk, ambient, 20).max() > 100
    assert not draw(dusk, ambient, 28).any()


def test_a_bolt_is_where_its_thunder_is_heard_and_only_in_the_sky(dusk: Scene, play: Play) -> None:
    bolt = draw(dusk, play(dusk, Motion(kind="lightning"), events=(STRIKE,)), 20)
    columns = np.arange(WIDTH)
    at = float((bolt[:40].clip(0).sum(axis=0) * columns).sum() / bolt[:40].clip(0).sum())
    assert abs(at / WIDTH - 0.5 * (1 + STRIKE.x)) < 0.12
    assert not bolt[160:].any()


def test_clouds_beside_a_bolt_are_lit(dusk: Scene, play: Play) -> None:
    field = play(dusk, Motion(kind="lightning"), events=(STRIKE,)).field(20)
    assert field is not None and field.gain is not None
    near, far, ground = field.gain[5:20, 80:90].mean(), field.gain[5:20, :10].mean(), field.gain[45:]
    assert near > far + 0.1 and (ground == 1).all()


def test_a_bright_sky_grows_dark_before_the_stroke_and_a_dark_one_stays(dusk: Scene, play: Play) -> None:
    pale: U8 = np.full((HEIGHT, WIDTH, 3), 215, np.uint8)
    pale[150:] = 120
    day = scene_of(pale, sky=region(rows_between(0, 150)))
    late = replace(STRIKE, time=Fraction(2))
    rows = np.s_[5:25]  # of the quarter grid, in the sky
    gains = {}
    for name, scene in (("day", day), ("dusk", dusk)):
        ambient = play(scene, Motion(kind="lightning"), events=(late,))
        fields = [ambient.field(n) for n in (1, 12, 24, 44)]
        found = [field.gain for field in fields if field is not None and field.gain is not None]
        gains[name] = [(gain[rows].mean(), gain[45:].mean()) for gain in found]
    sky, ground = np.array(gains["day"]).T
    assert abs(sky[0] - 1) < 0.02 and sky[1] > sky[2] and sky[3] < 0.7
    assert sky[3] + 0.1 < ground[3] < 0.85
    assert np.array(gains["dusk"])[:, 1] == pytest.approx(1)


@pytest.fixture(scope="module")
def struck() -> Scene:
    """A bolt from the sky's upper border to the ground, in a sky that it lights."""
    rgb: U8 = np.full((HEIGHT, WIDTH, 3), (60, 52, 66), np.uint8)
    for row in range(150):
        middle = 200 + round(12 * np.sin(row / 9))
        rgb[row, middle - 1 : middle + 2] = 250
    return scene_of(rgb, sky=region(rows_between(0, 150)))


def test_a_bolt_that_the_picture_shows_goes_out_and_comes_back_with_the_strike(struck: Scene) -> None:
    motions = (Motion(kind="lightning"), Motion(kind="clouds", origin="picture"))
    renderer = render_with(struck, motions, (STRIKE,))
    frames = {n: renderer.frame(n).y.astype(np.float32) for n in (0, 14, 20, 40)}
    assert np.array_equal(frames[0], struck.source.planes.y)
    rows = np.arange(10, 140)
    bolt = np.array([200 + round(12 * np.sin(row / 9)) for row in rows])
    contrast = {n: float((y[rows, bolt] - y[rows, bolt + 14]).mean()) for n, y in frames.items()}
    assert contrast[0] > 140 and contrast[20] > 100
    assert abs(contrast[14]) < 12 and abs(contrast[40]) < 12
    assert frames[14][20:120, 225:260].mean() < frames[0][20:120, 225:260].mean() - 5  # and its glow with it
    assert frames[14][200:].mean() == pytest.approx(frames[0][200:].mean(), abs=4)


def test_a_bolt_stays_where_no_lightning_is_asked_for(struck: Scene, play: Play) -> None:
    assert play(struck, Motion(kind="rain")).sheets(14) == ()
    assert play(struck, Motion(kind="lightning", origin="picture"), events=(STRIKE,)).sheets(14) == ()


def test_bright_roofs_and_clouds_are_no_bolt() -> None:
    luma: U8 = np.full((HEIGHT, WIDTH), 90, np.uint8)
    luma[150:154] = 235  # a roof
    luma[40:90, 100:240] = 220  # a cloud
    luma[20:22, 300:310] = 250  # a bird
    assert find_bolt(luma, rows_between(0, 150)) is None


def test_without_a_strike_there_is_no_bolt(dusk: Scene, play: Play) -> None:
    ambient = play(dusk, Motion(kind="lightning"))
    assert not any(draw(dusk, ambient, n).any() for n in range(0, 49, 4))


def test_fog_gathers_slowly_and_lies_in_banks(night: Scene, play: Play) -> None:
    ambient = play(night, Motion(kind="fog", strength=0.7), frames=97)
    amounts = [float(draw(night, ambient, n).mean()) for n in range(0, 97, 4)]
    assert amounts[0] == 0 and amounts[-1] > 0.4
    assert max(np.diff(amounts)) < 0.25 * amounts[-1]
    late = draw(night, ambient, 90)
    assert late.std() > 0.3 * late.mean()


def test_fog_drifts(night: Scene, play: Play) -> None:
    ambient = play(night, Motion(kind="fog", strength=0.7), frames=97)
    one, soon, later = (draw(night, ambient, n) for n in (60, 61, 90))
    assert np.abs(one - soon).mean() < 0.25 * np.abs(one - later).mean()


def test_smoke_rises_above_its_fire_and_leaves_the_flames_clear(hearth: Scene, play: Play) -> None:
    ambient = play(hearth, Motion(kind="smoke", strength=0.9), frames=97, wind=np.zeros(97, np.float32))
    smoke = np.mean([np.abs(draw(hearth, ambient, n)) for n in range(60, 97, 4)], axis=0)
    over, aside, flames = smoke[40:120, 200:280].mean(), smoke[40:120, :60].mean(), smoke[165:225, 215:265].mean()
    assert over > 4 * aside and over > 2 * flames
