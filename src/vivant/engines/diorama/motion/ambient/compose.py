"""Everything that moves by itself in one clip: each motion of the storyboard is built by the function of its kind, and
all are added up frame by frame. Whether a motion may move its region is decided in the script. What it looks like is in
the module of its name; where in the picture it may be, in `places`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol

import cv2
import numpy as np

from vivant.engines.diorama.motion.ambient import cloud_sea, drapery, falloff, falls, fire, fur, hair, river, swell
from vivant.engines.diorama.motion.ambient.air import Air, final_share, flow_in_time, limit_to_time, make_air
from vivant.engines.diorama.motion.ambient.blaze import Blaze
from vivant.engines.diorama.motion.ambient.bubbles import Bubbles
from vivant.engines.diorama.motion.ambient.cloth import BlownCloth
from vivant.engines.diorama.motion.ambient.clouds import Clouds
from vivant.engines.diorama.motion.ambient.drifting_light import DriftingLight
from vivant.engines.diorama.motion.ambient.embers import Embers
from vivant.engines.diorama.motion.ambient.firelight import Firelight
from vivant.engines.diorama.motion.ambient.flock import Flock
from vivant.engines.diorama.motion.ambient.gloom import Gloom
from vivant.engines.diorama.motion.ambient.hair import make_strands
from vivant.engines.diorama.motion.ambient.haze import Haze
from vivant.engines.diorama.motion.ambient.hearth import Hearth, find_hearth, light_candle, mark_faces
from vivant.engines.diorama.motion.ambient.leaves import Leaves
from vivant.engines.diorama.motion.ambient.lightning import Lightning
from vivant.engines.diorama.motion.ambient.mirrored_sky import MirroredSky
from vivant.engines.diorama.motion.ambient.mist import Mist
from vivant.engines.diorama.motion.ambient.motes import Dust, Fireflies, Sparkles
from vivant.engines.diorama.motion.ambient.old_film import OldFilm, is_on_film
from vivant.engines.diorama.motion.ambient.places import Places, is_there
from vivant.engines.diorama.motion.ambient.plume import Plume, find_opening, open_over
from vivant.engines.diorama.motion.ambient.rain import Rain
from vivant.engines.diorama.motion.ambient.ripples import Ripples
from vivant.engines.diorama.motion.ambient.settled import SettledSnow, WetGround
from vivant.engines.diorama.motion.ambient.shimmer import Shimmer, bounds_of, over_fire, over_ground
from vivant.engines.diorama.motion.ambient.shown_bolt import ShownBolt, find_bolt
from vivant.engines.diorama.motion.ambient.sky_shade import SkyShade
from vivant.engines.diorama.motion.ambient.smoke import Smoke
from vivant.engines.diorama.motion.ambient.snow import Snow, measure_paleness
from vivant.engines.diorama.motion.ambient.snow_sheets import SnowSheets
from vivant.engines.diorama.motion.ambient.stems import measure_stems
from vivant.engines.diorama.motion.ambient.storm_sky import StormSky
from vivant.engines.diorama.motion.ambient.stream import Current, Stream
from vivant.engines.diorama.motion.ambient.surf import Surf
from vivant.engines.diorama.motion.ambient.sway import Sway
from vivant.engines.diorama.motion.ambient.water import Water
from vivant.engines.diorama.motion.ambient.window_drops import WindowDrops
from vivant.engines.diorama.motion.fields import (
    Ambient,
    ArrivingSky,
    Drapery,
    Drift,
    Field,
    FieldSum,
    Flow,
    Sheet,
    average_quarter,
)
from vivant.engines.diorama.scene.backdrop import Backdrop
from vivant.engines.diorama.scene.hang import hang
from vivant.engines.diorama.scene.matte import CUT_OUT_FROM
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.scene.sea import ROUGH
from vivant.engines.diorama.storyboard import TRUSTED, Motion, MotionKind, Storyboard, Thing
from vivant.engines.diorama.timing.envelope import make_envelope
from vivant.engines.diorama.timing.timeline import Timeline
from vivant.engines.diorama.timing.wind import make_wind
from vivant.media import F32, Planes
from vivant.request import FPS

_DARKEST: Final = np.float32(0.25)  # gain that can be taken back on the way to a last picture
_BROODS: Final = 0.4  # strength of the shade that drifts over a sky with lightning
_BROODING: Final = 2.2  # how much deeper it is than over a sky by day
_OPEN_WATER: Final = np.float32(0.35)  # share of a lake that counts as sky for light that drifts
_BLIZZARD: Final = 0.75  # of snow, from which the wind drives it in sheets


class Displacement(Protocol):
    """What moves in the picture itself: adds its displacement and light at frame n."""

    def add(self, n: int, out: FieldSum) -> None: ...


class Overlay(Protocol):
    """What is in front of the camera: draws itself over frame n, in place."""

    def draw(self, n: int, frame: Planes) -> None: ...


class Sheeted(Protocol):
    """What glows or veils in the picture's own space."""

    def sheets(self, n: int) -> tuple[Sheet, ...]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What one motion consists of; nothing where the picture has no place for it."""

    displacements: tuple[Displacement, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    sheeted: tuple[Sheeted, ...] = ()
    currents: tuple[Current, ...] = ()
    sky: tuple[Backdrop, Clouds] | None = None
    worn: tuple[Displacement, ...] = ()  # on the subject alone


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """What a motion of a clip is built from."""

    air: Air  # for what appears and swells in the motion's time
    flow: Air  # for what sets off and stops in it
    scene: Scene
    places: Places
    timeline: Timeline
    hearth: Hearth | None  # of a fire that the picture does not show
    bolt: ShownBolt | None  # that the picture shows, where lightning is asked for
    falling: Motion | None  # the first of "water" and "falls": it alone makes water fall, though both may be there


def compose(
    scene: Scene, storyboard: Storyboard, timeline: Timeline, find: Callable[[Thing], Region] | None = None
) -> Ambient:
    """The sum of all motions of the storyboard in this scene. find: where a thing is that the prompt names."""
    falling = next((m for m in storyboard.motions if m.kind in ("water", "falls") and m.has_region), None)
    air = make_air(scene, storyboard, timeline)
    cuts = {shot.start for shot in storyboard.shots if shot.cut}

    def in_time(motion: Motion) -> Air:
        return limit_to_time(air, make_envelope(motion, timeline.frames, cuts))

    whole = scene.rgb
    draped = drapery.drape(scene, storyboard.motions, in_time, find)
    if draped is not None:
        scene = draped.behind  # the sky goes on behind a flag
    falls_named = any(m.kind == "falls" for m in storyboard.motions)
    places = Places(scene, find=find, falls_named=falls_named, whole=whole)
    hearth, bolt = _find_new_hearth(storyboard, places), _find_shown_bolt(scene, storyboard)
    setting = Setting(air, air, scene, places, timeline, hearth, bolt, falling)
    parts = []
    for motion in storyboard.motions:
        there = make_envelope(motion, timeline.frames, cuts)
        # Strokes have their times already.
        timed = motion.kind != "lightning" and there.min() < 1
        own = replace(setting, air=limit_to_time(air, there), flow=flow_in_time(air, there)) if timed else setting
        parts.append(_BUILDERS[motion.kind](own, motion))
    shares = zip(storyboard.lights, timeline.lights, strict=True)
    film = next(((light, share) for light, share in shares if is_on_film(light)), None)
    if film is not None:
        light, share = film
        old = OldFilm(storyboard.width, storyboard.height, storyboard.seed, share, light.strength)
        parts.append(Parts(overlays=(old,)))
    return _Composition(air, parts, draped, arrives=storyboard.morph)


def compose_arriving_sky(
    last: Scene, storyboard: Storyboard, timeline: Timeline, first: Backdrop
) -> ArrivingSky | None:
    """The drift of the sky of a given last picture, which ends as that shows it and is as fast as that of the first;
    None where none is seen to drift."""
    motion = next((m for m in storyboard.motions if m.kind == "clouds" and m.has_region), None)
    places = Places(last)
    if motion is None or not is_there(last.sky) or not places.shows_clouds or places.backdrop is None:
        return None
    air = make_air(last, storyboard, timeline)
    clouds = Clouds(air, places.backdrop, motion.strength, motion.direction, rigid=places.is_drawn, arrives_from=first)
    return ArrivingSky(places.backdrop, clouds.drift)


class _Composition:
    """Implements Ambient."""

    def __init__(self, air: Air, parts: list[Parts], draped: Drapery | None, *, arrives: bool) -> None:
        """arrives: at a given last picture, in which nothing is displaced."""
        self._width, self._height, self._frames = air.width, air.height, air.frames
        self._displacements = tuple(each for part in parts for each in part.displacements)
        self._overlays = tuple(each for part in parts for each in part.overlays)
        self._sheeted = tuple(each for part in parts for each in part.sheeted)
        currents = [each for part in parts for each in part.currents]
        self._stream = Stream(air, currents) if currents else None
        sky = next((part.sky for part in parts if part.sky), None)
        self.backdrop: Backdrop | None = sky[0] if sky else None
        self._clouds: Clouds | None = sky[1] if sky else None
        self._worn = tuple(each for part in parts for each in part.worn)
        self.drapery = draped
        self._end = self._sum(self._displacements, self._frames - 1) if arrives else None
        self._worn_end = self._sum(self._worn, self._frames - 1) if arrives else None

    def field(self, n: int) -> Field | None:
        return None if n == 0 else self._arrive(self._sum(self._displacements, n), self._end, n)

    def worn(self, n: int) -> Field | None:
        return None if n == 0 else self._arrive(self._sum(self._worn, n), self._worn_end, n)

    def _sum(self, displacements: tuple[Displacement, ...], n: int) -> Field | None:
        if not displacements:
            return None
        total = FieldSum.zero(self._width, self._height)
        for displacement in displacements:
            displacement.add(n, total)
        return total.field()

    def _arrive(self, moved: Field | None, end: Field | None, n: int) -> Field | None:
        """What is displaced, less a growing share of what it would be at the end."""
        share = np.float32(final_share(n, self._frames)) if end is not None else np.float32(0)
        if moved is None or end is None or share == 0:
            return moved
        gain = moved.gain
        if gain is not None and end.gain is not None:
            home = 1 + share * (1 / np.maximum(end.gain, _DARKEST) - 1)
            gain = np.asarray(gain * home, np.float32)
        return Field(moved.dx - share * end.dx, moved.dy - share * end.dy, gain)

    def drift(self, n: int) -> Drift | None:
        return None if self._clouds is None else self._clouds.drift(n)

    def flow(self, n: int) -> Flow | None:
        return None if self._stream is None else self._stream.flow(n)

    def sheets(self, n: int) -> tuple[Sheet, ...]:
        return tuple(sheet for each in self._sheeted for sheet in each.sheets(n)) if n else ()

    def overlay(self, n: int, frame: Planes) -> None:
        for overlay in self._overlays:
            overlay.draw(n, frame)


def _rain(setting: Setting, motion: Motion) -> Parts:
    grey = 0.55 * setting.air.bright + 0.45 * setting.air.middle
    # By night nothing lights the air: what was dark stays so.
    day = float(np.clip((setting.air.middle - 45) / 60, 0.25, 1))
    haze = Haze(
        setting.air, setting.scene.depth, 0.05 * day * motion.strength, day * (0.06 + 0.26 * motion.strength), grey
    )
    wet = average_quarter(setting.places.water) * motion.has_region
    ground = average_quarter(setting.places.ground)
    ripples = Ripples(setting.air, wet, ground, setting.scene.horizon, motion.strength)
    on_glass = motion.look == "glass"
    # Through a window rain is seen from farther off.
    drops = Rain(setting.air, (0.4 if on_glass else 1.0) * motion.strength, setting.places.occluder(), haze)
    puddles = WetGround(
        setting.air, average_quarter(setting.places.even_ground), setting.scene.horizon, motion.strength
    )
    panes = (WindowDrops(setting.air, motion.strength),) if on_glass else ()
    return Parts(sheeted=() if setting.places.is_drawn else (puddles,), overlays=(ripples, drops, *panes))


def _snow(setting: Setting, motion: Motion) -> Parts:
    white = min(225.0, 0.8 * setting.air.bright + 35)
    # Before white ground and sky flakes are seen only as the light goes: clouds hide the sun while it snows.
    pale = measure_paleness(setting.air, motion.strength)
    white -= 62 * pale
    haze = Haze(
        setting.air,
        setting.scene.depth,
        0.03 * motion.strength + 0.22 * pale,
        0.06 + 0.3 * motion.strength + 0.3 * pale,
        white,
    )
    flakes = Snow(setting.air, motion.strength, setting.places.occluder(), haze)
    lying = SettledSnow(setting.air, average_quarter(setting.places.ledges), motion.strength)
    sheets = (SnowSheets(setting.air, motion.strength),) if motion.strength >= _BLIZZARD else ()
    return Parts(sheeted=(lying,), overlays=(*sheets, flakes))


def _water(setting: Setting, motion: Motion) -> Parts:
    """Waves where water lies. Where the picture shows it falling it falls, whether that was asked for or not."""
    scene, places = setting.scene, setting.places
    if not motion.has_region or not is_there(scene.water):
        return Parts()
    falling = _falls(setting, motion)
    if places.runs:
        luma = average_quarter(scene.source.planes.y.astype(np.float32))
        stream = river.make_current(setting.flow, luma, scene.water.mask * (1 - places.subject), motion.strength)
        return replace(falling, currents=(*falling.currents, *_flow(stream).currents))
    if places.lying.max() == 0:
        return falling
    luma = average_quarter(scene.source.planes.y.astype(np.float32))
    rough = places.roughness
    waves = Water(
        setting.air, places.lying, scene.horizon, scene.waterline, motion.strength, luma, rough,
        shine=0.0 if places.is_drawn else 1.0,
    )  # fmt: skip
    standing = average_quarter(1 - scene.sky.mask)
    drift = swell.make_current(setting.flow, places.lying, scene.waterline, motion.strength, rough, luma, standing)
    fronts = [float(event.time) for event in setting.timeline.events if event.kind == "wave"]
    surf = Surf(setting.air, places.water, places.sand, scene.waterline, motion.strength, luma, fronts)
    return Parts(
        displacements=(*falling.displacements, waves, surf), currents=(*falling.currents, *_flow(drift).currents)
    )


def _falls(setting: Setting, motion: Motion) -> Parts:
    if motion is not setting.falling or not is_there(setting.scene.water):
        return Parts()
    luma = setting.scene.source.planes.y
    current = falls.make_current(setting.flow, luma, setting.places.falling, motion.strength)
    if current is None:
        return Parts()
    light = falls.FallingLight(setting.air, current, average_quarter(luma.astype(np.float32)))
    return Parts(displacements=(light,), currents=(current,))


def _clouds(setting: Setting, motion: Motion) -> Parts:
    """Those of the sky, and where clouds are asked for those below that are seen from above."""
    if not motion.has_region or not is_there(setting.scene.sky) or setting.bolt is not None:
        return Parts()
    if motion.origin != "prompt" or setting.places.cloud_cover.max() == 0:
        return _drift(setting, motion)
    current = cloud_sea.make_current(
        setting.flow, setting.places.cloud_cover, setting.scene.waterline, motion.strength, motion.direction
    )
    above = _drift(setting, motion)
    return replace(above, currents=(*above.currents, *_flow(current).currents))


def _drift(setting: Setting, motion: Motion) -> Parts:
    places, scene = setting.places, setting.scene
    luma = average_quarter(scene.source.planes.y.astype(np.float32))
    if not places.shows_clouds:  # if it moved, nothing would be seen but the slip of a border that haze hides
        if motion.origin != "prompt":
            return Parts()
        side = {"left": -1.0, "right": 1.0}.get(motion.direction, setting.flow.side)
        shown = 255 * places.sky if places.backdrop is None else places.backdrop.alpha.astype(np.float32)
        open_ = average_quarter(shown) / np.float32(255)
        return Parts(displacements=(SkyShade(setting.flow, open_, luma, motion.strength, side),))
    backdrop = places.backdrop
    if backdrop is None:
        return Parts()
    clouds = Clouds(setting.flow, backdrop, motion.strength, motion.direction, rigid=places.is_drawn)
    calm = is_there(scene.water) and not places.is_drawn and places.roughness <= ROUGH
    if not calm:
        return Parts(sky=(backdrop, clouds))
    mirrored = MirroredSky(setting.flow, clouds, backdrop, places.lying, luma, scene.waterline)
    return Parts(displacements=(mirrored,) if mirrored.is_there else (), sky=(backdrop, clouds))


def _wind(setting: Setting, motion: Motion) -> Parts:
    if not motion.has_region:
        return Parts()
    return Parts(displacements=(*_plants_in_wind(setting, motion), *_hair_in_wind(setting, motion)))


def _plants_in_wind(setting: Setting, motion: Motion) -> tuple[Displacement, ...]:
    if not is_there(setting.scene.plants):
        return ()
    blossom = motion.origin == "prompt" and setting.places.is_flower
    plants = setting.places.plants(with_blossom=blossom)
    if plants.weight.max() == 0:
        return ()
    pressed = 0.9 * min(1.0, max(0.0, 2.4 * motion.strength - 1.2))  # none in a usual wind, most of it in a strong one
    stems = measure_stems(setting.scene.source.planes.y, plants.inside, setting.air.scale, pressed)
    glint = 0.0 if setting.places.is_drawn else 1.0  # flat colours have no leaves to turn
    return (Sway(setting.air, plants, stems, setting.places.nearness, motion.strength, glint),)


def _hair_in_wind(setting: Setting, motion: Motion) -> tuple[Displacement, ...]:
    scene = setting.scene
    if not scene.faces or scene.hair is None or scene.hair.trust < TRUSTED or not is_there(scene.hair):
        return ()
    strands, stems = make_strands(scene, scene.hair, setting.air.scale)
    if strands.weight.max() == 0:
        return ()
    here = np.ones_like(strands.weight)
    strength = min(motion.strength, hair.STRONGEST)
    return (Sway(setting.air, strands, stems, here, strength, 0.5, fastest=hair.SPEED, tough=hair.TOUGH),)


def _clothes(setting: Setting, motion: Motion) -> Parts:
    """They move with the one who wears them."""
    scene, air = setting.scene, setting.air
    region = setting.places.find_cloth(motion.thing)
    hung = None if region is None else hang(scene, region, motion.kind)
    if region is None or hung is None:
        return Parts()
    inside = average_quarter(region.mask)
    if scene.matte.trust >= CUT_OUT_FROM:  # their outline moves before what is completed behind it
        weight = drapery.spread(inside, average_quarter(scene.matte.mask))
    else:
        weight = falloff.weigh_with_rim(
            region.mask, scene.source.planes.y, scene.matte.mask * (region.mask < 0.02),
            np.clip(scene.sky.mask * scene.sky.trust, 0, 1), reach=30 * air.scale, ramp=8 * air.scale,
        )  # fmt: skip
    weight = drapery.hold(weight, scene)
    if weight.max() == 0:
        return Parts()
    return Parts(worn=(BlownCloth(air, hung, weight, inside, motion.kind, motion.strength),))


def _fur(setting: Setting, motion: Motion) -> Parts:
    region = setting.places.find_cloth(motion.thing)
    if region is None:
        return Parts()
    coat, stems = fur.make_coat(setting.scene, region, setting.air.scale)
    if coat.weight.max() == 0:
        return Parts()
    here = np.ones_like(coat.weight)
    # "The mane sways" asks for no wind; what is asked to move is blown all the same.
    blows = make_wind(setting.air.seed, setting.air.frames, motion.strength)
    wind = setting.air.side * np.maximum(np.abs(setting.air.wind), blows)
    air = replace(setting.air, wind=wind.astype(np.float32))
    sway = Sway(air, coat, stems, here, motion.strength, 0.5, fastest=fur.SPEED, tough=fur.TOUGH)
    return Parts(worn=(sway,))


def _drawn_apart(setting: Setting, motion: Motion) -> Parts:
    """Flags, sails and curtains: see `drapery.drape`."""
    return Parts()


def _fire(setting: Setting, motion: Motion) -> Parts:
    mask = setting.scene.fire.mask
    if setting.hearth is not None or not motion.has_region or not is_there(setting.scene.fire):
        return _new_fire(setting, motion)
    flames = fire.Flames(setting.air, mask, setting.timeline.flicker, motion.strength)
    current = fire.make_current(setting.flow, mask, motion.strength)
    top, bottom, *_ = bounds = bounds_of(mask)
    hot = _shimmer(setting, over_fire(bounds, max(8.0, bottom - top), mask.shape), motion.strength)
    return Parts(displacements=(flames, *hot), currents=_flow(current).currents)


def _find_new_hearth(storyboard: Storyboard, places: Places) -> Hearth | None:
    """Where the fire of the storyboard stands, if the prompt asks for one that the picture does not show."""
    fire = next((m for m in storyboard.motions if m.kind == "fire" and m.origin == "prompt"), None)
    if fire is None:
        return None
    named = places.find_thing(fire.thing)
    shown = fire.has_region and is_there(places.scene.fire)
    if fire.look == "candle":
        return light_candle(places.scene, named) if named is not None and not shown else None
    if (named is None and shown) or (named is None and fire.look != ""):
        return None
    return find_hearth(places.scene, named, storyboard.seed)


def _find_shown_bolt(scene: Scene, storyboard: Storyboard) -> ShownBolt | None:
    """The bolt of the picture, if lightning is asked for. A sky that is to drift would carry it away from its place."""
    kinds = {motion.kind for motion in storyboard.motions if motion.origin == "prompt" and motion.has_region}
    if "lightning" not in kinds or "clouds" in kinds or not is_there(scene.sky):
        return None
    found = find_bolt(scene.source.planes.y, scene.sky.mask)
    return None if found is None else ShownBolt(scene, found)


def _new_fire(setting: Setting, motion: Motion) -> Parts:
    """Flames where the picture shows none, on what the prompt names, with their light and a few embers; or the light of
    a fire that burns beside the picture."""
    air, scene, flicker = setting.air, setting.scene, setting.timeline.flicker
    if motion.origin != "prompt":
        return Parts()
    hearth = setting.hearth
    if hearth is None:
        candle = motion.look == "candle"
        # From the side on which the picture is brighter: a light is there. The flame of a candle is small, but its
        # light flickers no less.
        luma = scene.source.planes.y
        side = float(luma[:, : air.width // 3].mean()) < float(luma[:, -(air.width // 3) :].mean())
        beside = Firelight(
            air, scene, x=(1.04 if side else -0.04) * air.width, y=(0.45 if candle else 1.02) * air.height,
            reach=0.85 * air.height, power=(1.35 if candle else 1.0) * (0.6 + 0.8 * motion.strength),
            flicker=_of_a_candle(flicker, motion.strength) if candle else flicker,
            dims=(0.5 if candle else 0.3) + 0.3 * motion.strength,
        )  # fmt: skip
        return Parts(sheeted=(beside,))
    blaze = Blaze(air, hearth, motion.strength, flicker, scene.source.planes.y.astype(np.float32))
    top, bottom, left, right = hearth.bounds
    light = Firelight(
        air, scene, x=0.5 * (left + right), y=0.5 * (top + bottom) - 0.25 * hearth.tall,
        reach=1.2 * hearth.tall + 0.35 * (right - left), power=1.1 * (0.6 + 0.8 * motion.strength), flicker=flicker,
        # Before a bright picture flames are seen only as the exposure follows them.
        dims=0.2 + 0.2 * motion.strength + 0.3 * float(np.clip((air.bright - 120) / 80, 0, 1)),
    )  # fmt: skip
    if motion.look == "candle":
        return Parts(sheeted=(light, blaze))
    embers = Embers(air, hearth.glowing, 0.12 * motion.strength)
    hot = _shimmer(setting, over_fire(hearth.bounds, hearth.tall, scene.depth.shape), motion.strength)
    return Parts(displacements=hot, sheeted=(light, blaze), overlays=(embers,))


def _of_a_candle(flicker: F32, strength: float) -> F32:
    """The flicker of a room that a candle lights, float32 (frames,), -1..1: a small flame, but it seldom rests."""
    whole = flicker / np.float32(max(0.1, strength))
    around = cv2.GaussianBlur(whole[None], (0, 0), 0.16 * FPS, borderType=cv2.BORDER_REPLICATE)[0]
    # Its quick part more than that of a log: it is that which is felt.
    curve = 0.7 * np.tanh(1.5 * whole + 4.0 * (whole - around))
    return np.asarray(curve * np.minimum(1, np.arange(len(flicker)) / 6), np.float32)


def _shimmer(setting: Setting, where: F32, strength: float) -> tuple[Displacement, ...]:
    """Faces do not waver."""
    spared = average_quarter(mark_faces(setting.scene))
    shimmer = Shimmer(setting.air, np.asarray(where * (1 - spared), np.float32), strength)
    return (shimmer,) if shimmer.is_there else ()


def _heat(setting: Setting, motion: Motion) -> Parts:
    """Over the fire, if there is one; else over the ground."""
    scene = setting.scene
    burns = setting.hearth is not None or (motion.has_region and is_there(scene.fire))
    if burns:  # which brings its own
        return Parts()
    where = over_ground(setting.places.subject, scene.horizon)
    return Parts(displacements=_shimmer(setting, where, motion.strength))


def _fog(setting: Setting, motion: Motion) -> Parts:
    places, planes = setting.places, setting.scene.source.planes
    return Parts(overlays=(Mist(setting.air, places.distance, places.low, planes, motion.strength),))


def _smoke(setting: Setting, motion: Motion) -> Parts:
    named = setting.places.find_thing(motion.thing)
    if named is not None:
        opening = find_opening(named, narrow=motion.look != "steam")
        if opening is not None:
            what: Literal["steam", "smoke"] = "steam" if motion.look == "steam" else "smoke"
            matte = setting.places.subject
            opening = replace(opening, on_subject=float((named * matte).sum()) > 0.5 * float(named.sum()))
            return Parts(sheeted=(Plume(setting.air, opening, what, motion.strength),))
    if setting.hearth is not None and motion.look != "steam":
        return Parts(sheeted=(Plume(setting.air, open_over(setting.hearth), "smoke", motion.strength),))
    luma = min(205.0, 0.5 * setting.air.bright + 0.4 * setting.air.middle + 14) - 22
    where = setting.places.smoke(over_fire=motion.has_region and is_there(setting.scene.fire))
    return Parts(overlays=(Smoke(setting.air, where, luma, motion.strength, rising=0.10, billow=1.0),))


def _lightning(setting: Setting, motion: Motion) -> Parts:
    strikes = [event for event in setting.timeline.events if event.kind == "strike"]
    sky = setting.scene.sky
    if not strikes or not motion.has_region or not is_there(sky):
        return Parts()
    ground = float(np.flatnonzero((sky.mask > 0.5).any(axis=1))[-1])
    shown = setting.bolt
    bolts = Lightning(setting.air, strikes, setting.places.sky, setting.scene.source.planes.y, ground, shown)
    # Between the strikes the sky broods: far flashes, and a shade, as clouds that hold a shown bolt do not drift.
    open_, luma = average_quarter(setting.places.sky), average_quarter(setting.scene.source.planes.y.astype(np.float32))
    shade = SkyShade(setting.flow, open_, luma, _BROODS, setting.air.side, deeper=_BROODING)
    far = StormSky(setting.air, open_, luma, motion.strength, strikes)
    gloom = Gloom(setting.air, open_, luma, strikes)
    return Parts(displacements=(bolts, shade, far, gloom), overlays=(bolts,), sheeted=(bolts,) if shown else ())


def _leaves(setting: Setting, motion: Motion) -> Parts:
    return _falling_blades(setting, motion, "leaves")


def _petals(setting: Setting, motion: Motion) -> Parts:
    return _falling_blades(setting, motion, "confetti" if motion.look == "confetti" else "petals")


def _falling_blades(setting: Setting, motion: Motion, what: Literal["leaves", "petals", "confetti"]) -> Parts:
    tint = setting.places.blossom if what == "petals" else None
    return Parts(overlays=(Leaves(setting.air, what, motion.strength, tint, setting.places.occluder()),))


def _sparks(setting: Setting, motion: Motion) -> Parts:
    if setting.hearth is not None:
        return Parts(overlays=(Embers(setting.air, setting.hearth.glowing, 0.4 * motion.strength),))
    from_fire = motion.has_region and is_there(setting.scene.fire)
    hearth = average_quarter(setting.scene.fire.mask) if from_fire else None
    falls = motion.direction == "down"
    return Parts(overlays=(Embers(setting.air, hearth, motion.strength, falls=falls),))


def _dust(setting: Setting, motion: Motion) -> Parts:
    if motion.look == "sparkles":
        return Parts(overlays=(Sparkles(setting.air, motion.strength),))
    return Parts(overlays=(Dust(setting.air, motion.strength),))


def _fireflies(setting: Setting, motion: Motion) -> Parts:
    return Parts(overlays=(Fireflies(setting.air, motion.strength),))


def _bubbles(setting: Setting, motion: Motion) -> Parts:
    return Parts(overlays=(Bubbles(setting.air, motion.strength),))


def _drifting_light(setting: Setting, motion: Motion) -> Parts:
    places, luma = setting.places, average_quarter(setting.scene.source.planes.y.astype(np.float32))
    # Water lies open under its sky, too, and most of it moves by itself.
    trusted = float(setting.scene.water.trust >= TRUSTED)
    sky = np.maximum(average_quarter(places.sky), np.float32(trusted) * _OPEN_WATER * places.lying)
    # On flat colours the least shade shows.
    strength = motion.strength * (0.5 if setting.scene.facts.drawn > 0 else 1.0)
    return Parts(displacements=(DriftingLight(setting.air, strength, sky, luma),))


def _birds(setting: Setting, motion: Motion) -> Parts:
    """Birds far off, where there is a sky for them."""
    if not motion.has_region or not is_there(setting.scene.sky):
        return Parts()
    luma = average_quarter(setting.scene.source.planes.y.astype(np.float32))
    return Parts(
        overlays=(Flock(setting.air, average_quarter(setting.places.sky), luma, motion.strength, motion.direction),)
    )


def _flow(current: Current | None) -> Parts:
    return Parts() if current is None else Parts(currents=(current,))


_BUILDERS: Final[dict[MotionKind, Callable[[Setting, Motion], Parts]]] = {
    "rain": _rain,
    "snow": _snow,
    "water": _water,
    "falls": _falls,
    "clouds": _clouds,
    "wind": _wind,
    "fire": _fire,
    "smoke": _smoke,
    "fog": _fog,
    "lightning": _lightning,
    "leaves": _leaves,
    "petals": _petals,
    "dust": _dust,
    "sparks": _sparks,
    "fireflies": _fireflies,
    "bubbles": _bubbles,
    "drifting_light": _drifting_light,
    "birds": _birds,
    "heat": _heat,
    "flag": _drawn_apart,
    "sail": _drawn_apart,
    "curtain": _drawn_apart,
    "clothes": _clothes,
    "fur": _fur,
}
