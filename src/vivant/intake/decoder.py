"""The program of a decoder process: reads picture files of callers on stdin, writes clean PNGs to stdout.

    python -I -m vivant.intake.decoder

It runs under limits on memory, processor time and open files, holds no secret, and is killed and replaced when it
fails, so a file that exploits or crashes a codec does no harm outside. It imports little besides Pillow. The parent's
side is sandbox.py.

A clean picture is upright, 8-bit RGB, sRGB, without metadata, with transparency laid over white, the first frame of an
animation, and no larger than a clip can use.
"""

from __future__ import annotations

import io
import math
import os
import platform
import resource
import struct
import sys
import threading
import time
import warnings
from contextlib import suppress
from typing import IO, Any, Final

from PIL import Image, ImageCms, PngImagePlugin, UnidentifiedImageError

from vivant.errors import InvalidPicture, PictureTooManyBytes, UnreadablePicture, UnsupportedPicture
from vivant.intake.framing import READY, FramingError, read_head, read_part, write_head, write_part
from vivant.request import PICTURE_BYTES, SIZES, check_picture_size, nearest_ratio

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
MEMORY: Final = 768 * 2**20  # bytes above what an idle decoder maps; the largest WebP with alpha takes some 700 MiB
CPU_SECONDS: Final = 15  # per picture; the largest legitimate ones take 2 to 4
OVERSAMPLING: Final = 1.25  # stored pixels per canvas pixel and axis, so that a camera move inward stays sharp
BACKGROUND: Final = (255, 255, 255)  # white, laid under transparent pixels
ICC_BYTES: Final = 4 * 2**20  # the largest printer profiles in use have about 3 MB
# EXIF orientation tag (EXIF 2.32, 4.6.4 A) -> the transposition that makes the picture upright.
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION: Final = 0x0112
# What Pillow raises for metadata it cannot read; the pixels may still be good.
_BAD_METADATA: Final = (
    OSError, ValueError, SyntaxError, KeyError, IndexError, TypeError, OverflowError, struct.error, ImageCms.PyCMSError,
)  # fmt: skip


def clean(data: bytes, *, ratio: str | None = None) -> tuple[bytes, int, int]:
    """(PNG, width, height) of a picture file, large enough for a canvas of this ratio (None: the nearest one).

    Size and format are checked in the file's header, before a pixel is decoded. Raises InvalidPicture; a codec may
    raise anything else.
    """
    header_size = _webp_size(data)
    if header_size is not None:
        check_picture_size(*header_size)  # on opening a WebP, Pillow allocates its whole canvas
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise UnsupportedPicture(
            "the picture must be jpeg, png, webp, bmp, tiff or gif; these bytes are none of them, or are damaged at "
            "the start."
        ) from None
    with picture:
        header = picture.size
        # A PNG stores its orientation behind the pixels, and Pillow itself turns a TIFF; the bounds are symmetric.
        known = _orientation(picture) if picture.format in ("JPEG", "MPO", "WEBP") else 1
        check_picture_size(*_swap_sides(header, known))
        if picture.mode in ("F", "I"):
            raise UnsupportedPicture("pictures with 32-bit samples are not supported; at most 16 bits per sample.")
        picture.load()
        if picture.size != header:
            raise UnreadablePicture("the picture contradicts its own header.")
        orientation = _orientation(picture)
        width, height = stored_size(*_swap_sides(header, orientation), ratio)
        rgb = _to_srgb(picture, _swap_sides((width, height), orientation))
    if orientation in _UPRIGHT:
        rgb = rgb.transpose(_UPRIGHT[orientation])
    rgb.info.clear()  # else Pillow writes the profile and the text chunks it found into the PNG
    png = io.BytesIO()
    rgb.save(png, "PNG", compress_level=1)
    return png.getvalue(), width, height


def stored_size(width: int, height: int, ratio: str | None) -> tuple[int, int]:
    """(width, height) at which a picture is stored: its own, or the smallest that covers 1.25 x the 1080p canvas."""
    canvas_width, canvas_height = SIZES["1080p", ratio or nearest_ratio(width, height)]
    scale = OVERSAMPLING * max(canvas_width / width, canvas_height / height)
    return (width, height) if scale >= 1 else (math.ceil(width * scale), math.ceil(height * scale))


