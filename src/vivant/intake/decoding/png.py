"""A PNG reduced to its first frame (PNG 3rd edition).

Only chunks that decide how that frame looks are passed on to the codec. All others are left out unread, among them
texts, which may unpack to any size, and ancillary chunks with a wrong checksum, which browsers ignore too.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from PIL import Image, ImageChops, ImageFile, PngImagePlugin

from vivant.intake.decoding.colour_spaces import D65, PRIMARIES, ColourSpace, DeclaredColour, coded_space
from vivant.intake.decoding.parts import limit_parts
from vivant.intake.decoding.still import Still

# Bytes of an unpacked ICC profile, the only compressed chunk that is passed on; Pillow refuses files of larger ones.
PngImagePlugin.MAX_TEXT_CHUNK = 16 * 2**20

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
CHUNKS: Final = 50_000  # 30 MiB in the usual chunks of 8 KiB are 3,840
_KEPT: Final = (b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf")
_COLOUR: Final = (b"cICP", b"sRGB", b"gAMA", b"cHRM", b"cLLI", b"mDCV")


def first_frame(data: bytes) -> Still:
    """The first frame of a PNG. A file that breaks off in a chunk is reduced to what there is.

    Raises UnreadablePicture for a file of too many chunks.
    """
    kept: dict[bytes, bytes] = {}
    pixels: list[memoryview] = []  # of the default picture
    frames: list[tuple[bytes, list[memoryview]]] = []  # of an animation whose first frame is not the default picture
    animated = in_animation = False
    for kind, content, checksum in _chunks(data):
        if kind == b"IDAT":
            pixels.append(content)
        elif kind == b"acTL" and not pixels:
            animated = len(content) == 8 and int.from_bytes(content[:4], "big") > 0
        elif kind == b"fcTL":
            in_animation |= not pixels
            if len(frames) == 1 and frames[0][1]:
                break  # the second frame begins
            frames = [(bytes(content), [])]
        elif kind == b"fdAT" and frames:
            frames[0][1].append(content[4:])
        elif (kind in _KEPT or kind in _COLOUR) and kind not in kept and not (pixels and kind != b"eXIf"):
            if checksum != zlib.crc32(content, zlib.crc32(kind)) and kind[0] & 0x20:
                continue
            kept[kind] = bytes(content)
            if kind in (b"IHDR", b"PLTE"):
                kept[kind + b" checksum"] = checksum.to_bytes(4, "big")
        if pixels and kind == b"IEND":
            break
    colour = _declared(kept)
    if animated and not in_animation and frames and frames[0][1]:
        placed = _placed(kept.get(b"IHDR", b""), frames[0][0])
        if placed is not None:
            header, screen, at = placed
            kept[b"IHDR"] = header
            kept[b"IHDR checksum"] = zlib.crc32(header, zlib.crc32(b"IHDR")).to_bytes(4, "big")
            return Still(_assembled(kept, frames[0][1]), screen, at, colour=colour)
    return Still(_assembled(kept, pixels), colour=colour)


def round_to_eight_bits(picture: Image.Image, again: ImageFile.ImageFile) -> Image.Image:
    """A picture of 16 bits per sample, of which Pillow keeps the upper byte, rounded by the lower byte.

    `again` is the same file, opened and not decoded: read as little-endian, its upper byte is the lower one.
    """
    again.tile = [tile._replace(args=str(tile.args).replace(";16B", ";16L")) for tile in again.tile]
    up = again.point(([0] * 128 + [1] * 128) * len(again.getbands()))
    rounded = ImageChops.add(picture, up)
    rounded.info.update(picture.info)
    return rounded


def is_deep(picture: ImageFile.ImageFile) -> bool:
    """Whether an opened PNG has 16 bits per sample of which Pillow keeps eight."""
    return all(isinstance(tile.args, str) and tile.args.endswith(";16B") for tile in picture.tile)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, int]]:
    """Type, content and checksum of each chunk; the last may be short of its content."""
    view, at, chunks = memoryview(data), len(SIGNATURE), 0
    while at + 8 <= len(data):
        chunks += 1
        limit_parts(chunks, CHUNKS, "chunks")
        end = at + 8 + int.from_bytes(view[at : at + 4], "big")
        yield bytes(view[at + 4 : at + 8]), view[at + 8 : end], int.from_bytes(view[end : end + 4], "big")
        at = end + 4


def _assembled(kept: dict[bytes, bytes], pixels: list[memoryview]) -> bytes:
    parts = [SIGNATURE]
    for kind in _KEPT:
        if kind in kept:
            parts += _chunk(kind, kept[kind], kept.get(kind + b" checksum"))
    if pixels:
        parts += _chunk(b"IDAT", b"".join(pixels))
    return b"".join([*parts, *_chunk(b"IEND", b"")])


def _chunk(kind: bytes, content: bytes, checksum: bytes | None = None) -> list[bytes]:
    right = zlib.crc32(content, zlib.crc32(kind)).to_bytes(4, "big")
    return [len(content).to_bytes(4, "big"), kind, content, checksum or right]


def _placed(header: bytes, control: bytes) -> tuple[bytes, tuple[int, int], tuple[int, int]] | None:
    """The header of a frame as a PNG of its own, the whole picture's size and the frame's place in it (11.3.6.2).

    None when the frame does not lie within the picture.
    """
    if len(header) != 13 or len(control) != 26:
        return None
    width, height = struct.unpack(">II", header[:8])
    _, frame_width, frame_height, x, y = struct.unpack(">IIIII", control[:20])
    if not (frame_width and frame_height and x + frame_width <= width and y + frame_height <= height):
        return None
    return control[4:12] + header[8:], (width, height), (x, y)


def _declared(kept: dict[bytes, bytes]) -> DeclaredColour:
    """What cICP, sRGB, gAMA and cHRM say (11.3.2). Values without sense are ignored."""
    coded = None
    code = kept.get(b"cICP", b"")
    if len(code) == 4 and code[2] == 0 and code[3] == 1:  # RGB, full range
        coded = coded_space(code[0], code[1], _peak(kept))
    intent = kept.get(b"sRGB", b"")
    return DeclaredColour(coded, len(intent) == 1 and intent[0] <= 3, _calibrated(kept))


def _calibrated(kept: dict[bytes, bytes]) -> ColourSpace | None:
    """The space of gAMA and cHRM. Without gAMA, cHRM says nothing; gAMA of 1/2.2 without cHRM means sRGB."""
    gamma = int.from_bytes(kept.get(b"gAMA", b""), "big") / 100_000 if len(kept.get(b"gAMA", b"")) == 4 else 0.0
    points = kept.get(b"cHRM", b"")
    if gamma <= 0 or (len(points) != 32 and abs(gamma - 0.45455) < 0.0001):
        return None
    white, red, green, blue = D65, *PRIMARIES[1][:3]
    if len(points) == 32:
        values = [value / 100_000 for value in struct.unpack(">8I", points)]
        white, red, green, blue = zip(values[::2], values[1::2], strict=True)
    try:
        return ColourSpace(red, green, blue, white, 1 / gamma)
    except (ValueError, ZeroDivisionError):
        return None


def _peak(kept: dict[bytes, bytes]) -> float:
    """cd/m² of the brightest light: of the picture (cLLI, 11.3.2.8), else of the display it was made on (mDCV,
    11.3.2.7), else 1000."""
    for kind, length, at in ((b"cLLI", 8, 0), (b"mDCV", 24, 16)):
        content = kept.get(kind, b"")
        value = int.from_bytes(content[at : at + 4], "big") / 10_000 if len(content) == length else 0.0
        if value > 0:
            return value
    return 1000.0
