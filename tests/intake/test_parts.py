"""Small files of very many parts are refused before a codec sees them, in linear time; honest files pass."""

from __future__ import annotations

import io
import random
import struct
import time
import zlib
from contextlib import suppress
from typing import Any

import pytest
from PIL import Image, ImageCms

from support.paths import PHOTOS
from vivant.errors import InvalidPicture, UnreadablePicture
from vivant.intake.decoding.clean import clean, first_frame
from vivant.request import PICTURE_BYTES

WIDE = (5999, 5999)


def saved(kind: str, size: tuple[int, int] = (400, 310), mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind, **options)
    return file.getvalue()


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """The start of a PNG of these chunks."""
    parts = ((len(data).to_bytes(4, "big") + kind + data, zlib.crc32(kind + data)) for kind, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(body + crc.to_bytes(4, "big") for body, crc in parts)


def jpeg_of_scans(count: int, size: tuple[int, int]) -> bytes:
    """A progressive JPEG whose last scan comes so many times more."""
    data = saved("JPEG", size, "L", progressive=True)
    last = data.rindex(b"\xff\xda")
    tables = data.rindex(b"\xff\xc4", 0, last)
    return data[:-2] + data[tables:-2] * count + b"\xff\xd9"


def tiff(*entries: tuple[int, int, int], order: str = "<") -> bytes:
    """A TIFF whose first directory has these entries (tag, type, count), with 16 MiB behind it."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(entries))
    return head + b"".join(struct.pack(f"{order}HHII", *entry, 200) for entry in entries) + bytes(2**24)


def big_tiff(*entries: tuple[int, int, int], order: str = "<") -> bytes:
    """The same as a BigTIFF."""
    head = (b"II+\0" if order == "<" else b"MM\0+") + struct.pack(f"{order}HHQQ", 8, 0, 16, len(entries))
    return head + b"".join(struct.pack(f"{order}HHQQ", *entry, 200) for entry in entries) + bytes(2**24)


GIF = saved("GIF", mode="P")
FRAME = GIF.index(b"\x2c")
SEGMENT = b"\xff\xe1\x00\x02"
HOSTILE = {
    "scans": lambda: jpeg_of_scans(200, (400, 310)),
    "scans of a large picture": lambda: jpeg_of_scans(30, WIDE),
    "500 scans": lambda: jpeg_of_scans(500, WIDE),
    "segments": lambda: b"\xff\xd8" + SEGMENT * 1_000_000,
    "bytes between segments": lambda: b"\xff\xd8\xff\xe1\x00\x04ab" + bytes(PICTURE_BYTES - 8),
    "restart markers": lambda: b"\xff\xd8" + b"\xff\xd0" * 5_000_000,
    "fill bytes": lambda: b"\xff\xd8" + b"\xff" * 10_000_000,
    "escaped bytes": lambda: b"\xff\xd8" + b"\xff\x00\x00" * 5_000_000,
    "empty chunks": lambda: png(*[(b"IDAT", b"")] * 60_000),
    "private chunks": lambda: png(*[(b"prVt", b"")] * 60_000),
    "comments": lambda: GIF[:FRAME] + b"\x21\xfe\x01a\0" * 125_001 + GIF[FRAME:],
    "parts of a comment": lambda: GIF[:FRAME] + b"\x21\xfe" + b"\x01a" * 10_000_000 + b"\0" + GIF[FRAME:],
    "parts of a frame": lambda: GIF[: FRAME + 11] + b"\x01\0" * 10_000_000,
    "strips": lambda: tiff((273, 4, 200_001)),
    "tiles": lambda: tiff((324, 3, 200_001), order=">"),
    "numbers": lambda: tiff(*[(50_000 + n, 3, 100_000) for n in range(11)]),
    "strips of a BigTIFF": lambda: big_tiff((273, 16, 200_001)),
    "entries of a BigTIFF": lambda: b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**64 - 1) + bytes(PICTURE_BYTES),
    "tiles of a BigTIFF": lambda: big_tiff((324, 3, 200_001), order=">"),
    "chunks of a WebP": lambda: b"RIFF" + struct.pack("<I", 480_004) + b"WEBP" + b"EXIF\0\0\0\0" * 60_000,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_file_of_very_many_parts_is_refused(what: str) -> None:
    data = HOSTILE[what]()
    with pytest.raises(UnreadablePicture, match="has too many"):
        clean(data)


FILL = {
    "a scan of markers": lambda: saved("JPEG")[:-2] + b"\xff\x00" * (PICTURE_BYTES // 2),
    "a scan of FF": lambda: saved("JPEG")[:-2] + b"\xff" * PICTURE_BYTES,
    "a scan of restarts": lambda: saved("JPEG")[:-2] + b"\xff\xd0" * (PICTURE_BYTES // 2),
    "one long chunk": lambda: png() + b"\xff\xff\xff\xffIDAT" + bytes(PICTURE_BYTES),
    "many large entries": lambda: big_tiff(*[(1, 200, 2**62)] * 65_535),
    "many entries": lambda: tiff(*[(1, 200, 2**31)] * 65_535),
    "a GIF of zeros": lambda: GIF[:FRAME] + bytes(PICTURE_BYTES),
    "a WebP of zeros": lambda: b"RIFF\0\0\0\0WEBP" + bytes(400_000),
    "no picture": lambda: bytes(PICTURE_BYTES),
}


@pytest.mark.parametrize("what", FILL)
def test_every_file_is_walked_in_linear_time(what: str) -> None:
    data = FILL[what]()
    started = time.process_time()
    with suppress(InvalidPicture):
        first_frame(data)
    assert time.process_time() - started < 7  # of the 15 s that a picture has


def test_honest_files_pass() -> None:
    honest = [
        saved("JPEG"), saved("JPEG", progressive=True), saved("JPEG", WIDE, progressive=True),
        saved("JPEG", mode="CMYK"), saved("PNG"), saved("PNG", WIDE, compress_level=0), saved("GIF", WIDE, "P"),
        GIF[:-1] + GIF[FRAME:-1] * 5000 + b";", saved("TIFF"), saved("TIFF", compression="tiff_lzw"),
        saved("TIFF", WIDE, tiffinfo={278: 1}), saved("WEBP"), saved("WEBP", lossless=True), saved("BMP"),
        *(path.read_bytes() for path in sorted(PHOTOS.glob("*.jpg"))),
    ]  # fmt: skip
    stumps = [b"", b"\xff\xd8", b"\xff\xd8\xff", b"II*\0", b"RIFF", png()]
    for data in honest + stumps:
        first_frame(data)


def test_profiles_and_texts_that_no_codec_sees_cost_nothing() -> None:
    whole = saved("PNG")
    profiles = png(
        *[(b"iCCP", b"p\0\0" + zlib.compress(bytes(2**20)))] * 500,
        *[(b"zTXt", b"k\0\0" + zlib.compress(bytes(2**20)))] * 500,
    )[8:]
    started = time.process_time()
    assert clean(whole[:33] + profiles + whole[33:])[1:] == (400, 310)
    assert time.process_time() - started < 7  # of the 15 s that a picture has


def test_a_profile_as_large_as_those_of_printers_is_no_reason_to_refuse_a_png() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert clean(saved("PNG", icc_profile=profile + bytes(3_000_000)))[1:] == (400, 310)


def test_honest_pixels_pass() -> None:
    """Noise makes the most bytes, and with them the most blocks and chunks, that a picture can have."""
    noise = Image.effect_noise((3000, 3000), 80)
    for kind, options in (("GIF", {}), ("PNG", {}), ("JPEG", {"progressive": True, "quality": 100}), ("TIFF", {})):
        file = io.BytesIO()
        noise.save(file, kind, **options)
        first_frame(file.getvalue())


def test_damaged_files_raise_nothing_else() -> None:
    chance = random.Random(20_261_128)
    seeds = [saved(kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "TIFF")] + [GIF, saved("JPEG", progressive=True)]
    for number in range(5000):
        data = bytearray(seeds[number % len(seeds)])
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        for _ in range(chance.randint(1, 20)):
            if data:
                data[chance.randrange(min(len(data), 400))] = chance.randrange(256)
        with suppress(InvalidPicture):
            first_frame(bytes(data))
