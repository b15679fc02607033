"""BMPs whose pixels are bit fields: any masks, 16 or 32 bits (Windows SDK, BITMAPV5HEADER). Pillow knows a few layouts.

A row is one large integer; shifting and masking it takes a channel out of all its pixels at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from vivant.errors import UnreadablePicture


@dataclass(frozen=True, slots=True)
class BitFields:
    """Where the pixels are and which of their bits are red, green, blue and, if there is a fourth mask, alpha.

    Raises UnreadablePicture for masks that are empty, not runs of bits, or outside a pixel.
    """

    width: int
    height: int
    bits: int
    masks: tuple[int, ...]
    offset: int

    def __post_init__(self) -> None:
        if any(mask >> self.bits for mask in self.masks) or not all(map(_is_one_run, self.masks)):
            raise UnreadablePicture("the picture's colour masks are not runs of bits.")

    @property
    def stride(self) -> int:
        """Bytes of a row, which is padded to whole words of 32 bits."""
        return (self.width * self.bits + 31) // 32 * 4


def _is_one_run(mask: int) -> bool:
    """Whether the set bits of a mask are neighbours."""
    run = mask >> (mask & -mask).bit_length() - 1 if mask else 0
    return run & run + 1 == 0 and mask != 0


def decode(data: bytes, layout: BitFields) -> tuple[Image.Image, list[int]]:
    """The picture, RGB or RGBA, in the order of the file, and the rows the file is too short for."""
    there = max(0, (len(data) - layout.offset) // layout.stride)
    rows = min(layout.height, there)
    planes = [bytearray() for _ in layout.masks]
    unpackers = [_Unpacker(mask, layout) for mask in layout.masks]
    for row in range(rows):
        start = layout.offset + row * layout.stride
        packed = int.from_bytes(data[start : start + layout.width * layout.bits // 8], "little")
        for plane, unpacker in zip(planes, unpackers, strict=True):
            plane += unpacker.take(packed)
    channels = []
    for plane in planes:
        plane += bytes(layout.width * (layout.height - rows))
        channels.append(Image.frombytes("L", (layout.width, layout.height), bytes(plane)))
    picture = Image.merge("RGBA" if len(channels) == 4 else "RGB", channels)
    return picture, list(range(rows, layout.height))


class _Unpacker:
    """Takes one channel out of rows. Of more than eight bits the upper eight count; fewer are spread over 0..255."""

    def __init__(self, mask: int, layout: BitFields) -> None:
        depth = mask.bit_count()
        kept = min(depth, 8)
        self._shift = (mask & -mask).bit_length() - 1 + depth - kept
        self._bytes = layout.bits // 8
        self._length = layout.width * self._bytes
        one = (2**kept - 1).to_bytes(self._bytes, "little")
        self._mask = int.from_bytes(one * layout.width, "little")
        top = 2**kept - 1
        self._spread = bytes((min(value, top) * 255 + top // 2) // top for value in range(256))

    def take(self, packed: int) -> bytes:
        """The channel of each pixel of a row, one byte each."""
        values = (packed >> self._shift & self._mask).to_bytes(self._length, "little")
        return values[:: self._bytes].translate(self._spread)
