"""The directory of a TIFF's first page (TIFF 6.0, section 2; BigTIFF has the same with wider numbers)."""

from __future__ import annotations

import struct
from typing import Final

from vivant.intake.decoding.parts import limit_parts

STARTS: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ENTRIES: Final = 65_535  # of the directory; a BigTIFF could have more
STRIPS: Final = 200_000  # or tiles
TAG_VALUES: Final = 1_000_000  # numbers in the directory
_OFFSETS: Final = (273, 324)  # the tags StripOffsets and TileOffsets
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_TAKEN_WHOLE: Final = (1, 2, 7)  # types: bytes and texts; numbers are read one by one


def check_parts(data: bytes) -> None:
    """Raise UnreadablePicture when the first page has more entries, strips, tiles or numbers than it may."""
    order = "<" if data[:2] == b"II" else ">"
    big = 43 in data[2:4]
    start = _read(f"{order}Q" if big else f"{order}I", data, 8 if big else 4)[0]
    entries = _read(f"{order}Q" if big else f"{order}H", data, start)[0]
    limit_parts(entries, ENTRIES, "entries in its directory")
    form = f"{order}HHQ8x" if big else f"{order}HHI4x"
    start, width = start + (8 if big else 2), struct.calcsize(form)
    values = 0
    for at in range(start, min(start + entries * width, len(data) - width + 1), width):
        tag, kind, count = struct.unpack_from(form, data, at)
        if count * _SIZES.get(kind, 1) > len(data):
            continue  # more than there is: the codec refuses the tag or the file
        if tag in _OFFSETS:
            limit_parts(count, STRIPS, "strips")
        if kind not in _TAKEN_WHOLE:
            values += count
            limit_parts(values, TAG_VALUES, "values in its directory")


def _read(form: str, data: bytes, at: int) -> tuple[int, ...]:
    """The numbers at this place; what is behind the end of the file is zero."""
    size = struct.calcsize(form)
    return struct.unpack(form, data[at : at + size].ljust(size, b"\0"))
