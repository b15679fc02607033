"""Where a clip needs to write: the file store, and the scratch folder of the workers. Each is probed by a real write.

While one does not work, nothing is claimed, so a full disk costs one attempt and not one of every queued task.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from vivant.blocking import BlockingCalls
from vivant.errors import Misconfigured, StorageFailed

log = structlog.get_logger()

THREADS = 2  # one may hang for ever on a dead disk that was mounted again


class Place:
    """One place. `probe` blocks, and raises `failed` when the place does not work; so does a call that takes longer
    than `within` seconds. `error`: why it does not work as far as is known, or empty.
    """

    def __init__(self, name: str, probe: Callable[[], object], *, failed: type[StorageFailed], within: float) -> None:
        self.name = name
        self.failed = failed
        self.error = ""
        self._probe = probe
        self._calls = BlockingCalls(f"The {name}", threads=THREADS, within=within, late=failed)
        self._works = asyncio.Event()
        self._works.set()
        self._told = asyncio.Event()
        self._probing: asyncio.Task[StorageFailed | Misconfigured | None] | None = None

    async def check(self) -> None:
        """Probe it now. Raises StorageFailed when it does not work, Misconfigured when it is not for us.

        Whoever asks while a probe runs gets the finding of that one.
        """
        if self._probing is None or self._probing.done():
            self._probing = asyncio.create_task(self._try())
        error = await asyncio.shield(self._probing)
        if error is not None:
            raise error

    async def _try(self) -> StorageFailed | Misconfigured | None:
        try:
            await self._calls.run(self._probe)
        except StorageFailed as error:
            self._set(str(error), error.detail)
            return error
        except Misconfigured as error:
            self._set(str(error))
            return error
        except Exception as error:  # noqa: BLE001  the database failed, say: nobody knows whether the place works
            failed = self.failed(f"The {self.name} could not be checked.", detail=repr(error))
            self._set(str(failed), failed.detail)
            return failed
        self._set("")
        return None

    def fail(self, reason: str) -> None:
        """A job could not write there: it counts as broken until a probe says otherwise."""
        self._set(reason or "It failed.")
        self._told.set()

    def suspect(self) -> None:
        """A call failed, perhaps for a reason of its own: probe it now."""
        self._told.set()

    async def wait_until_works(self) -> None:
        await self._works.wait()

    async def watch(self, *, every: float, retry_after: float) -> None:
        """Probe it for ever: every so many seconds while it works, and after the others while it does not."""
        while True:
            with contextlib.suppress(StorageFailed, Misconfigured):
                await self.check()
            pause = retry_after if self.error else every
            if self.error:
                await asyncio.sleep(pause)  # a burst of failures brings no burst of probes
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._told.wait(), pause)
            self._told.clear()

    def close(self) -> None:
        self._calls.close()

    def _set(self, error: str, detail: str = "") -> None:
        before, self.error = self.error, error
        if error:
            self._works.clear()
        else:
            self._works.set()
        if error and not before:
            log.error("a place for files does not work; tasks wait", place=self.name, reason=error, detail=detail)
        elif before and not error:
            log.info("a place for files works again", place=self.name)
