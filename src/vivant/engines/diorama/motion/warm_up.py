"""Compiles every kernel of motion, or loads it from the cache, before the first job, by rendering small artificial
scenes in every way there is. Called by the engine's setup.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import get_args

import cv2
import numpy as np

from vivant.engines.diorama.motion.ambient.compose import compose
from vivant.engines.diorama.motion.fields import (
    STEP,
    Drapery,
    Drift,
    Field,
    Flow,
    Glow,
    Patch,
    Rect,
    Shade,
    Sheet,
    Stars,
    quarter_shape,
)
from vivant.engines.diorama.motion.frame.compositing import composite
from vivant.engines.diorama.motion.frame.illuminate import FrameLight
from vivant.engines.diorama.motion.frame.morph import Alignment, Morph, align
from vivant.engines.diorama.motion.frame.renderer import Renderer
from vivant.engines.diorama.motion.frame.segments import Frames
from vivant.engines.diorama.motion.frame.transition import Arrival, Transition
from vivant.engines.diorama.motion.frame.warp import Grid
from vivant.engines.diorama.motion.light.compose import compose_light
from vivant.engines.diorama.scene.backdrop import Backdrop
from vivant.engines.diorama.scene.colour import make_source
from vivant.engines.diorama.scene.complete import complete
from vivant.engines.diorama.scene.scene import Region, Scene, Source
from vivant.engines.diorama.storyboard import (
    Lighting,
    LightKind,
    Motion,
    MotionKind,
    Move,
    PictureFacts,
    Shot,
    Storyboard,
)
from vivant.engines.diorama.timing.camera import make_camera
from vivant.engines.diorama.timing.curves import CameraCurves
from vivant.engines.diorama.timing.lights import make_lights
from vivant.engines.diorama.timing.timeline import Event, Timeline
from vivant.media import F32, U8, Planes, to_planes

_WIDTH, _HEIGHT, _FRAMES = 256, 160, 9
_BANDS_WIDTH, _BANDS_HEIGHT, _BANDS_FRAMES = 320, 180, 3


def warm_up_frames() -> None:
    """About a tenth of a second when the cache is filled, some seconds the first time ever."""
    scene, other = _disc(0), _disc(2)
    flat = np.zeros(quarter_shape(_HEIGHT, _WIDTH), np.float32)
    warm_up_light()
    for share in (0.4, 1.0):  # a rect inside the picture, and one as wide as it: their memory layouts differ
        ambient = _EvenMotion(scene.source, flat + np.float32(0.3), flat, share)
        for moves in ((Move(kind="orbit"),), (Move(kind="static"),)):
            _film(scene, moves, ambient, None)
    aligned = align(scene.source.planes, other.source.planes)
    _film(scene, (Move(kind="dolly"),), None, other, aligned)
    _film(scene, (Move(kind="dolly"),), None, other)
    for plane in (np.full((7, 11), 99, np.uint8), np.full((8, 12), 99, np.uint8)[1:, 1:]):
        whole = np.full((7, 11), 99, np.uint8)
        composite(plane, np.zeros((7, 11), np.int16), whole, 0, np.full((7, 11), 64, np.float32))


class _EvenMotion:
    """A field, a gain, a drifting sky and a stream at once, over `share` of the picture's width."""

    def __init__(self, source: Source, push: F32, still: F32, share: float) -> None:
        mask = still.copy()
        mask[4:-4, : int(share * still.shape[1])] = 1
        self._field = Field(push * mask, still, 1 + np.float32(0.1) * mask)
        alpha: U8 = np.full((_HEIGHT, _WIDTH), 99, np.uint8)
        alpha[:, round(share * _WIDTH) :] = 0
        self.backdrop = Backdrop(source, source, alpha, np.full((3, 10, 16), 128, np.float32))
        self.drapery: Drapery | None = None
        self._drift = Drift(still + 4, still, still - 4, still, 0.5, 0.5)
        self._flow = Flow(push * 4, still, push * -4, still, still + np.float32(0.5), mask)

    def drift(self, n: int) -> Drift:
        return self._drift

    def field(self, n: int) -> Field:
        return self._field

    def worn(self, n: int) -> Field | None:
        return None

    def flow(self, n: int) -> Flow:
        return self._flow

    def sheets(self, n: int) -> tuple[Sheet, ...]:
        table = np.array([(1, 1, 1, 0, 0, 0), (0.9, 0.9, 0.9, 0.1, 0.1, 0.1)], np.float32)
        return (Sheet(8, 8, 8.0, np.full((9, 12), 0.5, np.float32), table),)

    def overlay(self, n: int, frame: Planes) -> None:
        """Nothing is in front of the camera."""


