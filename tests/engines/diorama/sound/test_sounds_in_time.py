"""Beds and music that have a time are heard in it and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from support.timelines import bed_of, timeline
from vivant.engines.diorama.sound import stems
from vivant.engines.diorama.sound.music import score
from vivant.engines.diorama.storyboard import Music
from vivant.media import F32

FRAME = 2000  # samples


def level(sound: F32, start: int, end: int) -> float:
    """Root mean square between two frames."""
    return float(np.sqrt((sound[:, start * FRAME : end * FRAME].astype(np.float64) ** 2).mean()))


@pytest.mark.parametrize("kind", ["rain", "birds", "waves"])
def test_a_bed_is_heard_from_its_start_to_its_end(kind: str) -> None:
    sound = stems.make_beds(timeline(beds=(bed_of(kind, start=36, end=72),), room=0.0))
    heard = level(sound, 42, 66)
    assert heard > 0
    assert level(sound, 0, 36) < 1e-3 * heard
    assert level(sound, 84, 97) < 0.03 * heard  # what the room still sends back


@pytest.mark.parametrize(("start", "end"), [(48, None), (None, 120), (48, 144), (100, 124)])
def test_music_begins_and_ends_with_its_time(start: int | None, end: int | None) -> None:
    clip = timeline(frames=193, music=Music(mood="happy", tempo=112, start=start, end=end))
    sound = score.make_music(clip)
    first, last = start or 0, end or 193
    assert sound.shape == (2, clip.samples)
    assert not sound[:, : first * FRAME].any() and not sound[:, last * FRAME :].any()
    assert level(sound, first, first + 12) > 1e-3
    assert level(sound, last - 1, last) < 0.2 * level(sound, first, last)


def test_the_last_chord_of_music_is_inside_its_time() -> None:
    whole = score.make_music(timeline(frames=97, music=Music(mood="calm", tempo=72)))
    early = score.make_music(timeline(frames=193, music=Music(mood="calm", tempo=72, start=48, end=145)))
    assert np.array_equal(early[:, 48 * FRAME : 145 * FRAME], whole)
