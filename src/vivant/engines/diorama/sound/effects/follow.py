"""What an effect reads from the timeline: curves at sample rate, events. Makes no sound."""

from __future__ import annotations

import numpy as np

from vivant.engines.diorama.timing.timeline import Event, EventKind, Timeline
from vivant.media import F32, SAMPLE_RATE, SAMPLES_PER_FRAME


def at_sample_rate(per_frame: F32) -> F32:
    """A value per frame, float32 (frames,), as a value per sample: float32 (2000 · frames,), linear between the middles
    of the frames."""
    n = len(per_frame) * SAMPLES_PER_FRAME
    return np.interp(
        np.arange(n, dtype=np.float32), (np.arange(len(per_frame)) + 0.5) * SAMPLES_PER_FRAME, per_frame
    ).astype(np.float32)


def event_sample(event: Event) -> int:
    """The sample of the clip on which an event's transient falls."""
    return round(event.time * SAMPLE_RATE)


def events(timeline: Timeline, kind: EventKind) -> list[Event]:
    """The events of one kind, in order of time."""
    return [event for event in timeline.events if event.kind == kind]
