"""From the first picture to the last, where they show different places: the camera moves in one and arrives in the
other, and the last is revealed behind a soft edge of light that comes down from the sky, where the first is bright
before it is where that is dark. A dissolve would show both as ghosts, and a warp from one into the other as rubber.
Of faces, which such an edge would take apart, and where the camera goes aside, the edge sweeps across the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import glide, smoothstep
from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.fields import STEP, Ambient, Illumination
from vivant.engines.diorama.motion.frame.in_front import draw_in_front
from vivant.engines.diorama.motion.frame.renderer import FaceField, Patches, Renderer
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import Storyboard
from vivant.engines.diorama.timing.curves import HOME, CameraCurves
from vivant.engines.diorama.timing.timeline import Timeline
from vivant.media import F32, F64, U8, Planes

_SOFT: Final = 0.12  # of the picture, that is on its way at a time: with more one sees both where that is
# Of the order, that the height decides: with less, bright pieces of the last picture float in the first as ghosts.
_DOWNWARD: Final = 0.85
_SWEEP_SOFT: Final = 0.3  # the same of an edge that sweeps
_GLOW: Final = 0.2  # by which the middle of that edge is brighter
_FRAYED: Final = 0.1  # of the order of a sweep, that brightness decides
_FACE: Final = 0.1  # a face at least this high (share of the canvas) is not taken apart
_BLUR: Final = 0.03  # widths: finer differences of brightness do not tell where the edge is
_PUSH: Final = 0.1  # zoom on the first picture, and that from which the view settles on the last
_RAMP: Final = 0.15  # share of its way in which the camera gathers speed, and in which it loses it
_LITTLE: Final = 0.03  # the same where the camera does something else
_ASIDE: Final = ("x", "y", "pan", "tilt", "roll")
# Shares of the clip in which the last picture is revealed: late after a push in, early before a pull back.
_REVEAL: Final = {"in": (0.46, 0.8), "": (0.32, 0.68), "out": (0.2, 0.54)}


class Transition:
    """Implements `segments.Frames`. Frame 0 is the first picture to the bit, the last frame the last one."""

    def __init__(
        self, scene: Scene, last: Planes, look_at_last: Callable[[], Arrival], timeline: Timeline,
        storyboard: Storyboard, *, ambient: Ambient | None = None, patches: Patches | None = None,
        face_field: FaceField | None = None, illumination: Illumination | None = None,
    ) -> None:  # fmt: skip
        """scene: of the first picture; last: the other, of its size. ambient, patches, face_field, illumination: what
        moves in the first, and how its light changes. look_at_last: analyses the last, which is not needed before it
        is revealed; see `prepare`."""
        self._last_picture = last
        self._frames = timeline.frames
        self._ambient = ambient
        moves = split_move(timeline.camera)
        leaving = replace(timeline, camera=moves.leaving)
        self._first = Renderer(scene, leaving, storyboard, ambient, patches, face_field, illumination=illumination)
        steady = np.ones(timeline.frames, np.float32)
        arriving = replace(timeline, camera=moves.arriving, light=steady, flicker=0 * steady)
        self._look_at_last, self._arriving, self._storyboard = look_at_last, arriving, storyboard
        self._lock = Lock()
        self._made: tuple[Renderer, float] | None = None
        start, end = _REVEAL[moves.toward]
        self._revealed = np.clip((np.linspace(0, 1, timeline.frames) - start) / (end - start), 0, 1)
        self._ranks = _rank(_soft(scene.source.planes.y))
        self._places = np.sort(self._mix(_soft(scene.source.planes.y)), axis=None)
        self._sweep = moves.aside or _shows_face(scene)

    def prepare(self) -> tuple[Renderer, float]:
        """What renders the last picture, made once, on whichever thread asks first; and the side from which it is
        revealed: 1 from the left, -1 from the right, 0 from above. Raises whatever the look at the last raises."""
        with self._lock:
            if self._made is None:
                last = self._look_at_last()
                drawn = Renderer(
                    last.scene, self._arriving, self._storyboard, last.ambient, illumination=last.illumination
                )
                self._made = drawn, self._sweep or _shows_face(last.scene)
            return self._made

    def frame(self, n: int) -> Planes:
        if n == self._frames - 1:
            planes = self._last_picture
            return Planes(planes.y.copy(), planes.u.copy(), planes.v.copy())
        revealed = float(self._revealed[n])
        if revealed <= 0:
            frame = self._first.picture(n)
        elif revealed >= 1:
            frame = self.prepare()[0].picture(n)
        else:
            last, sweep = self.prepare()
            frame = self._first.picture(n)
            reveal(frame, last.picture(n), *self._order(frame.y, sweep), revealed)
        if n and self._ambient:
            draw_in_front(self._ambient, n, frame, left=self._frames - 1 - n)
        return frame

    def _order(self, y: U8, sweep: float) -> tuple[F32, float]:
        """float32, at a quarter of the size of a frame's luma: 1 what is revealed first .. 0 last; and how soft the
        edge is."""
        soft = _soft(y)
        if not sweep:
            # As much of the picture is revealed in each frame.
            places = np.searchsorted(self._places, self._mix(soft)).astype(np.float32)
            return places / np.float32(len(self._places)), _SOFT
        order: F32 = self._ranks[soft].astype(np.float32) / np.float32(255)
        along = np.linspace(0, 1, order.shape[1], dtype=np.float32)[:: 1 if sweep > 0 else -1]
        mixed: F32 = (_FRAYED * order + (1 - _FRAYED) * along).astype(np.float32)
        return mixed, _SWEEP_SOFT

    def _mix(self, soft: U8) -> F32:
        """float32, at a quarter of the size: higher what is revealed earlier, the bright and the upper."""
        down = np.linspace(1, 0, soft.shape[0], dtype=np.float32)[:, None]
        mixed: F32 = (1 - _DOWNWARD) * self._ranks[soft].astype(np.float32) / np.float32(255) + _DOWNWARD * down
        return mixed


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """What a look at the last picture finds: its scene, what moves in it and how its light changes."""

    scene: Scene
    ambient: Ambient | None = None
    illumination: Illumination | None = None


@dataclass(frozen=True, slots=True)
class Moves:
    """One move of a camera over two pictures: out of the first, and into the last, where it comes to rest."""

    leaving: CameraCurves
    arriving: CameraCurves
    toward: str  # "in", "out" or "": whether it goes nearer, back, or neither
    aside: float  # 1 to the right, -1 to the left, 0 neither


def split_move(camera: CameraCurves) -> Moves:
    """camera: curves that go half the way of a move and come back, as they are for a clip with a last picture. Aside,
    the first picture has their first half, and the last picture their second half from the other side, so that both
    go the same way."""
    u = np.linspace(0, 1, camera.frames)
    zoom, forward = _farthest(np.log(camera.zoom.astype(np.float64))), _farthest(camera.z.astype(np.float64))
    toward = "in" if zoom + forward > 0.06 else "out" if zoom + forward < -0.02 else ""
    aside = max(float(np.abs(getattr(camera, name)).max()) for name in _ASIDE) > 0.02
    across = _farthest(np.asarray(camera.x + camera.pan, np.float64))
    usual = _LITTLE if aside else _PUSH
    leaving, arriving = {"in": (0.0, _LITTLE), "": (usual, usual), "out": (0.0, _PUSH)}[toward]
    # Soon at its speed, and nearly until it rests: neither picture is ever still.
    goes = glide(u * 0.9 / _REVEAL[toward][1], ramp=_RAMP)
    comes = 1 - glide((u - _REVEAL[toward][0]) / (1 - _REVEAL[toward][0]) * 0.85 + 0.15, ramp=_RAMP)
    first = {name: np.asarray(getattr(camera, name), np.float64) for name in HOME}
    last = {name: -values if name in _ASIDE else values for name, values in first.items()}
    # In frame 0 of the other half the camera has come from nowhere: only what is seen of each half counts.
    first["zoom"] = np.exp(2 * max(zoom, 0.0) * goes) * (1 + leaving * goes)
    first["z"] = 2 * max(forward, 0.0) * goes
    last["zoom"] = np.exp(2 * max(-zoom, 0.0) * comes) * (1 + arriving * comes)
    last["z"] = 4 * max(-forward, 0.0) * comes
    return Moves(_curves(first), _curves(last), toward, float(np.sign(across)) if abs(across) > 0.02 else 0.0)


def _shows_face(scene: Scene) -> float:
    """1 where a face is so large that an edge of light would take it apart, else 0."""
    return 1.0 if any(face.height >= _FACE for face in scene.facts.faces) else 0.0


def _farthest(values: F64) -> float:
    """The value farthest from 0."""
    return float(values[np.abs(values).argmax()])


def _curves(values: dict[str, F64]) -> CameraCurves:
    return CameraCurves(**{name: curve.astype(np.float32) for name, curve in values.items()})


def reveal(frame: Planes, other: Planes, order: F32, soft: float, share: float) -> None:
    """Reveal `other` in `frame` (planes of the whole output), in place. order: float32 of any smaller shape, 1 what is
    revealed first .. 0 last; soft: the width of the edge, of the order; share: 0..1, how far it is."""
    h, w = frame.y.shape
    there = smoothstep((share * (1 + soft) - (1 - order)) / np.float32(soft)).astype(np.float32)
    full = filters.resize(there, w, h)
    _reveal_luma(frame.y, other.y, full, np.float32(_GLOW))
    half = filters.resize(there, w // 2, h // 2)
    for plane, under in ((frame.u, other.u), (frame.v, other.v)):
        _mix(plane, under, half)


def _soft(y: U8) -> U8:
    """Blurred luma at a quarter of the size."""
    h, w = y.shape
    small = cv2.resize(y, (w // STEP, h // STEP), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), _BLUR * w / STEP), np.uint8)


def _rank(soft: U8) -> U8:
    """uint8 (256,): the share of a picture that is darker than each luma, of 255."""
    counts = np.bincount(soft.ravel(), minlength=256).astype(np.float64)
    below = np.cumsum(counts) - 0.5 * counts
    ranks: U8 = np.rint(255 * below / max(1.0, below[-1])).clip(0, 255).astype(np.uint8)
    return ranks


@kernel
def _reveal_luma(out: U8, other: U8, share: F32, glow: np.float32) -> None:
    low, high, half = np.float32(16), np.float32(235), np.float32(0.5)
    one, four = np.float32(1), np.float32(4)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            a, s = np.float32(out[i, j]), share[i, j]
            value = a + s * (np.float32(other[i, j]) - a) - low
            value = low + value * (one + glow * four * s * (one - s))
            out[i, j] = np.uint8(min(value, high) + half)


@kernel
def _mix(out: U8, other: U8, share: F32) -> None:
    half = np.float32(0.5)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            a = np.float32(out[i, j])
            out[i, j] = np.uint8(a + share[i, j] * (np.float32(other[i, j]) - a) + half)
