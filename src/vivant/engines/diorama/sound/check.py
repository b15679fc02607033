"""A sound check: every effect once, briefly, so that what is compiled at first use is compiled before the first clip."""

from __future__ import annotations

from fractions import Fraction
from typing import Final, get_args

import numpy as np

from vivant.engines.diorama.sound import mix
from vivant.engines.diorama.storyboard import CueKind
from vivant.engines.diorama.timeline import Bed, Event, EventKind, Timeline

FRAMES: Final = 12


def sound_check() -> None:
    """Some tenths of a second with a filled cache; some seconds the first time ever."""
    still = np.full(FRAMES, 0.5, np.float32)
    mix.soundtrack(
        Timeline(
            frames=FRAMES,
            seed=0,
            curves={"wind": still, "flicker": still, "light": still},
            events=tuple(Event(id=kind, kind=kind, time=Fraction(1, 24)) for kind in get_args(EventKind)),
            beds=tuple(Bed(kind=kind, start=0, end=FRAMES) for kind in get_args(CueKind)),
        )
    )
