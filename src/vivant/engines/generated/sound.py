"""The sound of a generated clip: what the model made, brought to the length of the pictures; silence; or, where the
model makes none, speech, effects and music by the embedded engine."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from vivant.engines.base import Watch
from vivant.errors import EngineFailed
from vivant.media import F32, SAMPLE_RATE, SAMPLES_PER_FRAME, Pictures, Soundtrack
from vivant.request import VideoRequest

if TYPE_CHECKING:
    from vivant.engines.diorama.soundtrack import SoundtrackMaker

FADE: Final = SAMPLE_RATE // 50  # samples: 20 ms before sound that is cut or ends before the pictures
MOST_GAIN_DOWN: Final = 2.0  # peaks up to this are turned down with the rest; what is beyond it is cut off
MOST_SECONDS: Final = 300.0  # that missing sound may take; it takes 2 to 6


def fit_sound(samples: F32, frames: int) -> Soundtrack:
    """Exactly 2000 samples for each frame: cut, or followed by silence, with a fade of 20 ms before either.

    samples: float32 (2, n) at 48 kHz, n at least 1, of any level. What is louder than full scale is turned down as a
    whole, up to 6 dB; a few wilder samples are cut off, and what is no number becomes silence. Raises ValueError for
    another shape.
    """
    if samples.ndim != 2 or samples.shape[0] != 2 or samples.shape[1] < 1:
        raise ValueError(f"Sound is float32 (2, n), got {samples.dtype} {samples.shape}.")
    wanted = frames * SAMPLES_PER_FRAME
    kept = min(samples.shape[1], wanted)
    sound = np.zeros((2, wanted), np.float32)
    sound[:, :kept] = np.nan_to_num(samples[:, :kept], nan=0.0, posinf=0.0, neginf=0.0)
    if samples.shape[1] != wanted:
        fade = min(FADE, kept)
        sound[:, kept - fade : kept] *= np.linspace(1, 0, fade, dtype=np.float32)
    peak = float(np.abs(sound).max())
    if peak > 1:
        sound /= np.float32(min(peak, MOST_GAIN_DOWN))
        np.clip(sound, -1, 1, out=sound)
    return Soundtrack(sound)


def make_silence(frames: int) -> Soundtrack:
    """2000 samples of silence for each frame."""
    return Soundtrack(np.zeros((2, frames * SAMPLES_PER_FRAME), np.float32))


def make_missing_sound(request: VideoRequest, pictures: Pictures, watch: Watch) -> Soundtrack:
    """Speech, effects and music as the embedded engine makes them for this request and its first picture, in time with
    the clock of the clip. It does not see what the model drew: things are heard where the prompt and the picture have
    them, and lips do not follow speech.

    The models are loaded on first use and kept. Raises Stopped, and EngineFailed when it takes longer than five
    minutes.
    """
    deadline = time.monotonic() + MOST_SECONDS

    def check() -> None:
        watch.raise_if_stopping()
        if time.monotonic() > deadline:
            raise EngineFailed(f"The embedded engine made no sound within {MOST_SECONDS:g} s.")

    check()
    return _maker().make(request, pictures, check)


@cache
def _maker() -> SoundtrackMaker:
    """One for all jobs of this process."""
    from vivant.engines.diorama.soundtrack import SoundtrackMaker  # models and kernels: only where they are needed

    return SoundtrackMaker()
