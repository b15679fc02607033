"""What an engine promises, and what it is given while it works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from vivant.media import U8, Clip, Pictures
from vivant.request import VideoRequest


class EngineStoryboard(Protocol):
    """What an engine understood and intends, before a pixel is drawn. Plain data underneath."""

    def to_data(self) -> dict[str, Any]:
        """JSON-ready; carries the engine's name and version. Stored with the task and shown to the user."""


class Watch(Protocol):
    """Handed to `render`: where to report, and how to learn that the work is no longer wanted."""

    def report(self, fraction: float, preview: U8 | None = None) -> None:
        """How much is done, 0..1, never falling; perhaps a small RGB picture of where it stands."""

    def raise_if_stopping(self) -> None:
        """Raise Stopped when the task was cancelled or the worker is going down. Call it at every frame or step."""

    def remember(self, data: Mapping[str, Any]) -> None:
        """Keep `data` for the next attempt of this task; it is durable when this returns."""

    @property
    def remembered(self) -> Mapping[str, Any]:
        """What an earlier attempt of this task kept; empty at the first."""


class Engine(Protocol):
    """Made once per worker and used for one job at a time."""

    name: str
    version: str

    def setup(self) -> None:
        """Load what is needed; once, before the first job. Raises Misconfigured when something is missing."""

    def plan(self, request: VideoRequest, pictures: Pictures) -> EngineStoryboard:
        """Every decision, no pixels. Same request, pictures and version: the same storyboard."""

    def explain(self, storyboard: Any) -> list[str]:
        """A storyboard of this engine in plain English, one line each: what was understood, chosen, and not done."""

    def render(self, storyboard: Any, pictures: Pictures, watch: Watch) -> Clip:
        """Make the clip of a storyboard that this engine's `plan` returned for these pictures.

        Same storyboard and pictures: bit-equal frames and samples on one machine. Raises EngineFailed or Stopped.
        """
