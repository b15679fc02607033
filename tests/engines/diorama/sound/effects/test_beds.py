"""Sounds that last: length, dependence on the seed, loudness by strength and depth, stereo."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from support.timelines import FRAMES, bed_of, decibels, event_of, timeline
from vivant.engines.diorama.sound import effects, levels
from vivant.engines.diorama.timing.timeline import BedKind

KINDS = get_args(BedKind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bed_is_as_long_as_its_clip_and_is_heard(kind: BedKind) -> None:
    sound = effects.make_bed(bed_of(kind), timeline())
    assert sound.shape == (2, 2000 * FRAMES)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert decibels(sound) > -65
    assert abs(float(sound.mean())) < 0.05 * float(sound.std())  # hardly any direct current


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_samples_and_another_seed_others(kind: BedKind) -> None:
    first = effects.make_bed(bed_of(kind), timeline(seed=5))
    assert np.array_equal(first, effects.make_bed(bed_of(kind), timeline(seed=5)))
    assert not np.array_equal(first, effects.make_bed(bed_of(kind), timeline(seed=6)))


@pytest.mark.parametrize("kind", ["rain", "wind", "fire", "stream", "traffic"])
def test_a_bed_is_the_same_whatever_other_beds_there_are(kind: BedKind) -> None:
    alone = effects.make_bed(bed_of(kind), timeline(beds=(bed_of(kind),)))
    among = effects.make_bed(bed_of(kind), timeline(beds=(bed_of("crowd"), bed_of(kind), bed_of("waterfall"))))
    assert np.array_equal(alone, among)


@pytest.mark.parametrize("kind", KINDS)
def test_stronger_is_louder_and_farther_is_softer(kind: BedKind) -> None:
    weak, strong = (levels.measure_loudness(effects.make_bed(bed_of(kind, strength=s), timeline())) for s in (0.2, 0.8))
    near, far = (levels.measure_loudness(effects.make_bed(bed_of(kind, depth=d), timeline())) for d in (0.2, 0.8))
    assert strong > weak + 4
    assert near > far + 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_bed_keeps_its_level_when_it_is_summed_to_mono(kind: BedKind) -> None:
    sound = effects.make_bed(bed_of(kind), timeline())
    left, right = sound
    assert np.corrcoef(left, right)[0, 1] > -0.2
    assert decibels(sound.mean(axis=0)) > decibels(sound) - 4.5  # independent channels lose 3 dB
    assert abs(decibels(left) - decibels(right)) < 8


def test_surf_leaves_the_crash_of_a_wave_to_its_event() -> None:
    fronts = timeline(events=(event_of("wave", strength=0.8),))
    surf = effects.make_bed(bed_of("waves", strength=0.8), fronts)
    assert np.abs(surf).max() / surf.std() < 6  # no wave breaks in the bed itself
