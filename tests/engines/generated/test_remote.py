"""The life of a job at a server: submitted once, taken over by the next attempt, cancelled, bounded in time."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pytest

from support.raw_peer import RawPeer, Script, answer, raw_peer
from support.watches import RecordingWatch
from vivant.engines.generated.answers import take
from vivant.engines.generated.connections import Check
from vivant.engines.generated.order import Order, probe_order
from vivant.engines.generated.remote import (
    REMEMBERED_AS,
    Delivered,
    JobState,
    JobStatus,
    JobTimes,
    make_remotely,
    says_out_of_memory,
)
from vivant.engines.generated.server import Patience, Server
from vivant.engines.generated.server_errors import ServerRefused, ServerUnreachable, UnusableAnswer
from vivant.errors import BackendLost, EngineFailed, OutOfMemory, Stopped

TIMES: Final = JobTimes(clip=2.0, down=1.0, poll=0.02, cancel=0.5, settle=0.4)
ORDER: Final = probe_order(grid=32)
QUEUED, RUNNING, DONE = (JobState(status=status) for status in (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.DONE))

Step = JobState | Exception


@dataclass
class JobsDouble:
    """Implements `RemoteJobs`: does what its lists say, the last entry of each for ever, and writes down what came."""

    looks: list[Step] = field(default_factory=lambda: [QUEUED, RUNNING, DONE])
    submits: list[str | Exception] = field(default_factory=lambda: ["job-1"])
    fetches: list[Exception | None] = field(default_factory=lambda: [None])
    found: str | None = None
    pays: bool = False
    server: str = "http://one"
    calls: list[str] = field(default_factory=list)
    on_submit: Callable[[Check], None] = lambda check: None

    def submit(self, order: Order, reference: str, check: Check) -> str:
        uuid.UUID(reference)
        self.calls.append("submit")
        self.on_submit(check)
        job: str = self._next(self.submits)
        return job

    def find(self, reference: str, check: Check) -> str | None:
        self.calls.append(f"find {reference}")
        return self.found

    def look(self, job: str, check: Check) -> JobState:
        check()
        self.calls.append(f"look {job}")
        state: JobState = self._next(self.looks)
        return state

    def cancel(self, job: str, check: Check) -> None:
        self.calls.append(f"cancel {job}")

    def fetch(self, job: str, target: Path, check: Check) -> Mapping[str, Any]:
        self.calls.append(f"fetch {job}")
        self._next(self.fetches)
        target.write_bytes(b"a film")
        return {"cost": 3}

    def _next(self, steps: list[Any]) -> Any:
        step = steps.pop(0) if len(steps) > 1 else steps[0]
        if isinstance(step, Exception):
            raise step
        return step

    def count(self, call: str) -> int:
        return sum(one.partition(" ")[0] == call for one in self.calls)


def make(jobs: JobsDouble, watch: RecordingWatch, folder: Path, **changes: Any) -> Delivered:
    times = changes.pop("times", TIMES)
    others = changes.pop("others", None)
    return make_remotely(jobs, replace(ORDER, **changes), watch, folder / "film", times=times, others=others)


def remembered(**known: Any) -> dict[str, Any]:
    reference = {"server": "http://one", "reference": str(uuid.uuid4()), "digest": ORDER.digest}
    return {"seconds": 3, REMEMBERED_AS: {**reference, **known}}


# -- submit, wait, fetch ----------------------------------------------------------------------------------------------


def test_a_job_is_submitted_watched_and_fetched(tmp_path: Path) -> None:
    jobs = JobsDouble([QUEUED, RUNNING, JobState(status=JobStatus.DONE, facts={"seconds": 2.5})])
    watch = RecordingWatch()
    made = make(jobs, watch, tmp_path)
    assert made == Delivered("job-1", {"seconds": 2.5, "cost": 3}, adopted=False)
    assert (tmp_path / "film").read_bytes() == b"a film"
    assert jobs.calls == ["submit", "look job-1", "look job-1", "look job-1", "fetch job-1"]
    assert watch.fractions == sorted(watch.fractions) and watch.fractions[-1] == 0.9


def test_what_finds_the_job_again_is_remembered_before_the_submit_and_the_job_after_it(tmp_path: Path) -> None:
    watch = RecordingWatch(remembered={"mine": 1})
    before: list[Mapping[str, Any]] = []
    jobs = JobsDouble(on_submit=lambda check: before.append(dict(watch.remembered)))
    make(jobs, watch, tmp_path)
    assert before[0]["mine"] == 1
    known = before[0][REMEMBERED_AS]
    assert (known["server"], known["digest"]) == ("http://one", ORDER.digest)
    assert "job" not in known
    after = watch.remembered[REMEMBERED_AS]
    assert after["job"] == "job-1" and after["reference"] == known["reference"]
    json.dumps(dict(watch.remembered))


def test_progress_is_the_server_s_and_never_falls(tmp_path: Path) -> None:
    states: list[Step] = [JobState(status=JobStatus.RUNNING, progress=p) for p in (0.1, 0.6, 0.3, 0.9)]
    watch = RecordingWatch()
    make(JobsDouble([*states, DONE]), watch, tmp_path)
    assert watch.fractions == sorted(watch.fractions)
    assert any(0.5 < fraction < 0.56 for fraction in watch.fractions)


@pytest.mark.parametrize("progress", [-0.1, 1.1, float("nan"), 55.0])
def test_a_progress_outside_0_and_1_cannot_be(progress: float) -> None:
    with pytest.raises(ValueError, match="progress"):
        JobState(status=JobStatus.RUNNING, progress=progress)


def test_a_failed_job_ends_with_the_server_s_reason(tmp_path: Path) -> None:
    jobs = JobsDouble([RUNNING, JobState(status=JobStatus.FAILED, reason="no such model")])
    with pytest.raises(EngineFailed, match="could not make the clip: no such model") as caught:
        make(jobs, RecordingWatch(), tmp_path)
    assert not caught.value.retryable
    assert jobs.count("cancel") == 0 and jobs.count("submit") == 1


def test_a_job_that_somebody_cancelled_over_there_ends_in_words(tmp_path: Path) -> None:
    jobs = JobsDouble([RUNNING, JobState(status=JobStatus.CANCELLED)])
    with pytest.raises(EngineFailed, match="cancelled at the server"):
        make(jobs, RecordingWatch(), tmp_path)


@pytest.mark.parametrize(
    "words",
    ["CUDA out of memory. Tried to allocate 2 GiB", "torch.OutOfMemoryError: x", "HIP out of memory",
     "vk::Device::allocateMemory: ErrorOutOfDeviceMemory", "OOM when allocating", "failed to allocate compute buffer",
     "MPS backend out of memory", "ggml_gallocr: failed to allocate CUDA0 buffer", "[METAL] Insufficient Memory"],
)  # fmt: skip
def test_a_server_out_of_memory_ends_the_task_with_that_reason(words: str, tmp_path: Path) -> None:
    assert says_out_of_memory(words)
    jobs = JobsDouble([RUNNING, JobState(status=JobStatus.FAILED, reason=words)])
    with pytest.raises(OutOfMemory, match="memory did not suffice"):
        make(jobs, RecordingWatch(), tmp_path)
    refusing = JobsDouble(submits=[ServerRefused(500, words)])
    with pytest.raises(OutOfMemory, match="memory did not suffice"):
        make(refusing, RecordingWatch(), tmp_path)


@pytest.mark.parametrize("words", ["room for a broom", "memory of a summer", "zoom out", "bloom"])
def test_other_words_are_not_taken_for_a_lack_of_memory(words: str) -> None:
    assert not says_out_of_memory(words)


def test_a_refused_submit_ends_at_once_with_the_reason(tmp_path: Path) -> None:
    jobs = JobsDouble(submits=[ServerRefused(400, "width must be a multiple of 32")])
    with pytest.raises(EngineFailed, match="multiple of 32"):
        make(jobs, RecordingWatch(), tmp_path)
    assert jobs.calls == ["submit"]


# -- a server that is down --------------------------------------------------------------------------------------------


def test_a_server_that_is_down_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    gone = ServerUnreachable("Connection refused.")
    jobs = JobsDouble(
        looks=[gone, gone, QUEUED, gone, RUNNING, ServerRefused(503, "warming up"), ServerRefused(500, "x"), DONE],
        submits=[gone, ServerRefused(429, "the queue is full"), "job-1"],
        fetches=[gone, None],
    )
    assert make(jobs, RecordingWatch(), tmp_path).job == "job-1"
    assert (jobs.count("submit"), jobs.count("fetch"), jobs.count("cancel")) == (3, 2, 0)


@pytest.mark.parametrize("when", ["submit", "look", "fetch"])
def test_a_server_that_stays_down_is_lost_and_the_task_is_tried_again(when: str, tmp_path: Path) -> None:
    gone = ServerUnreachable("Connection refused.")
    jobs = JobsDouble(
        submits=[gone] if when == "submit" else ["job-1"],
        looks=[QUEUED, gone] if when == "look" else [DONE],
        fetches=[gone] if when == "fetch" else [None],
    )
    started = time.monotonic()
    with pytest.raises(BackendLost, match="waited for 1 s") as caught:
        make(jobs, RecordingWatch(), tmp_path)
    assert 0.9 < time.monotonic() - started < 6
    assert caught.value.retryable and caught.value.recycle
    assert jobs.count("cancel") == 0  # if it comes back, the next attempt takes the job over


def test_waiting_for_a_server_ends_when_the_work_is_stopped(tmp_path: Path) -> None:
    jobs = JobsDouble(submits=[ServerUnreachable("Connection refused.")])
    watch = RecordingWatch(stop_at=12)
    with pytest.raises(Stopped):
        make(jobs, watch, tmp_path, times=replace(TIMES, down=60.0))
    assert len(watch.stopped) == 1


@pytest.mark.parametrize("gone", [ServerRefused(404, "not found"), ServerRefused(410, "expired"), None])
def test_a_server_that_no_longer_knows_the_job_was_restarted(gone: Exception | None, tmp_path: Path) -> None:
    jobs = JobsDouble([RUNNING, gone or JobState(status=JobStatus.GONE)])
    watch = RecordingWatch()
    with pytest.raises(BackendLost, match="restarted"):
        make(jobs, watch, tmp_path)
    again = JobsDouble([gone or JobState(status=JobStatus.GONE), RUNNING, DONE], submits=["job-2"])
    assert make(again, RecordingWatch(remembered=watch.remembered), tmp_path).job == "job-2"


def test_a_film_that_is_gone_is_made_again_by_the_next_attempt(tmp_path: Path) -> None:
    jobs = JobsDouble([DONE], fetches=[ServerRefused(404, "no such file")])
    watch = RecordingWatch(remembered={"mine": 1})
    with pytest.raises(BackendLost, match="no longer has the film"):
        make(jobs, watch, tmp_path)
    assert watch.remembered == {"mine": 1}


# -- cancelling -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop_at", range(1, 9))
def test_a_stopped_job_is_cancelled_over_there_if_it_was_submitted(stop_at: int, tmp_path: Path) -> None:
    jobs = JobsDouble([RUNNING])
    watch = RecordingWatch(stop_at)
    with pytest.raises(Stopped):
        make(jobs, watch, tmp_path)
    assert jobs.count("cancel") == jobs.count("submit")
    assert len(watch.stopped) == 1, "the watch was asked again after it had said stop"


def test_a_submit_under_way_may_still_bring_the_job_which_is_then_cancelled(tmp_path: Path) -> None:
    asked: list[int] = []

    def slowly(check: Check) -> None:
        for _ in range(10):
            check()
            asked.append(1)
            time.sleep(0.02)

    jobs = JobsDouble(on_submit=slowly)
    watch = RecordingWatch(stop_at=4)
    with pytest.raises(Stopped):
        make(jobs, watch, tmp_path)
    assert jobs.calls == ["submit", "cancel job-1"]
    assert len(asked) == 10 and len(watch.stopped) == 1


def test_a_submit_that_hangs_is_left_after_a_moment(tmp_path: Path) -> None:
    def hang(check: Check) -> None:
        while True:
            check()
            time.sleep(0.01)

    jobs = JobsDouble(on_submit=hang)
    started = time.monotonic()
    with pytest.raises(Stopped):
        make(jobs, RecordingWatch(stop_at=4), tmp_path)
    assert 0.3 < time.monotonic() - started < 1.5
    assert jobs.calls == ["submit"]


def test_a_cancel_that_hangs_holds_nobody(tmp_path: Path) -> None:
    class Hanging(JobsDouble):
        def cancel(self, job: str, check: Check) -> None:
            super().cancel(job, check)
            while True:
                check()
                time.sleep(0.01)

    jobs = Hanging([RUNNING])
    started = time.monotonic()
    with pytest.raises(Stopped):
        make(jobs, RecordingWatch(stop_at=6), tmp_path)
    assert time.monotonic() - started < 1.5
    assert jobs.count("cancel") == 1


@pytest.mark.parametrize(
    "problem", [ServerUnreachable("x"), ServerRefused(409, "cannot be interrupted yet"), UnusableAnswer("x")]
)
def test_whatever_a_cancel_is_answered_the_job_is_stopped(problem: Exception, tmp_path: Path) -> None:
    class Refusing(JobsDouble):
        def cancel(self, job: str, check: Check) -> None:
            raise problem

    with pytest.raises(Stopped):
        make(Refusing([RUNNING]), RecordingWatch(stop_at=6), tmp_path)


@pytest.mark.parametrize(("state", "words"), [(QUEUED, "waited in the server's queue"), (RUNNING, "was not finished")])
def test_a_job_that_takes_too_long_is_given_up_and_cancelled(state: JobState, words: str, tmp_path: Path) -> None:
    jobs = JobsDouble([state])
    with pytest.raises(EngineFailed, match=words):
        make(jobs, RecordingWatch(), tmp_path, times=replace(TIMES, clip=0.3))
    assert jobs.calls[-1] == "cancel job-1"


def test_the_time_in_the_server_s_queue_is_not_taken_from_the_work(tmp_path: Path) -> None:
    jobs = JobsDouble([*[QUEUED] * 12, *[RUNNING] * 12, DONE])
    assert make(jobs, RecordingWatch(), tmp_path, times=replace(TIMES, clip=0.4)).job == "job-1"


def test_a_job_whose_state_is_nonsense_is_cancelled(tmp_path: Path) -> None:
    jobs = JobsDouble([RUNNING, UnusableAnswer("The server's answer is not JSON.")])
    with pytest.raises(EngineFailed, match="not JSON"):
        make(jobs, RecordingWatch(), tmp_path)
    assert jobs.calls[-1] == "cancel job-1"


# -- the next attempt -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [QUEUED, RUNNING, DONE])
def test_a_job_that_an_earlier_attempt_left_is_taken_over(state: JobState, tmp_path: Path) -> None:
    jobs = JobsDouble([state, DONE])
    made = make(jobs, RecordingWatch(remembered=remembered(job="old")), tmp_path)
    assert (made.job, made.adopted) == ("old", True)
    assert jobs.count("submit") == 0 and jobs.count("cancel") == 0


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.GONE])
def test_a_job_that_came_to_nothing_is_submitted_afresh(status: JobStatus, tmp_path: Path) -> None:
    jobs = JobsDouble([JobState(status=status), RUNNING, DONE])
    assert make(jobs, RecordingWatch(remembered=remembered(job="old")), tmp_path).job == "job-1"
    assert jobs.count("cancel") == 0


def test_a_job_for_another_order_is_cancelled_and_the_order_submitted(tmp_path: Path) -> None:
    jobs = JobsDouble([RUNNING, RUNNING, DONE])
    watch = RecordingWatch(remembered=remembered(job="old", digest="b" * 64))
    assert make(jobs, watch, tmp_path).job == "job-1"
    assert jobs.calls[:3] == ["look old", "cancel old", "submit"]


def test_a_job_whose_id_was_not_stored_is_found_by_its_reference(tmp_path: Path) -> None:
    known = remembered()
    jobs = JobsDouble([RUNNING, DONE], found="old")
    made = make(jobs, RecordingWatch(remembered=known), tmp_path)
    assert (made.job, made.adopted) == ("old", True)
    assert jobs.calls[0] == f"find {known[REMEMBERED_AS]['reference']}"


def test_a_reference_that_the_server_does_not_know_is_submitted_afresh(tmp_path: Path) -> None:
    assert make(JobsDouble(), RecordingWatch(remembered=remembered()), tmp_path).job == "job-1"


def test_a_job_at_another_server_of_the_engine_is_taken_over_there(tmp_path: Path) -> None:
    other = JobsDouble([RUNNING, DONE], server="http://two")
    jobs = JobsDouble()
    watch = RecordingWatch(remembered=remembered(job="old", server="http://two"))
    assert make(jobs, watch, tmp_path, others={"http://two": other}).job == "old"
    assert jobs.calls == [] and other.calls[-1] == "fetch old"


def test_a_job_at_a_server_that_stays_down_is_given_up_for_this_one(tmp_path: Path) -> None:
    other = JobsDouble([ServerUnreachable("Connection refused.")], server="http://two")
    jobs = JobsDouble()
    watch = RecordingWatch(remembered=remembered(job="old", server="http://two"))
    assert make(jobs, watch, tmp_path, others={"http://two": other}).job == "job-1"


def test_a_job_at_a_server_that_was_taken_away_is_forgotten(tmp_path: Path) -> None:
    watch = RecordingWatch(remembered=remembered(job="old", server="http://gone"))
    assert make(JobsDouble(), watch, tmp_path).job == "job-1"


@pytest.mark.parametrize("known", [3, [], {"job": "x"}, {"reference": 3}, None])
def test_what_was_remembered_by_others_is_no_job(known: Any, tmp_path: Path) -> None:
    assert make(JobsDouble(), RecordingWatch(remembered={REMEMBERED_AS: known}), tmp_path).job == "job-1"


# -- nobody pays twice ------------------------------------------------------------------------------------------------


LOST: Final = ServerUnreachable("The connection to the server broke.", sent=True)


@pytest.mark.parametrize("problem", [LOST, ServerRefused(502, "Bad Gateway"), ServerRefused(504, "Gateway Timeout")])
def test_an_order_whose_answer_was_lost_is_paid_once(problem: Exception, tmp_path: Path) -> None:
    jobs = JobsDouble(submits=[problem, "job-2"], pays=True)
    watch = RecordingWatch()
    with pytest.raises(EngineFailed, match="not ordered twice"):
        make(jobs, watch, tmp_path)
    assert jobs.count("submit") == 1
    again = JobsDouble(pays=True)
    with pytest.raises(EngineFailed, match="not ordered twice"):
        make(again, RecordingWatch(remembered=watch.remembered), tmp_path)
    assert again.count("submit") == 0


def test_an_order_whose_answer_was_lost_is_found_at_a_provider_that_can_tell(tmp_path: Path) -> None:
    jobs = JobsDouble(submits=[LOST], pays=True, found="job-9")
    assert make(jobs, RecordingWatch(), tmp_path).job == "job-9"
    assert jobs.count("submit") == 1


def test_what_certainly_did_not_arrive_is_ordered_again(tmp_path: Path) -> None:
    jobs = JobsDouble(submits=[ServerUnreachable("refused"), ServerRefused(429, "slow down"), "job-1"], pays=True)
    assert make(jobs, RecordingWatch(), tmp_path).job == "job-1"


def test_an_order_that_was_refused_leaves_the_next_attempt_free(tmp_path: Path) -> None:
    watch = RecordingWatch()
    with pytest.raises(EngineFailed, match="no credit"):
        make(JobsDouble(submits=[ServerRefused(402, "no credit")], pays=True), watch, tmp_path)
    assert make(JobsDouble(pays=True), RecordingWatch(remembered=watch.remembered), tmp_path).job == "job-1"


def test_a_worker_that_was_killed_while_it_ordered_pays_no_second_time(tmp_path: Path) -> None:
    jobs = JobsDouble(pays=True)
    with pytest.raises(EngineFailed, match="not ordered twice"):
        make(jobs, RecordingWatch(remembered=remembered(submitting=True)), tmp_path)
    assert jobs.count("submit") == 0


def test_a_free_order_whose_answer_was_lost_is_submitted_again(tmp_path: Path) -> None:
    assert make(JobsDouble(submits=[LOST, "job-2"]), RecordingWatch(), tmp_path).job == "job-2"


def test_the_film_of_a_paid_job_that_is_gone_is_not_ordered_again(tmp_path: Path) -> None:
    jobs = JobsDouble([DONE], fetches=[ServerRefused(404, "expired")], pays=True)
    with pytest.raises(EngineFailed, match="expired") as caught:
        make(jobs, RecordingWatch(), tmp_path)
    assert not isinstance(caught.value, BackendLost)


# -- over real connections --------------------------------------------------------------------------------------------


class HttpJobs:
    """Implements `RemoteJobs` in the plainest way over a `Server`."""

    pays = False

    def __init__(self, peer: RawPeer) -> None:
        self._calls = Server(peer.url, patience=Patience(connect=0.5, call=0.5, quiet=0.5, film=0.5))
        self.server = peer.url

    def submit(self, order: Order, reference: str, check: Check) -> str:
        return take(self._calls.post_json("/jobs", {}, check=check), "id", str)

    def find(self, reference: str, check: Check) -> str | None:
        return None

    def look(self, job: str, check: Check) -> JobState:
        answer = self._calls.get_json(f"/jobs/{job}", check=check)
        return JobState(status=JobStatus(take(answer, "status", str)))

    def cancel(self, job: str, check: Check) -> None:
        self._calls.delete(f"/jobs/{job}", check=check)

    def fetch(self, job: str, target: Path, check: Check) -> Mapping[str, Any]:
        self._calls.download(f"/jobs/{job}/film", target, check=check)
        return {}


def never(connection: Any, request: bytes) -> None:
    connection.recv(1)


def drop(connection: Any, request: bytes) -> None:
    """Closes without a word."""


CREATED: Final = answer(b'{"id": "j"}', status="202 Accepted")
BUSY: Final = answer(b'{"status": "running"}')


@pytest.mark.parametrize("how", [never, drop])
def test_a_server_that_stops_answering_in_the_middle_is_lost(how: Script, tmp_path: Path) -> None:
    with raw_peer(CREATED, BUSY, how) as peer:
        started = time.monotonic()
        with pytest.raises(BackendLost):
            make_remotely(HttpJobs(peer), ORDER, RecordingWatch(), tmp_path / "film", times=TIMES)
        assert time.monotonic() - started < 4


def test_a_server_that_hangs_is_left_and_told_to_cancel_within_the_two_seconds(tmp_path: Path) -> None:
    with raw_peer(CREATED, never) as peer:
        jobs = HttpJobs(peer)
        started = time.monotonic()
        with pytest.raises(Stopped):
            make_remotely(jobs, ORDER, RecordingWatch(stop_at=8), tmp_path / "film", times=TIMES)
        assert time.monotonic() - started < 2
        assert peer.requests[-1].startswith(b"DELETE /jobs/j ")


def test_a_film_that_breaks_off_is_fetched_again(tmp_path: Path) -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
    with raw_peer(CREATED, answer(b'{"status": "done"}'), lambda c, r: c.sendall(half), answer(b"helloworld")) as peer:
        make_remotely(HttpJobs(peer), ORDER, RecordingWatch(), tmp_path / "film", times=TIMES)
    assert [path.name for path in tmp_path.iterdir()] == ["film"]
    assert (tmp_path / "film").read_bytes() == b"helloworld"
