"""The chunks of a WebP (RFC 9649)."""

from __future__ import annotations

import struct
from typing import Final

from vivant.errors import UnreadablePicture
from vivant.intake.decoding.parts import limit_parts

CHUNKS: Final = 50_000


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in a WebP's first chunk (RFC 9649, 2.5-2.7); None for other files and other first chunks.

    Raises UnreadablePicture when the file has more chunks than it may, or is shorter than it says: libwebp makes
    nothing of it, nor do browsers.
    """
    if len(data) < 30 or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    missing = 8 + int.from_bytes(data[4:8], "little") - len(data)
    if missing > 1:  # the last may be a byte of padding
        raise UnreadablePicture(f"the picture is cut off: {missing} bytes are missing. Send the whole file.")
    at, chunks = 12, 0
    while at + 8 <= len(data):
        chunks += 1
        limit_parts(chunks, CHUNKS, "chunks")
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    match data[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = struct.unpack("<HH", data[26:30])
            return width & 0x3FFF, height & 0x3FFF
        case _:
            return None
