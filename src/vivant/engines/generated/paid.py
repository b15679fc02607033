"""Clips by a provider who wants money for each: no retry pays twice (docs/decisions/0079-no-retry-pays-twice.md).

A mark is durable before an order goes out, and the provider's id of the job right after. An attempt that finds the id
takes the job over, whatever became of the attempt before. One that finds the mark alone does not know whether the
order arrived: it asks the provider first, and orders again only when it is certain that nothing was ordered.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from vivant.engines.base import Watch
from vivant.engines.generated.connections import Check
from vivant.engines.generated.cost import tell_cost
from vivant.engines.generated.film import read_film
from vivant.engines.generated.footage import Footage
from vivant.engines.generated.order import Order
from vivant.engines.generated.refusals import name_refusal
from vivant.engines.generated.remote import REMEMBERED_AS, JobState, JobStatus, JobTimes, make_remotely
from vivant.engines.generated.remote_generator import KeptFrames
from vivant.engines.generated.server_errors import ServerRefused, ServerUnreachable, UnusableAnswer
from vivant.engines.generated.settings import option
from vivant.errors import BackendLost, EngineFailed, Misconfigured
from vivant.media import U8

T = TypeVar("T")
DOWN: Final = 300.0  # seconds that a provider who is down, or has too much to do, is waited for in one attempt
NOT_AGAIN: Final = (
    "An earlier attempt was cut off while it ordered this clip, and the provider gives no way to learn whether the "
    "order arrived. It is not ordered again, so as not to be paid for twice. Look at the provider's list; "
    "{setting}=true orders again in such a case."
)


class CannotTell(EngineFailed):
    """The provider gives no way to learn whether an order arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What was remembered before an order went out. since: Unix time in seconds. same: the order that is to be made now
    is the one that was marked."""

    reference: str
    since: float
    same: bool


class Provider(Protocol):
    """A provider's account. Every call is bounded, asks `check` at least twice a second and passes on what it raises;
    all raise ServerUnreachable, ServerRefused and UnusableAnswer."""

    server: str  # its address

    def reach(self, check: Check) -> Mapping[str, Any]:
        """What is known of the provider, plain data. Raises Misconfigured when the key is refused."""

    def probe_order(self) -> Order:
        """The cheapest order that it takes."""

    def submit(self, order: Order, reference: str, check: Check) -> str:
        """Order, and return the provider's id of the job. reference: a fresh UUID, in lower case."""

    def seek(self, order: Order, mark: Mark, check: Check) -> str | None:
        """The id of the job that was ordered with this mark; None if it certainly was not. Raises CannotTell."""

    def look(self, job: str, check: Check) -> JobState:
        """Where the job is. ServerRefused with 404 or 410 means that the provider does not know it any more."""

    def cancel(self, job: str, check: Check) -> None:
        """End the job, as far as the provider lets one, and never delete a finished one."""

    def fetch(self, job: str, target: Path, check: Check) -> Mapping[str, Any]:
        """Fetch the film of a job that is DONE into the file `target`. Returns further facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caution:
    """settle: seconds after its mark from which an order that the provider does not show certainly did not arrive.
    resubmits: order again where that cannot be learned; setting: how the operator calls this."""

    settle: float
    resubmits: bool
    setting: str


class PaidGenerator:
    """Implements `Generator`. again: how the setting is called that orders anew where it is not known whether an order
    arrived; its value is options["resubmit_unknown"]."""

    def __init__(self, name: str, version: str, provider: Provider, options: Mapping[str, Any], *, again: str) -> None:
        self.name = name
        self.version = version
        self._provider = provider
        self._options = options
        self._caution = _Caution(
            settle=float(options["settle"]), resubmits=bool(options["resubmit_unknown"]), setting=again
        )
        self._times = JobTimes(clip=float(option(options, "timeout")), down=DOWN, poll=float(options["poll"]))
        self._facts: dict[str, Any] = {}

    def setup(self) -> None:
        try:
            self._facts = dict(self._provider.reach(lambda: None))
        except ServerUnreachable as error:
            raise BackendLost(f"{error} Its address is in the settings of the engine {self.name}.") from error
        except ServerRefused as error:
            if error.status in (401, 402, 403):
                raise Misconfigured(
                    f"The provider refuses the key of the engine {self.name}: {error.message}"
                ) from error
            raise

    def facts(self) -> dict[str, Any]:
        return dict(self._facts)

    def generate(self, order: Order, watch: Watch) -> Footage:
        folder = Path(tempfile.mkdtemp(prefix="vivant-film-"))
        try:
            known = self._settle_earlier(order, watch)
            kept = _KeptWatch(watch, known)
            jobs = _PaidJobs(self._provider, kept, self._times, self._caution)
            made = make_remotely(jobs, order, kept, folder / "film", times=self._times)
            facts = {**made.facts, "remote_id": made.job, "adopted": made.adopted}
            facts |= tell_cost(order, facts, self._options)
            check = watch.raise_if_stopping
            exact = order.last is not None
            footage = read_film(
                folder / "film", canvas=order.canvas, seconds=order.seconds, check=check, exact_end=exact
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Footage(
            frames=KeptFrames(footage.frames, lambda: shutil.rmtree(folder, ignore_errors=True)),
            sound=footage.sound if order.audio else None,
            facts={**footage.facts, **facts},
        )

    def probe(self, watch: Watch) -> None:
        """Orders, and pays for, the cheapest clip."""
        footage = self.generate(self._provider.probe_order(), _ProbeWatch(watch))
        for _ in footage.frames:
            watch.raise_if_stopping()

    def _settle_earlier(self, order: Order, watch: Watch) -> dict[str, Any]:
        """What is to be remembered of an earlier attempt's order: a job to take over, or nothing. Raises EngineFailed
        where ordering again could mean to pay twice, and where the job has failed already."""
        known = watch.remembered.get(REMEMBERED_AS)
        if not isinstance(known, Mapping) or not (known.get("job") or known.get("submitting")):
            return {}
        if known.get("server") != self._provider.server:
            return self._refuse(
                "An earlier attempt ordered this clip at another address than the engine has now. It is not ordered "
                f"again, so as not to be paid for twice; {self._caution.setting}=true orders again in such a case."
            )
        job = known.get("job")
        if not isinstance(job, str):
            job = self._seek(order, known, watch)
            if job is None:
                return {}
        state = self._look(job, watch)
        if state.status is JobStatus.CANCELLED:  # it costs nothing
            return {}
        if state.status is JobStatus.FAILED:
            raise name_refusal(EngineFailed(f"The server could not make the clip: {state.reason or 'no reason given'}"))
        if state.status is JobStatus.GONE:
            return self._refuse(
                f"The provider does not know the job {job} any more that an earlier attempt ordered. It is not ordered "
                f"again, so as not to be paid for twice; {self._caution.setting}=true orders again in such a case."
            )
        # Whatever was asked of it, it is this task's, and it is paid for.
        return {**known, "job": job, "digest": order.digest}

    def _seek(self, order: Order, known: Mapping[str, Any], watch: Watch) -> str | None:
        """The id of the job whose order was marked; None if nothing was ordered, or orders may be repeated."""
        since = known.get("since")
        mark = Mark(
            reference=str(known.get("reference")),
            since=float(since) if isinstance(since, int | float) else 0.0,
            same=known.get("digest") == order.digest,
        )
        settle = self._caution.settle

        def seek() -> str | None:
            return seek_surely(self._provider, order, mark, watch.raise_if_stopping, settle=settle)

        try:
            return self._patiently(seek, watch)
        except CannotTell:
            self._refuse(NOT_AGAIN.format(setting=self._caution.setting))
            return None

    def _look(self, job: str, watch: Watch) -> JobState:
        def look() -> JobState:
            try:
                return self._provider.look(job, watch.raise_if_stopping)
            except UnusableAnswer as error:
                raise ServerUnreachable(str(error), sent=True) from error
            except ServerRefused as error:
                if error.status in (404, 410):
                    return JobState(status=JobStatus.GONE)
                raise

        return self._patiently(look, watch)

    def _patiently(self, call: Callable[[], T], watch: Watch) -> T:
        return patiently(call, watch.raise_if_stopping, self._times)

    def _refuse(self, why: str) -> dict[str, Any]:
        """Raise EngineFailed, unless the operator has allowed to order again: then nothing is known."""
        if not self._caution.resubmits:
            raise EngineFailed(why)
        return {}


def patiently(call: Callable[[], T], check: Check, times: JobTimes) -> T:
    """What the call gives. A provider who is down, or has too much to do, is asked again as long as `times.down` says,
    and not before the time that it names. Raises BackendLost then, and at once whatever else the call raises."""
    until = time.monotonic() + times.down
    while True:
        try:
            return call()
        except (ServerUnreachable, ServerRefused) as error:
            if isinstance(error, ServerRefused) and not error.passing and error.status != 500:
                raise
            if time.monotonic() > until:
                raise BackendLost(f"{error} It was waited for {times.down:g} s.") from error
            pause = error.retry_after if isinstance(error, ServerRefused) else 0.0
            sleep(min(max(pause, times.poll, 0.5), times.down), check)


def seek_surely(provider: Provider, order: Order, mark: Mark, check: Check, *, settle: float) -> str | None:
    """What became of an order: the id of its job, or None when it certainly did not arrive. An order that is not seen
    is looked for once more `settle` seconds after its mark, because lists lag behind. Raises CannotTell."""
    until = time.monotonic() + min(max(mark.since + settle - time.time(), 0.0), settle)  # clocks may be set
    while True:
        last = time.monotonic() >= until
        found = provider.seek(order, mark, check)
        if found is not None or last:
            return found
        sleep(min(1.0, max(0.05, until - time.monotonic())), check)


def sleep(seconds: float, check: Check) -> None:
    """Asks `check` ten times a second and passes on what it raises."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        check()
        time.sleep(min(0.1, left))
    check()


