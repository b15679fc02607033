"""However an attempt ends, the next one of the same task does not order a second clip."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final

import pytest

from support.doubles import ark, novita
from support.doubles.loopback import Reply
from support.doubles.provider import ProviderDouble
from support.paid_clips import KilledWatch, attempt, engine_for, finish, kill_at, render
from support.watches import RecordingWatch
from vivant.engines.base import Engine
from vivant.engines.generated.remote import REMEMBERED_AS
from vivant.errors import BackendLost, EngineFailed, Stopped

# A provider that can say what became of an order: by its list, or because it honours Idempotency-Key.
TELLING: Final = ("ark", "vivant")


class Account:
    """An engine with its provider's double."""

    def __init__(self, kind: str, **more: Any) -> None:
        self.kind = kind
        self._stack = ExitStack()
        self.double: ProviderDouble
        self.options: dict[str, Any]
        if kind == "ark":
            at_ark = self._stack.enter_context(ark.ArkDouble())
            self.double, self.options = at_ark, ark.options_for(at_ark, **more)
            self.double.after = ("running", "succeeded")
        else:
            at_novita = self._stack.enter_context(novita.NovitaDouble(honours_keys=kind == "vivant"))
            self.double, self.options = at_novita, novita.options_for(at_novita, idempotent=kind == "vivant", **more)
            self.double.after = ("TASK_STATUS_PROCESSING", "TASK_STATUS_SUCCEED")

    def engine(self, **more: Any) -> Engine:
        name = "ark" if self.kind == "ark" else "novita"
        return engine_for(name, {**self.options, **more})

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def open_account() -> Iterator[Callable[..., Account]]:
    opened: list[Account] = []

    def make(kind: str, **more: Any) -> Account:
        opened.append(Account(kind, **more))
        return opened[-1]

    yield make
    for account in opened:
        account.close()


@pytest.mark.parametrize("kind", TELLING)
@pytest.mark.parametrize("step", ["submit", "submitted", "look", "film"])
def test_a_worker_killed_at_any_step_of_the_provider_has_ordered_one_clip(
    open_account: Callable[..., Account], kind: str, step: str
) -> None:
    account = open_account(kind)
    engine = account.engine()
    first = KilledWatch()
    account.double.on = kill_at(step, first)
    assert not attempt(engine, first), f"nothing happened at {step}"
    assert first.stored[REMEMBERED_AS]
    time.sleep(0.5)  # what was under way at the provider arrives
    assert account.double.ordered == 1  # also the order that was on its way when the worker was killed
    again = RecordingWatch(remembered=first.stored)
    assert finish(render(engine, again))["adopted"]
    assert account.double.ordered == 1


@pytest.mark.parametrize("kind", TELLING)
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("write", [1, 2])
def test_a_worker_killed_while_it_remembers_has_ordered_one_clip(
    open_account: Callable[..., Account], kind: str, moment: str, write: int
) -> None:
    account = open_account(kind)
    engine = account.engine()
    first = KilledWatch(**{moment: write})  # type: ignore[arg-type]  # one of the two
    assert not attempt(engine, first)
    assert account.double.ordered == (0 if write == 1 else 1)
    finish(render(engine, RecordingWatch(remembered=first.stored)))
    assert account.double.ordered == 1


