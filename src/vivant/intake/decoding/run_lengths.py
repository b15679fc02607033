"""BMPs of run lengths, RLE8 and RLE4 (Windows SDK, Bitmap Compression). Pixels that are skipped are black, as in
browsers.

Pillow takes every pixel by itself, and nothing of a file that breaks off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PIL import Image

from vivant.errors import UnreadablePicture

MOST_CODES: Final = 4_000_000  # some 3 s; a noisy picture of 6000 x 5000 has 120,000
_END_OF_LINE: Final = 0
_END_OF_PICTURE: Final = 1
_DELTA: Final = 2


@dataclass(frozen=True, slots=True)
class RunLengths:
    """The picture's size, whether an index has four bits and not eight, and where the codes start."""

    width: int
    height: int
    nibbles: bool
    offset: int


def decode(data: bytes, layout: RunLengths, palette: bytes) -> tuple[Image.Image, list[int]]:
    """The picture, RGB, in the order of the file, and the rows behind the end of a file that breaks off.

    palette: blue, green, red and a spare byte for each colour. Raises UnreadablePicture.
    """
    width, height = layout.width, layout.height
    indices, written = bytearray(width * height), bytearray(width * height)
    x = y = 0
    at, missing = layout.offset, height
    for _ in range(MOST_CODES):
        if y >= height:
            break
        if at + 2 > len(data):
            missing = y  # the row in which the file breaks off
            break
        count, value = data[at], data[at + 1]
        at += 2
        if count == 0 and value == _END_OF_LINE:
            x, y = 0, y + 1
            continue
        if count == 0 and value == _END_OF_PICTURE:
            break
        if count == 0 and value == _DELTA:
            if at + 2 <= len(data):
                x, y = x + data[at], y + data[at + 1]
            at += 2
            continue
        if count:
            run = (
                (bytes((value >> 4, value & 15)) * (count + 1 >> 1))[:count]
                if layout.nibbles
                else bytes((value,)) * count
            )
        else:
            length = (value + 1) // 2 if layout.nibbles else value
            packed = data[at : at + length]
            run = (
                bytes(nibble for byte in packed for nibble in (byte >> 4, byte & 15))[:value]
                if layout.nibbles
                else packed
            )
            at += length + (length & 1)
        run = run[: max(0, width - x)]
        place = y * width + x
        indices[place : place + len(run)] = run
        written[place : place + len(run)] = b"\xff" * len(run)
        x += len(run)
    else:
        raise UnreadablePicture(f"the picture has more than {MOST_CODES:,} runs of pixels.")
    picture = Image.frombytes("P", (width, height), bytes(indices))
    colours = [palette[entry + channel] for entry in range(0, len(palette) - 3, 4) for channel in (2, 1, 0)]
    picture.putpalette(colours + [0] * (768 - len(colours)))
    picture = picture.convert("RGB")
    if 0 in written:
        black, mask = Image.new("RGB", picture.size), Image.frombytes("L", picture.size, bytes(written))
        picture = Image.composite(picture, black, mask)
    return picture, list(range(missing, height))