class _PaidJobs:
    """Implements `RemoteJobs` for one order. A submit whose answer did not come is settled before it ends: with the id,
    with "nothing was ordered", or with a failure in words."""

    pays = True

    def __init__(self, provider: Provider, kept: _KeptWatch, times: JobTimes, caution: _Caution) -> None:
        self.server = provider.server
        self._provider = provider
        self._kept = kept
        self._times = times
        self._caution = caution
        self.cancel, self.fetch = provider.cancel, provider.fetch

    def look(self, job: str, check: Check) -> JobState:
        try:
            return self._provider.look(job, check)
        except UnusableAnswer as error:  # a proxy's page; a job that is paid for is not given up for it
            raise ServerUnreachable(str(error), sent=True) from error

    def submit(self, order: Order, reference: str, check: Check) -> str:
        try:
            return self._provider.submit(order, reference, check)
        except ServerUnreachable as error:
            if not error.sent:
                raise
            problem: EngineFailed = error
        except ServerRefused as error:
            if error.status < 500:
                raise
            problem = error  # whoever answers so may have accepted the order before
        except UnusableAnswer as error:
            problem = error
        mark = Mark(reference=reference, since=self._kept.since, same=True)
        try:
            found = patiently(
                lambda: seek_surely(self._provider, order, mark, check, settle=self._caution.settle), check, self._times
            )
        except CannotTell as error:
            if not self._caution.resubmits:
                raise EngineFailed(f"{problem} {NOT_AGAIN.format(setting=self._caution.setting)}") from error
            found = None
        # BackendLost leaves the mark, and the next attempt asks again.
        if found is None:
            raise ServerUnreachable(str(problem), sent=False) from problem
        return found

    def find(self, reference: str, check: Check) -> str | None:
        """Nothing is left open for it."""
        return None


