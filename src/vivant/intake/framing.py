"""The protocol between the service and its decoder processes, over pipes. Both ends import this module.

A job is a JSON head, then the picture in pieces, then an empty piece; ABORT instead of a piece cancels the job. The
answer is a JSON head and one piece. Before the first job the decoder sends READY, with the limits that hold. Every part
is preceded by its length as four bytes, big-endian.
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any, Final

ABORT: Final = 0xFFFF_FFFF
READY: Final = {"ready": True}
HEAD_BYTES: Final = 16 * 1024


class FramingError(Exception):
    """The other end closed its pipe or sent something that is not in the protocol."""


def write_part(pipe: IO[bytes], part: bytes | bytearray | memoryview) -> None:
    pipe.write(struct.pack("!I", len(part)))
    pipe.write(part)


def write_abort(pipe: IO[bytes]) -> None:
    pipe.write(struct.pack("!I", ABORT))
    pipe.flush()


def write_head(pipe: IO[bytes], head: dict[str, Any]) -> None:
    write_part(pipe, json.dumps(head).encode())


def read_length(pipe: IO[bytes], limit: int) -> int:
    """The next part's length, at most `limit`, or ABORT. Raises FramingError."""
    (length,) = struct.unpack("!I", _read_exactly(pipe, 4))
    if length != ABORT and length > limit:
        raise FramingError(f"A part of {length} bytes; at most {limit} are allowed.")
    return int(length)


def read_part(pipe: IO[bytes], limit: int) -> bytes | None:
    """The next part, or None for ABORT. Raises FramingError."""
    length = read_length(pipe, limit)
    return None if length == ABORT else _read_exactly(pipe, length)


def read_head(pipe: IO[bytes]) -> dict[str, Any] | None:
    """The next head, or None for ABORT. Raises FramingError."""
    part = read_part(pipe, HEAD_BYTES)
    if part is None:
        return None
    try:
        head = json.loads(part)
    except (ValueError, RecursionError) as error:
        raise FramingError(f"A head that is not JSON: {error}") from None
    if not isinstance(head, dict):
        raise FramingError("A head that is not an object.")
    return head


def _read_exactly(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) != size:
        raise FramingError("The pipe was closed.")
    return data
