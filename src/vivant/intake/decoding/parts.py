"""Counts the parts of a picture file (scans, chunks, blocks, strips) before a codec sees it.

A codec works on every part, so that a small file of many parts can take minutes: 500 scans in a JPEG of 170 KB took
25 s. Here a file is walked once, in steps of whole parts, and refused when it has more of them than any honest one.
What is damaged or cut off is left to the codec: the walk ends where it cannot go on.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Final

from vivant.errors import UnreadablePicture

JPEG_SEGMENTS: Final = 20_000  # 30 MiB in full ones are 480
JPEG_SCANS: Final = 100  # usual progressive files have 10, optimised ones up to 20
JPEG_SCANNED_PIXELS: Final = 1_000_000_000  # scans times pixels: 27 scans of the largest picture
PNG_CHUNKS: Final = 50_000  # 30 MiB in the usual chunks of 8 KiB are 3,840
PNG_TEXTS: Final = 1_000  # compressed ones; Pillow unpacks at most 64 MiB of them
PNG_PROFILES: Final = 8  # each may unpack to 16 MiB; one is allowed (PNG 3rd edition, 11.3.2.3)
GIF_BLOCKS: Final = 2_000  # extensions before the first frame
GIF_SUB_BLOCKS: Final = 250_000  # up to the end of the first frame; 30 MiB in full ones, of 255 bytes, are 122,881
TIFF_STRIPS: Final = 200_000  # or tiles, of the first page
TIFF_TAG_VALUES: Final = 1_000_000  # numbers in the first page's directory
WEBP_CHUNKS: Final = 50_000

_WITHOUT_LENGTH: Final = frozenset((0x00, 0x01, *range(0xD0, 0xD9)))  # ITU-T T.81, table B.1
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # the next marker that is not part of the scan's data
_SIZE_OF_TAG: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}


def check_parts(data: bytes) -> None:
    """Raises UnreadablePicture when the file has more parts than it may; any other file passes. Takes linear time."""
    for signature, check in _CHECKS.items():
        if data.startswith(signature):
            check(data)


def _check_jpeg(data: bytes) -> None:
    """Walks segments (ITU-T T.81, B.1) up to the end of the image."""
    at = 2
    segments = scans = pixels = 0
    while at + 4 <= len(data):
        segments += 1
        _limit(segments, JPEG_SEGMENTS, "segments")
        if data[at] != 0xFF:
            at = data.find(b"\xff", at)  # codecs skip what lies between segments
            if at < 0:
                return
            continue
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1  # a fill byte
        elif marker == 0xD9:
            return
        elif marker in _WITHOUT_LENGTH:
            at += 2  # without a length
        else:
            if marker in _FRAMES and not pixels:
                height, width = struct.unpack(">HH", data[at + 5 : at + 9].ljust(4, b"\0"))
                pixels = height * width
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
            if marker == 0xDA:
                scans += 1
                _limit(scans, JPEG_SCANS, "scans")
                _limit(scans * pixels, JPEG_SCANNED_PIXELS, "scans for its size")
                found = _AFTER_SCAN.search(data, at)
                if found is None:
                    return
                at = found.start()


def _check_png(data: bytes) -> None:
    at = 8
    chunks = texts = profiles = 0
    while at + 8 <= len(data):
        chunks += 1
        _limit(chunks, PNG_CHUNKS, "chunks")
        kind = data[at + 4 : at + 8]
        texts += kind in (b"zTXt", b"iTXt")
        _limit(texts, PNG_TEXTS, "compressed texts")
        profiles += kind == b"iCCP"
        _limit(profiles, PNG_PROFILES, "colour profiles")
        if kind == b"IEND":
            return
        at += 12 + int.from_bytes(data[at : at + 4], "big")


def _check_gif(data: bytes) -> None:
    """Walks blocks (GIF89a, appendix A) up to the end of the first frame."""
    if len(data) < 13:
        return
    at = 13 + _colours(data[10])
    blocks = sub_blocks = 0
    while at < len(data):
        introducer = data[at]
        if introducer == 0x2C:
            at += 11 + _colours(data[at + 9]) if at + 9 < len(data) else len(data)
        elif introducer == 0x21:
            at += 2
        else:
            return
        blocks += 1
        _limit(blocks, GIF_BLOCKS, "blocks")
        while at < len(data) and data[at]:
            sub_blocks += 1
            _limit(sub_blocks, GIF_SUB_BLOCKS, "blocks")
            at += 1 + data[at]
        at += 1
        if introducer == 0x2C:
            return


def _colours(packed: int) -> int:
    """Bytes of the table of colours that this byte announces."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _check_tiff(data: bytes) -> None:
    """Looks at the entries of the first page's directory (TIFF 6.0, section 2)."""
    order = "<" if data[:2] == b"II" else ">"
    if len(data) < 8:
        return
    (start,) = struct.unpack(f"{order}I", data[4:8])
    (entries,) = struct.unpack(f"{order}H", data[start : start + 2].ljust(2, b"\0"))
    values = 0
    for number in range(entries):
        entry = data[start + 2 + 12 * number : start + 14 + 12 * number]
        if len(entry) < 12:
            return
        tag, kind, count = struct.unpack(f"{order}HHI", entry[:8])
        if count * _SIZE_OF_TAG.get(kind, 1) > len(data):
            continue  # more than there is: the codec refuses the tag or the file
        if tag in (273, 324):  # StripOffsets, TileOffsets
            _limit(count, TIFF_STRIPS, "strips")
        if kind not in (1, 2, 7):  # bytes and texts are taken whole, numbers one by one
            values += count
            _limit(values, TIFF_TAG_VALUES, "values in its directory")


def _check_webp(data: bytes) -> None:
    if data[8:12] != b"WEBP":
        return
    at, chunks = 12, 0
    while at + 8 <= len(data):
        chunks += 1
        _limit(chunks, WEBP_CHUNKS, "chunks")
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2


def _limit(count: int, most: int, what: str) -> None:
    if count > most:
        raise UnreadablePicture(f"the picture has too many {what}.")


_CHECKS: Final[dict[bytes, Callable[[bytes], None]]] = {
    b"\xff\xd8": _check_jpeg,
    b"\x89PNG\r\n\x1a\n": _check_png,
    b"GIF8": _check_gif,
    b"II*\0": _check_tiff,
    b"MM\0*": _check_tiff,
    b"RIFF": _check_webp,
}
