"""Compile every kernel of the camera and the layers, or load it from the cache, before the first job: by filming a tiny
made-up scene in every way there is. Called by the engine's setup."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.engines.diorama.motion.camera import path
from vivant.engines.diorama.motion.fields import Field, Flow, Patch
from vivant.engines.diorama.motion.layers import lay
from vivant.engines.diorama.motion.render import Renderer
from vivant.engines.diorama.scene.colour import source
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.engines.diorama.storyboard import Move, PictureFacts, Shot, Storyboard
from vivant.engines.diorama.timeline import Timeline
from vivant.media import F32, Planes

_WIDTH, _HEIGHT, _FRAMES = 256, 160, 9


def warm() -> None:
    """About a tenth of a second when the cache is filled, some seconds the first time ever."""
    scene, other = _scene(0), _scene(2)
    rows, columns = _HEIGHT // 4, _WIDTH // 4
    flat = np.zeros((rows, columns), np.float32)
    for share in (0.4, 1.0):  # a box inside the picture, and one as wide as it: their memory layouts differ
        life = _Life(flat + np.float32(0.3), flat, share)
        for moves in ((Move(kind="orbit"),), (Move(kind="static"),)):
            _film(scene, moves, life, None)
    _film(scene, (Move(kind="dolly"),), None, other)
    for plane in (np.full((7, 11), 99, np.uint8), np.full((8, 12), 99, np.uint8)[1:, 1:]):
        whole = np.full((7, 11), 99, np.uint8)
        lay(plane, np.zeros((7, 11), np.int16), whole, 0, 64)


class _Life:
    """A field, a gain and a stream at once, over `share` of the picture's width."""

    def __init__(self, push: F32, still: F32, share: float) -> None:
        mask = still.copy()
        mask[4:-4, : int(share * still.shape[1])] = 1
        self._field = Field(push * mask, still, 1 + np.float32(0.1) * mask)
        self._flow = Flow(push * 4, still, push * -4, still, still + np.float32(0.5), mask)

    def field(self, n: int) -> Field:
        return self._field

    def flow(self, n: int) -> Flow:
        return self._flow

    def overlay(self, n: int, frame: Planes) -> None:
        """Nothing falls here."""


def _film(scene: Scene, moves: tuple[Move, ...], life: _Life | None, last: Scene | None) -> None:
    storyboard = Storyboard(
        width=_WIDTH, height=_HEIGHT, frames=_FRAMES, seed=0, language="en", audio=False, camera_fixed=False,
        morph=last is not None, shots=(Shot(start=0, end=_FRAMES, moves=moves),),
    )  # fmt: skip
    curves = path(storyboard, scene.facts, frames=_FRAMES)
    curves["light"] = np.full(_FRAMES, 1.1, np.float32)
    patch = Patch(64, 64, 16, 16, *(np.full((n, n), 90, np.uint8) for n in (32, 8, 8)))
    renderer = Renderer(
        scene, Timeline(frames=_FRAMES, seed=0, curves=curves), storyboard, life, lambda n: (patch,), None, last
    )
    renderer.frame(_FRAMES // 2)


def _scene(shift: int) -> Scene:
    """A disc before a smooth, softly textured ground."""
    y, x = np.mgrid[:_HEIGHT, :_WIDTH].astype(np.float32)
    ground = 110 + 40 * np.sin((x + shift) / 5) * np.sin(y / 7)
    matte = np.clip(40 - np.hypot(x + shift - 128, y - 80), 0, 1).astype(np.float32)
    rgb = np.clip(np.dstack([ground, ground, ground]) * (1 - matte[..., None]) + 220 * matte[..., None], 0, 255)
    picture = rgb.astype(np.uint8)
    nothing = Region(np.zeros_like(matte), 0.0)
    depth = np.asarray(cv2.GaussianBlur(0.3 + 0.4 * matte, (0, 0), 4), np.float32)
    return Scene(
        rgb=picture, source=source(picture), depth=depth, matte=Region(matte, 1.0), sky=nothing, water=nothing,
        plants=nothing, fire=nothing, horizon=40.0, waterline=float(_HEIGHT), facts=PictureFacts(),
    )  # fmt: skip