class _KeptWatch:
    """Implements `Watch`: what was remembered includes what this attempt remembers, and marks have their time."""

    def __init__(self, watch: Watch, known: Mapping[str, Any]) -> None:
        """known: what is to be known of an earlier order."""
        others = {name: value for name, value in watch.remembered.items() if name != REMEMBERED_AS}
        self.remembered: Mapping[str, Any] = {**others, **({REMEMBERED_AS: dict(known)} if known else {})}
        self.since = 0.0
        self._watch = watch
        self.report, self.raise_if_stopping = watch.report, watch.raise_if_stopping

    def remember(self, data: Mapping[str, Any]) -> None:
        known = data.get(REMEMBERED_AS)
        if isinstance(known, Mapping):
            if known.get("submitting"):
                self.since = round(time.time(), 3)
            data = {**data, REMEMBERED_AS: {**known, "since": self.since}}
        self._watch.remember(data)
        self.remembered = dict(data)


class _ProbeWatch:
    """Implements `Watch` for a probe, whose job no task remembers."""

    def __init__(self, watch: Watch) -> None:
        self.remembered: Mapping[str, Any] = {}
        self.raise_if_stopping = watch.raise_if_stopping

    def report(self, fraction: float, preview: U8 | None = None) -> None: ...

    def remember(self, data: Mapping[str, Any]) -> None: ...
