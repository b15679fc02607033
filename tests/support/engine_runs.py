"""One clip through an engine, for tests of engines with a server or a program behind them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from support.clips import photo
from support.watches import RecordingWatch
from vivant.engines.base import Engine
from vivant.engines.registry import load_engine
from vivant.errors import Stopped
from vivant.media import F32, Pictures, Planes
from vivant.request import Brief, VideoRequest


@dataclass(frozen=True, eq=False)
class Made:
    """What an engine made. sound: float32 (2, n) or None. report: what it told of how."""

    frames: list[Planes]
    sound: F32 | None
    report: Mapping[str, Any]


def ask_for(*, last: bool = False, **fields: Any) -> tuple[VideoRequest, Pictures]:
    """The smallest request, of the mountain lake, ending on the sea falls if there is a last picture."""
    first = photo("mountain_lake")
    brief = Brief(**{"prompt": "Waves on the lake.", "resolution": "480p", "seconds": 4, "seed": 7, **fields})
    request = brief.resolve(first.shape[1], first.shape[0], has_last_frame=last)
    return request, Pictures(first, photo("sea_falls") if last else None)


def set_up(name: str, options: Mapping[str, Any]) -> Engine:
    engine = load_engine(name, options)
    engine.setup()
    return engine


def make(engine: Engine, watch: RecordingWatch | None = None, *, last: bool = False, **fields: Any) -> Made:
    """The whole clip."""
    watch = watch or RecordingWatch()
    request, pictures = ask_for(last=last, **fields)
    clip = engine.render(engine.plan(request, pictures, watch), pictures, watch)
    frames = list(clip.frames)
    sound = None if clip.soundtrack is None else clip.soundtrack().samples
    return Made(frames, sound, {} if clip.report is None else dict(clip.report()))


class StoppableWatch(RecordingWatch):
    """Asks to stop from the moment that `stop` was called; each thread is told once more than it should be."""

    def __init__(self, remembered: Mapping[str, Any] | None = None) -> None:
        super().__init__(remembered=remembered)
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    def raise_if_stopping(self) -> None:
        if self._stopping.is_set():
            self.stopped.append(threading.get_ident())
            raise Stopped


@contextlib.contextmanager
def stopped_when(condition: Callable[[], bool], watch: StoppableWatch, *, within: float = 10.0) -> Iterator[None]:
    """Tell the watch to stop as soon as the condition holds."""

    def wait() -> None:
        until = time.monotonic() + within
        while not condition() and time.monotonic() < until:
            time.sleep(0.01)
        watch.stop()

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        thread.join()
