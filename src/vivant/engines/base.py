"""The interface of engines, and what an engine is given while it works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from vivant.media import U8, Clip, Pictures
from vivant.request import VideoRequest


class EngineStoryboard(Protocol):
    """What an engine understood and intends, before a pixel is drawn. Each engine has its own class."""

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON, with the engine's name and version. Stored with the task and shown to the user."""


class Watch(Protocol):
    """Passed to `plan` and `render`: takes reports, and says when the clip is no longer wanted.

    Any thread of the engine may call it.
    """

    def report(self, fraction: float, preview: U8 | None = None) -> None:
        """The fraction of the job done, 0..1, never falling. Called as often as one likes: what a caller sees is the
        last value, a few times a second. preview: a small RGB picture, uint8 (h, w, 3), or None."""

    def raise_if_stopping(self) -> None:
        """Raise Stopped when the task was cancelled or the worker is going down. Call it at every frame or step, and
        in any case twice a second: an engine that does not notice within two seconds is killed."""

    def remember(self, data: Mapping[str, Any]) -> None:
        """Store `data` for the next attempt of this task; it is durable when this returns."""

    @property
    def remembered(self) -> Mapping[str, Any]:
        """What an earlier attempt of this task stored; empty at the first."""


class NullWatch:
    """Implements `Watch` for a caller who wants no reports: it drops them, and never stops the work."""

    def __init__(self) -> None:
        self.remembered: Mapping[str, Any] = {}

    def report(self, fraction: float, preview: U8 | None = None) -> None: ...

    def raise_if_stopping(self) -> None: ...

    def remember(self, data: Mapping[str, Any]) -> None:
        self.remembered = dict(data)


class Engine(Protocol):
    """Makes clips. Created once per worker, with its options (card.py), and used for one job at a time."""

    name: str
    version: str

    def setup(self) -> None:
        """Load models and data, or reach the server that does the work; called once, before the first job. Raises
        Misconfigured when something is missing, BackendLost when that server does not answer."""

    def probe(self, watch: Watch) -> None:
        """Make the smallest clip there is, and drop it: a server may answer and yet generate nothing. An engine with
        nothing behind it that could be down does nothing. Raises EngineFailed with the reason, Stopped."""

    def plan(self, request: VideoRequest, pictures: Pictures, watch: Watch) -> EngineStoryboard:
        """Make every decision, but no pixels. The same request, pictures and version give the same storyboard.

        Whatever the prompt, it takes a bounded time, and asks `watch` between its steps. Raises EngineFailed, Stopped.
        """

    def explain(self, storyboard: Any) -> list[str]:
        """Lines of plain English on a storyboard of this engine: what was understood, chosen, and not done."""

    def draw_seen(self, request: VideoRequest, pictures: Pictures, watch: Watch) -> U8 | None:
        """A sheet that shows what the engine sees in the first picture, RGB uint8 (h, w, 3); None from an engine that
        looks for nothing in it. Raises Stopped."""

    def render(self, storyboard: Any, pictures: Pictures, watch: Watch) -> Clip:
        """Make the clip of a storyboard that this engine's `plan` returned for these pictures.

        The same storyboard and pictures give bit-equal frames and samples on one machine; with a server behind the
        engine, as far as that server is deterministic. Raises EngineFailed, Stopped.
        """
