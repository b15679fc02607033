"""Old film: its grain, and the weave of the picture in the gate of a projector, over the whole frame, after all else
that is drawn.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.storyboard import Lighting
from vivant.media import F32, F64, Planes
from vivant.request import FPS

# What prompts call film; other words of a vintage grade ("sepia", "retro colours") ask for its colours alone.
_FILM: Final = ("film", "8mm", "8 mm", "16mm", "super 8", "胶片", "电影")
GRAIN: Final = 6.5  # levels, standard deviation in the middle tones
_SPREAD: Final = 64  # pixels by which the grain is shifted about from frame to frame
_SIZE: Final = 0.62  # pixels of the blur of a grain, of a frame 480 pixels high
WEAVE: Final = (0.0014, 0.0020)  # heights, standard deviation across and down
_KEPT: Final = 0.72  # share of a displacement that the next frame keeps
_DRIFT: Final = (0.43, 0.71)  # Hz of the slow part
_RUNS: Final = 0.3  # share of the grade from which the film runs in full: its colours may take longer to come


def is_on_film(light: Lighting) -> bool:
    """Whether the words that ask for a light ask for film."""
    return light.kind == "vintage" and any(word in light.words.casefold() for word in _FILM)


class OldFilm:
    """Implements Overlay."""

    def __init__(self, width: int, height: int, seed: int, share: F32, strength: float) -> None:
        """share: float32 (frames,), 0..1, how much of it there is; strength: 0..1."""
        chance = rng(seed, "light/film")
        self._share = smoothstep(share / np.float32(_RUNS))
        self._much = 0.6 + 0.8 * strength
        noise = chance.normal(size=(height + _SPREAD, width + _SPREAD)).astype(np.float32)
        noise = filters.blur(noise, max(0.4, _SIZE * height / 480))
        self._noise = (GRAIN * noise / noise.std()).astype(np.float32)
        self._from = chance.integers(0, _SPREAD, (len(share), 2))
        self._mirrored = chance.random((len(share), 2)) < 0.5
        self._weave = height * np.stack([_wander(chance, len(share), k) * WEAVE[k] for k in (0, 1)], axis=1)
        # Grain is seen in the middle tones, hardly in black and white.
        level = np.clip((np.arange(256) - 16) / 219, 0, 1)
        self._seen = (0.35 + 0.65 * 4 * level * (1 - level)).astype(np.float32)

    def draw(self, n: int, frame: Planes) -> None:
        much = float(self._share[n]) * self._much
        if n == 0 or much <= 0:
            return
        x, y = much * self._weave[n]
        for plane, part in ((frame.y, 1.0), (frame.u, 0.5), (frame.v, 0.5)):
            at = np.array([[1, 0, -part * x], [0, 1, -part * y]])
            plane[:] = cv2.warpAffine(
                plane, at, plane.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )  # fmt: skip
        height, width = frame.y.shape
        down, across = self._from[n]
        noise = self._noise[down : down + height, across : across + width]
        noise = noise[:: -1 if self._mirrored[n, 0] else 1, :: -1 if self._mirrored[n, 1] else 1]
        grain: Any = np.ascontiguousarray(noise) * cv2.LUT(frame.y, self._seen) * np.float32(much)
        frame.y[:] = np.clip(cv2.add(frame.y, grain, dtype=cv2.CV_8U), 16, 235)


def _wander(chance: np.random.Generator, frames: int, axis: int) -> F64:
    """float64 (frames,), standard deviation about 1: the unrest of a claw from frame to frame, and a slow drift."""
    steps, at = chance.normal(size=frames), 0.0
    unrest = np.zeros(frames)
    for n in range(frames):
        at = unrest[n] = _KEPT * at + (1 - _KEPT**2) ** 0.5 * steps[n]
    slow = np.sqrt(2) * np.sin(2 * np.pi * (_DRIFT[axis] * np.arange(frames) / FPS + chance.random()))
    return np.asarray(0.8 * unrest + 0.6 * slow, np.float64)