@pytest.mark.parametrize("kind", TELLING)
def test_a_worker_killed_at_any_moment_has_ordered_one_clip(open_account: Callable[..., Account], kind: str) -> None:
    account = open_account(kind, settle=0.1)
    engine = account.engine()
    whole = KilledWatch()
    assert attempt(engine, whole)
    kills = 0
    for moment in range(1, whole.checks + 1, max(1, whole.checks // 14)):
        before = account.double.ordered
        first = KilledWatch(at_check=moment)
        if attempt(engine, first):
            continue  # it was quicker this time
        kills += 1
        finish(render(engine, RecordingWatch(remembered=first.stored)))
        assert account.double.ordered == before + 1, f"killed at its check {moment}"
    assert kills >= 8


@pytest.mark.parametrize("kind", TELLING)
def test_a_worker_killed_again_and_again_has_ordered_one_clip(open_account: Callable[..., Account], kind: str) -> None:
    account = open_account(kind)
    engine = account.engine()
    stored: dict[str, Any] = {}
    for step in ("submitted", "look", "film", "look", "film"):
        watch = KilledWatch(stored)
        account.double.on = kill_at(step, watch)
        assert not attempt(engine, watch)
        stored = watch.stored
    account.double.on = lambda step: None
    finish(render(engine, RecordingWatch(remembered=stored)))
    assert account.double.ordered == 1


@pytest.mark.parametrize("kind", TELLING)
@pytest.mark.parametrize(
    "accident", ["answer lost", "accepted with 500", "accepted with 503", "accepted with nonsense"]
)
def test_an_order_that_was_accepted_without_an_answer_is_found_and_not_repeated(
    open_account: Callable[..., Account], kind: str, accident: Any
) -> None:
    account = open_account(kind)
    account.double.accidents.append(accident)
    finish(render(account.engine(), RecordingWatch()))
    assert account.double.ordered == 1


@pytest.mark.parametrize("kind", TELLING)
def test_an_order_that_certainly_did_not_arrive_is_made_once_more(
    open_account: Callable[..., Account], kind: str
) -> None:
    account = open_account(kind)
    account.double.accidents.extend(["lost", "lost"])
    finish(render(account.engine(), RecordingWatch()))
    assert account.double.ordered == 1


def test_a_list_that_lags_behind_is_asked_again_before_an_order_is_repeated(
    open_account: Callable[..., Account],
) -> None:
    account = open_account("ark", settle=3.0)
    engine = account.engine()
    assert isinstance(account.double, ark.ArkDouble)
    account.double.accidents.append("answer lost")
    account.double.lag = 2
    finish(render(engine, RecordingWatch()))
    assert account.double.ordered == 1


@pytest.mark.parametrize("oldest_first", [False, True])
def test_an_order_is_found_among_hundreds_of_others_on_either_end_of_the_list(
    open_account: Callable[..., Account], oldest_first: bool
) -> None:
    account = open_account("ark")
    engine, double = account.engine(), account.double
    assert isinstance(double, ark.ArkDouble)
    finish(render(engine, RecordingWatch(), seed=1))
    (other,) = double.jobs.values()
    for n in range(230):  # of the last week: nearly all older than the order
        made = other.made - 2 * 86_400 + 700 * n
        double.jobs[f"other-{n}"] = replace(other, id=f"other-{n}", made=made, steps=deque(["succeeded"]))
    double.oldest_first = oldest_first
    double.accidents.append("answer lost")
    finish(render(engine, RecordingWatch()))
    assert double.ordered == 2
    double.accidents.append("lost")
    finish(render(engine, RecordingWatch()))
    assert double.ordered == 3


@pytest.mark.parametrize("differs", [{"seed": 8}, {"duration": 5}, {"resolution": "720p"}, {"generate_audio": True}])
def test_a_task_with_the_same_mark_that_asks_for_something_else_is_not_ours(
    open_account: Callable[..., Account], differs: dict[str, Any]
) -> None:
    account = open_account("ark", settle=0.0)
    engine, double = account.engine(), account.double
    first = KilledWatch()
    double.on = kill_at("submitted", first)
    assert not attempt(engine, first)
    double.on = lambda step: None
    (job,) = double.jobs.values()
    job.asked.update(differs)
    report = finish(render(engine, RecordingWatch(remembered=first.stored)))
    assert report["remote_id"] != job.id


@pytest.mark.parametrize("arrived", [True, False])
def test_a_clock_that_was_set_back_holds_nothing_up_and_hides_no_order(
    open_account: Callable[..., Account], arrived: bool
) -> None:
    account = open_account("ark", settle=0.3)
    engine = account.engine()
    first = KilledWatch() if arrived else KilledWatch(after=1)
    account.double.on = kill_at("submitted", first) if arrived else account.double.on
    assert not attempt(engine, first)
    known = first.stored[REMEMBERED_AS]
    later = {**first.stored, REMEMBERED_AS: {**known, "since": known["since"] + 7200}}
    started = time.monotonic()
    finish(render(engine, RecordingWatch(remembered=later)))
    assert time.monotonic() - started < 10 and account.double.ordered == 1


# -- a provider that cannot say ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["novita", "ark"])
def test_where_nobody_can_say_whether_an_order_arrived_the_task_fails_and_says_why(
    open_account: Callable[..., Account], kind: str
) -> None:
    account = open_account(kind)
    if isinstance(account.double, ark.ArkDouble):
        account.double.shows_marks = False
    engine = account.engine()
    first = KilledWatch()
    account.double.on = kill_at("submitted", first)
    assert not attempt(engine, first)
    with pytest.raises(EngineFailed, match="not ordered again, so as not to be paid for twice") as caught:
        render(engine, RecordingWatch(remembered=first.stored))
    assert "RESUBMIT_UNKNOWN=true" in str(caught.value)
    assert not caught.value.retryable
    assert account.double.ordered == 1


@pytest.mark.parametrize("accident", ["answer lost", "accepted with 500", "accepted with 503"])
def test_without_an_answer_the_attempt_itself_does_not_order_again_either(
    open_account: Callable[..., Account], accident: Any
) -> None:
    account = open_account("novita")
    account.double.accidents.append(accident)
    with pytest.raises(EngineFailed, match="not ordered again"):
        render(account.engine(), RecordingWatch())
    assert account.double.ordered == 1


def test_an_operator_may_allow_to_order_again(open_account: Callable[..., Account]) -> None:
    account = open_account("novita")
    first = KilledWatch()
    account.double.on = kill_at("submitted", first)
    assert not attempt(account.engine(), first)
    account.double.on = lambda step: None
    account.double.accidents.append("answer lost")
    finish(render(account.engine(resubmit_unknown=True), RecordingWatch(remembered=first.stored)))
    assert account.double.ordered == 3


def test_a_mark_of_yesterday_is_not_settled_by_a_key_that_the_server_has_forgotten(
    open_account: Callable[..., Account],
) -> None:
    account = open_account("vivant")
    engine = account.engine()
    first = KilledWatch()
    account.double.on = kill_at("submitted", first)
    assert not attempt(engine, first)
    known = first.stored[REMEMBERED_AS]
    old = {**first.stored, REMEMBERED_AS: {**known, "since": known["since"] - 86_400}}
    with pytest.raises(EngineFailed, match="not ordered again"):
        render(engine, RecordingWatch(remembered=old))
    assert account.double.ordered == 1


# -- what is paid for is not given up ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*TELLING, "novita"])
def test_a_job_is_taken_over_even_if_the_words_were_written_out_otherwise_this_time(
    open_account: Callable[..., Account], kind: str
) -> None:
    account = open_account(kind)
    engine = account.engine()
    first = KilledWatch()
    account.double.on = kill_at("look", first)
    assert not attempt(engine, first)
    report = finish(render(engine, RecordingWatch(remembered=first.stored), prompt="A lake in a strong wind."))
    assert report["adopted"] and account.double.ordered == 1


@pytest.mark.parametrize("kind", [*TELLING, "novita"])
def test_a_job_at_an_address_that_was_taken_away_is_not_ordered_again(
    open_account: Callable[..., Account], kind: str
) -> None:
    account, other = open_account(kind), open_account(kind)
    first = KilledWatch()
    account.double.on = kill_at("look", first)
    assert not attempt(account.engine(), first)
    with pytest.raises(EngineFailed, match="at another address"):
        render(other.engine(), RecordingWatch(remembered=first.stored))
    assert other.double.ordered == 0


@pytest.mark.parametrize("kind", [*TELLING, "novita"])
def test_a_job_that_the_provider_does_not_know_any_more_is_not_ordered_again(
    open_account: Callable[..., Account], kind: str
) -> None:
    account = open_account(kind)
    engine = account.engine()
    first = KilledWatch()
    account.double.on = kill_at("look", first)
    assert not attempt(engine, first)
    account.double.jobs.clear()
    with pytest.raises(EngineFailed, match="does not know the job"):
        render(engine, RecordingWatch(remembered=first.stored))
    assert account.double.ordered == 1


@pytest.mark.parametrize("kind", [*TELLING, "novita"])
def test_a_job_that_failed_while_nobody_looked_ends_the_task_with_its_reason(
    open_account: Callable[..., Account], kind: str
) -> None:
    account = open_account(kind)
    account.double.after = ("running", "failed") if kind == "ark" else ("TASK_STATUS_PROCESSING", "TASK_STATUS_FAILED")
    engine = account.engine()
    first = KilledWatch()
    account.double.on = kill_at("look", first)
    assert not attempt(engine, first)
    with pytest.raises(EngineFailed, match="sensitive"):
        render(engine, RecordingWatch(remembered=first.stored))
    assert account.double.ordered == 1


@pytest.mark.parametrize("kind", [*TELLING, "novita"])
def test_a_provider_who_answers_nonsense_for_a_while_loses_no_paid_job(
    open_account: Callable[..., Account], kind: str
) -> None:
    account = open_account(kind)
    engine = account.engine()
    answer, left = account.double.answer, [3]

    def sometimes(seen: Any) -> Reply:
        if seen.method == "GET" and account.double.ordered and left[0]:
            left[0] -= 1
            return Reply(raw=b"<html>Bad gateway</html>", media_type="text/html")
        return answer(seen)

    account.double.answer = sometimes  # type: ignore[method-assign]  # a provider in trouble
    finish(render(engine, RecordingWatch()))
    assert account.double.ordered == 1 and not left[0]


@pytest.mark.parametrize("kind", [*TELLING, "novita"])
def test_a_provider_who_goes_down_while_a_job_runs_loses_no_paid_job(
    open_account: Callable[..., Account], kind: str
) -> None:
    account = open_account(kind)
    engine = account.engine()
    first = KilledWatch()
    account.double.on = kill_at("look", first)
    assert not attempt(engine, first)
    account.double.go_down()
    engine._generator._times = replace_down(engine._generator._times, 1.0)  # type: ignore[attr-defined]
    with pytest.raises(BackendLost):
        render(engine, RecordingWatch(remembered=first.stored))
    account.double.come_up()
    finish(render(engine, RecordingWatch(remembered=first.stored)))
    assert account.double.ordered == 1


def replace_down(times: Any, down: float) -> Any:
    return replace(times, down=down)


@pytest.mark.parametrize("kind", TELLING)
def test_a_stop_while_an_order_goes_out_is_obeyed_within_two_seconds(
    open_account: Callable[..., Account], kind: str
) -> None:
    account = open_account(kind)
    engine = account.engine()
    for stop_at in (1, 2, 3, 4, 6, 9):
        started = time.monotonic()
        with pytest.raises(Stopped):
            render(engine, RecordingWatch(stop_at))
        assert time.monotonic() - started < 2
