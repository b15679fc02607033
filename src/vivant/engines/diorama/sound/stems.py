"""The stems of a clip before the mix: speech, beds and events, on the common scale of loudness, placed in the room.

Knows where things are; the balance between them is the mix's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from vivant.engines.diorama.sound import effects, levels, space
from vivant.engines.diorama.timing.timeline import Timeline
from vivant.media import F32

VOICE: Final = -18.0  # LUFS of a line on the common scale
# dB against VOICE. A whisper is softer than a shout, but less than in life: every word must be understood.
_TONES: Final = {
    "neutral": 0.0, "happy": 0.0, "sad": -1.0, "angry": 1.0,
    "whisper": -2.5, "shout": 1.5, "excited": 0.5, "gentle": -1.0,
}  # fmt: skip


def make_speech(timeline: Timeline) -> F32:
    """Every line at its start and place, equally loud except for their tone: float32 (2, samples)."""
    placed = []
    for line in timeline.lines:
        mono = line.spoken.samples.astype(np.float32)
        # Speech stays near the middle.
        centred = space.pan(space.absorb_treble(mono, 0.5 * line.depth), 0.45 * line.pan)
        loud = levels.measure_loudness(centred)
        if np.isfinite(loud):
            gain = np.float32(levels.to_gain(VOICE + _TONES[line.line.tone] - loud))
            placed.append((centred * gain, line.start, line.depth))
    return _in_the_room(placed, timeline)


def make_beds(timeline: Timeline) -> F32:
    """All beds: float32 (2, samples)."""
    return _in_the_room(((effects.make_bed(bed, timeline), 0, bed.depth) for bed in timeline.beds), timeline)


def make_events(timeline: Timeline) -> F32:
    """All events: float32 (2, samples). Lightning has no sound; its thunder is an event of its own."""
    heard = [event for event in timeline.events if event.kind != "strike"]
    return _in_the_room(((*effects.make_one_shot(event, timeline), event.depth) for event in heard), timeline)


def _in_the_room(sounds: Iterable[tuple[F32, int, float]], timeline: Timeline) -> F32:
    """The sum of sounds, and the reverberation of each, which grows with depth: float32 (2, samples).

    sounds: (float32 (2, m), start sample, depth). A start may be negative; what lies outside the clip is cut.
    """
    dry = np.zeros((2, timeline.samples), np.float32)
    sent = np.zeros((2, timeline.samples), np.float32)
    earliest = timeline.samples
    for sound, start, depth in sounds:
        first, last = max(start, 0), min(start + sound.shape[1], timeline.samples)
        if first < last:
            part = sound[:, first - start : last - start]
            earliest = min(earliest, first)
            dry[:, first:last] += part
            sent[:, first:last] += part * np.float32(space.wet_gain(depth, timeline.room))
    if not np.any(sent):
        return dry
    wet = space.reverberate(sent, space.make_impulse_response(timeline.room, timeline.seed))
    wet[:, :earliest] = 0  # rounding in the FFT would otherwise leave -160 dB of it before the first sound
    return dry + wet
