"""The easing curves, and that kernels ease as arrays do."""

from __future__ import annotations

import numpy as np
import pytest

from vivant.engines.diorama.easing import smootherstep, smoothstep, smoothstep_scalar
from vivant.engines.diorama.kernels import sine

X = np.linspace(-0.5, 1.5, 201)


def test_smoothstep_rises_from_0_to_1_without_speed_at_its_ends() -> None:
    y = smoothstep(X)
    assert y[X <= 0].max() == 0 and y[X >= 1].min() == 1
    assert (np.diff(y) >= 0).all()
    assert smoothstep(np.array([0.5])) == 0.5
    assert smoothstep(np.array([1e-3]))[0] < 1e-5


def test_smootherstep_has_no_acceleration_at_its_ends_either() -> None:
    assert smootherstep(np.array([1e-3]))[0] < 1e-7
    assert smootherstep(np.array([0.5])) == 0.5


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_smoothstep_keeps_the_float_type(kind: type[np.floating]) -> None:
    assert smoothstep(X.astype(kind)).dtype == kind


@pytest.mark.parametrize("x", [-1.0, 0.0, 0.1, 0.5, 0.9, 1.0, 2.0])
def test_a_kernel_eases_a_number_as_arrays_are_eased(x: float) -> None:
    assert smoothstep_scalar(x) == pytest.approx(float(smoothstep(np.array([x]))[0]), abs=1e-12)


def test_the_fast_sine_is_a_sine_to_a_thousandth() -> None:
    turns = np.linspace(-2, 2, 97)
    found = [float(sine(np.float32(turn))) for turn in turns]
    assert np.abs(np.array(found) - np.sin(2 * np.pi * turns)).max() < 1.2e-3
