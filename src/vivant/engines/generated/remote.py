"""The life of one job at a server: submitted once, watched, cancelled, taken over by the next attempt.

What is remembered before the submit and after it lets the next attempt find the job: a worker that was killed leaves a
job running over there. The next attempt takes it over if it was for the same order, and otherwise cancels it. A server
that is down is waited for a while; a server that no longer knows the job was restarted, and the task is tried again.
"""

from __future__ import annotations

import contextlib
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from vivant.engines.base import Watch
from vivant.engines.generated.connections import Check
from vivant.engines.generated.order import Order
from vivant.engines.generated.refusals import name_refusal
from vivant.engines.generated.server_errors import ServerRefused, ServerUnreachable
from vivant.errors import BackendLost, EngineFailed, OutOfMemory, Stopped

T = TypeVar("T")
REMEMBERED_AS: Final = "remote"  # the name in what the task remembers
_GONE: Final = (404, 410)
_MEMORY: Final = re.compile(
    r"out of (?:device |host |gpu )?memory|outofmemory|outof(?:device|host)memory|insufficient memory|"
    r"\boom\b|not enough memory|(?:failed|unable) to allocate|alloc\w* failed",
    re.IGNORECASE,
)


class JobStatus(StrEnum):
    """Where a job is. GONE: the server does not know it, or not any more."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """What a server says of a job. progress: 0..1, None if it does not say. reason: why it failed, in its words.
    facts: what is worth telling with the clip (seconds, memory, cost). Raises ValueError for another progress."""

    status: JobStatus
    progress: float | None = None
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.progress is not None and not 0 <= self.progress <= 1:
            raise ValueError(f"progress must lie in 0..1 or be None, got {self.progress!r}.")


class RemoteJobs(Protocol):
    """The jobs of one server. Every call is bounded, asks `check` at least twice a second and passes on what it raises;
    all raise ServerUnreachable, ServerRefused and UnusableAnswer, and EngineFailed for what will not change.

    pays: whether a submitted job costs money. Then no order is submitted while it is not known what became of an
    earlier submit of it.
    """

    server: str  # its address: under this name the job is found again
    pays: bool

    def submit(self, order: Order, reference: str, check: Check) -> str:
        """Hand the order in and return the server's id of the job. reference: a fresh UUID in lower case, for servers
        that let the client name its jobs."""

    def find(self, reference: str, check: Check) -> str | None:
        """The id of the job that was submitted with this reference; None if the server has none, or cannot tell."""

    def look(self, job: str, check: Check) -> JobState:
        """Where the job is. ServerRefused with 404 or 410 means GONE."""

    def cancel(self, job: str, check: Check) -> None:
        """End the job, as far as the server can. Called with one second, and again for a job that has ended."""

    def fetch(self, job: str, target: Path, check: Check) -> Mapping[str, Any]:
        """Fetch the film of a job that is DONE into the file `target`. Returns further facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTimes:
    """Seconds. clip: for the work on one clip, and as long in the server's queue. down: a server that does not answer
    is waited for, in one piece. poll: between two looks. cancel: for telling the server. settle: a submit that is under
    way when the work is no longer wanted may still bring the job's id, without which it could not be cancelled.
    cancel + settle stay under the 2 s after which a worker is killed."""

    clip: float = 1800.0
    down: float = 60.0
    poll: float = 0.5
    cancel: float = 1.0
    settle: float = 0.6

    def __post_init__(self) -> None:
        if not all(value > 0 for value in (self.clip, self.down, self.poll, self.cancel, self.settle)):
            raise ValueError(f"Each time must be more than 0 s; got {self}.")


@dataclass(frozen=True, slots=True)
class Delivered:
    """A job that has brought its film. job: the server's id. facts: all that the server told. adopted: an earlier
    attempt had submitted it."""

    job: str
    facts: Mapping[str, Any]
    adopted: bool


def make_remotely(
    jobs: RemoteJobs,
    order: Order,
    watch: Watch,
    target: Path,
    *,
    times: JobTimes,
    others: Mapping[str, RemoteJobs] | None = None,
) -> Delivered:
    """Have the order made and its film put into the file `target`. others: the engine's further servers by address,
    at one of which an earlier attempt may have left its job. Reports up to 0.9.

    Raises Stopped (the job is cancelled), BackendLost when the server was lost or restarted, OutOfMemory,
    RefusedByBackend when it will not make this content, EngineFailed.
    """
    return _Life(jobs, order, watch, times, others or {}).run(target)


def says_out_of_memory(text: str) -> bool:
    """Whether a server's words mean that memory did not suffice."""
    return _MEMORY.search(text[:4096]) is not None


