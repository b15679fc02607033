"""Progress from ComfyUI's messages: equal shares for the samplers, never falling, and no message can break it."""

from __future__ import annotations

from typing import Any

import pytest

from vivant.engines.comfyui.progress import ProgressMeter

JOB = "0ecb510e-0b27-4d3e-879e-ce16da75b1fa"


def meter() -> ProgressMeter:
    return ProgressMeter(JOB, ["9", "10"], "7")


def told(kind: str, **data: Any) -> dict[str, Any]:
    return {"type": kind, "data": {"prompt_id": JOB, **data}}


def test_each_sampler_has_an_equal_share_and_what_follows_has_the_rest() -> None:
    it = meter()
    seen = []
    for message in (
        told("execution_start"),
        told("progress", node="9", value=1, max=4),
        told("progress", node="9", value=4, max=4),
        told("progress", node="10", value=1, max=2),
        told("progress", node="10", value=2, max=2),
        told("executed", node="3", output={}),
        told("executed", node="7", output={}),
    ):
        it.see(message)
        seen.append(round(it.fraction, 4))
    assert seen == [0, 0.1187, 0.475, 0.7125, 0.97, 0.97, 1.0]


def test_the_newer_message_counts_the_same_and_a_finished_or_kept_node_is_whole() -> None:
    it = meter()
    it.see(told("progress_state", nodes={"9": {"value": 2.0, "max": 4.0, "state": "running"}, "1": {"value": 1}}))
    assert it.fraction == pytest.approx(0.2375)
    it.see(told("progress_state", nodes={"9": {"value": 1.0, "max": 1.0, "state": "finished"}}))
    assert it.fraction == pytest.approx(0.475)
    it.see(told("execution_cached", nodes=["10", "1"]))
    assert it.fraction == pytest.approx(0.97)


def test_it_never_falls() -> None:
    it = meter()
    it.see(told("progress", node="9", value=3, max=4))
    before = it.fraction
    it.see(told("progress", node="9", value=1, max=4))
    assert it.fraction == before


def test_messages_about_other_jobs_and_other_nodes_change_nothing() -> None:
    it = meter()
    it.see({"type": "progress", "data": {"prompt_id": "other", "node": "9", "value": 4, "max": 4}})
    it.see({"type": "execution_interrupted", "data": {"prompt_id": "other"}})
    it.see(told("progress", node="5", value=4, max=4))
    it.see({"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 1}}}})
    assert it.fraction == 0


@pytest.mark.parametrize(
    "message",
    [
        None, 5, "text", [], {}, {"type": "progress"}, {"type": "progress", "data": []}, told("progress"),
        told("progress", node=["9"], value=1, max=2), told("progress", node="9", value="1", max=2),
        told("progress", node="9", value=1, max=0), told("progress", node="9", value=float("nan"), max=1),
        told("progress", node="9", value=5, max=float("inf")), told("progress", node="9", value=9, max=4),
        told("progress", node="9", value=-1, max=4), told("progress", node="9", value=True, max=True),
        told("progress", node="9", value=10**400, max=10**400), told("progress_state", nodes=[1]),
        told("progress_state", nodes={"9": 5}), told("progress_state", nodes={"9": {"value": {}, "max": []}}),
        told("execution_cached", nodes={"9": 1}), told("execution_cached", nodes=[["9"], None]),
        told("executed", node={"7": 1}), {"type": ["progress"], "data": {"prompt_id": JOB}},
    ],
)  # fmt: skip
def test_no_message_breaks_it(message: Any) -> None:
    it = meter()
    it.see(message)
    assert it.fraction == 0
