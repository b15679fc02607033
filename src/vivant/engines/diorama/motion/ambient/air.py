"""What all motions of a clip share: the wind and the drift it causes, how far weather has faded in, the view of the
camera, and the light of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.easing import smootherstep
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import LightKind, Storyboard
from vivant.engines.diorama.timing.timeline import Timeline
from vivant.media import F32, F64
from vivant.request import FPS

FADE_IN: Final = 0.6  # seconds until rain, snow and the like have full opacity
INITIAL_FADE: Final = 1.4  # seconds in which the initial displacement of a motion is faded out, see `initial_share`
FADE_OUT: Final = 0.9  # seconds in which what is not in the picture fades out before a given last picture
STREAM_FADE_OUT: Final = 0.4  # and in which water that runs comes to rest: to be seen to run to the end, late
# Share of luma above black that drops, flakes and haze keep when it is dark: a little more than a relight leaves of the
# ground, for lamps shine on them.
_DARKENED: Final[dict[LightKind, float]] = {"night": 0.46, "dusk": 0.7, "dark": 0.6}


@dataclass(frozen=True, slots=True, eq=False)
class Air:
    """One per clip, and one for each motion that has a time. Curves are float32 (frames,)."""

    width: int
    height: int
    frames: int
    seed: int
    side: float  # which way the wind blows: -1 left, 1 right
    wind: F32  # signed, -1..1
    drift: F32  # integral of `wind` since frame 0, in seconds
    flowed: F64  # seconds for which what flows has flowed
    opacity: F32  # of what is not in the picture (rain, sparks): 0 at frame 0, then 1; 0 again on a given last picture
    amplitude: F32  # 0..1, of what lies over the picture (mist, steam): 1; 0 on a given last picture
    swing: F32  # 0..1, of what is in the picture (water, plants): 1, for it comes home by itself, see `final_share`
    running: F32  # 0..1, of what streams: 1; 0 on a given last picture, at which it arrives late
    first_visible: F32  # share of the first picture that is seen: 1; falls to 0 on the way to a given last picture
    dark: float  # luma of the picture, 16..235: 10th percentile
    middle: float  # median
    bright: float  # 85th percentile
    tint: tuple[float, float]  # Cb, Cr of the picture's light: how something colourless looks in it

    lit: F32  # share of luma above black that the light leaves what falls through it: 1; less as night falls
    view: NDArray[np.float64]  # (frames, 3): pan to the right and tilt downward, pixels; zoom
    travel: NDArray[np.float64]  # (frames, 4): of the camera itself: x, y, z and pivot, see `CameraCurves`

    def project(self, n: int, x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Where the points x, y of the picture, pixels, of any equal shape, appear in frame n. By pan, tilt and zoom
        alone, without depth: near enough for what is seen for a second or two."""
        right, down, zoom = self.view[n]
        middle_x, middle_y = 0.5 * self.width, 0.5 * self.height
        return middle_x + (x - middle_x) * zoom - right, middle_y + (y - middle_y) * zoom - down

    def dim(self, luma: float, n: int) -> float:
        """A luma, 16..235, as the light of frame n leaves it."""
        return 16 + (luma - 16) * float(self.lit[n])

    @property
    def scale(self) -> float:
        """The canvas's short side against that of 720p: sizes and speeds below are given for 720p."""
        return min(self.width, self.height) / 720

    @property
    def area(self) -> float:
        """The canvas's area in squares of its short side, against that of 16:9. Particle counts follow it, so
        that every size of one shape shows the same weather."""
        return self.width * self.height / min(self.width, self.height) ** 2 / (16 / 9)


