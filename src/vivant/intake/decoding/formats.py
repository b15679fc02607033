"""Which kinds of files are read, and what their first bytes say before a codec sees them."""

from __future__ import annotations

import struct
from typing import Final

from PIL import ImageCms

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
# What Pillow raises for metadata it cannot read; the pixels may still be good.
BAD_METADATA: Final = (
    OSError, ValueError, SyntaxError, KeyError, IndexError, TypeError, OverflowError, struct.error, ImageCms.PyCMSError,
)  # fmt: skip


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in a WebP's first chunk (RFC 9649, 2.5-2.7); None for other files and other first chunks."""
    if len(data) < 30 or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
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
