"""A generator whose model runs on a server: one order becomes one job there, and its film becomes footage.

What differs from server to server is a `Backend`: how it is reached, asked, watched and cancelled.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from vivant.engines.base import Watch
from vivant.engines.generated.connections import Check
from vivant.engines.generated.film import read_film
from vivant.engines.generated.footage import Footage
from vivant.engines.generated.order import Order
from vivant.engines.generated.remote import JobTimes, RemoteJobs, make_remotely
from vivant.engines.generated.server_errors import ServerRefused, ServerUnreachable
from vivant.engines.generated.settings import option
from vivant.errors import BackendLost, Misconfigured
from vivant.media import U8


class Backend(RemoteJobs, Protocol):
    """The jobs of one server, and how to see whether it is there."""

    def reach(self, check: Check) -> Mapping[str, Any]:
        """What the server tells of itself, plain data: model … Raises Misconfigured when it does not fit what the
        operator said, and what calls to a server raise."""

    def probe_order(self) -> Order:
        """The smallest order that this server takes."""


class RemoteGenerator:
    """Implements `Generator`. backends: one for each server of the engine; worker number n works with the nth."""

    def __init__(
        self,
        name: str,
        version: str,
        backends: Sequence[Backend],
        options: Mapping[str, Any],
        *,
        times: JobTimes | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self._own = backends[int(options.get("worker", 0)) % len(backends)]
        self._others = {backend.server: backend for backend in backends}
        self._times = times or JobTimes(clip=float(option(options, "timeout")))
        self._facts: dict[str, Any] = {}

    def setup(self) -> None:
        try:
            self._facts = dict(self._own.reach(lambda: None))
        except (ServerUnreachable, ServerRefused) as error:
            if isinstance(error, ServerRefused) and not error.passing and error.status < 500:
                raise Misconfigured(f"{error} Is it the server that the settings of {self.name} say?") from error
            raise BackendLost(f"{error} Its address is in the settings of the engine {self.name}.") from error

    def facts(self) -> dict[str, Any]:
        return dict(self._facts)

    def generate(self, order: Order, watch: Watch) -> Footage:
        folder = Path(tempfile.mkdtemp(prefix="vivant-film-"))
        try:
            film = folder / "film"
            made = make_remotely(self._own, order, watch, film, times=self._times, others=self._others)
            facts = {**made.facts, "remote_id": made.job, "adopted": made.adopted}
            check = watch.raise_if_stopping
            exact = order.last is not None
            footage = read_film(film, canvas=order.canvas, seconds=order.seconds, check=check, exact_end=exact)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Footage(
            frames=KeptFrames(footage.frames, lambda: shutil.rmtree(folder, ignore_errors=True)),
            sound=footage.sound if order.audio else None,
            facts={**footage.facts, **facts},
        )

    def probe(self, watch: Watch) -> None:
        footage = self.generate(self._own.probe_order(), _ForgetfulWatch(watch))
        for _ in footage.frames:
            watch.raise_if_stopping()


class KeptFrames(Iterator[U8]):
    """Frames out of a file, RGB uint8 (h, w, 3): `dismiss` is called once when the last was taken, when an error ended
    them, when they are closed, and when nobody holds them any more."""

    def __init__(self, frames: Iterator[U8], dismiss: Callable[[], None]) -> None:
        self._frames = frames
        self._dismiss: Callable[[], None] | None = dismiss

    def __next__(self) -> U8:
        try:
            return next(self._frames)
        except BaseException:  # also the end
            self.close()
            raise

    def close(self) -> None:
        dismiss, self._dismiss = self._dismiss, None
        if dismiss is not None:
            getattr(self._frames, "close", lambda: None)()
            dismiss()

    def __del__(self) -> None:
        self.close()


class _ForgetfulWatch:
    """Implements `Watch` for a probe, whose job no later attempt takes over."""

    def __init__(self, watch: Watch) -> None:
        self.remembered: Mapping[str, Any] = {}
        self.raise_if_stopping = watch.raise_if_stopping

    def report(self, fraction: float, preview: U8 | None = None) -> None: ...

    def remember(self, data: Mapping[str, Any]) -> None: ...
