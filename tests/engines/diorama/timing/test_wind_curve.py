from __future__ import annotations

import numpy as np
import pytest

from vivant.engines.diorama.timing.wind import make_wind


@pytest.mark.parametrize("strength", [0.1, 0.5, 1.0])
def test_wind_stays_between_calm_and_its_strength(strength: float) -> None:
    for seed in range(12):
        curve = make_wind(seed, 289, strength)
        assert curve.dtype == np.float32 and curve.shape == (289,)
        assert curve.min() >= 0
        assert curve.max() <= min(1.0, 1.16 * strength)
        assert curve.max() > 0.5 * strength


def test_no_strength_is_dead_calm() -> None:
    assert not make_wind(3, 121, 0.0).any()


def test_gusts_come_and_go_but_never_jump() -> None:
    curve = make_wind(3, 289, 0.8)
    assert curve.max() - curve.min() > 0.25
    assert np.abs(np.diff(curve)).max() < 0.12


def test_a_longer_clip_begins_with_the_same_wind() -> None:
    assert np.array_equal(make_wind(11, 289, 0.6)[:97], make_wind(11, 97, 0.6))


def test_another_seed_is_another_wind() -> None:
    assert not np.array_equal(make_wind(1, 97, 0.6), make_wind(2, 97, 0.6))
