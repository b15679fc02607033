"""Things on their way: they go where they are sent, whole, take shadow and reflection along, and leave no ghost."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
import pytest

from support.timelines import still
from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.frame.renderer import Renderer
from vivant.engines.diorama.motion.frame.travelling import Travelling
from vivant.engines.diorama.scene.colour import make_source
from vivant.engines.diorama.scene.named import describe_thing
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import PictureFacts, Shot, Storyboard, Thing, Travel
from vivant.engines.diorama.timing.travel import TravelCurves, make_travels
from vivant.media import F32, U8, Planes

W, H = 640, 360
FRAMES: Final = 97
SKY, SEA = (120, 150, 200), (40, 80, 120)


def region(mask: object, trust: float = 1.0) -> Region:
    return Region(np.asarray(mask, np.float32) * np.ones((H, W), np.float32), trust)


def scene_of(rgb: U8, **regions: Region) -> Scene:
    """A scene with these regions; what is not named is not there."""
    found: dict[str, Any] = {
        name: regions.get(name, region(0, 0.0)) for name in ("matte", "sky", "water", "plants", "fire")
    }
    rows = np.linspace(0, 1, H, dtype=np.float32)[:, None]
    return Scene(
        rgb=rgb,
        source=make_source(rgb),
        depth=rows * np.ones((1, W), np.float32),
        horizon=180.0,
        waterline=200.0,
        facts=PictureFacts(),
        **found,
    )


def grain(picture: U8, seed: int = 1) -> U8:
    noise = np.random.Generator(np.random.Philox(key=seed)).normal(0, 3, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def picture_with(mask: F32, colour: tuple[int, int, int], *, mirrored: bool = False) -> U8:
    """Sky over water from row 200 on, with a thing of that mask."""
    picture = np.empty((H, W, 3), np.uint8)
    picture[:200], picture[200:] = SKY, SEA
    picture = grain(picture)
    striped = np.where((np.arange(H)[:, None, None] // 6) % 2, colour, np.array(colour) * (5 if mirrored else 8) // 10)
    thing = np.where(mask[..., None] > 0.5, striped, picture)
    if mirrored:
        foot = int(np.flatnonzero((mask > 0.5).any(axis=1))[-1]) + 1
        below = min(60, H - foot)
        image, there = thing[foot - below : foot][::-1], mask[foot - below : foot][::-1, :, None] > 0.5
        thing[foot : foot + below] = np.where(
            there, 0.5 * image + 0.5 * thing[foot : foot + below], thing[foot : foot + below]
        )
    return thing.astype(np.uint8)


def hull() -> F32:
    """A hull with a sail and a thin mast, its foot at row 250."""
    mask = np.zeros((H, W), np.uint8)
    cv2.fillPoly(mask, [np.array([(300, 225), (380, 225), (365, 250), (315, 250)])], 1)
    cv2.fillPoly(mask, [np.array([(342, 150), (342, 220), (375, 220)])], 1)
    cv2.line(mask, (340, 140), (340, 226), 1, 2)
    return mask.astype(np.float32)


def shown(picture: U8, mask: F32, travel: Travel, **regions: Region) -> tuple[Scene, Any]:
    """The scene, and a renderer that shows only this travel before a camera at rest."""
    scene = scene_of(picture, **regions)
    thing = region(mask)
    board = Storyboard(
        width=W, height=H, frames=FRAMES, seed=3, language="en", audio=False, camera_fixed=True, morph=False,
        shots=(Shot(start=0, end=FRAMES, moves=()),), travels=(travel,),
    )  # fmt: skip
    facts = PictureFacts(things=(describe_thing(scene, travel.thing, thing),), horizon=0.5)
    (curves,) = make_travels(board, facts)
    travelling = Travelling(scene, [(thing, curves)], seed=3)
    return scene, Renderer(travelling.scene, still(FRAMES), board, travelling=travelling)


def difference(a: Planes, b: Planes) -> F32:
    return filters.blur(np.abs(a.y.astype(np.float32) - b.y), 1.5)


def middle(frame: Planes, empty: Planes) -> tuple[float, float, int]:
    """Where the thing is (x, y) and how many pixels it covers, against a frame without it."""
    there = difference(frame, empty) > 14
    rows, columns = np.nonzero(there)
    return float(columns.mean()), float(rows.mean()), int(there.sum())


SEA_MASK: Final = region(np.repeat((np.arange(H) >= 200).astype(np.float32)[:, None], W, axis=1))


def test_frame_0_is_the_picture_and_a_boat_then_sails_left_on_its_line() -> None:
    boat = Travel(thing=Thing(kind="boat"), kind="go", direction="left")
    scene, renderer = shown(picture_with(hull(), (200, 60, 40)), hull(), boat, water=SEA_MASK)
    assert np.array_equal(renderer.frame(0).y, scene.source.planes.y)
    empty = to_empty()
    places = [middle(renderer.frame(n), empty) for n in (1, 24, 48, 72, 96)]
    xs, ys = [place[0] for place in places], [place[1] for place in places]
    per_frame = np.diff(xs) / np.diff([1, 24, 48, 72, 96])
    assert (per_frame < -0.5).all() and per_frame[1:].max() < -1.0  # at least a pixel per frame at 640 px
    assert abs(per_frame[2] - per_frame[3]) < 0.3  # no jump in speed
    assert np.ptp(ys) < 5  # it bobs, and stays on its line


def to_empty() -> Planes:
    picture = np.empty((H, W, 3), np.uint8)
    picture[:200], picture[200:] = SKY, SEA
    return scene_of(grain(picture)).source.planes


def test_it_stays_whole_and_leaves_nothing_behind() -> None:
    boat = Travel(thing=Thing(kind="boat"), kind="go", direction="left", speed="fast", leaves=True)
    _, renderer = shown(picture_with(hull(), (250, 240, 225)), hull(), boat, water=SEA_MASK)
    empty = to_empty()
    first, last = renderer.frame(1), renderer.frame(60)
    there = (difference(last, empty) > 14).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(there, connectivity=8)
    assert stats[1:, cv2.CC_STAT_AREA].max() > 0.95 * there.sum() and count >= 2  # mast, sail and hull in one piece
    assert middle(last, empty)[2] == pytest.approx(middle(first, empty)[2], rel=0.12)
    left_behind = difference(last, empty)[130:260, 330:400]
    assert left_behind.mean() < 4  # grain against completed grain, and no ghost


def test_it_is_as_sharp_as_in_the_picture() -> None:
    boat = Travel(thing=Thing(kind="boat"), kind="go", direction="left", leaves=True)
    _, renderer = shown(picture_with(hull(), (200, 60, 40)), hull(), boat, water=SEA_MASK)

    def detail(frame: Planes) -> float:
        return float(cv2.Laplacian(frame.y.astype(np.float32), cv2.CV_32F)[130:260].std())

    assert detail(renderer.frame(60)) > 0.8 * detail(renderer.frame(0))


def test_a_reflection_goes_along() -> None:
    boat = Travel(thing=Thing(kind="boat"), kind="go", direction="left", speed="fast", leaves=True)
    picture = picture_with(hull(), (220, 90, 60), mirrored=True)
    _, renderer = shown(picture, hull(), boat, water=SEA_MASK)
    empty = to_empty()
    below = difference(renderer.frame(60), empty)[256:300]
    columns = np.nonzero(below.max(axis=0) > 14)[0]
    xs = np.nonzero(difference(renderer.frame(60), empty)[140:250].max(axis=0) > 14)[0]
    assert len(columns) > 20 and abs(columns.mean() - xs.mean()) < 15
    assert columns.max() < 330  # where it was, is water


def test_a_car_takes_its_shadow_along_and_grows_smaller_as_it_goes_away() -> None:
    mask = np.zeros((H, W), np.float32)
    mask[230:280, 420:520] = 1
    picture = picture_with(mask, (200, 40, 40))
    picture[281:290, 415:525] = picture[281:290, 415:525] // 2
    car = Travel(thing=Thing(kind="car"), kind="recede", leaves=True)
    _, renderer = shown(picture, mask, car)
    empty = to_empty()
    x0, y0, area0 = middle(renderer.frame(1), empty)
    x1, y1, area1 = middle(renderer.frame(96), empty)
    assert area1 < 0.5 * area0 and y1 < y0 - 15 and x1 < x0
    assert difference(renderer.frame(96), empty)[281:292, 415:525].mean() < 6  # the shadow is gone from there


def test_the_rest_keeps_still() -> None:
    boat = Travel(thing=Thing(kind="boat"), kind="go", direction="left")
    scene, renderer = shown(picture_with(hull(), (200, 60, 40)), hull(), boat, water=SEA_MASK)
    for n in (12, 60, 96):
        frame = renderer.frame(n)
        assert np.array_equal(frame.y[:, 420:], scene.source.planes.y[:, 420:])
        assert np.array_equal(frame.y[:120], scene.source.planes.y[:120])


def test_what_stands_in_front_hides_what_passes_behind_it() -> None:
    picture = picture_with(hull(), (200, 60, 40))
    post = np.zeros((H, W), np.float32)
    post[60:350, 220:260] = 1
    picture[post > 0.5] = (20, 20, 20)
    boat = Travel(thing=Thing(kind="boat"), kind="go", direction="left", speed="fast", leaves=True)
    scene, renderer = shown(picture, hull(), boat, water=SEA_MASK, matte=region(post))
    for n in range(30, 97, 12):
        assert (
            np.abs(renderer.frame(n).y[150:250, 226:254].astype(int) - scene.source.planes.y[150:250, 226:254]).max()
            < 3
        )


def test_a_flock_flies_bird_by_bird() -> None:
    mask = np.zeros((H, W), np.float32)
    for k in range(7):
        cv2.ellipse(mask, (80 + 45 * k, 60 + 17 * (k % 3)), (9, 3), 0, 0, 360, 1, -1)
    birds = Travel(thing=Thing(kind="bird", several=True), kind="go", direction="right", leaves=True)
    picture = picture_with(mask, (20, 20, 20))
    _, renderer = shown(picture, mask, birds)
    empty = to_empty()
    early, late = (difference(renderer.frame(n), empty)[:200] > 10 for n in (1, 72))
    assert cv2.connectedComponents(late.astype(np.uint8))[0] - 1 >= 5
    assert np.nonzero(late)[1].mean() > np.nonzero(early)[1].mean() + 50
    spread = [np.nonzero(part)[1].std() for part in (early, late)]
    assert spread[0] != pytest.approx(spread[1], abs=2)  # each at its own pace


def test_a_rocket_rises_on_a_flame_and_leaves_smoke_on_its_pad() -> None:
    mask = np.zeros((H, W), np.float32)
    mask[150:300, 305:335] = 1
    rocket = Travel(thing=Thing(kind="rocket"), kind="rise", leaves=True)
    scene, renderer = shown(picture_with(mask, (220, 220, 225)), mask, rocket)
    assert np.array_equal(renderer.frame(0).y, scene.source.planes.y)
    empty = to_empty()
    late = renderer.frame(60)
    there = np.nonzero((difference(late, empty)[:, 315:325] > 60).any(axis=1))[0]
    assert there[0] < 150 - 40  # it has risen, ever faster
    way = [np.nonzero((difference(renderer.frame(n), empty)[:, 315:325] > 60).any(axis=1))[0][0] for n in (20, 40, 60)]
    assert way[1] - way[2] > way[0] - way[1] > 10
    foot = 300 - (150 - there[0])
    flame = late.y[foot + 8 : foot + 40, 316:324]
    assert flame.mean() > 200 and late.v[(foot + 8) // 2 : (foot + 40) // 2, 158:162].mean() > 135  # bright and warm
    pad = difference(late, empty)[275:300]
    assert pad[:, 230:410].mean() > 12 and pad[:, :60].max() < 6  # smoke about the pad, none far from it


def test_every_kind_of_way_begins_at_the_thing_and_has_no_jump() -> None:
    scene = scene_of(picture_with(hull(), (200, 60, 40)), water=SEA_MASK)
    for kind in ("go", "rise", "fall", "take_off", "approach", "recede", "turn", "bob", "shake"):
        for thing in ("boat", "car", "plane", "balloon", "rocket", "bird", "fish"):
            travel = Travel(thing=Thing(kind=thing), kind=kind)
            board = Storyboard(
                width=W, height=H, frames=FRAMES, seed=3, language="en", audio=False, camera_fixed=True, morph=False,
                shots=(Shot(start=0, end=FRAMES, moves=()),), travels=(travel,),
            )  # fmt: skip
            facts = PictureFacts(things=(describe_thing(scene, travel.thing, region(hull())),))
            (curves,) = make_travels(board, facts)
            assert_smooth(curves, shakes=kind == "shake" or thing == "rocket")


def assert_smooth(curves: TravelCurves, *, shakes: bool) -> None:
    for values, home in ((curves.x * W, 0.0), (curves.y * H, 0.0), (curves.scale, 1.0), (curves.angle, 0.0)):
        assert values[0] == home
        assert np.abs(np.diff(values)).max() < 12
    pixels = np.stack([curves.x * W, curves.y * H, curves.scale * 80, curves.angle * 80])
    assert np.abs(np.diff(pixels, n=2)).max() < (5 if shakes else 1.5)  # no jump in speed


def test_a_boat_that_nothing_is_asked_of_rocks_in_every_quarter_and_alone() -> None:
    boat = Travel(thing=Thing(kind="boat"), kind="bob", strength=0.4, origin="picture")
    scene, renderer = shown(picture_with(hull(), (250, 240, 225)), hull(), boat, water=SEA_MASK)
    near = cv2.dilate(hull(), np.ones((41, 41), np.uint8)) > 0
    assert np.array_equal(renderer.frame(0).y, scene.source.planes.y)
    for first in range(0, FRAMES - 24, 24):
        one, other = renderer.frame(first + 2), renderer.frame(first + 20)
        moved = np.abs(one.y.astype(np.float32) - other.y.astype(np.float32))
        assert (moved[near] > 20).sum() > 120  # its outline is elsewhere
        assert moved[~near].max() == 0  # and nothing else is
    places = [middle(renderer.frame(n), to_empty())[:2] for n in range(0, FRAMES, 8)]
    assert np.ptp(places, axis=0).max() < 16  # it rocks where it lies
