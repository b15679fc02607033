"""Analysing real photographs: planes, matte, regions with their trust, depth."""

from __future__ import annotations

from threading import Barrier

import cv2
import numpy as np
import pytest
from PIL import Image

from support.paths import PHOTOS
from vivant.engines.diorama.scene import analysis, mirrors
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.being import find_being
from vivant.engines.diorama.scene.body import Body
from vivant.engines.diorama.scene.border import Borders, judge_borders
from vivant.engines.diorama.scene.colour import double_luma, make_source
from vivant.engines.diorama.scene.drawing import score_drawing
from vivant.engines.diorama.scene.faces import FaceFinder
from vivant.engines.diorama.scene.features import Features, extract_features
from vivant.engines.diorama.scene.quays import find_quayside
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.scene.sea import find_sand
from vivant.engines.diorama.storyboard import BodyFact
from vivant.media import F32, U8, fit, to_planes
from vivant.request import Canvas, nearest_ratio


@pytest.fixture(scope="module")
def analyser() -> SceneAnalyser:
    return SceneAnalyser()


def photo(name: str, resolution: str = "480p") -> tuple[U8, Canvas]:
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        picture = np.asarray(image.convert("RGB"))
    return picture, Canvas.of(resolution, nearest_ratio(picture.shape[1], picture.shape[0]), 4)


def analyse(analyser: SceneAnalyser, name: str) -> Scene:
    picture, canvas = photo(name)
    return analyser.analyse(picture, canvas)


