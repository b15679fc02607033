"""What a JPEG's markers say (ITU-T T.81, annex B), and what must be known of one that breaks off."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Final

from vivant.errors import UnsupportedPicture
from vivant.intake.decoding.parts import limit_parts

START: Final = b"\xff\xd8"
END: Final = b"\xff\xd9"
SEGMENTS: Final = 20_000  # 30 MiB in full ones are 480
SCANS: Final = 100  # usual progressive files have 10, optimised ones up to 20
SCANNED_PIXELS: Final = 1_000_000_000  # scans times pixels: 27 scans of the largest picture
SKIPPED: Final = 2**20  # bytes between segments that belong to none; Pillow looks at each by itself
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_SCAN: Final = 0xDA
_MARKER: Final = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")  # those that begin a segment, and the end


def check_segments(data: bytes) -> None:
    """Raise UnsupportedPicture for more than 8 bits per sample, UnreadablePicture for more segments or scans than an
    honest JPEG has.
    """
    scans = pixels = 0
    for number, (marker, content) in enumerate(_segments(data), start=1):
        limit_parts(number, SEGMENTS, "segments")
        if marker in _FRAMES and len(content) > 5:
            if content[0] != 8:
                raise UnsupportedPicture(
                    f"this is a JPEG of {content[0]} bits per sample, which hardly any program shows; 8 are supported."
                )
            height, width = struct.unpack(">HH", content[1:5])
            pixels = pixels or height * width
        elif marker == _SCAN:
            scans += 1
            limit_parts(scans, SCANS, "scans")
            limit_parts(scans * pixels, SCANNED_PIXELS, "scans for its size")


def has_several_scans(data: bytes) -> bool:
    """Whether a JPEG is progressive, or has its components in scans of their own."""
    components = 0
    for marker, content in _segments(data):
        if marker in _FRAMES and len(content) > 5:
            components = content[5]
            if marker in _PROGRESSIVE:
                return True
        elif marker == _SCAN:
            return bool(content) and content[0] < components
    return False


def has_whole_first_scans(data: bytes) -> bool:
    """Whether a JPEG in several scans has, of each component, one whole scan of the DC coefficients: a first picture,
    if a soft one. A scan is whole when another segment follows it."""
    begun: set[int] = set()
    components = 0
    waiting: set[int] = set()
    for marker, content in _segments(data):
        begun |= waiting
        waiting = set()
        if marker in _FRAMES and len(content) > 5:
            components = content[5]
        elif marker == _SCAN and content:
            count = content[0]
            if len(content) >= 4 + 2 * count and content[1 + 2 * count] == 0:
                waiting = set(content[1 : 1 + 2 * count : 2])
    return 0 < components <= len(begun)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each segment up to the end of the image, not entropy-coded data and fill bytes.

    Raises UnreadablePicture when too many bytes lie between segments.
    """
    at, skipped, marker = len(START), 0, 0
    while True:
        found = _MARKER.search(data, at)
        if marker != _SCAN:
            skipped += (found.start() if found else len(data)) - at
            limit_parts(skipped, SKIPPED, "bytes between its segments")
        if found is None or found[0] == END:
            return
        at, marker = found.end(), found[0][1]
        length = int.from_bytes(data[at : at + 2], "big")
        yield marker, data[at + 2 : at + length]
        at += max(length, 2)
