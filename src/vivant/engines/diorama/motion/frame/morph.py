"""From the first picture to the last, where both show one place: the clip is the camera's move between them. What has
moved beside the camera goes along its flow, what stands elsewhere travels, the light changes on the way, and one
picture is cross-faded into the other in aligned coordinates.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import cv2
import numpy as np

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.fields import STEP, Ambient, ArrivingSky, Field, Illumination, Rect
from vivant.engines.diorama.motion.frame import light, sheets, warp
from vivant.engines.diorama.motion.frame.blend import Light, blend
from vivant.engines.diorama.motion.frame.illuminate import Illuminator
from vivant.engines.diorama.motion.frame.in_front import draw_in_front
from vivant.engines.diorama.motion.frame.nearness import make_nearness
from vivant.engines.diorama.motion.frame.progress import keep_unanswered, make_way
from vivant.engines.diorama.motion.frame.renderer import FaceField, Patches, combine, displace
from vivant.engines.diorama.motion.frame.rig import Rig
from vivant.engines.diorama.motion.frame.sky import Sky
from vivant.engines.diorama.motion.frame.streaming import draw_stream, soft_luma
from vivant.engines.diorama.motion.frame.travel import Moment, draw_traveller
from vivant.engines.diorama.motion.frame.view_path import TIGHTEST, ViewPath
from vivant.engines.diorama.motion.frame.warp import Grid, Texels
from vivant.engines.diorama.scene.border import judge_borders
from vivant.engines.diorama.scene.registration import Registration, register, scale_at
from vivant.engines.diorama.scene.relight import LightChange, compare_light
from vivant.engines.diorama.scene.scene import Scene, Source
from vivant.engines.diorama.scene.surroundings import Room
from vivant.engines.diorama.scene.travellers import Traveller, find_travellers, find_unlike
from vivant.engines.diorama.storyboard import Storyboard
from vivant.engines.diorama.timing.timeline import Timeline
from vivant.media import F32, F64, Planes
from vivant.request import FPS

_CROSS_FADE: Final = (0.3, 0.7)  # shares of the way
_FEATHER: Final = 0.07  # widths, over which a picture fades out toward its border where the other one goes on
_STEADY: Final = 0.02  # widths of travel under which the views are the same, and the relief may be seen
_EQUAL: Final = np.array([0.006, 0.5, 0.5], np.float32)  # logarithm of the gain, and levels of u and v
_SIGMA_STEP: Final = 1 / 16  # pixels: finer differences of sharpness are not seen
_STILL: Final = 1.0  # pixels of flow up to which two rounds find where it comes from
_MOST_PARALLAX: Final = 0.03  # widths
_MIRRORED: Final = 0.022  # widths of the picture mirrored at its border that may be seen, where it goes unnoticed


class Morph:
    """Implements `segments.Frames`. Frame 0 is the first picture to the bit, the last frame the last one."""

    def __init__(
        self, scene: Scene, last: Source, timeline: Timeline, storyboard: Storyboard, aligned: Alignment, *,
        ambient: Ambient | None = None, patches: Patches | None = None, face_field: FaceField | None = None,
        illumination: Illumination | None = None, last_sky: ArrivingSky | None = None,
    ) -> None:  # fmt: skip
        """scene: of the first picture; last: the other, of its size. ambient, patches, face_field: what moves in the
        first; illumination: how its light changes, up to the last picture; last_sky: the sky of the last. Skies drift
        only where both pictures show the same view."""
        self.aligned = aligned
        self._first, self._last = scene.source, last
        self._timeline = timeline
        self._frames = timeline.frames
        self._ambient, self._patches, self._face_field = ambient, patches, face_field
        h, w = scene.source.planes.y.shape
        self._whole = Rect(0, 0, w, h)
        moves = not is_same_view(aligned)
        self._way = make_way(storyboard, travels=moves)
        self._sky = self._last_sky = None
        if ambient and ambient.backdrop and last_sky and not moves:
            self._sky, self._last_sky = Sky(ambient.backdrop), Sky(last_sky.backdrop)
        self._last_drift = last_sky.drift if last_sky else None
        nearness, subject = make_nearness(scene)
        if moves:  # the relief of the first picture is in its place only at the start
            nearness = np.full_like(nearness, subject)
        camera = keep_unanswered(timeline.camera, storyboard, aligned.fit.view, (w, h)) if moves else timeline.camera
        self.rig = Rig(
            camera, (w, h), (nearness,), subject=subject, parallax=_MOST_PARALLAX, segments=timeline.segments,
            returns=True, room=_mirror_room(scene),
        )  # fmt: skip
        self._noise = light.make_dither(h, w)
        self._illuminator = Illuminator(illumination, self._noise) if illumination else None
        self._texels = warp.to_texels(scene.source), warp.to_texels(last)
        self._softs = soft_luma(scene.source.planes.y), soft_luma(last.planes.y)
        self._made_softer = lru_cache(maxsize=2)(self._soften)

    def frame(self, n: int) -> Planes:
        if n in (0, self._frames - 1):
            planes = (self._last if n else self._first).planes
            return Planes(planes.y.copy(), planes.u.copy(), planes.v.copy())
        frame = self._picture(n)
        if self._ambient:
            draw_in_front(self._ambient, n, frame, left=self._frames - 1 - n)
        return frame

    def _picture(self, n: int) -> Planes:
        share = float(self._way[n])
        view = self.rig.aim(self.rig.pose(n), self._whole)
        seen = self.aligned.look(share, view)
        # The first picture's face is that of the first; plants and waves sway on in the last until it is all there is.
        face = _fade(self._face_field(n), 1 - seen.faded) if self._face_field else None
        ambient = self._ambient.field(n) if self._ambient else None
        flow = self._ambient.flow(n) if self._ambient else None
        here = Grid(view.rect, seen.ax, seen.ay)
        grid, gain = displace(here, combine(ambient, face))
        there = Grid(view.rect, seen.bx, seen.by)
        if ambient is not None:
            there = self.aligned.carry(displace(here, ambient)[0], here, there)
        frame: Planes | None = None
        if float(seen.weight.min()) < 1:
            frame = warp.read(self._made_soft(0, share), grid)
            if flow is not None:
                draw_stream(flow, self._softs[0], self._made_soft(0, share), here, grid, frame)
            for patch in self._patches(n) if self._patches else ():
                warp.read_patched(self._first, patch, grid, frame)
            drift = self._ambient.drift(n) if self._ambient else None
            if self._sky and drift:
                self._sky.draw(drift, here, grid, frame)
        # The last picture need not be read while nothing is seen of it.
        other = frame if frame is not None and seen.weight.max() <= 0 else warp.read(self._made_soft(1, share), there)
        if flow is not None and other is not frame:
            last = self._made_soft(1, share)
            draw_stream(flow, self._softs[1], last, here, there, other, place=self.aligned.place_in_last)
        if self._last_sky and self._last_drift and other is not frame:
            drift = self._last_drift(n)
            if drift:
                self._last_sky.draw(drift, Grid(view.rect, seen.bx, seen.by), there, other)
        frame = frame or other
        if other is not frame or not self.aligned.equally_lit:
            blend(frame, other, seen.weight, seen.light, seen.last_light, self._noise)
        for traveller in self.aligned.travellers:
            look = Grid(view.rect, seen.x, seen.y)
            draw_traveller(traveller, self.aligned.change, Moment(share, seen.faded), look, frame)
        lit = self._illuminator.look(n, Grid(view.rect, seen.ax, seen.ay)) if self._illuminator else None
        if lit:
            lit.lay(frame)
        for sheet in self._ambient.sheets(n) if self._ambient else ():
            sheets.draw(sheet, Grid(view.rect, seen.ax, seen.ay), frame, self._noise, 1 - seen.faded)
        whole = light.compute_gain(float(self._timeline.light[n]), float(self._timeline.flicker[n]))
        whole = 1 + (whole - 1) * min(1.0, (self._frames - 1 - n) / FPS)  # the last picture is shown in its own light
        if gain is not None or whole != 1.0:
            light.relight(frame, gain, whole, self._noise)
        return frame

    def _made_soft(self, which: int, share: float) -> Texels:
        """A picture to read from; while it is seen much smaller than it is, without the detail that would flicker."""
        source = (self._first, self._last)[which]
        h, w = source.planes.y.shape
        path = self.aligned.path
        shrunk = scale_at((path.first, path.last)[which](share), w / 2, h / 2)
        if shrunk < 1.1:
            return self._texels[which]
        return self._made_softer(which, round(0.5 * float(np.sqrt(shrunk**2 - 1)) / _SIGMA_STEP))

    def _soften(self, which: int, steps: int) -> Texels:
        """The view goes steadily, so that many frames in a row want the same."""
        source, sigma = (self._first, self._last)[which], _SIGMA_STEP * steps
        y2, u, v = (
            np.asarray(cv2.GaussianBlur(plane, (0, 0), size), np.uint8)
            for plane, size in ((source.y2, 2 * sigma), (source.planes.u, 0.5 * sigma), (source.planes.v, 0.5 * sigma))
        )
        return warp.to_texels(Source(Planes(source.planes.y, u, v), y2))


def is_same_view(aligned: Alignment) -> bool:
    """Whether the camera stands still between the two pictures: only the light, or what is in them, differs."""
    return aligned.path.travel <= _STEADY


def _fade(moved: Field | None, share: float) -> Field | None:
    if moved is None:
        return None
    part = np.float32(share)
    gain = None if moved.gain is None else 1 + (moved.gain - 1) * part
    return Field(moved.dx * part, moved.dy * part, gain)


class Seen(NamedTuple):
    """What an output shows at a moment, all float32 on its grid: positions in the space of the closer picture, in the
    first and in the last picture, canvas pixels; the weight of the last, 0..1; how each is lit to have the light of the
    moment."""

    x: F32
    y: F32
    ax: F32
    ay: F32
    bx: F32
    by: F32
    weight: F32
    light: Light
    last_light: Light
    faded: float  # the weight of the last where both pictures show the same


class Alignment:
    """Where each moment of the way looks in both pictures, and in which light."""

    def __init__(
        self, fit: Registration, change: LightChange, travellers: tuple[Traveller, ...], size: tuple[int, int]
    ) -> None:
        """size: (width, height). Raises ValueError where no camera move leads from one to the other."""
        self.fit, self.change, self.travellers = fit, change, travellers
        self.path = ViewPath(fit.view, size)
        if self.path.tightest > TIGHTEST:
            raise ValueError("On the way the view would show what neither picture has.")
        self._size = size
        self._view = np.asarray(fit.to_last @ np.linalg.inv(fit.to_first), np.float64)
        rows, columns = fit.both.shape
        self._x, self._y = np.meshgrid(
            np.arange(columns, dtype=np.float32) * STEP, np.arange(rows, dtype=np.float32) * STEP
        )
        self._there = np.concatenate([fit.there, fit.sure_there[None]])
        self._back = np.concatenate([fit.back, fit.sure_back[None]])
        # Where a subject was, the last picture is seen all along; where it will be, the first.
        left, reached = (
            np.asarray(sum((getattr(t, name) for t in travellers), np.zeros_like(fit.both)).clip(0, 1))
            for name in ("left", "reached")
        )
        lights = np.log(change.gain), change.u, change.v
        self._left_reached_light = np.stack([left, reached, *lights])
        unlike = np.abs(np.stack(lights)).reshape(3, -1).max(axis=1)
        # Then a picture that is read alone is shown as it is.
        self.equally_lit = bool((unlike < _EQUAL).all())

    def look(self, share: float, view: Grid) -> Seen:
        """share: of the way, 0..1. view: where the output looks in the picture of that moment."""
        from_first, from_last = self._trace_back(self._there, share), self._trace_back(self._back, 1 - share)
        to_first, to_last = self.fit.to_first, self.fit.to_last
        qx, qy = transform(np.linalg.inv(to_first) @ self.path.first(share), view.x, view.y)
        ax, ay, sure_a = warp.look_up(from_first, qx, qy)
        bx, by, sure_b = warp.look_up(from_last, qx, qy)
        left, reached, gain, u, v = warp.look_up(self._left_reached_light, qx, qy)
        ax, ay = transform(to_first, qx + ax, qy + ay)
        bx, by = transform(to_last, qx + bx, qy + by)
        low, high = _CROSS_FADE
        faded = float(smoothstep(np.array((share - low) / (high - low))))
        a, b = (1 - faded) * (0.05 + sure_a), faded * (0.05 + sure_b)
        weight = np.maximum(b / (a + b), left) * (1 - reached)
        inside_a, inside_b = self._inside(ax, ay, share), self._inside(bx, by, 1 - share)
        weight = weight * (1 - (1 - inside_b) * inside_a) + (1 - weight) * (1 - inside_a) * inside_b
        gain_a, gain_b = np.exp(share * gain), np.exp((share - 1) * gain)
        rest = (share - gain_b).astype(np.float32)
        part = np.float32(share)
        return Seen(
            qx, qy, ax, ay, bx, by, weight.astype(np.float32), Light(gain_a, part * u, part * v),
            Light(gain_b, rest * u, rest * v), faded,
        )  # fmt: skip

    def place_in_last(self, x: F32, y: F32) -> tuple[F32, F32]:
        """Where the last picture shows what is at x, y (float32, any one shape, canvas pixels) in the first."""
        return transform(self._view, x, y)

    def carry(self, moved: Grid, still: Grid, last: Grid) -> Grid:
        """Where the last picture is read at `last` when what the first shows at `still` is read at `moved`: what sways
        in the first sways alike, and as far as it is larger farther, in the last."""
        (x, y), (to_x, to_y) = (self.place_in_last(grid.x, grid.y) for grid in (still, moved))
        return Grid(last.rect, last.x + to_x - x, last.y + to_y - y)

    def _inside(self, x: F32, y: F32, share: float) -> F32:
        """1 well inside a picture, 0 at its border; as sharp a border at the start as the view is near to it."""
        w, h = self._size
        depth = np.minimum(np.minimum(x, w - 1 - x), np.minimum(y, h - 1 - y))
        feather = max(1.0, _FEATHER * w * min(1.0, 8 * share))
        return smoothstep((depth / np.float32(feather)).astype(np.float32))

    def _trace_back(self, flow: F32, share: float) -> F32:
        """For every point p of the moment: x - p, with x + share · flow(x) = p, found by substitution; and the trust
        there: float32 (3, rows, columns)."""
        x, y = self._x, self._y
        found = flow
        for _ in range(4 if self.fit.leftover > _STILL else 2):
            found = warp.look_up(flow, x, y)
            x, y = self._x - np.float32(share) * found[0], self._y - np.float32(share) * found[1]
        np.subtract(x, self._x, out=found[0])
        np.subtract(y, self._y, out=found[1])
        return found


def align(first: Planes, last: Planes) -> Alignment | None:
    """How two pictures of one size fit together; None where they show different places."""
    fit = register(first.y, last.y)
    if fit is None:
        return None
    pictures = first, last
    change = compare_light(*pictures, fit)
    unlike = find_unlike(*pictures, fit, change)
    travellers: tuple[Traveller, ...] = ()
    if unlike.any():
        # What stands elsewhere says nothing of the light, and in the right light it is found exactly.
        change = compare_light(*pictures, fit, unlike)
        travellers = find_travellers(*pictures, fit, change)
    h, w = first.y.shape
    try:
        return Alignment(fit, change, travellers, (w, h))
    except ValueError:
        return None


def transform(view: F64, x: F32, y: F32) -> tuple[F32, F32]:
    """Positions x, y (float32, any one shape) as a homography, float64 (3, 3), maps them."""
    m = (view / view[2, 2]).astype(np.float32)
    below = m[2, 0] * x + m[2, 1] * y + 1
    return (m[0, 0] * x + m[0, 1] * y + m[0, 2]) / below, (m[1, 0] * x + m[1, 1] * y + m[1, 2]) / below


def _mirror_room(scene: Scene) -> Room:
    """How far the view may look beyond the border, where the other picture may show the same: over mirrored texture."""
    sides, width = judge_borders(scene.rgb), scene.depth.shape[1]
    return Room(*(_MIRRORED * width * max(0.1, side) for side in (sides.left, sides.top, sides.right, sides.bottom)))
