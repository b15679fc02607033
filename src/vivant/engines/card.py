"""What is known of an engine before it is loaded: what it can do, whose licence its model has, and its settings. The
API reads it, so nothing heavy is imported here or in an engine's own `card.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from vivant.errors import EngineCannot
from vivant.request import RATIOS, RESOLUTIONS, SECONDS, VideoRequest


class Sound(StrEnum):
    """Where the sound of an engine's clips comes from."""

    JOINT = "joint"  # made together with the picture
    ADDED = "added"  # made by the embedded engine afterwards: lips cannot follow it
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSetting:
    """A setting of one engine. `url` of `comfyui` is VIVANT_COMFYUI_URL, and `url` in the table [comfyui] of a file.

    parse: the value as given -> plain data that JSON can hold, see `setting_kinds`. Raises ValueError for a default
    that `parse` refuses.
    """

    name: str
    parse: Callable[[Any], Any]
    default: Any
    help: str  # one line for the page of settings
    secret: bool = False  # never repeated in a message

    def __post_init__(self) -> None:
        if self.parse(self.default) != self.default:
            raise ValueError(f"{self.name}: its default {self.default!r} is read as {self.parse(self.default)!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An engine with its options. Raises ValueError for what the contract does not have."""

    engine: str  # its name in the registry
    title: str  # one line for people
    model: str = ""  # the weights it runs, as far as known before it is loaded
    revision: str = ""  # of the weights
    licence: str = ""  # of the weights, or of the service; empty: not known here
    accepted: bool = True  # False: the operator has not accepted that licence yet
    hosted: bool = False  # somebody else's machine, which costs money
    last_frame: bool = True  # it can end on a last picture
    why_no_last_frame: str = ""  # what to change, for a caller's operator
    sound: Sound = Sound.JOINT
    seconds: range = SECONDS
    resolutions: tuple[str, ...] = RESOLUTIONS
    ratios: tuple[str, ...] = RATIOS
    progress: str = "per frame"  # this and the next two in words, for tables
    cancel: str = "at once"
    seed: str = "exact"
    workers: int | None = None  # jobs at a time; None: as many as VIVANT_WORKERS says

    def __post_init__(self) -> None:
        if not set(self.seconds) <= set(SECONDS) or not self.seconds:
            raise ValueError(f"seconds lie in {SECONDS[0]}..{SECONDS[-1]}, got {self.seconds!r}.")
        if not set(self.resolutions) <= set(RESOLUTIONS) or not set(self.ratios) <= set(RATIOS):
            raise ValueError(f"sizes are those of the contract, got {self.resolutions!r} and {self.ratios!r}.")
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"an engine has at least one worker, got {self.workers!r}.")

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "title": self.title,
            "model": self.model,
            "revision": self.revision,
            "licence": {"name": self.licence, "accepted": self.accepted},
            "hosted": self.hosted,
            "capabilities": {
                "first_frame": True,
                "last_frame": self.last_frame,
                "sound": self.sound.value,
                "seconds": list(self.seconds),
                "resolutions": list(self.resolutions),
                "ratios": list(self.ratios),
                "progress": self.progress,
                "cancel": self.cancel,
                "seed": self.seed,
            },
        }

    def refuse(self, request: VideoRequest) -> None:
        """Raise EngineCannot, naming a field of `request.Brief` (or `last_frame`), for what the engine cannot do."""
        if request.has_last_frame and not self.last_frame:
            raise EngineCannot(self._cannot("end on a last picture", self.why_no_last_frame), field="last_frame")
        for field, value, possible in (
            ("resolution", request.resolution, self.resolutions),
            ("ratio", request.ratio, self.ratios),
            ("seconds", request.seconds, tuple(self.seconds)),
        ):
            if value not in possible:
                allowed = f"it can do {', '.join(map(str, possible))}"
                raise EngineCannot(self._cannot(f"make {value} {_UNIT.get(field, '')}".strip(), allowed), field=field)
        if not self.accepted:
            raise EngineCannot(
                f"the licence of {self.model or self.engine} ({self.licence}) was not accepted on this service yet; "
                f"its operator accepts it with `vivant models pull`.",
                field="model",
            )

    def _cannot(self, what: str, more: str) -> str:
        return f"the engine {self.engine} cannot {what}{f'; {more}' if more else ''}."


_UNIT: Final = {"seconds": "seconds"}
