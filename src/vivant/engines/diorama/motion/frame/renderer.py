"""Renders one frame. `Renderer.frame(n)` is a pure function of n, so frames can be made on any thread in any order. All
displacements are added up here, and the picture is sampled once. Knows nothing of prompts or sound."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final, NamedTuple

import cv2
import numpy as np

from vivant.engines.diorama.motion.fields import (
    STEP,
    Ambient,
    Field,
    Illumination,
    Patch,
    Rect,
)
from vivant.engines.diorama.motion.frame import light, sheets, warp
from vivant.engines.diorama.motion.frame.draped import Draped
from vivant.engines.diorama.motion.frame.focus import Focus
from vivant.engines.diorama.motion.frame.illuminate import Illuminator
from vivant.engines.diorama.motion.frame.layers import (
    Covers,
    Cutout,
    Layers,
    composite_over,
    continue_cutout,
    cut_out,
    hide,
)
from vivant.engines.diorama.motion.frame.light_place import find_way_out, place_light
from vivant.engines.diorama.motion.frame.motion_blur import blur_sideways
from vivant.engines.diorama.motion.frame.nearness import hold_subject, make_nearness
from vivant.engines.diorama.motion.frame.rig import CameraPose, Rig
from vivant.engines.diorama.motion.frame.sky import Sky
from vivant.engines.diorama.motion.frame.streaming import draw_stream, soft_luma
from vivant.engines.diorama.motion.frame.travelling import Travelling
from vivant.engines.diorama.motion.frame.warp import Grid
from vivant.engines.diorama.scene.backdrop import continue_behind
from vivant.engines.diorama.scene.matte import CUT_OUT_FROM
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.scene.scenery import is_scenery
from vivant.engines.diorama.scene.surroundings import find_touched, measure_room, surround
from vivant.engines.diorama.storyboard import SUBJECT_TRUSTED, Storyboard
from vivant.engines.diorama.timing.timeline import Timeline
from vivant.media import F32, F64, Planes

SMOOTH_PARALLAX: Final = 0.03  # widths; with more a single surface looks like rubber
LAYERED_PARALLAX: Final = 0.08  # widths; with more too much of the completed background is seen
ACTED: Final = 2.5  # a part of the subject that moves leaves what its outline hides sooner than the camera does
COUNTER_PARALLAX: Final = 0.11  # widths, of a dolly zoom: what its background uncovers is a ring about the subject
LAYERS_FROM: Final = 2.5  # pixels of parallax from which layers, at twice the cost, make a visible difference

Patches = Callable[[int], tuple[Patch, ...]]
FaceField = Callable[[int], Field | None]


class _Laid(NamedTuple):
    """Where the subject is in a frame, on the grid of the whole output. shift: how far it has moved against its
    background, pixels, float32."""

    grid: Grid
    shift: F32
    covers: Covers


class Renderer:
    """Made once per clip; holds what every frame shares."""

    def __init__(
        self,
        scene: Scene,
        timeline: Timeline,
        storyboard: Storyboard,
        ambient: Ambient | None = None,
        patches: Patches | None = None,
        face_field: FaceField | None = None,
        *,
        illumination: Illumination | None = None,
        subject_moves: bool = False,
        beside: F32 | None = None,
        travelling: Travelling | None = None,
    ) -> None:
        """patches, face_field: what faces, or the parts of a subject without one, do at a frame. illumination: how the
        light changes. subject_moves: the subject is cut out, where its matte is trusted, although the camera may stand
        still. beside: float32 on the quarter grid, 0..1, how far what is behind a subject that moves goes along with
        it: whiskers and thin fins are in no matte. travelling: things on their way through the picture, of which
        `scene` is what is left without them."""
        self._first = travelling.picture if travelling else scene.source.planes
        drapery = ambient.drapery if ambient else None
        self._draped = Draped(scene, drapery) if drapery else None
        if drapery:
            scene = drapery.behind
        self._acts = subject_moves
        wears = ambient is not None and ambient.worn(1) is not None
        subject_moves = subject_moves or (wears and scene.matte.trust >= CUT_OUT_FROM)
        self._source = scene.source  # alone: what else the scene holds, 64 MB at 1080p, is given up with it
        self._timeline = timeline
        self._frames = timeline.frames
        self._ambient = ambient
        self._patches = patches
        self._face_field = face_field
        self._beside = beside
        self._travelling = travelling
        h, w = scene.source.planes.y.shape
        self._height, self._width = h, w
        self._whole = Rect(0, 0, w, h)
        nearness, subject = make_nearness(scene, timeline.camera)
        counters = float(timeline.camera.counter.max()) > 0
        room, keep = measure_room(scene), find_outline(scene)

        def rig(surfaces: tuple[F32, ...], parallax: float) -> Rig:
            return Rig(
                timeline.camera, (w, h), surfaces, subject=subject, parallax=parallax, segments=timeline.segments,
                returns=storyboard.morph, room=room, keep=keep,
            )  # fmt: skip

        alone = hold_subject(scene, nearness, subject) if counters else nearness
        self.rig = rig((alone,), SMOOTH_PARALLAX)
        self.layers: Layers | None = None
        self._subject_moves = subject_moves
        apart = self.rig.parallax > LAYERS_FROM and not is_scenery(scene.matte, scene.sky, scene.horizon)
        if scene.matte.trust >= CUT_OUT_FROM and (subject_moves or apart):
            most = COUNTER_PARALLAX if counters else LAYERED_PARALLAX
            layers = cut_out(scene, nearness, subject_nearness=subject, reach=1.2 * most * w)
            self.layers, self.rig = layers, rig((layers.ground, layers.body), most)
        lens = timeline.camera
        self._focus = Focus(scene) if max(float(lens.near_soft.max()), float(lens.far_soft.max())) > 0 else None
        self._noise = light.make_dither(h, w)
        self._illuminator = None
        if illumination is not None:
            behind = scene.matte.mask if self.layers else None
            self._illuminator = Illuminator(illumination, self._noise, behind)
        self._way_out = find_way_out(self.layers.subject.extent) if self.layers and illumination else None
        self._soft = soft_luma(scene.source.planes.y)
        # With the camera at rest the picture is read whole, not the background alone.
        rests = not subject_moves and any(self.rig.pose(n).is_home for n in range(1, self._frames))
        background = self.layers.background if self.layers else scene.source
        backdrop = ambient.backdrop if ambient else None
        continued = backdrop
        if backdrop and self.layers:
            continued, background = continue_behind(backdrop, background, scene.matte.mask)
        continues = self.layers and any(getattr(self.rig.margins, side) for side in find_touched(scene))
        with ThreadPoolExecutor(1, thread_name_prefix="vivant-border") as helper:  # both borders at the same time
            surrounding = helper.submit(surround, scene, scene.source, self.rig.margins) if continues else None
            around = surround(scene, background, self.rig.margins)
            whole = surrounding.result() if surrounding else None
        if self.layers and whole:
            self.layers = replace(self.layers, subject=continue_cutout(scene, whole, around))
        self._sky = Sky(backdrop, picture=scene.source) if backdrop and self.layers and rests else None
        self._sky_behind = Sky(continued, around.margins, background) if continued and self.layers else None
        if backdrop and not self.layers:
            self._sky = Sky(backdrop, around.margins, scene.source)
        self._texels = warp.to_texels(around.source, around.margins)
        self._whole_texels = warp.to_texels(scene.source) if self.layers and rests else self._texels

    def frame(self, n: int) -> Planes:
        """Frame n in new planes. Frame 0 is the picture to the bit."""
        frame = self.picture(n)
        if n and self._ambient:
            self._ambient.overlay(n, frame)
        return frame

    def picture(self, n: int) -> Planes:
        """The picture as the camera sees it at frame n, with all that moves in it, without what is in front."""
        if n == 0:
            return _copy(self._first)
        pose = self.rig.pose(n)
        ambient = self._ambient.field(n) if self._ambient else None
        acted = self._face_field(n) if self._face_field else None
        moved = combine(ambient, acted)
        patches = self._patches(n) if self._patches else ()
        flow = self._ambient.flow(n) if self._ambient else None

        layers = None if pose.is_home and not self._subject_moves else self.layers
        worn = self._ambient.worn(n) if self._ambient else None
        if not layers:
            moved = combine(moved, worn)
        view = self.rig.aim(pose, self._whole)
        # What is behind a head is drawn along a little way with it, in both layers alike: what differs at the outline
        # between the completed background and the true one would come to light if the head moved alone. A body that
        # acts moves before a background that stays, but for what belongs to it and is in no matte.
        behind = moved
        if layers and self._acts:
            behind = ambient if self._beside is None else combine(ambient, _share(acted, self._beside))
        grid, gain = displace(view, behind)
        whole = pose.is_home and not layers
        laid = self._place_subject(layers.subject, pose, combine(moved, worn)) if layers else None
        hidden = laid.covers.solid if laid else None
        frame = self._read_what_moves(grid, moved) if whole else warp.read(self._texels, grid, hidden)
        drift = self._ambient.drift(n) if self._ambient else None
        sky = self._sky_behind if layers else self._sky
        if sky and drift:
            sky.draw(drift, view, grid, frame)
        if not layers:
            for patch in patches:
                warp.read_patched(self._source, patch, grid, frame)
        if flow is not None:
            draw_stream(flow, self._soft, self._texels, view, grid, frame)
        if self._travelling:
            self._travelling.draw(n, view, frame)
        if self._draped:
            self._draped.draw(n, view, frame)
        lit = None
        if self._illuminator:
            # What acts takes its light along; the ground below trees and water that move keeps its own.
            place, _ = displace(view, acted)
            if laid and self._way_out is not None:
                place = place_light(place, laid.grid, laid.covers.extent, self._way_out)
            lit = self._illuminator.look(n, view if layers else place, ground=place, behind=layers is not None)
        if layers:
            body = self._lay_subject(layers.subject, laid, patches, frame) if laid else None
            if lit and body and lit.sky_share is not None:
                hide(layers.subject, body, lit.sky_share)
            if worn is not None and worn.gain is not None:
                folds = warp.look_up(worn.gain[None], view.x, view.y)[0]
                gain = folds if gain is None else gain * folds
        if lit:
            lit.lay(frame)
        # What glows by itself does so in the dark, too.
        for sheet in self._ambient.sheets(n) if self._ambient else ():
            before = layers is not None and sheet.on_subject
            look = self.rig.aim(pose, self._whole, surface=1) if before else view
            sheets.draw(sheet, look, frame, self._noise)
        if self._focus:
            # Where what is near was drawn: a head that turns takes its focus along.
            near = laid.grid if laid else displace(self.rig.aim(pose, self._whole), moved)[0]
            lens = self._timeline.camera
            frame = self._focus.apply(frame, near, float(lens.near_soft[n]), float(lens.far_soft[n]))
        self._relight(n, gain, frame)
        return blur_sideways(frame, self.rig.blur(n))

    def _place_subject(self, subject: Cutout, pose: CameraPose, moved: Field | None) -> _Laid:
        view = self.rig.aim(pose, self._whole, surface=1)
        grid, _ = displace(view, moved)
        shift = ACTED * np.hypot(grid.x - view.x, grid.y - view.y) + np.float32(self.rig.shift(pose))
        return _Laid(grid, shift, Covers(*warp.look_up(subject.covers, grid.x, grid.y)))

    def _lay_subject(self, subject: Cutout, laid: _Laid, patches: tuple[Patch, ...], frame: Planes) -> Grid | None:
        """Returns where it was laid."""
        grid, shift, covers = laid
        rect = _bounds(covers.extent > 1e-3, self._width, self._height)
        if rect is not None:
            here, part = Grid(self._whole, shift, shift).part(rect).x, covers.part(rect, self._whole)
            composite_over(subject, grid.part(rect), (frame.y, frame.u, frame.v), shift=here, covers=part)
        for patch in patches:  # faces belong to the subject
            warp.read_patched(self._source, patch, grid, frame)
        return None if rect is None else grid.part(rect)

    def _read_what_moves(self, grid: Grid, moved: Field | None) -> Planes:
        """With the camera at rest: copy the picture and resample only the rect in which something moves."""
        frame = _copy(self._source.planes)
        rect = None if moved is None else _bounds_of_motion(moved, self._width, self._height)
        if rect is not None:
            warp.put(warp.read(self._whole_texels, grid.part(rect)), rect, frame)
        return frame

    def _relight(self, n: int, gain: F32 | None, frame: Planes) -> None:
        whole = light.compute_gain(float(self._timeline.light[n]), float(self._timeline.flicker[n]))
        if gain is not None or whole != 1.0:
            light.relight(frame, gain, whole, self._noise)


def _share(acted: Field | None, share: F32) -> Field | None:
    return None if acted is None else Field(acted.dx * share, acted.dy * share)


def _copy(planes: Planes) -> Planes:
    return Planes(planes.y.copy(), planes.u.copy(), planes.v.copy())


def find_outline(scene: Scene) -> F64 | None:
    """Points about a trusted subject, pixels, float64 (n, 2): the corners of its convex hull; None where there is
    none."""
    if scene.matte.trust <= SUBJECT_TRUSTED:
        return None
    solid = np.argwhere(scene.matte.mask > 0.5)
    if not len(solid):
        return None
    return cv2.convexHull(solid[:, ::-1].astype(np.int32))[:, 0].astype(np.float64)


def combine(ambient: Field | None, face: Field | None) -> Field | None:
    """Both displacements, added: of two motions, such as those of the air and of a face."""
    if ambient is None or face is None:
        return ambient or face
    gain = ambient.gain if face.gain is None else face.gain if ambient.gain is None else ambient.gain * face.gain
    return Field(ambient.dx + face.dx, ambient.dy + face.dy, gain)


def displace(view: Grid, moved: Field | None) -> tuple[Grid, F32 | None]:
    """Add a displacement at the positions where the camera looks. Also returns the gain there, float32 on the output's
    grid."""
    if moved is None:
        return view, None
    parts = [moved.dx, moved.dy] if moved.gain is None else [moved.dx, moved.dy, moved.gain]
    found = warp.look_up(np.stack(parts), view.x, view.y)
    return Grid(view.rect, view.x + found[0], view.y + found[1]), found[2] if len(found) == 3 else None


def _bounds_of_motion(moved: Field, width: int, height: int) -> Rect | None:
    return _bounds_of_grid((moved.dx != 0) | (moved.dy != 0), -1, width, height)


def _bounds(mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]], width: int, height: int) -> Rect | None:
    """The rect around true samples of an output grid (whose sample (1, 1) is the first inside the picture)."""
    return _bounds_of_grid(mask, -2, width, height)


def _bounds_of_grid(
    mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]], shift: int, width: int, height: int
) -> Rect | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    top, left = max(int(rows[0]) + shift, 0) * STEP, max(int(columns[0]) + shift, 0) * STEP
    bottom = min((int(rows[-1]) + 3 + shift + 1) * STEP, height)
    right = min((int(columns[-1]) + 3 + shift + 1) * STEP, width)
    if bottom <= top or right <= left:
        return None
    return Rect(left, top, right - left, bottom - top)
