"""What a JPEG's markers say (ITU-T T.81, annex B), and what must be known of one that breaks off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vivant.errors import UnsupportedPicture

END: Final = b"\xff\xd9"
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_SCAN: Final = 0xDA
_MARKER: Final = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")  # those that begin a segment, and the end


def refuse_deep_samples(data: bytes) -> None:
    """Raise UnsupportedPicture for a JPEG of more than 8 bits per sample. Other files pass."""
    if not data.startswith(b"\xff\xd8"):
        return
    for marker, content in _segments(data):
        if marker in _FRAMES and content and content[0] != 8:
            raise UnsupportedPicture(
                f"this is a JPEG of {content[0]} bits per sample, which hardly any program shows; 8 are supported."
            )
        if marker in _FRAMES or marker == _SCAN:
            return


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
    """Marker and content of each segment, not entropy-coded data and fill bytes. parts.py limits their number."""
    at = 2
    while (found := _MARKER.search(data, at)) and found[0] != END:
        at = found.end()
        length = int.from_bytes(data[at : at + 2], "big")
        yield found[0][1], data[at + 2 : at + length]
        at += max(length, 2)