def make_air(scene: Scene, storyboard: Storyboard, timeline: Timeline) -> Air:
    """The air of a clip. The wind blows where a motion of the storyboard says, else to a side that the seed chooses."""
    frames = timeline.frames
    side = _side(storyboard)
    wind = (side * timeline.wind).astype(np.float32)
    drift = np.concatenate([[0.0], np.cumsum(0.5 * (wind[1:] + wind[:-1]))]) / FPS
    appears = smootherstep(np.arange(frames) / (FADE_IN * FPS))
    before_last = np.arange(frames)[::-1] / (FADE_OUT * FPS)
    amplitude = smootherstep(before_last) if storyboard.morph else smootherstep(np.ones(frames))
    running = smootherstep(before_last * (FADE_OUT / STREAM_FADE_OUT)) if storyboard.morph else np.ones(frames)
    planes = scene.source.planes
    lit = planes.y[::8, ::8] >= np.percentile(planes.y[::8, ::8], 60)
    # Half of the colour of the lit parts is taken for that of the light, the other half for their own.
    cb, cr = (128 + 0.5 * (float(p[::4, ::4][lit].mean()) - 128) for p in (planes.u, planes.v))
    dark, middle, bright = np.percentile(scene.source.planes.y[::4, ::4], (10, 50, 85))
    return Air(
        width=storyboard.width,
        height=storyboard.height,
        frames=frames,
        seed=timeline.seed,
        side=side,
        wind=wind,
        drift=drift.astype(np.float32),
        flowed=np.arange(frames) / FPS,
        opacity=(appears * amplitude).astype(np.float32),
        amplitude=amplitude.astype(np.float32),
        swing=np.ones(frames, np.float32),
        running=running.astype(np.float32),
        first_visible=_first_visible(storyboard, frames),
        dark=float(dark),
        middle=float(middle),
        bright=float(bright),
        tint=(cb, cr),
        lit=_lit(storyboard, timeline, scene.facts.brightness),
        view=_view(timeline, storyboard.width, storyboard.height),
        travel=np.stack([getattr(timeline.camera, axis) for axis in ("x", "y", "z", "pivot")], axis=1).astype(
            np.float64
        ),
    )


def limit_to_time(air: Air, there: F32) -> Air:
    """The air of a motion that appears and swells, disappears and dies down. there: float32 (frames,), 0..1."""
    # What comes later than with the picture fades in by itself.
    opacity = air.opacity if there[0] > 0 else air.amplitude
    amplitude, swing, running = air.amplitude * there, air.swing * there, air.running * there
    return replace(air, opacity=opacity * there, amplitude=amplitude, swing=swing, running=running)


def flow_in_time(air: Air, there: F32) -> Air:
    """The air of what flows for a part of the clip: it sets off, and comes to rest where it then is. there: float32
    (frames,), 0..1, its speed."""
    speed = there.astype(np.float64)
    return replace(air, flowed=np.concatenate([[0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1]))]) / FPS)


def initial_share(n: int) -> float:
    """The share of a motion's initial displacement that is still subtracted at frame n: 1 at frame 0, 0 from
    INITIAL_FADE on.

    A motion d(t) is shown as d(t) - d(0)·initial_share(t): frame 0 is the picture unmoved, and yet d has a speed."""
    return float(1 - smootherstep(np.array(n / FPS / INITIAL_FADE)))


def final_share(n: int, frames: int) -> float:
    """The share of a motion's displacement at a given last picture that is subtracted at frame n of `frames`: 0 until
    INITIAL_FADE before it, 1 there.

    What is shown as d(t) - d(end)·final_share(t) arrives at the picture unmoved and is still on its way just before: a
    motion that is damped instead is seen to die down for as long."""
    return initial_share(frames - 1 - n)


def _first_visible(storyboard: Storyboard, frames: int) -> F32:
    """float32 (frames,): 1, or down to 0 before a morph is half way, which it is at half the time."""
    share = np.arange(frames) / max(1, frames - 1)
    gone = smootherstep((share - 0.25) / 0.2) if storyboard.morph else smootherstep(0 * share)
    return (1 - gone).astype(np.float32)


def _lit(storyboard: Storyboard, timeline: Timeline, brightness: float) -> F32:
    """float32 (frames,): 1, less as it grows dark. brightness: mean luma of the picture, 0..1; the darker it is the
    less there is to lose."""
    left = np.ones(timeline.frames)
    for light, curve in zip(storyboard.lights, timeline.lights, strict=False):
        if light.kind in _DARKENED:
            loss = (1 - _DARKENED[light.kind]) * float(np.clip((brightness - 0.12) / 0.33, 0.25, 1))
            left = np.minimum(left, 1 - loss * curve.astype(np.float64))
    return left.astype(np.float32)


def _view(timeline: Timeline, width: int, height: int) -> NDArray[np.float64]:
    camera = timeline.camera
    return np.stack([width * camera.pan, height * camera.tilt, camera.zoom], axis=1).astype(np.float64)


def _side(storyboard: Storyboard) -> float:
    for motion in sorted(storyboard.motions, key=lambda m: m.kind != "wind"):
        if motion.direction in ("left", "right"):
            return -1.0 if motion.direction == "left" else 1.0
    return 1.0 if rng(storyboard.seed, "wind/side").random() < 0.5 else -1.0
