"""The header of a BMP (Windows SDK, BITMAPINFOHEADER to BITMAPV5HEADER), and the BMPs that are not left to Pillow."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from PIL import Image

from vivant.intake.decoding import bit_fields, run_lengths
from vivant.request import check_picture_size

_RLE8: Final = 1
_RLE4: Final = 2
_BITFIELDS: Final = 3
_ALPHA_BITFIELDS: Final = 6


@dataclass(frozen=True, slots=True)
class _Header:
    size: int  # bytes of the header itself
    width: int
    height: int  # negative: the first row in the file is the upper one
    bits: int
    compression: int
    colours: int
    offset: int  # of the pixels, from the start of the file


def decode(data: bytes) -> tuple[Image.Image, list[int]] | None:
    """A picture of bit fields or run lengths, RGB or RGBA, and the numbers of the rows that are not in the file.

    None for all other files. Raises PictureOutOfBounds and UnreadablePicture.
    """
    header = _read_header(data)
    if header is None:
        return None
    width, height = header.width, abs(header.height)
    if header.compression in (_BITFIELDS, _ALPHA_BITFIELDS) and header.bits in (16, 32):
        check_picture_size(width, height)
        with_alpha = header.size >= 56 or header.compression == _ALPHA_BITFIELDS
        masks = struct.unpack("<4I", data[54:70])[: 4 if with_alpha else 3]
        layout = bit_fields.BitFields(width, height, header.bits, masks if any(masks[3:]) else masks[:3], header.offset)
        picture, missing = bit_fields.decode(data, layout)
    elif (header.compression, header.bits) in ((_RLE8, 8), (_RLE4, 4)) and header.height > 0:
        check_picture_size(width, height)
        runs = run_lengths.RunLengths(width, height, header.compression == _RLE4, header.offset)
        start = 14 + header.size
        palette = data[start : start + 4 * min(header.colours or 2**header.bits, 256)]
        picture, missing = run_lengths.decode(data, runs, palette)
    else:
        return None
    if header.height < 0:
        return picture, missing
    return picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM), [height - 1 - row for row in missing]


def embedded_profile(data: bytes) -> bytes | None:
    """The ICC profile of a BMP (BITMAPV5HEADER: bV5CSType PROFILE_EMBEDDED, the profile behind the pixels)."""
    header = _read_header(data)
    if header is None or header.size < 124 or data[70:74] != b"DEBM":
        return None
    start, length = struct.unpack("<II", data[126:134].ljust(8, b"\0"))
    return data[14 + start : 14 + start + length] or None


def _read_header(data: bytes) -> _Header | None:
    """The header; None for other files and for the short headers of OS/2."""
    if data[:2] != b"BM" or len(data) < 70:
        return None
    (offset,) = struct.unpack("<I", data[10:14])
    size, width, height, _, bits, compression, _, _, _, colours = struct.unpack("<IiiHHIIiiI", data[14:50])
    return _Header(size, width, height, bits, compression, colours, offset) if size >= 40 else None
