"""The table of transitions."""

from __future__ import annotations

import pytest

from vivant.errors import IllegalTransition
from vivant.task import TRANSITIONS, Status, check_transition


def test_every_status_is_reachable_from_queued_and_every_end_is_final() -> None:
    seen, pending = {Status.QUEUED}, [Status.QUEUED]
    while pending:
        for after in TRANSITIONS[pending.pop()] - seen:
            seen.add(after)
            pending.append(after)
    assert seen == set(Status)
    assert {s for s in Status if s.is_terminal} == {Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.EXPIRED}


# Written out once more, so that a change of the table is a change of the test.
LEGAL = {
    ("queued", "running"), ("queued", "cancelled"), ("queued", "expired"),
    ("running", "succeeded"), ("running", "failed"), ("running", "cancelled"), ("running", "expired"),
    ("running", "queued"),
}  # fmt: skip


@pytest.mark.parametrize("to", Status)
@pytest.mark.parametrize("at", Status)
def test_every_pair_of_states_is_a_transition_or_an_error_that_names_both(at: Status, to: Status) -> None:
    if (at.value, to.value) in LEGAL:
        check_transition("t1", at, to)
    else:
        with pytest.raises(IllegalTransition, match=f"^Task t1 is {at}; it cannot become {to}.$"):
            check_transition("t1", at, to)
