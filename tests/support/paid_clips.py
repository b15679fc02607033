"""Clips by providers, for tests: made in this process, with kills at any moment."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from support.clips import photo
from vivant.engines.base import Engine, NullWatch, Watch
from vivant.engines.registry import load_engine
from vivant.media import U8, Clip, Pictures
from vivant.request import Brief, VideoRequest


def picture(seed: int = 0) -> U8:
    """A picture, another one for each seed. uint8 (400, 700, 3)."""
    scene = photo("mountain_lake")
    return np.ascontiguousarray(scene[seed % 8 : 400 + seed % 8, :700])


def request_for(**fields: Any) -> VideoRequest:
    """The cheapest clip there is, unless `fields` say otherwise."""
    has_last = bool(fields.pop("has_last", False))
    values = {"prompt": "A lake in the wind.", "resolution": "480p", "seconds": 4, "seed": 7, "generate_audio": False}
    return Brief(**{**values, **fields}).resolve(700, 400, has_last_frame=has_last)


def engine_for(name: str, options: Mapping[str, Any]) -> Engine:
    """Set up."""
    engine = load_engine(name, options)
    engine.setup()
    return engine


def render(engine: Engine, watch: Watch, *, last: U8 | None = None, **fields: Any) -> Clip:
    """The clip after its film has come; its frames are still to be taken."""
    request = request_for(has_last=last is not None, **fields)
    pictures = Pictures(picture(), last)
    return engine.render(engine.plan(request, pictures, NullWatch()), pictures, watch)


def finish(clip: Clip) -> dict[str, Any]:
    """What was told of a clip, after its first frames were taken and the rest were not."""
    assert len(list(islice(clip.frames, 3))) == 3
    getattr(clip.frames, "close", lambda: None)()
    assert clip.report is not None
    return dict(clip.report())


class Killed(BaseException):
    """The worker is gone: nothing that it would have done is done."""


@dataclass
class KilledWatch:
    """Implements `Watch` for an attempt whose worker is killed. at_check: at this call that asks whether to stop.
    before, after: at the start or the end of this call of `remember`. when: as soon as this is set. `stored` outlives
    the attempt, as the record does."""

    remembered: Mapping[str, Any] = field(default_factory=dict)
    at_check: int = 0
    before: int = 0
    after: int = 0
    when: threading.Event = field(default_factory=threading.Event)
    checks: int = 0
    writes: int = 0

    def __post_init__(self) -> None:
        self.stored: dict[str, Any] = copy.deepcopy(dict(self.remembered))

    def report(self, fraction: float, preview: U8 | None = None) -> None: ...

    def raise_if_stopping(self) -> None:
        self.checks += 1
        if self.checks == self.at_check or self.when.is_set():
            raise Killed

    def remember(self, data: Mapping[str, Any]) -> None:
        self.writes += 1
        if self.writes == self.before:
            raise Killed
        self.stored = copy.deepcopy(dict(data))
        if self.writes == self.after:
            raise Killed


def attempt(engine: Engine, watch: KilledWatch, **fields: Any) -> bool:
    """Whether the attempt ended with a clip; False if its worker was killed."""
    try:
        finish(render(engine, watch, **fields))
    except Killed:
        return False
    return True


def kill_at(step: str, watch: KilledWatch, *, hold: float = 0.4) -> Callable[[str], None]:
    """A hook for a double: at its first step of this name the worker is killed, and the step goes on a little later."""
    done = threading.Event()

    def on(name: str) -> None:
        if name == step and not done.is_set():
            done.set()
            watch.when.set()
            threading.Event().wait(hold)

    return on
