"""Draws things on their way through the picture: each is lifted off it once and drawn, whole, where its curves say,
over the picture completed behind it. Knows no prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.motion.fields import STEP, Rect
from vivant.engines.diorama.motion.frame.compositing import I16, composite
from vivant.engines.diorama.motion.frame.exhaust import Exhaust
from vivant.engines.diorama.motion.frame.flapping import Flight
from vivant.engines.diorama.motion.frame.layers import RESIDUAL_ENDS, SLACK, left_over
from vivant.engines.diorama.motion.frame.warp import Grid, enlarge, enlarge_half
from vivant.engines.diorama.scene.lifted import Lifted, clear, lift, pick, split
from vivant.engines.diorama.scene.scene import Region, Scene, Source
from vivant.engines.diorama.timing.travel import TravelCurves
from vivant.media import F32, U8, Planes

_MARGIN: Final = 4  # pixels around a thing's box
_MOST: Final = 24  # birds of a flock that fly one by one
_IN_FRONT: Final = 0.6  # trust from which the subject hides what passes behind it


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a thing is: moved by x, y pixels, enlarged by wide and high and then turned clockwise about its pivot."""

    x: float
    y: float
    wide: float
    high: float
    angle: float


@dataclass(frozen=True, slots=True, eq=False)
class _Sprite:
    """One body, premultiplied by alpha, as in layers.Cutout: y int16 (2·height, 2·width), u, v int16 (height/2,
    width/2), alpha uint8 of those sizes. box: where it is in the picture; pivot: pixels."""

    box: Rect
    pivot: tuple[float, float]
    y: I16
    u: I16
    v: I16
    alpha2: U8
    alpha_half: U8
    curves: TravelCurves
    flight: Flight | None  # of one bird of a flock
    exhaust: Exhaust | None  # of a rocket that rises

    def pose(self, n: int, width: int, height: int) -> Placement:
        curves = self.curves
        x, y = float(curves.x[n]) * width, float(curves.y[n]) * height
        scale, angle = float(curves.scale[n]), float(curves.angle[n])
        if self.flight is None:
            return Placement(x, y, scale, scale, angle)
        pace, up, flap, tilt = self.flight.at(n)
        return Placement(x * pace, y + up, scale, scale * flap, angle + tilt)