class _Life:
    def __init__(
        self, jobs: RemoteJobs, order: Order, watch: Watch, times: JobTimes, others: Mapping[str, RemoteJobs]
    ) -> None:
        self._jobs, self._order, self._watch, self._times = jobs, order, watch, times
        self._others = others
        self._reported = 0.0
        self._job: str | None = None  # which must be cancelled if we are stopped

    def run(self, target: Path) -> Delivered:
        try:
            adopted = self._adopt()
            if not adopted:
                self._submit()
            job = self._job
            assert job is not None
            facts = {**self._wait(job), **self._fetch(job, target)}
        except Stopped:
            self._cancel()
            raise
        except EngineFailed as error:
            if not isinstance(error, BackendLost):
                self._cancel()  # a job that nobody will fetch
            raise
        return Delivered(job, facts, adopted)

    # -- an earlier attempt's job -------------------------------------------------------------------------------------

    def _adopt(self) -> bool:
        """Take over the remembered job if it still serves; end it if it does not."""
        known = self._watch.remembered.get(REMEMBERED_AS)
        if not isinstance(known, Mapping) or not isinstance(known.get("reference"), str):
            return False
        server = known.get("server")
        jobs = self._jobs if server == self._jobs.server else self._others.get(str(server))
        if jobs is None:  # the operator has taken that server away
            return False
        job = known.get("job")
        try:
            if not isinstance(job, str):
                job = self._patiently(lambda: jobs.find(known["reference"], self._check))
                if job is None:
                    self._refuse_to_pay_twice(jobs, known)
                    return False
            state = self._look(jobs, job)
        except BackendLost:
            if jobs is self._jobs or jobs.pays:
                raise
            return False  # another server, of which nothing was heard for long: so much for its job
        if state.status in (JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.GONE):
            return False
        if known.get("digest") != self._order.digest:
            _quietly(lambda: jobs.cancel(job, _Until(self._check, self._times.cancel)))
            return False
        self._jobs, self._job = jobs, job
        return True

    def _refuse_to_pay_twice(self, jobs: RemoteJobs, known: Mapping[str, Any]) -> None:
        if jobs.pays and known.get("submitting"):
            raise EngineFailed(
                "An earlier attempt was cut off while it ordered this clip, and the provider cannot tell whether it "
                "has the order; it is not ordered twice. Look at the provider's list, and submit again."
            )

    # -- submit -------------------------------------------------------------------------------------------------------

    def _submit(self) -> None:
        """Hand the order in. As long as it is certain that nothing was accepted, try again while the server is down."""
        until = time.monotonic() + self._times.down
        pause = self._times.poll
        while True:
            reference = str(uuid.uuid4())
            self._remember(reference, submitting=True)
            problem = self._try_to_submit(reference)
            if problem is None:
                break
            if self._jobs.pays:
                self._forget()  # it is certain that nothing was ordered
            if not _passes(problem):
                raise name_refusal(problem) from problem
            if time.monotonic() > until:
                raise BackendLost(f"{problem} It was waited for {self._times.down:g} s.") from problem
            self._sleep(min(max(pause, _asked_for(problem)), max(until - time.monotonic(), pause)))
            pause = min(2 * pause, 5.0)
        self._remember(reference, job=self._job)
        self._report(0.02)

    def _try_to_submit(self, reference: str) -> EngineFailed | None:
        """None when the order was accepted, else why it certainly was not."""
        settling = _Settling(self._check, self._times.settle)
        problem: EngineFailed | None = None
        try:
            self._job = self._jobs.submit(self._order, reference, settling.ask)
        except ServerUnreachable as error:
            problem = error
        except ServerRefused as error:
            if says_out_of_memory(error.message):
                raise OutOfMemory(f"The server's memory did not suffice: {error.message}") from error
            problem = error
        settling.raise_if_stopped()
        unknown = problem.sent if isinstance(problem, ServerUnreachable) else _may_have_accepted(problem)
        if problem is not None and unknown:
            self._job = self._patiently(lambda: self._jobs.find(reference, self._check))
            if self._job is None and self._jobs.pays:
                raise EngineFailed(
                    f"{problem} Whether the provider has the order is not known; it is not ordered twice. Look at the "
                    "provider's list, and submit again."
                ) from problem
        return problem if self._job is None else None

    def _remember(self, reference: str, **more: Any) -> None:
        known = {"server": self._jobs.server, "reference": reference, "digest": self._order.digest, **more}
        self._watch.remember({**self._watch.remembered, REMEMBERED_AS: known})

    # -- watch --------------------------------------------------------------------------------------------------------

    def _wait(self, job: str) -> Mapping[str, Any]:
        """Wait until the job is done; what the server told of it."""
        times = self._times
        until, working = time.monotonic() + times.clip, False
        while True:
            state = self._look(self._jobs, job)
            match state.status:
                case JobStatus.DONE:
                    self._report(0.85)
                    return state.facts
                case JobStatus.FAILED:
                    self._job = None
                    reason = state.reason or "no reason given"
                    if says_out_of_memory(reason):
                        raise OutOfMemory(f"The server's memory did not suffice: {reason}")
                    raise name_refusal(EngineFailed(f"The server could not make the clip: {reason}"))
                case JobStatus.CANCELLED:
                    self._job = None
                    raise EngineFailed("The job was cancelled at the server, not by this service.")
                case JobStatus.GONE:
                    self._job = None
                    raise BackendLost("The server no longer knows the job: it was restarted.")
                case JobStatus.RUNNING if not working:
                    until, working = time.monotonic() + times.clip, True
            if working:
                self._report(0.05 + 0.8 * (state.progress or 0.0))
            if time.monotonic() > until:
                doing = "was not finished" if working else "waited in the server's queue and was not begun"
                raise EngineFailed(f"The clip {doing} within {times.clip:g} s, and was given up.")
            self._sleep(times.poll)

    def _look(self, jobs: RemoteJobs, job: str) -> JobState:
        try:
            return self._patiently(lambda: jobs.look(job, self._check))
        except ServerRefused as error:
            if error.status in _GONE:
                return JobState(status=JobStatus.GONE)
            raise

    def _fetch(self, job: str, target: Path) -> Mapping[str, Any]:
        try:
            facts = self._patiently(lambda: self._jobs.fetch(job, target, self._check))
        except ServerRefused as error:
            if error.status not in _GONE or self._jobs.pays:
                raise
            self._job = None
            self._forget()
            raise BackendLost("The server no longer has the film of the finished job.") from error
        self._report(0.9)
        return facts

    def _forget(self) -> None:
        self._watch.remember({name: value for name, value in self._watch.remembered.items() if name != REMEMBERED_AS})

    # -- bounds -------------------------------------------------------------------------------------------------------

    def _patiently(self, call: Callable[[], T]) -> T:
        """What the call gives; while the server is down it is tried again, at most as long as `down` says."""
        until = time.monotonic() + self._times.down
        pause = self._times.poll
        while True:
            try:
                return call()
            except ServerUnreachable as error:
                problem: EngineFailed = error
            except ServerRefused as error:
                if not error.passing and error.status != 500:
                    raise
                problem = error
            if time.monotonic() > until:
                raise BackendLost(f"{problem} It was waited for {self._times.down:g} s.") from problem
            self._sleep(min(max(pause, _asked_for(problem)), max(until - time.monotonic(), pause)))
            pause = min(2 * pause, 5.0)

    def _check(self) -> None:
        self._watch.raise_if_stopping()

    def _report(self, fraction: float) -> None:
        self._reported = max(self._reported, fraction)  # servers take progress back
        self._watch.report(self._reported)

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            self._check()
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(0.1, left))

    def _cancel(self) -> None:
        """Tell the server, within a second; what it answers changes nothing."""
        if (job := self._job) is not None:
            self._job = None
            _quietly(lambda: self._jobs.cancel(job, _Until(lambda: None, self._times.cancel)))


