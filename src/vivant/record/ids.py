"""Ids of new rows: UUIDs of version 7 (RFC 9562), which sort by time of creation and cannot be guessed."""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Final

_TICKS_PER_MS: Final = 4096  # the 12 bits after the milliseconds count quarters of a microsecond (RFC 9562, 6.2)

_lock = threading.Lock()
_last_tick = 0


def new_id() -> str:
    """A new id: 36 characters, greater than every id made before by this process, with 62 random bits."""
    global _last_tick
    with _lock:
        tick = max(time.time_ns() * _TICKS_PER_MS // 1_000_000, _last_tick + 1)
        _last_tick = tick
    milliseconds, fraction = divmod(tick, _TICKS_PER_MS)
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def time_of_id(identifier: str) -> datetime | None:
    """When `new_id` made this id; None for any other text."""
    try:
        parsed = uuid.UUID(identifier)
    except ValueError:
        return None
    if parsed.version != 7 or str(parsed) != identifier:
        return None
    try:
        return datetime.fromtimestamp((parsed.int >> 80) / 1000, UTC)
    except (ValueError, OverflowError):  # later than the year 9999
        return None