class Travelling:
    """Made once per clip. `scene` is what is left without the things; `picture` the one that frame 0 shows."""

    def __init__(self, scene: Scene, things: Sequence[tuple[Region, TravelCurves]], *, seed: int) -> None:
        """things: where each is, and its way; at least one."""
        self.picture: Planes = scene.source.planes
        self._height, self._width = scene.depth.shape
        flocks: list[NDArray[np.int32] | None] = []
        bodies: list[Lifted] = []
        for region, curves in things:
            labels = None
            if curves.thing.kind == "bird" and curves.thing.several:
                region, labels = split(region, _MOST)
            flocks.append(labels)
            bodies.append(lift(scene, region, curves.thing.kind))
        self.scene: Scene = clear(scene, bodies)
        sprites: list[_Sprite] = []
        short = min(self._width, self._height)
        for (_, curves), body, labels in zip(things, bodies, flocks, strict=True):
            if labels is None:
                sprites += _cut(scene.source, self.scene.source, body, curves, None, seed)
                continue
            for number in range(1, int(labels.max()) + 1):  # one at a time: each is as large as the picture
                bird = pick(body, labels, number)
                flight = None if curves.afloat else Flight(seed, number, float(bird.body.sum()), len(curves.x), short)
                sprites += _cut(scene.source, self.scene.source, bird, curves, flight, seed)
        self._sprites = sorted(sprites, key=lambda one: one.box.top + one.box.height)
        self._subject = self._find_subject()

    def _find_subject(self) -> tuple[U8, float] | None:
        """The subject that stands still, uint8 (h, w), and the row of its foot: it hides what passes farther away."""
        matte = self.scene.matte
        if matte.trust < _IN_FRONT or not (matte.mask > 0.5).any():
            return None
        foot = float(np.flatnonzero((matte.mask > 0.5).any(axis=1))[-1])
        return np.rint(255 * matte.mask).astype(np.uint8), foot

    def draw(self, n: int, view: Grid, frame: Planes) -> None:
        """Draw all things into `frame` (planes of the whole output), in place. view: where the output looks in the
        picture."""
        for sprite in self._sprites:
            pose = sprite.pose(n, self._width, self._height)
            source = _aim_back(sprite, pose, view)
            rect = _find_bounds(sprite.box, source, (self._width, self._height))
            if sprite.exhaust is not None:
                sprite.exhaust.draw(n, -pose.y, view, frame)
            if rect is not None:
                self._composite(sprite, pose, source.part(rect), view.part(rect), frame)

    def _composite(self, sprite: _Sprite, pose: Placement, grid: Grid, view: Grid, frame: Planes) -> None:
        rect, box = grid.rect, sprite.box
        grown = abs(pose.wide - 1) * 0.5 * max(box.width, box.height) + abs(pose.angle) * box.height
        moved = float(np.hypot(pose.x, pose.y)) + grown
        slack = round(16 * (SLACK + 255 * max(0.0, 1 - moved / RESIDUAL_ENDS)))
        hidden = self._hidden(sprite, pose, view)
        x = np.ascontiguousarray(grid.x) - np.float32(box.left)
        y = np.ascontiguousarray(grid.y) - np.float32(box.top)
        maps = enlarge(2 * x, rect), enlarge(2 * y, rect)
        _lay(frame.y[rect.luma], sprite.y, sprite.alpha2, maps, 0, slack, hidden)
        maps = enlarge_half(0.5 * x - 0.25, rect), enlarge_half(0.5 * y - 0.25, rect)
        half: Any = None if hidden is None else cv2.resize(hidden, maps[0].shape[::-1], interpolation=cv2.INTER_AREA)
        for plane, left in ((frame.u, sprite.u), (frame.v, sprite.v)):
            _lay(plane[rect.chroma], left, sprite.alpha_half, maps, 128, slack, half)

    def _hidden(self, sprite: _Sprite, pose: Placement, view: Grid) -> F32 | None:
        """float32 (height, width) of the rect, 0..1: how much of the thing the subject leaves to be seen."""
        if self._subject is None or sprite.pivot[1] + pose.y >= self._subject[1]:
            return None
        x, y = (enlarge(np.ascontiguousarray(axis), view.rect) for axis in (view.x, view.y))
        covered = cv2.remap(self._subject[0], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return None if not covered.any() else np.asarray(1 - covered.astype(np.float32) / 255, np.float32)


def _cut(
    source: Source, background: Source, body: Lifted, curves: TravelCurves, flight: Flight | None, seed: int
) -> list[_Sprite]:
    """The sprite of a thing; none where nothing of it is in the picture."""
    h, w = body.alpha.shape
    rows, columns = np.flatnonzero(body.hole.any(axis=1)), np.flatnonzero(body.hole.any(axis=0))
    if not len(rows):
        return []
    left, top = (max(0, int(ends[0]) - _MARGIN) // 2 * 2 for ends in (columns, rows))
    right, bottom = (min(limit, (int(ends[-1]) + _MARGIN + 2) // 2 * 2) for ends, limit in ((columns, w), (rows, h)))
    box = Rect(left, top, right - left, bottom - top)
    alpha = np.ascontiguousarray(body.alpha[box.luma])
    size = box.width, box.height
    alpha2: Any = cv2.resize(alpha, (2 * size[0], 2 * size[1]), interpolation=cv2.INTER_LINEAR)
    alpha_half: Any = cv2.resize(alpha, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_AREA)
    alpha2, alpha_half = (np.rint(255 * a).astype(np.uint8) for a in (alpha2, alpha_half))
    double = (slice(2 * top, 2 * bottom), slice(2 * left, 2 * right))
    solid = body.body > 0.5
    if not solid.any():
        solid = body.body >= 0.5 * float(body.body.max())
    inside_rows, inside_columns = np.nonzero(solid)
    foot = float(inside_rows.mean()) if curves.flies else float(inside_rows.max())
    sprite = _Sprite(
        box=box,
        pivot=(0.5 * float(inside_columns.min() + inside_columns.max()), foot),
        y=left_over(source.y2[double], background.y2[double], alpha2, 0),
        u=left_over(source.planes.u[box.chroma], background.planes.u[box.chroma], alpha_half, 128),
        v=left_over(source.planes.v[box.chroma], background.planes.v[box.chroma], alpha_half, 128),
        alpha2=alpha2,
        alpha_half=alpha_half,
        curves=curves,
        flight=flight,
        exhaust=None,
    )
    if curves.thing.kind == "rocket" and float(curves.y[-1]) < -0.02:
        stands = (sprite.pivot[0], float(inside_rows.max()))
        wide = float(np.median(solid[inside_rows.min() : inside_rows.max() + 1].sum(axis=1)))
        exhaust = Exhaust(source.planes.y, stands, (wide, float(np.ptp(inside_rows))), frames=len(curves.y), seed=seed)
        sprite = replace(sprite, exhaust=exhaust)
    return [sprite]


def _aim_back(sprite: _Sprite, pose: Placement, view: Grid) -> Grid:
    """Where in the picture the thing's pixels come from, for an output that looks as `view` says."""
    across = view.x - np.float32(sprite.pivot[0] + pose.x)
    down = view.y - np.float32(sprite.pivot[1] + pose.y)
    cos, sin = float(np.cos(pose.angle)), float(np.sin(pose.angle))
    x = (cos * across + sin * down) / np.float32(pose.wide) + np.float32(sprite.pivot[0])
    y = (-sin * across + cos * down) / np.float32(pose.high) + np.float32(sprite.pivot[1])
    return Grid(view.rect, x.astype(np.float32), y.astype(np.float32))


def _find_bounds(box: Rect, source: Grid, size: tuple[int, int]) -> Rect | None:
    """The rect of the output, on its grid, that reads the box; None where nothing does."""
    near = (source.x > box.left - 2 * STEP) & (source.x < box.left + box.width + 2 * STEP)
    near &= (source.y > box.top - 2 * STEP) & (source.y < box.top + box.height + 2 * STEP)
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    if not len(rows):
        return None
    top, left = max(0, int(rows[0]) - 2) * STEP, max(0, int(columns[0]) - 2) * STEP
    bottom, right = min(size[1], (int(rows[-1]) + 2) * STEP), min(size[0], (int(columns[-1]) + 2) * STEP)
    return None if bottom <= top or right <= left else Rect(left, top, right - left, bottom - top)


def _lay(out: U8, left: I16, alpha: U8, maps: tuple[F32, F32], zero: int, slack: int, hidden: F32 | None) -> None:
    """Composite one plane of a sprite over `out`, in place; beyond its box there is nothing."""
    own, share = (_read(plane, maps) for plane in (left, alpha))
    if hidden is not None:
        own = np.rint(own * hidden).astype(np.int16)
        share = np.rint(share * hidden).astype(np.uint8)
    composite(out, own, share, zero, np.full(out.shape, slack, np.float32))


def _read(plane: Any, maps: tuple[F32, F32]) -> Any:
    return cv2.remap(plane, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
