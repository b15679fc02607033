"""Real workers of a real service, killed with SIGKILL while they have a clip made for money: it is ordered once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from support.doubles.ark import ArkDouble, options_for
from support.engine_service import find_workers
from support.live_server import LiveServer, picture_uri
from vivant.timings import Timings


@pytest.fixture(scope="module")
def double() -> Iterator[ArkDouble]:
    with ArkDouble() as at:
        yield at


@pytest.fixture(scope="module")
def server(double: ArkDouble, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    options = options_for(double, jobs=1, settle=2.0)
    with LiveServer(
        tmp_path_factory.mktemp("service"),
        timings=Timings(restart_after=(0.05,)),
        engines=("ark",),
        engine_settings={"ark": options},
    ) as running:
        yield running


class Killer:
    """Kills the worker when the double comes to a step, so many times."""

    def __init__(self, server: LiveServer, step: str, times: int = 1) -> None:
        self.server, self.step, self.left, self.killed = server, step, times, 0

    def __call__(self, step: str) -> None:
        if step == self.step and self.left:
            self.left -= 1
            for worker in find_workers(self.server.service):
                os.kill(worker, signal.SIGKILL)
                self.killed += 1


@pytest.mark.parametrize(
    ("step", "times"), [("submit", 1), ("submitted", 1), ("look", 1), ("film", 1), ("film", 2), ("look", 2)]
)
def test_a_clip_whose_worker_is_killed_is_made_and_paid_for_once(
    server: LiveServer, double: ArkDouble, step: str, times: int
) -> None:
    before = double.ordered
    killer = Killer(server, step, times)
    double.on = killer
    fields: dict[str, Any] = {
        "prompt": "a lake",
        "image": picture_uri(),
        "resolution": "480p",
        "duration": 4,
        "seed": 7,
    }
    answer = server.submit(fields)
    assert answer.status == 200, answer.body
    done = server.finished(answer.json()["task_id"])
    assert done["task"]["status"] == "TASK_STATUS_SUCCEED", done["task"]["reason"]
    assert killer.killed == times
    assert double.ordered == before + 1


def test_what_a_clip_cost_is_shown_with_its_task(server: LiveServer, double: ArkDouble) -> None:
    double.on = lambda step: None
    answer = server.submit({"prompt": "a lake", "image": picture_uri(), "resolution": "480p", "duration": 4})
    task = answer.json()["task_id"]
    assert server.finished(task)["task"]["status"] == "TASK_STATUS_SUCCEED"
    shown = server.get(f"/v1/tasks/{task}").json()
    assert shown["report"]["cost"]["currency"] == "USD" and shown["report"]["cost"]["amount"] > 0
    assert "sk_" not in str(shown)
