"""Messages between dispatcher and worker: a line with a value that cannot be right is no event."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from support.records import ARTIFACT
from vivant.dispatch.messages import (
    Entered,
    Failed,
    Finished,
    Halted,
    Heartbeat,
    Planned,
    Ready,
    Remember,
    Reported,
    Setup,
    Unusable,
    WorkerEvent,
    decode_event,
    encode_line,
)
from vivant.task import Phase

WRONG_FACTS: tuple[dict[str, Any], ...] = (
    {"path": "../../etc/passwd"}, {"path": "/etc/passwd"}, {"size": 0}, {"sha256": "?"}, {"frames": 0},
)  # fmt: skip
FINISHED = json.loads(encode_line(Finished(ARTIFACT)))


@pytest.mark.parametrize(
    "event",
    [
        Ready("testcard", "1"), Unusable("no weights"), Heartbeat(0.5), Planned({"shots": [1]}), Reported(0.0),
        Entered(Phase.STORING), Reported(1.0), Remember({"job": 1}), Finished(ARTIFACT),
        Failed("ENGINE_FAILED", "", retryable=False), Halted(),
    ],
    ids=repr,
)  # fmt: skip
def test_every_event_comes_out_as_it_went_in(event: WorkerEvent) -> None:
    assert decode_event(encode_line(event)) == event


@pytest.mark.parametrize(
    "build",
    [lambda: Reported(1.5), lambda: Reported(float("nan")), lambda: Failed("", "x", retryable=False),
     lambda: Setup("testcard", "file:///x", "/x", 0.0, 1.0, 1.0, 1.0),
     lambda: Setup("testcard", "file:///x", "/x", 1.0, -1.0, 1.0, 1.0),
     lambda: Setup("testcard", "file:///x", "/x", 1.0, 1.0, math.nan, 1.0)],
)  # fmt: skip
def test_a_wrong_message_cannot_be_built(build: Callable[[], object]) -> None:
    with pytest.raises(ValueError):
        build()


@pytest.mark.parametrize(
    "line",
    [
        *({"type": "Reported", "fraction": fraction} for fraction in (1.5, -0.1, None)),
        {"type": "Failed", "code": "", "message": "x", "retryable": False},
        *({**FINISHED, "artifact": {**FINISHED["artifact"], **wrong}} for wrong in WRONG_FACTS),
        {"type": "Finished", "artifact": {}}, {"type": "Rendered"}, {}, [], "Halted",
    ],
    ids=str,
)  # fmt: skip
def test_any_other_line_is_no_event(line: Any) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_event(json.dumps(line).encode())
