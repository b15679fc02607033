"""Intervals and limits of a service: checked when they are built."""

from __future__ import annotations

import math
from typing import Any

import pytest

from vivant.timings import Timings


@pytest.mark.parametrize(
    "wrong",
    [{"claim_every": 0.0}, {"sweep_every": -1.0}, {"drain_within": math.inf}, {"stop_within": math.nan},
     {"restart_after": ()}, {"restart_after": (1.0, 0.0)}, {"restart_after": 1.0}, {"claim_every": (1.0, 2.0)},
     {"claim_every": "5"}, {"claim_every": True}, {"claim_every": None}],
)  # fmt: skip
def test_a_time_that_is_not_positive_and_finite_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be (a )?positive and finite"):
        Timings(**wrong)


@pytest.mark.parametrize(
    ("wrong", "longer"),
    [({"heartbeat_every": 31.0}, "lease_lapses_after"), ({"worker_heartbeat_every": 31.0}, "worker_silent_for"),
     ({"engine_silent_for": 0.5}, "engine_silent_for"), ({"decode_within": 46.0}, "decoder_free_within")],
)  # fmt: skip
def test_a_time_that_must_be_shorter_than_another_is_refused_where_it_is_longer(
    wrong: dict[str, Any], longer: str
) -> None:
    with pytest.raises(ValueError, match=f"{longer} must be at least"):
        Timings(**wrong)
