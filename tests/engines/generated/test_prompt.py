"""The words that a model is given: the caller's own, unless the operator wants them written out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from support.chat_simulator import ChatHandler, chat_endpoint
from vivant.engines.generated.prompt import CAMERA_FIXED, write_prompt
from vivant.errors import Stopped
from vivant.request import Brief, VideoRequest


def a_request(prompt: str = 'A man says "Hello."', **fields: Any) -> VideoRequest:
    return Brief(prompt=prompt, seed=7, **fields).resolve(400, 400, has_last_frame=False)


def nothing() -> None: ...


def test_the_prompt_goes_through_untouched_and_nothing_is_noted() -> None:
    for prompt in ("  two  spaces\n and a line ", "下雨。", 'He says "a\u201db."'):
        assert write_prompt(a_request(prompt), {}, nothing, fix_camera=True) == (prompt, ())


@pytest.mark.parametrize(("prompt", "language"), [("A lake.", "en"), ("湖面。", "zh")])
def test_a_fixed_camera_is_asked_for_in_the_prompt_s_language_and_told(prompt: str, language: str) -> None:
    written, notes = write_prompt(a_request(prompt, camera_fixed=True), {}, nothing, fix_camera=True)
    assert written == f"{prompt} {CAMERA_FIXED[language]}"
    assert len(notes) == 1 and "camera_fixed" in notes[0]
    assert write_prompt(a_request(prompt, camera_fixed=True), {}, nothing, fix_camera=False) == (prompt, ())


def expand(answer: Callable[[ChatHandler], None], **options: Any) -> tuple[str, tuple[str, ...]]:
    with chat_endpoint(answer) as (base, _):
        told = {"expand_prompt": True, "planner_url": base, "planner_seconds": 5.0, **options}
        return write_prompt(a_request(), told, nothing, fix_camera=True)


def test_the_planner_writes_it_out_and_a_note_says_so() -> None:
    long = 'A man in a grey coat turns to us and says "Hello." as rain begins.'
    written, notes = expand(lambda handler: handler.say(json.dumps({"prompt": long})))
    assert written == long and notes == ("The prompt was expanded by the planner.",)


@pytest.mark.parametrize(
    "said", ["no JSON", "[]", '{"prompt": 3}', '{"prompt": " "}', json.dumps({"prompt": "a" * 4001}), "{}"]
)
def test_what_the_planner_says_otherwise_costs_nothing(said: str) -> None:
    written, notes = expand(lambda handler: handler.say(said))
    assert written == a_request().prompt and "could not expand" in notes[0]


def test_without_a_planner_that_is_told() -> None:
    written, notes = write_prompt(a_request(), {"expand_prompt": True}, nothing, fix_camera=True)
    assert written == a_request().prompt and "there is no planner" in notes[0]


def test_a_job_that_is_to_stop_does_not_wait_for_the_planner() -> None:
    def stop() -> None:
        raise Stopped

    with chat_endpoint(lambda handler: handler.say("{}")) as (base, _), pytest.raises(Stopped):
        write_prompt(a_request(), {"expand_prompt": True, "planner_url": base}, stop, fix_camera=True)
