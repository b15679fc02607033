"""Runs every compiled kernel of sound once, so that the first clip does not wait for the compiler."""

from __future__ import annotations

from typing import Final

import numpy as np

from vivant.engines.diorama.sound import mix
from vivant.engines.diorama.sound.music.soundfont import Note, load_soundfont
from vivant.engines.diorama.timing.curves import CameraCurves
from vivant.engines.diorama.timing.timeline import Bed, BedKind, Timeline

FRAMES: Final = 12
COMPILED: Final[tuple[BedKind, ...]] = ("rain", "wind", "crowd")  # between them they call every kernel of effects/


def warm_up_sound() -> None:
    """Takes a few tenths of a second with numba's cache filled, some seconds without."""
    still = np.full(FRAMES, 0.5, np.float32)
    timeline = Timeline(
        frames=FRAMES,
        seed=0,
        wind=still,
        flicker=still,
        light=still,
        camera=CameraCurves.at_home(FRAMES),
        beds=tuple(Bed(kind=kind) for kind in COMPILED),
    )
    note = load_soundfont().play([Note(start=0, length=0.2, key=60, velocity=64, program=0)], FRAMES / 24)
    mix.make_soundtrack(timeline, music=note)
