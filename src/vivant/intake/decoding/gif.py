"""A GIF reduced to its first frame (GIF89a specification, CompuServe 1990).

The frame becomes a file of its own, the size of the frame: where it lies on its screen, and which of its colours is
transparent, is kept beside it. Around the frame browsers show the page, whatever the background colour is.
"""

from __future__ import annotations

import struct
from typing import Final

from vivant.errors import UnreadablePicture
from vivant.intake.decoding.parts import limit_parts
from vivant.intake.decoding.still import Still

SIGNATURES: Final = (b"GIF87a", b"GIF89a")
BLOCKS: Final = 250_000  # up to the end of the first frame; 30 MiB in full ones, of 255 bytes, are 122,881


def first_frame(data: bytes) -> Still:
    """The first frame of a GIF. Raises UnreadablePicture when it has none, or very many blocks before its end."""
    flags, at = data[10] if len(data) > 13 else 0, 13
    palette_flags, palette = flags, b""
    if flags & 0x80:
        size = 3 << (flags & 7) + 1
        palette, at = data[at : at + size], at + size
    transparent: int | None = None
    blocks = 0
    while data[at : at + 1] == b"!":
        control = data[at + 2 : at + 7]
        if data[at + 1 : at + 2] == b"\xf9" and len(control) == 5 and control[0] >= 4:
            transparent = control[4] if control[1] & 1 else None
        at, blocks = _skip_blocks(data, at + 2, blocks)
    if data[at : at + 1] != b"," or len(data) < at + 10:
        raise UnreadablePicture("the picture is a GIF without a frame, or damaged before it.")
    x, y, width, height, frame_flags = struct.unpack("<HHHHB", data[at + 1 : at + 10])
    screen_width, screen_height = struct.unpack("<HH", data[6:10])
    screen = (max(screen_width, x + width), max(screen_height, y + height))  # as browsers do with frames beyond it
    at += 10
    if frame_flags & 0x80:
        size = 3 << (frame_flags & 7) + 1
        palette, at, palette_flags = data[at : at + size], at + size, frame_flags
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80 | palette_flags & 7 if palette else 0, 0, 0) + palette
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, frame_flags & 0x40)
    end, _ = _skip_blocks(data, at + 1, blocks)
    one = b"".join((head, frame, data[at:end], b";"))
    whole = (x, y) == (0, 0) and screen == (width, height)
    return Still(one, None if whole else screen, (x, y), transparent)


def _skip_blocks(data: bytes, at: int, blocks: int) -> tuple[int, int]:
    """Where a chain of sub-blocks ends (15), behind its empty block or at the end of a file that breaks off; and how
    many blocks have been skipped by then, `blocks` of them before. Raises UnreadablePicture for too many.
    """
    while at < len(data):
        blocks += 1
        limit_parts(blocks, BLOCKS, "blocks")
        length = data[at]
        at += 1 + length
        if length == 0:
            break
    return min(at, len(data)), blocks
