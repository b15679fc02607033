"""The use-cases: submit, look up, list and cancel tasks, authenticate callers, hand out files. Knows no HTTP.

`build_service` wires everything for one machine; read it to see what the service is made of.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog

from vivant.blocking import BlockingCalls
from vivant.clock import Clock, SteadyClock
from vivant.dispatch.dispatcher import Dispatcher
from vivant.dispatch.eta import Eta
from vivant.dispatch.fleet import Fleet, Pool
from vivant.dispatch.local import LocalFleet
from vivant.engine_choice import EngineChoice
from vivant.engines.registry import make_card
from vivant.errors import (
    Busy,
    DamagedFile,
    MissingKey,
    NotFound,
    OutcomeUnknown,
    StorageFailed,
    TaskNotFound,
    UnknownKey,
)
from vivant.intake.pictures import AllowList, CleanPicture, Intake
from vivant.record import idempotency as idempotency_keys
from vivant.record import keys, shared_secrets, tasks
from vivant.record.database import Connection, Record, sqlite_path
from vivant.record.idempotency import IdempotencyKey
from vivant.record.ids import new_id
from vivant.record.limits import check_limits
from vivant.record.lock import Lock
from vivant.request import Brief
from vivant.settings import Settings
from vivant.shutdown import take_step
from vivant.storage import links
from vivant.storage.artifacts import Artifacts, picture_path, task_prefix
from vivant.storage.downloads import Downloads, StoredFile
from vivant.task import Status, Task
from vivant.timings import DEFAULT_TIMINGS, Timings

FILES: Final = "/files/"
STORE_THREADS: Final = 16  # calls of the file store at a time, for callers

log = structlog.get_logger()


class Service:
    """Everything a caller may do. A task belongs to the key that submitted it, and no other key can see it. Tasks of
    open mode belong to the key id "", which no caller has once the first key exists: the command line still lists them.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        timings: Timings,
        record: Record,
        artifacts: Artifacts,
        intake: Intake,
        fleet: Fleet,
        dispatcher: Dispatcher,
        eta: Eta,
        choice: EngineChoice,
        locks: list[Lock],
    ) -> None:
        """`locks` are held on the data folder and the database until the service has stopped."""
        self.settings = settings
        self.clock = clock
        self.timings = timings
        self.intake = intake
        self._record = record
        self._artifacts = artifacts
        self._store_calls = BlockingCalls(
            "The file store", threads=STORE_THREADS, within=timings.store_within, late=StorageFailed
        )
        self._downloads = Downloads(artifacts, self._store_calls, within=timings.store_within)
        self._fleet = fleet
        self._dispatcher = dispatcher
        self._eta = eta
        self.choice = choice
        self._locks = locks
        self._closing = BlockingCalls("The database", threads=1, within=timings.step_within, late=Busy)
        self._keys: dict[str, keys.Key] | None = None  # as last read; None when they may have changed
        self._foreign_writes = 0
        self._key_use: dict[str, datetime] = {}
        self._link_secret = b""
        self._state = "starting"
        self._begun = False  # to start, perhaps without coming to its end
        self._writing_key_use: asyncio.Task[None] | None = None
        self._stop_now = asyncio.Event()
        self._shutting_down: asyncio.Task[None] | None = None

    # -- tasks ------------------------------------------------------------------------------------------------------

    async def admit(self, *, key_id: str, idempotency: IdempotencyKey | None = None) -> Task | None:
        """Look before the work of a submit begins: the task that this idempotency key has made already, else None.

        Raises IdempotencyMismatch, LimitReached, Busy.
        """
        return await self._record.read(lambda c: self._admit(c, key_id, idempotency))

    async def choose_engine(self, *, key_id: str, wanted: str = "", of_dialect: str = "") -> str:
        """The engine for a submit with this key: by the model that it wants, else the key's, else the dialect's.

        Raises InvalidRequest for a model that there is not.
        """
        key = (await self._read_keys()).get(key_id)
        return self.choice.choose(wanted=wanted, of_key=key.model if key else "", of_dialect=of_dialect)

    async def submit(self, brief: Brief, first: CleanPicture, last: CleanPicture | None, *, key_id: str) -> Task:
        """Accept a task. It is durable when this returns: a crash of the service does not lose it.

        Raises Busy, LimitReached or StorageFailed; OutcomeUnknown when the record did not answer and the task may be
        there.
        """
        task, _ = await self.submit_once(brief, first, last, key_id=key_id, idempotency=None)
        return task

    async def submit_once(
        self,
        brief: Brief,
        first: CleanPicture,
        last: CleanPicture | None,
        *,
        key_id: str,
        idempotency: IdempotencyKey | None,
        engine: str = "",
    ) -> tuple[Task, bool]:
        """`submit`, unless a submit with this idempotency key came first: then that one's task, and true. engine: which
        makes it; empty: the default.

        Raises IdempotencyMismatch too, and EngineCannot.
        """
        if self._state != "running":
            raise Busy("The service is going down or not up yet.")
        task = Task(
            id=new_id(),
            key_id=key_id,
            status=Status.QUEUED,
            request=brief.resolve(first.width, first.height, has_last_frame=last is not None),
            engine=engine or self.choice.engines[0],
            created_at=self.clock.now(),
        )
        self.choice.refuse(task.engine, task.request)
        pictures = {"first": first} if last is None else {"first": first, "last": last}
        stored_bytes = sum(len(picture.png) for picture in pictures.values())

        def insert(connection: Connection) -> Task:
            earlier = self._admit(connection, key_id, idempotency, new_bytes=stored_bytes)
            if earlier is not None:
                return earlier
            tasks.insert_queued(connection, task, stored_bytes=stored_bytes)
            if idempotency is not None:
                idempotency_keys.claim(connection, idempotency, key_id=key_id, task_id=task.id, now=task.created_at)
            return task

        for which, picture in pictures.items():
            await self._store_picture(task.id, which, picture)
        try:
            accepted = await self._record.write(insert)
        except OutcomeUnknown:
            raise  # the task may be there, and needs its pictures; if it is not, the sweep deletes them
        except Exception:
            await self._delete_pictures(task.id)
            raise
        if accepted is not task:
            await self._delete_pictures(task.id)
            return accepted, True
        self._dispatcher.notify_queued()
        log.info("task queued", task=task.id, key=key_id, tier=task.request.tier.value)
        return task, False

    async def get_task(self, task_id: str, *, key_id: str) -> Task:
        """The task as it stands. Raises TaskNotFound, also for the task of another key."""
        return await self._record.read(lambda c: tasks.get(c, task_id, key_id=key_id))

    async def list_tasks(
        self, *, key_id: str, status: Status | None = None, limit: int = 50, after: str = ""
    ) -> list[Task]:
        """The key's tasks, newest first; `after` is the id of the last one already seen."""
        return await self._record.read(
            lambda c: tasks.list_newest(c, key_id=key_id, status=status, limit=limit, after=after)
        )

    async def cancel(self, task_id: str, *, key_id: str) -> Task:
        """End the task now; its worker is free within 3 s. Raises TaskNotFound; IllegalTransition when it has ended."""
        task = await self._record.write(lambda c: tasks.cancel(c, task_id, key_id=key_id, now=self.clock.now()))
        self._dispatcher.notify_changed()
        log.info("task cancelled", task=task_id)
        return task

    async def estimate_eta(self, task: Task) -> float:
        """Seconds until the task will probably have ended; 0 when it has."""
        return await self._eta.estimate(task)

    # -- keys -------------------------------------------------------------------------------------------------------

    async def authenticate(self, bearer: str | None) -> str:
        """The id of the key in an Authorization header (`Bearer sk_…` or bare); "" in open mode.

        Raises MissingKey or UnknownKey.
        """
        known = await self._read_keys()
        if not known:
            return ""
        scheme, _, rest = (bearer or "").strip().partition(" ")
        text = rest.strip() if scheme.lower() == "bearer" else scheme
        if not text:
            raise MissingKey
        key = keys.match(text, known)
        if key is None:
            raise UnknownKey
        self._key_use[key.id] = self.clock.now()
        return key.id

    async def is_open(self) -> bool:
        """True as long as no key was ever made."""
        return not await self._read_keys()

    # -- files ------------------------------------------------------------------------------------------------------

    async def make_link(self, task: Task) -> tuple[str, int]:
        """Where the clip of a succeeded task can be fetched without a key, and for how many seconds from now."""
        if task.artifact is None or task.ended_at is None:
            raise NotFound(f"Task {task.id} has no clip.")
        now = self.clock.now()
        valid_for: float = self.settings.link_seconds
        if self.settings.retention_days:
            deleted_at = task.ended_at + timedelta(days=self.settings.retention_days)
            valid_for = max(0.0, min(valid_for, (deleted_at - now).total_seconds()))
        expires = int(now.timestamp() + valid_for)
        path = task.artifact.path.removeprefix("tasks/")
        signature = links.sign(self._link_secret, path, expires)
        return f"{FILES}{path}?expires={expires}&signature={signature}", int(valid_for)

    async def open_file(self, path: str, expires: str, signature: str) -> StoredFile:
        """The file behind a link; `path` with or without /files/ in front.

        Raises NotAuthorized when the link is damaged or has expired, NotFound when the file is gone.
        """
        path = path.removeprefix(FILES).lstrip("/")
        links.verify(self._link_secret, path, expires, signature, now=self.clock.now().timestamp())
        gone = NotFound("The file is no longer there.")
        try:
            task = await self._record.read(lambda c: tasks.get(c, path.partition("/")[0]))
        except TaskNotFound:
            raise gone from None
        if task.artifact is None or task.artifact.path != f"tasks/{path}":
            raise gone
        try:
            return await self._downloads.open(task.artifact)
        except StorageFailed as error:
            self._on_store_failure(error)
            raise
        except DamagedFile as error:
            log.error("a stored file is damaged", task=task.id, reason=str(error))
            raise

    async def check(self) -> dict[str, bool]:
        """What a clip needs, each tried by a real write now: the database, the file store and the scratch folder; and
        whether a worker is set up and answers. Each counts as broken when it takes longer than `readiness_within`.
        """

        async def works(what: str, trial: Awaitable[object]) -> bool:
            try:
                async with asyncio.timeout(self.timings.readiness_within):
                    await trial
            except Exception as error:  # noqa: BLE001  whatever it is, this part does not work
                log.error("not ready", part=what, reason=str(error) or type(error).__name__)
                return False
            return True

        store, scratch = self._dispatcher.store, self._dispatcher.scratch
        record_works, *places_work = await asyncio.gather(
            works("database", self._record.check()),
            works(store.name, store.check()),
            works(scratch.name, scratch.check()),
        )
        return {"database": record_works, "storage": places_work[0], "scratch": places_work[1]}

    @property
    def worker_is_ready(self) -> bool:
        """A worker is set up and was heard of lately."""
        return self._fleet.health().ready > 0

    # -- start and stop ---------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to run tasks; those that an earlier service left running are queued again.

        Raises Misconfigured when the file store belongs to another record.
        """
        self._begun = True
        loop = asyncio.get_running_loop()
        self._record.start_writer(partial(loop.call_soon_threadsafe, self._on_foreign_write))
        self._link_secret = await self._record.write(lambda c: shared_secrets.get_or_create(c, "links"))
        await self.intake.start()
        store = self._dispatcher.store
        try:
            async with asyncio.timeout(self.timings.readiness_within):
                await store.check()
        except StorageFailed:
            pass  # it is probed again and again; until it works, tasks wait
        except TimeoutError:
            store.fail("It has not answered yet.")
        await self._dispatcher.start()
        self._writing_key_use = asyncio.create_task(self._write_key_use())
        self._state = "running"

    async def stop(self, drain: bool) -> None:
        """Stop, and return when stopped. With `drain` running jobs may finish first, within `Timings.drain_within`;
        queued tasks stay queued either way. A second call without `drain` ends the wait.
        """
        if not drain:
            self._stop_now.set()
        if self._shutting_down is None:
            self._shutting_down = asyncio.create_task(self._shut_down())
        await asyncio.shield(self._shutting_down)

    def health(self) -> dict[str, Any]:
        """For monitoring; reads nothing from the database."""
        fleet = self._fleet.health()
        engines = {name: self._fleet.health(name) for name in self._fleet.engines}
        error = fleet.error or next((place.error for place in self._dispatcher.places if place.error), "")
        return {
            "status": self._state if self._state != "running" else ("degraded" if error else "ok"),
            "engines": {
                name: {"workers": of.workers, "ready": of.ready, "error": of.error} for name, of in engines.items()
            },
            "workers": {"all": fleet.workers, "ready": fleet.ready, "running": self._dispatcher.running},
            "error": error,
        }

    # -- the parts --------------------------------------------------------------------------------------------------

    async def _store_picture(self, task_id: str, which: str, picture: CleanPicture) -> None:
        if self._dispatcher.store.error:
            raise StorageFailed("No picture can be stored now; send this request again later.")

        def put() -> None:
            self._artifacts.check_room()  # now: the last probe may be half a minute old
            self._artifacts.put(picture_path(task_id, which), picture.png)

        try:
            await self._store_calls.run(put)
        except StorageFailed as error:  # what was stored has no task: the sweep deletes it
            self._on_store_failure(error)
            raise

    def _on_store_failure(self, error: StorageFailed) -> None:
        log.error("the file store failed", reason=str(error), detail=error.detail)
        self._dispatcher.store.suspect()

    async def _delete_pictures(self, task_id: str) -> None:
        with contextlib.suppress(StorageFailed):  # then the sweep of files without a task deletes them
            await self._store_calls.run(self._artifacts.delete, task_prefix(task_id))

    def _admit(
        self, connection: Connection, key_id: str, idempotency: IdempotencyKey | None, *, new_bytes: int = 0
    ) -> Task | None:
        """See `admit`."""
        if idempotency is not None:
            made = idempotency_keys.find_task(connection, idempotency, key_id=key_id, now=self.clock.now())
            if made is not None:
                return tasks.get(connection, made)
        check_limits(connection, self.settings.limits, key_id=key_id, new_bytes=new_bytes)
        return None

    async def _read_keys(self) -> dict[str, keys.Key]:
        if self._keys is None or not self._record.sees_foreign_writes:  # else a key may have been revoked unnoticed
            writes = self._foreign_writes
            known = await self._record.read(keys.list_keys)
            if writes == self._foreign_writes:  # else another process wrote meanwhile, perhaps a key: read again
                self._keys = known
            return known
        return self._keys

    def _on_foreign_write(self) -> None:
        """Another process has written to the database, perhaps a key or a cancelled task."""
        self._foreign_writes += 1
        self._keys = None
        self._dispatcher.notify_changed()

    def kill_processes(self) -> None:
        """Kill workers and decoders now: the last resort before the program ends without its event loop."""
        self._fleet.kill_processes()
        for pid in self.intake.decoders.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def _shut_down(self) -> None:
        started, self._state = self._state == "running", "draining"
        if started:
            drained = asyncio.create_task(self._dispatcher.drain())
            told_to_stop = asyncio.create_task(self._stop_now.wait())
            await asyncio.wait({drained, told_to_stop}, return_when=asyncio.FIRST_COMPLETED)
            drained.cancel()
            told_to_stop.cancel()
        if self._begun:
            await self._dispatcher.stop()
        if self._writing_key_use is not None:
            self._writing_key_use.cancel()
        within = self.timings.step_within
        await take_step("decoders of pictures", self.intake.stop(), within=within)
        await take_step("the database", self._closing.run(self._record.close), within=within)
        for calls in (self._store_calls, self._closing):
            calls.close()
        for lock in self._locks:
            lock.release()
        self._state = "stopped"

    async def _write_key_use(self) -> None:
        while True:
            await asyncio.sleep(self.timings.key_use_every)
            used, self._key_use = self._key_use, {}
            if used:
                try:
                    await self._record.write(partial(keys.record_use, used=used))
                except Exception as error:  # noqa: BLE001  whatever it is, the next round may write it
                    self._key_use = used | self._key_use
                    log.error("when keys were last used could not be written", reason=str(error))


def build_service(
    settings: Settings,
    *,
    clock: Clock | None = None,
    timings: Timings = DEFAULT_TIMINGS,
    fleet: Fleet | None = None,
) -> Service:
    """Wire the service of one machine: SQLite, worker processes (or the given fleet), and files where the settings say.

    Raises Misconfigured, above all when another service uses the same data folder, and when the settings of an engine
    cannot work.
    """
    cards = {engine: make_card(engine, settings.options_of(engine)) for engine in settings.engines}
    clock = clock or SteadyClock(settles_after=timings.clock_settles_after, follows_after=timings.clock_followed_after)
    intake = Intake(AllowList.parse(settings.egress_allowed), timings=timings)
    database = sqlite_path(settings.database)
    locks: list[Lock] = []
    try:
        for path in sorted({settings.data / "lock", database.with_name(database.name + ".lock")}):
            locks.append(Lock(path))
        record = Record(settings.database, timings, reserve_space=True)
        artifacts = Artifacts(settings.storage, within=timings.store_within)
    except Exception:
        for lock in locks:
            lock.release()
        raise
    fleet = fleet or LocalFleet(
        [Pool(engine, card.workers or settings.workers, settings.options_of(engine)) for engine, card in cards.items()],
        storage=settings.storage,
        scratch=settings.data / "scratch",
        timings=timings,
    )
    choice = EngineChoice(fleet.engines, cards=cards, models=settings.models, fallback=settings.fallback)
    dispatcher = Dispatcher(
        record,
        fleet,
        artifacts,
        alone=True,  # the locks are ours
        retention_days=settings.retention_days,
        clock=clock,
        timings=timings,
        choice=choice,
        fallback_after=settings.fallback_after,
    )
    eta = Eta(
        record,
        count_ready=lambda engine: fleet.health(engine).ready,
        clock=clock,
        cached_for=timings.estimate_cached_for,
    )
    return Service(
        settings,
        clock=clock,
        timings=timings,
        record=record,
        artifacts=artifacts,
        intake=intake,
        fleet=fleet,
        dispatcher=dispatcher,
        eta=eta,
        choice=choice,
        locks=locks,
    )