def test_the_parts_of_a_being_are_looked_for_beside_the_mirrors_in_water(
    analyser: SceneAnalyser, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, look_for_parts, look_for_mirrors = Barrier(2), find_being, mirrors.measure_mirrors

    def find_parts(matte: Region, rgb: U8) -> tuple[Body | None, BodyFact | None]:
        both.wait(20)  # behind the other it would wait for ever
        return look_for_parts(matte, rgb)

    def measure_mirrors(seen: Features) -> F32:
        both.wait(20)
        return look_for_mirrors(seen)

    alone = analyse(analyser, "fig_bowl")
    monkeypatch.setattr(analysis, "find_being", find_parts)
    monkeypatch.setattr(mirrors, "measure_mirrors", measure_mirrors)
    assert analyse(analyser, "fig_bowl").facts == alone.facts


def test_the_double_luma_keeps_every_sample_in_its_place() -> None:
    picture, canvas = photo("city_day")
    made = make_source(fit(picture, canvas.width, canvas.height))
    assert made.y2.shape == (2 * canvas.height, 2 * canvas.width)
    assert np.array_equal(made.y2[0::2, 0::2], made.planes.y)


def test_between_the_samples_the_double_luma_follows_fine_detail() -> None:
    x = np.arange(64)
    wave = 128 + 90 * np.sin(2 * np.pi * x / 5)  # five pixels a period
    plane = np.repeat(np.rint(wave).astype(np.uint8)[None], 16, axis=0)
    between = 128 + 90 * np.sin(2 * np.pi * (x[4:-4] + 0.5) / 5)
    error = np.abs(double_luma(plane)[16, 1::2][4:-4] - between).max()
    linear = np.abs(0.5 * (wave[4:-4] + wave[5:-3]) - between).max()
    assert error < 5 < 15 < linear


@pytest.mark.parametrize("resolution", ["480p", "1080p"])
def test_a_drawing_is_told_from_photographs_at_every_size(resolution: str) -> None:
    found = {}
    for path in sorted(PHOTOS.glob("*.jpg")):
        picture, canvas = photo(path.stem, resolution)
        found[path.stem] = score_drawing(to_planes(fit(picture, canvas.width, canvas.height)).y)
    assert found.pop("drawing_cat") == 1.0
    assert 0.1 < found.pop("altai_tall") < 0.9  # drawn too, but with gradients
    assert set(found.values()) == {0.0}


def test_a_lake_is_found_and_ends_at_its_far_shore(analyser: SceneAnalyser) -> None:
    scene = analyse(analyser, "mountain_lake")
    h = scene.depth.shape[0]
    assert scene.facts.water_trust > 0.6
    assert scene.waterline / h == pytest.approx(0.617, abs=0.02)
    assert scene.water.mask[int(0.7 * h) :].mean() > 0.9
    assert scene.water.mask[: int(0.58 * h)].max() == 0
    assert scene.facts.sky_trust > 0.6
    assert scene.sky.mask[: int(0.15 * h)].mean() > 0.9
    assert scene.sky.mask[int(0.5 * h) :].mean() < 0.02


@pytest.mark.parametrize(
    ("name", "warm", "cold"),
    [
        ("waves_sunset", True, True),
        ("fig_bowl", True, False),
        ("city_night", False, True),
        ("portrait_curie", False, False),
    ],
)
def test_the_colour_of_the_light_is_seen(analyser: SceneAnalyser, name: str, warm: bool, cold: bool) -> None:
    facts = analyse(analyser, name).facts
    assert (facts.warm > 0.17, facts.cold > 0.17) == (warm, cold)


@pytest.mark.parametrize(("name", "line"), [("sea_falls", 0.37), ("waves_sunset", 0.34), ("drawing_cat", 0.59)])
def test_the_sea_begins_at_its_horizon(analyser: SceneAnalyser, name: str, line: float) -> None:
    scene = analyse(analyser, name)
    assert (scene.facts.water_trust > 0.5) == (name != "drawing_cat")
    assert scene.waterline / scene.depth.shape[0] == pytest.approx(line, abs=0.03)
    assert scene.horizon == pytest.approx(scene.waterline, abs=0.02 * scene.depth.shape[0])


def test_a_sea_in_a_storm_is_found_though_breakers_hide_its_far_edge(analyser: SceneAnalyser) -> None:
    scene = analyse(analyser, "sea_storm")
    assert scene.facts.water_trust > 0.5  # so that it moves unasked
    assert scene.water.mask[int(0.65 * scene.depth.shape[0]) :].mean() > 0.9
    assert scene.water.mask[: int(0.4 * scene.depth.shape[0])].max() == 0


def test_a_grey_plain_without_foam_is_no_sea_in_a_storm(analyser: SceneAnalyser) -> None:
    picture, canvas = photo("sea_storm")
    share = np.clip(np.linspace(-6, 4, len(picture)), 0, 1)[:, None, None]
    smooth = cv2.GaussianBlur(picture, (0, 0), 0.006 * len(picture))
    plain = np.clip(picture + share * (smooth.astype(np.float32) - picture), 0, 255).astype(np.uint8)
    assert analyser.analyse(plain, canvas).facts.water_trust < 0.4


@pytest.mark.parametrize("name", ["city_day", "dahlia", "antelope", "portrait_barkla", "sunset_hills"])
def test_no_water_is_trusted_where_there_is_none(analyser: SceneAnalyser, name: str) -> None:
    assert analyse(analyser, name).facts.water_trust < 0.3


def test_a_river_between_quays_is_found_from_its_banks_down(analyser: SceneAnalyser) -> None:
    scene = analyse(analyser, "city_river")
    h, w = scene.depth.shape
    assert scene.facts.water_trust > 0.5
    assert scene.waterline / h == pytest.approx(0.59, abs=0.03)
    assert scene.water.mask[int(0.7 * h) :].mean() > 0.9
    assert scene.water.mask[: int(0.55 * h)].max() < 0.05  # neither towers nor quays
    pier = scene.water.mask[int(0.58 * h) : int(0.61 * h), int(0.3 * w) : int(0.4 * w)]
    assert pier.mean() < 0.2  # it stands out into the river
    # What mirrors the sky is smoother than what mirrors walls, and yet no beach.
    assert find_sand(scene.rgb, scene.water.mask, scene.sky.mask, scene.waterline).mean() < 0.005


@pytest.mark.parametrize("name", ["city_day", "city_night", "car", "hangar_shuttle", "wine_room", "meadow_trees"])
def test_nothing_else_mirrors_what_stands_above_it(name: str) -> None:
    picture, canvas = photo(name)
    rgb = fit(picture, canvas.width, canvas.height)
    assert find_quayside(extract_features(rgb, np.zeros(rgb.shape[:2], np.float32), drawn=0.0))[1] < 0.1


def test_the_backdrop_of_a_studio_is_no_sky_and_a_blue_sky_behind_a_person_is(analyser: SceneAnalyser) -> None:
    picture, canvas = photo("astronaut")
    rgb = fit(picture, canvas.width, canvas.height)
    faces = FaceFinder().find(rgb)
    scene = analyser.analyse(picture, canvas, faces=faces)
    assert scene.facts.sky_trust < 0.3
    wall = (scene.sky.mask * (1 - scene.matte.mask))[..., None]
    blue = np.rint(rgb + wall * (np.array((120, 165, 225)) - rgb)).astype(np.uint8)
    assert analyser.analyse(blue, canvas, faces=faces).facts.sky_trust > 0.5


def test_a_flower_and_an_animal_are_cut_out_and_a_city_is_not(analyser: SceneAnalyser) -> None:
    flower, animal, city = (analyse(analyser, name) for name in ("dahlia", "antelope", "city_day"))
    assert flower.matte.trust > 0.9 and animal.matte.trust > 0.7
    assert city.matte.trust < 0.3
    h, w = flower.matte.mask.shape
    assert flower.matte.mask[h // 2, w // 2] == 1  # solid inside
    assert flower.matte.mask[: h // 10].max() == 0
    assert flower.facts.subject_x == pytest.approx(0.48, abs=0.05)


def test_the_sun_and_the_clouds_are_not_part_of_the_cat(analyser: SceneAnalyser) -> None:
    scene = analyse(analyser, "drawing_cat")
    assert scene.matte.mask[: int(0.4 * scene.depth.shape[0])].max() < 0.05


def test_in_a_flat_drawing_sea_and_sky_are_found_but_left_alone(analyser: SceneAnalyser) -> None:
    scene = analyse(analyser, "drawing_cat")
    h = scene.depth.shape[0]
    assert scene.sky.mask[: int(0.25 * h)].mean() > 0.9 and scene.water.mask.mean() > 0.1
    assert scene.facts.sky_trust < 0.5 and scene.facts.water_trust < 0.5  # flat shapes must not move as vapour does


def test_a_slanted_edge_at_the_border_may_not_be_mirrored(analyser: SceneAnalyser) -> None:
    plain = np.full((200, 300, 3), 90, np.uint8)
    assert judge_borders(plain) == Borders()
    wedge = plain.copy()
    rows, columns = np.mgrid[:200, :300]
    wedge[(columns > 200) & (rows - 100 > 0.6 * (columns - 250))] = (220, 40, 20)  # leaves through the right border
    level = plain.copy()
    level[120:, :] = (220, 40, 20)  # meets both sides at right angles
    assert judge_borders(wedge).right < 0.2 and judge_borders(wedge).left == 1 and judge_borders(wedge).top == 1
    assert judge_borders(level).right > 0.9 and judge_borders(level).left > 0.9


def test_a_plain_surface_has_nothing_to_trust(analyser: SceneAnalyser) -> None:
    scene = analyser.analyse(np.full((480, 640, 3), 128, np.uint8), Canvas(320, 240, 97))
    for region in (scene.matte, scene.sky, scene.water, scene.plants, scene.fire):
        assert region.trust < 0.5


def test_a_portrait_is_a_person_before_a_wall(analyser: SceneAnalyser) -> None:
    picture, canvas = photo("portrait_barkla")
    faces = FaceFinder().find(fit(picture, canvas.width, canvas.height))
    scene = analyser.analyse(picture, canvas, faces=faces)
    facts = scene.facts
    assert len(facts.faces) == 1 and facts.grey
    assert facts.sky_trust < 0.5 and facts.water_trust < 0.5 and facts.plants_trust < 0.5 and facts.fire_trust < 0.5
    h, w = scene.depth.shape
    assert scene.depth[int(facts.faces[0].y * h), int(facts.faces[0].x * w)] > scene.depth[int(0.3 * h), w - 4] + 0.2


def test_the_sky_is_far_and_the_subject_is_near(analyser: SceneAnalyser) -> None:
    scene = analyse(analyser, "antelope")
    subject, sky = scene.matte.mask > 0.9, scene.sky.mask > 0.9
    assert float(scene.depth[subject].mean()) > float(scene.depth[sky].mean()) + 0.3


def test_towers_stand_as_cards_side_by_side_so_that_their_lines_stay_upright(analyser: SceneAnalyser) -> None:
    depth = analyse(analyser, "city_day").depth[60:-60, 60:-60]  # the blur flattens the outermost rows
    columns = depth - depth.mean(axis=0)
    assert np.abs(columns - columns.mean(axis=1, keepdims=True)).max() < 0.001  # all lean alike, if at all
    lean = columns.mean(axis=1)
    straight = np.polyval(np.polyfit(np.arange(len(lean)), lean, 1), np.arange(len(lean)))
    assert np.abs(lean - straight).max() < 0.01
    # Side by side the nearness changes slowly: a flat front is not broken.
    assert np.abs(np.diff(depth.mean(axis=0))).max() * depth.shape[1] < 6


def test_analysing_twice_gives_the_same_scene(analyser: SceneAnalyser) -> None:
    one, other = analyse(analyser, "waves_sunset"), analyse(analyser, "waves_sunset")
    assert one.facts == other.facts
    assert np.array_equal(one.depth, other.depth) and np.array_equal(one.matte.mask, other.matte.mask)


def box(scene: Scene, left: float, top: float, right: float, bottom: float) -> float:
    """How much of a box, given in shares of the picture, is plants."""
    h, w = scene.plants.mask.shape
    return float(scene.plants.mask[int(top * h) : int(bottom * h), int(left * w) : int(right * w)].mean())


def test_grass_reeds_and_leaves_are_plants_green_or_not(analyser: SceneAnalyser) -> None:
    reeds, grass, meadow, leaves = (analyse(analyser, n) for n in ("reeds", "dune_grass", "meadow_trees", "leaves"))
    for scene in (reeds, grass, meadow, leaves):
        assert scene.facts.plants_trust > 0.5
    assert box(reeds, 0.0, 0.65, 0.3, 1.0) > 0.7  # ochre reeds
    assert box(reeds, 0.0, 0.0, 1.0, 0.25) < 0.02 and box(reeds, 0.7, 0.7, 1.0, 1.0) < 0.3  # sky and water
    assert box(grass, 0.0, 0.8, 1.0, 1.0) > 0.8 and box(grass, 0.0, 0.0, 1.0, 0.5) < 0.02
    assert box(meadow, 0.0, 0.8, 1.0, 1.0) > 0.9 and box(meadow, 0.0, 0.0, 1.0, 0.3) < 0.05
    assert box(leaves, 0.2, 0.7, 0.9, 1.0) > 0.35 and box(leaves, 0.0, 0.05, 0.1, 0.3) < 0.1


@pytest.mark.parametrize("name", ["city_day", "waves_sunset", "sea_falls", "mountain_lake", "portrait_barkla"])
def test_no_plants_are_trusted_where_there_are_none(analyser: SceneAnalyser, name: str) -> None:
    assert analyse(analyser, name).facts.plants_trust < 0.3


def test_the_animal_on_the_grass_is_no_plant(analyser: SceneAnalyser) -> None:
    scene = analyse(analyser, "antelope")
    assert scene.facts.plants_trust > 0.5
    assert scene.plants.mask[scene.matte.mask > 0.9].mean() < 0.05


def test_the_table_and_the_room_behind_a_dish_are_neither_water_nor_sky(analyser: SceneAnalyser) -> None:
    dish = analyse(analyser, "pancakes")
    assert dish.water.trust < 0.3 and dish.sky.trust < 0.3
    cliffs, bird = analyse(analyser, "sea_cliffs"), analyse(analyser, "parrot")
    assert cliffs.sky.trust > 0.8 and bird.sky.trust > 0.5  # bright skies behind what is near