def _swap_sides(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """The size, with width and height swapped for the EXIF orientations that turn by a quarter."""
    return (size[1], size[0]) if orientation >= 5 else size


def _orientation(picture: Image.Image) -> int:
    """The EXIF orientation, 1..8; 1 when the tag is absent or not valid. Decodes the pixels of a PNG."""
    try:
        value = picture.getexif().get(_ORIENTATION, 1)
    except _BAD_METADATA:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _to_srgb(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The decoded picture as sRGB at `size`, not yet turned upright."""
    picture = _to_plain_mode(picture)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    if picture.mode.startswith("I;16"):
        picture = picture.convert("I").point(_EIGHT_BITS, "L")
    colour, alpha = (picture, None)
    if picture.mode in ("LA", "RGBA"):
        colour, alpha = picture.convert(picture.mode[:-1]), picture.getchannel("A")
    rgb = _apply_profile(colour)
    return rgb if alpha is None else Image.composite(rgb, Image.new("RGB", rgb.size, BACKGROUND), alpha)


_EIGHT_BITS: Final = [(value + 128) // 257 for value in range(65_536)]  # 65535 is 255 · 257


def _to_plain_mode(picture: Image.Image) -> Image.Image:
    """The same picture in a mode that can be resized: L, LA, RGB, RGBA, CMYK, LAB or 16-bit grey."""
    transparent = "transparency" in picture.info
    match picture.mode:
        case "1" | "L" | "RGB" if transparent:
            try:
                return picture.convert("RGBA")
            except _BAD_METADATA:  # the transparent colour is 16-bit, the decoded picture 8-bit
                return picture
        case "L" | "LA" | "RGB" | "RGBA" | "CMYK" | "LAB":
            return picture
        case "P":
            return picture.convert("RGBA" if transparent else "RGB")
        case "PA" | "RGBa":
            return picture.convert("RGBA")
        case "La":
            return picture.convert("LA")
        case "1":
            return picture.convert("L")
        case mode if mode.startswith("I;16"):
            return picture
        case _:
            return picture.convert("RGB")


def _apply_profile(colour: Image.Image) -> Image.Image:
    """The picture in sRGB, converted by its embedded ICC profile; by its mode alone if it has none that fits."""
    profile = colour.info.get("icc_profile")
    if colour.mode == "LAB":
        source = ImageCms.createProfile("LAB")
    elif isinstance(profile, bytes) and 0 < len(profile) <= ICC_BYTES:
        try:
            source = ImageCms.getOpenProfile(io.BytesIO(profile)).profile
        except _BAD_METADATA:
            return colour.convert("RGB")
        if colour.mode == "RGB" and (source.profile_description or "").startswith("sRGB"):
            return colour
    else:
        return colour.convert("RGB")
    try:
        managed = ImageCms.profileToProfile(
            colour,
            ImageCms.ImageCmsProfile(source),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except _BAD_METADATA:
        return colour.convert("RGB")
    return managed or colour


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in a WebP's first chunk (RFC 9649, 2.5-2.7); None for other files and other first chunks."""
    if len(data) < 30 or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    match data[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = struct.unpack("<HH", data[26:30])
            return width & 0x3FFF, height & 0x3FFF
        case _:
            return None


def answer(data: bytes, job: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The head and the PNG to send back for one job; never raises for what a picture holds."""
    try:
        png, width, height = clean(data, ratio=job["ratio"])
    except InvalidPicture as error:
        return {"error": error.code, "message": error.problem}, b""
    except MemoryError:
        return {"error": UnreadablePicture.code, "message": "the picture takes too much memory to decode.",
                "retire": True}, b""  # fmt: skip
    except Exception as error:  # noqa: BLE001  a hostile file can make a codec raise anything
        return {
            "error": UnreadablePicture.code,
            "message": "the picture is damaged and could not be decoded.",
            "why": f"{type(error).__name__}: {error}"[:300],
        }, b""
    return {"width": width, "height": height}, png


def serve(jobs: IO[bytes], answers: IO[bytes]) -> None:
    """Send READY, then process jobs until the parent closes the pipe."""
    write_head(answers, READY)
    answers.flush()
    while True:
        try:
            job = read_head(jobs)
            data = None if job is None else _read_picture(jobs)
        except FramingError:
            return
        if job is None or data is None:
            continue  # the parent aborted this job
        _allow_cpu()
        if data.tell() > PICTURE_BYTES:
            head, png = {"error": PictureTooManyBytes.code, "message": ""}, b""
        else:
            head, png = answer(data.getvalue(), job)
        write_head(answers, head)
        write_part(answers, png)
        answers.flush()


def _read_picture(jobs: IO[bytes]) -> io.BytesIO | None:
    """The bytes of a picture, received in pieces; None when the job was aborted."""
    data = io.BytesIO()
    while True:
        piece = read_part(jobs, PICTURE_BYTES)
        if piece is None:
            return None
        if not piece:
            return data
        data.write(piece)


def _warm_up() -> None:
    """Decode a small picture of each format, so that all modules are loaded before no file can be opened any more."""
    tile = Image.new("RGB", (304, 304))
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in FORMATS:
        sample = io.BytesIO()
        options: dict[str, Any] = {} if kind in ("BMP", "GIF") else {"exif": exif, "icc_profile": profile}
        tile.save(sample, kind, **options)
        clean(sample.getvalue())


def _confine() -> None:
    """From here on: no new files, no child processes, limited memory."""
    if platform.system() == "Linux":
        mapped = int(_status("VmSize")) * 1024
        resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
    else:
        _watch_memory(MEMORY)
    # Files last, since _status opens one. Three stay open: stdin, stdout and stderr.
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_NPROC: 0, resource.RLIMIT_NOFILE: 3}
    for limit, value in limits.items():
        with suppress(OSError, ValueError):  # not every system knows every limit
            resource.setrlimit(limit, (value, value))


def _status(name: str) -> str:
    with open("/proc/self/status") as lines:  # noqa: PTH123  saves importing pathlib
        return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))


def _watch_memory(limit: int) -> None:
    """For systems that ignore RLIMIT_AS (macOS): end the process when its peak memory passes the limit."""
    unit = 1 if platform.system() == "Darwin" else 1024  # of ru_maxrss
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    def watch() -> None:
        while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - start < limit:
            time.sleep(0.02)
        os._exit(9)

    threading.Thread(target=watch, daemon=True).start()


def _allow_cpu() -> None:
    """Allow this job CPU_SECONDS more of processor time; the system kills the process that uses them up."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + CPU_SECONDS, hard))


def main() -> None:
    warnings.simplefilter("ignore")  # stderr goes nowhere
    Image.MAX_IMAGE_PIXELS = None  # check_picture_size is stricter and says what is allowed
    PngImagePlugin.MAX_TEXT_CHUNK = 16 * 2**20  # image generators store whole workflows there; memory is limited anyway
    _warm_up()
    _confine()
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