def _film(
    scene: Scene, moves: tuple[Move, ...], ambient: _EvenMotion | None, last: Scene | None,
    aligned: Alignment | None = None,
) -> None:  # fmt: skip
    storyboard = Storyboard(
        width=_WIDTH, height=_HEIGHT, frames=_FRAMES, seed=0, language="en", audio=False, camera_fixed=False,
        morph=last is not None, shots=(Shot(start=0, end=_FRAMES, moves=moves),),
    )  # fmt: skip
    still = np.zeros(_FRAMES, np.float32)
    timeline = Timeline(
        frames=_FRAMES, seed=0, wind=still, flicker=still, light=still + np.float32(1.1),
        camera=make_camera(storyboard, scene.facts),
    )  # fmt: skip
    patch = Patch(Rect(64, 64, 16, 16), *(np.full((n, n), 90, np.uint8) for n in (32, 8, 8)))
    frames: Frames
    if last is None:
        frames = Renderer(scene, timeline, storyboard, ambient, lambda n: (patch,))
    elif aligned is not None:
        frames = Morph(scene, last.source, timeline, storyboard, aligned)
    else:
        frames = Transition(scene, last.source.planes, partial(Arrival, last), timeline, storyboard)
    frames.frame(_FRAMES // 2)


def _disc(shift: int) -> Scene:
    """A disc before a smooth, softly textured ground."""
    y, x = np.mgrid[:_HEIGHT, :_WIDTH].astype(np.float32)
    ground = 110 + 40 * np.sin((x + shift) / 5) * np.sin(y / 7)
    matte = np.clip(40 - np.hypot(x + shift - 128, y - 80), 0, 1).astype(np.float32)
    rgb = np.clip(np.dstack([ground, ground, ground]) * (1 - matte[..., None]) + 220 * matte[..., None], 0, 255)
    picture = rgb.astype(np.uint8)
    nothing = Region(np.zeros_like(matte), 0.0)
    depth = np.asarray(cv2.GaussianBlur(0.3 + 0.4 * matte, (0, 0), 4), np.float32)
    return Scene(
        rgb=picture, source=make_source(picture), depth=depth, matte=Region(matte, 1.0), sky=nothing, water=nothing,
        plants=nothing, fire=nothing, horizon=40.0, waterline=float(_HEIGHT), facts=PictureFacts(),
    )  # fmt: skip


def warm_up_light() -> None:
    """Every kind of light over four bands, with windows and stars."""
    frames = _BANDS_FRAMES
    storyboard = Storyboard(
        width=_BANDS_WIDTH, height=_BANDS_HEIGHT, frames=frames, seed=0, language="en", audio=False, camera_fixed=True,
        morph=False, shots=(Shot(start=0, end=frames, moves=()),),
        lights=tuple(Lighting(kind=kind) for kind in get_args(LightKind)),
    )  # fmt: skip
    still = np.zeros(frames, np.float32)
    timeline = Timeline(
        frames=frames, seed=0, wind=still, flicker=still, light=still + 1, camera=CameraCurves.at_home(frames),
        lights=make_lights(storyboard),
    )  # fmt: skip
    scene = _bands()
    illumination = compose_light(scene, storyboard, timeline)
    Renderer(scene, timeline, storyboard, illumination=illumination).frame(1)
    share: U8 = np.full((_BANDS_HEIGHT, _BANDS_WIDTH), 99, np.uint8)
    point: F32 = np.full(1, 40, np.float32)
    grid = np.full(quarter_shape(_BANDS_HEIGHT, _BANDS_WIDTH), 99, np.float32)
    x, y = np.meshgrid(STEP * np.arange(82, dtype=np.float32), STEP * np.arange(47, dtype=np.float32))
    tone: F32 = np.stack([grid] * 7).astype(np.float32)
    noise = np.full(share.shape, 0.5, np.float32)
    frame = Planes(*(np.full((_BANDS_HEIGHT // k, _BANDS_WIDTH // k), 128, np.uint8) for k in (1, 2, 2)))
    for sky, sky_share in ((tone, share), (None, None)):
        shade = Shade(tone, sky, grid, None, Glow(share, grid, grid, grid))
        view = Grid(Rect(0, 0, _BANDS_WIDTH, _BANDS_HEIGHT), x, y)
        FrameLight(shade, view, view, noise, sky_share, share, Stars(point, point, point, point)).lay(frame)


def warm_up_ambient() -> None:
    """Under half a second with a filled cache; some seconds the first time ever."""
    storyboard = Storyboard(
        width=_BANDS_WIDTH, height=_BANDS_HEIGHT, frames=_BANDS_FRAMES, seed=0, language="en", audio=False,
        camera_fixed=True, morph=False, shots=(Shot(start=0, end=_BANDS_FRAMES, moves=()),),
        motions=tuple(Motion(kind=kind, look="glass" if kind == "rain" else "") for kind in get_args(MotionKind)),
    )  # fmt: skip
    curve = np.full(_BANDS_FRAMES, 0.5, np.float32)
    timeline = Timeline(
        frames=_BANDS_FRAMES,
        seed=0,
        wind=curve,
        flicker=curve,
        light=curve,
        camera=CameraCurves.at_home(_BANDS_FRAMES),
        events=(Event(id="strike0", kind="strike", time=Fraction(1, 24)),),
    )
    scene = _bands()
    complete(scene.source, scene.rgb, scene.plants.mask, reach=8.0)
    ambient = compose(scene, storyboard, timeline)
    frame = Planes(*(np.full((_BANDS_HEIGHT // k, _BANDS_WIDTH // k), 128, np.uint8) for k in (1, 2, 2)))
    ambient.field(1)
    ambient.flow(1)
    ambient.sheets(1)
    ambient.overlay(1, frame)


def _bands() -> Scene:
    """Four bands: sky, plants, water, and a fire at the lower border."""
    picture: U8 = np.random.default_rng(0).integers(60, 200, (_BANDS_HEIGHT, _BANDS_WIDTH, 3), np.uint8)
    bands = [_band(k) for k in range(4)]
    planes = to_planes(picture)
    nothing: F32 = np.zeros((_BANDS_HEIGHT, _BANDS_WIDTH), np.float32)
    return Scene(
        rgb=picture, source=Source(planes, np.repeat(np.repeat(planes.y, 2, 0), 2, 1)), depth=nothing + 0.5,
        matte=Region(nothing, 0.0), sky=Region(bands[0], 1.0), plants=Region(bands[1], 1.0),
        water=Region(bands[2], 1.0), fire=Region(bands[3], 1.0), horizon=80.0, waterline=90.0, facts=PictureFacts(),
    )  # fmt: skip


def _band(k: int) -> F32:
    mask = np.zeros((_BANDS_HEIGHT, _BANDS_WIDTH), np.float32)
    mask[k * _BANDS_HEIGHT // 4 : (k + 1) * _BANDS_HEIGHT // 4] = 1
    return mask
