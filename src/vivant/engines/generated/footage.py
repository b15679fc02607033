"""What a generator delivers: frames on the generation canvas, perhaps sound, and facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from vivant.media import F32, U8


@dataclass(frozen=True, eq=False)
class Footage:
    """frames: RGB uint8 (canvas.height, canvas.width, 3) of the generation canvas, exactly as many as were ordered, at
    24 fps; taken once. sound: float32 (2, n) at 48 kHz, any n from 1, or None where none came. facts: what is worth
    telling of how it was made, plain data: seconds, memory, server, cost."""

    frames: Iterator[U8]
    sound: F32 | None = None
    facts: dict[str, Any] = field(default_factory=dict)
