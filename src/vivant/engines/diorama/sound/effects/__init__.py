"""Every sound that is not speech or music, all synthesised: beds, which last, and one-shots, which happen once.

Each file makes one thing from the timeline; mixing and reverberation come later (mix.py, stems.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from vivant.engines.diorama.sound import fades, levels
from vivant.engines.diorama.sound.effects import (
    birds,
    crickets,
    crowd,
    fire,
    follow,
    footsteps,
    rain,
    room,
    stream,
    thunder,
    traffic,
    waterfall,
    waves,
    wind,
)
from vivant.engines.diorama.timing.timeline import Bed, BedKind, Event, EventKind, Timeline
from vivant.media import F32, SAMPLE_RATE, SAMPLES_PER_FRAME

_BEDS: Final[dict[BedKind, tuple[Callable[[Bed, Timeline], F32], float]]] = {
    # Its function, and its loudness in LUFS at strength and depth 0.5, on a scale on which a voice has -18.
    "rain": (rain.make_bed, -26),
    "wind": (wind.make_bed, -28),
    "waves": (waves.make_bed, -26),
    "stream": (stream.make_bed, -29),
    "waterfall": (waterfall.make_bed, -24),
    "fire": (fire.make_bed, -28),
    "birds": (birds.make_bed, -30),
    "crickets": (crickets.make_bed, -33),
    "crowd": (crowd.make_bed, -28),
    "traffic": (traffic.make_bed, -28),
    "room": (room.make_bed, -52),
}
_ONE_SHOTS: Final[dict[EventKind, tuple[Callable[[Event, Timeline], tuple[F32, int]], float]]] = {
    # Its function, and the gain in dB that puts it on the same scale.
    "thunder": (thunder.make_clap, 4),
    "step": (footsteps.make_step, 2),
    "wave": (waves.make_wave, -7),
    "pass": (traffic.make_pass_by, 5),
}
_FADE: Final = SAMPLE_RATE // 4  # samples in which a bed comes and goes
_SWING: Final = 14.0  # dB between strength 0 and 1
_NEARER: Final = 8.0  # dB between depth 1 and 0


def make_bed(bed: Bed, timeline: Timeline) -> F32:
    """A sound that lasts: float32 (2, timeline.samples), on the common scale of loudness."""
    make, loudness = _BEDS[bed.kind]
    sound = make(bed, timeline)
    wanted = loudness + _SWING * (bed.strength - 0.5) + _NEARER * (0.5 - bed.depth)
    measured = levels.measure_loudness(sound)
    gain = levels.to_gain(wanted - measured) if np.isfinite(measured) else 1.0
    return (sound * np.float32(gain) * _presence(bed, sound.shape[1])).astype(np.float32)


def _presence(bed: Bed, samples: int) -> F32:
    """The share of a bed that is heard: float32 (samples,), 0 before its start and after its end, with short fades
    inside, so that a cut is heard where it is seen."""
    start, end = bed.start * SAMPLES_PER_FRAME, samples if bed.end is None else bed.end * SAMPLES_PER_FRAME
    share = np.zeros(samples, np.float32)
    share[start:end] = 1
    fade = min(_FADE, max(1, (end - start) // 2))
    if start:
        share[start : start + fade] = fades.fade_in(fade)
    if end < samples:
        share[end - fade : end] *= fades.fade_out(fade)
    return share


def make_one_shot(event: Event, timeline: Timeline) -> tuple[F32, int]:
    """A sound that happens once: (float32 (2, m), the sample of the clip at which it starts).

    Its transient (the heel of a step, the crest of a wave, the closest point of a car) falls exactly on event.time. A
    sound that swells before it starts earlier, perhaps before the clip. Raises KeyError for lightning (`strike`), which
    has no sound; its thunder is an event of its own.
    """
    make, gain = _ONE_SHOTS[event.kind]
    sound, transient = make(event, timeline)
    return (sound * np.float32(levels.to_gain(gain))).astype(np.float32), follow.event_sample(event) - transient