def _quietly(action: Callable[[], None]) -> None:
    with contextlib.suppress(EngineFailed, TimeoutError):
        action()


def _passes(problem: EngineFailed) -> bool:
    """Whether a submit that was not accepted may be a little later."""
    return isinstance(problem, ServerUnreachable) or (isinstance(problem, ServerRefused) and problem.passing)


def _asked_for(problem: EngineFailed) -> float:
    """Seconds that the server wants to be left alone."""
    return problem.retry_after if isinstance(problem, ServerRefused) else 0.0


def _may_have_accepted(problem: EngineFailed | None) -> bool:
    """Whether a server that refused with this status may have accepted all the same: a proxy lost its answer."""
    return isinstance(problem, ServerRefused) and problem.status in (500, 502, 504)


class _Until:
    """A check that ends a call after so many seconds with TimeoutError."""

    def __init__(self, check: Check, seconds: float) -> None:
        self._check = check
        self._until = time.monotonic() + seconds

    def __call__(self) -> None:
        self._check()
        if time.monotonic() > self._until:
            raise TimeoutError


class _Settling:
    """A check that lets a submit go on for `seconds` after the work was stopped. The watch is asked no more then."""

    def __init__(self, check: Check, seconds: float) -> None:
        self._check, self._seconds = check, seconds
        self._stopped: Stopped | None = None
        self._until = 0.0

    def ask(self) -> None:
        if self._stopped is not None:
            if time.monotonic() > self._until:
                raise self._stopped
            return
        try:
            self._check()
        except Stopped as stopped:
            self._stopped = stopped
            self._until = time.monotonic() + self._seconds

    def raise_if_stopped(self) -> None:
        if self._stopped is not None:
            raise self._stopped
