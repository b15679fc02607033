"""The program inside a decoder process: strangers' bytes in, clean PNG out, over stdin and stdout.

    python -I -m vivant.intake.decoder

A decoder works under limits on memory, processor time and files, is killed and replaced when it fails, and holds no
secret; so a picture that breaks a codec breaks nothing else. It imports Pillow and as little besides as it can. The
parent's side is sandbox.py.

What "clean" means: upright, 8-bit RGB, sRGB, no metadata, transparency laid over white, first frame of an animation,
no larger than a clip can use.
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
from vivant.request import ADAPTIVE, PICTURE_BYTES, SIZES, check_picture_size, nearest_ratio

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
MEMORY: Final = 768 * 2**20  # bytes above what an idle decoder maps; the largest WebP with alpha takes some 700 MiB
CPU_SECONDS: Final = 15  # per picture; the largest legitimate ones take 2 to 4
OVERSAMPLING: Final = 1.25  # pixels kept per canvas pixel: room to move the camera inward without softness
BACKGROUND: Final = (255, 255, 255)  # what shows through transparency: paper, as browsers and shops show it
ICC_BYTES: Final = 4 * 2**20  # the largest printing profiles in use have about 3 MB
# The orientation tag (EXIF 2.32, 4.6.4 A) -> what makes the picture upright.
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
# What Pillow raises for metadata it cannot read; the pixels may be fine all the same.
_BAD_METADATA: Final = (
    OSError, ValueError, SyntaxError, KeyError, IndexError, TypeError, OverflowError, struct.error, ImageCms.PyCMSError,
)  # fmt: skip


def clean(data: bytes, *, field: str, ratio: str = ADAPTIVE) -> tuple[bytes, int, int]:
    """(PNG, width, height) of a picture file. Raises InvalidPicture, naming `field`; a codec may raise anything else.

    Size and format are judged from the file's header, before a pixel is decoded.
    """
    header_size = _webp_size(data)
    if header_size is not None:
        check_picture_size(*header_size, field=field)  # Pillow makes room for a whole WebP canvas on opening
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise UnsupportedPicture(
            f"{field}: the picture must be jpeg, png, webp, bmp, tiff or gif; these bytes are none of them, or are "
            "damaged at the start.",
            field=field,
        ) from None
    with picture:
        header = picture.size
        # PNG keeps its orientation behind the pixels, and Pillow turns TIFF by itself; the bounds hold either way up.
        known = _orientation(picture) if picture.format in ("JPEG", "MPO", "WEBP") else 1
        check_picture_size(*_swap_sides(header, known), field=field)
        if picture.mode in ("F", "I"):
            raise UnsupportedPicture(
                f"{field}: pictures with 32-bit samples are not supported; at most 16 bits per sample.", field=field
            )
        picture.load()
        if picture.size != header:
            raise UnreadablePicture(f"{field}: the picture contradicts its own header.", field=field)
        orientation = _orientation(picture)
        width, height = stored_size(*_swap_sides(header, orientation), ratio)
        rgb = _to_srgb(picture, _swap_sides((width, height), orientation))
    if orientation in _UPRIGHT:
        rgb = rgb.transpose(_UPRIGHT[orientation])
    rgb.info.clear()  # Pillow would write the profile and the text it found into the PNG
    png = io.BytesIO()
    rgb.save(png, "PNG", compress_level=1)
    return png.getvalue(), width, height


def stored_size(width: int, height: int, ratio: str) -> tuple[int, int]:
    """The size at which a picture is stored: its own, or the smallest that fills the largest canvas 1.25 times over."""
    canvas_width, canvas_height = SIZES["1080p", nearest_ratio(width, height) if ratio == ADAPTIVE else ratio]
    scale = OVERSAMPLING * max(canvas_width / width, canvas_height / height)
    return (width, height) if scale >= 1 else (math.ceil(width * scale), math.ceil(height * scale))


def _swap_sides(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """The size with its sides swapped where the orientation lays the picture on its side; its own inverse."""
    return (size[1], size[0]) if orientation >= 5 else size


def _orientation(picture: Image.Image) -> int:
    """1..8; 1 when the tag is absent or makes no sense. Decodes the pixels of a PNG."""
    try:
        value = picture.getexif().get(_ORIENTATION, 1)
    except _BAD_METADATA:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _to_srgb(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The decoded picture as sRGB at `size`, still lying as it was stored."""
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
    see_through = "transparency" in picture.info
    match picture.mode:
        case "1" | "L" | "RGB" if see_through:
            try:
                return picture.convert("RGBA")
            except _BAD_METADATA:  # 16-bit colours marked transparent in a picture that is 8-bit by now
                return picture
        case "L" | "LA" | "RGB" | "RGBA" | "CMYK" | "LAB":
            return picture
        case "P":
            return picture.convert("RGBA" if see_through else "RGB")
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
    """sRGB from the embedded profile; where there is none, or it does not fit, from the mode alone."""
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
    """Width and height in a WebP's first chunk (RFC 9649, 2.5-2.7); None when it is no WebP or has another start."""
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
    """The head and the part to send back for one job; never raises for what a picture holds."""
    field = str(job["field"])
    try:
        png, width, height = clean(data, field=field, ratio=str(job["ratio"]))
    except InvalidPicture as error:
        return {"error": error.code, "message": str(error)}, b""
    except MemoryError:
        return {"error": UnreadablePicture.code, "message": f"{field}: the picture takes too much memory to decode.",
                "worn": True}, b""  # fmt: skip
    except Exception as error:  # noqa: BLE001  a hostile file makes a codec raise anything; all of it means one thing
        return {
            "error": UnreadablePicture.code,
            "message": f"{field}: the picture is damaged and could not be decoded.",
            "why": f"{type(error).__name__}: {error}"[:300],
        }, b""
    return {"width": width, "height": height}, png


def serve(jobs: IO[bytes], answers: IO[bytes]) -> None:
    """Say hello, then do jobs until the parent closes its end."""
    write_head(answers, READY)
    answers.flush()
    while True:
        try:
            job = read_head(jobs)
            data = None if job is None else _read_picture(jobs)
        except FramingError:
            return
        if job is None or data is None:
            continue  # the parent thought better of it
        _allow_cpu()
        if data.tell() > PICTURE_BYTES:
            head, png = {"error": PictureTooManyBytes.code, "message": ""}, b""
        else:
            head, png = answer(data.getvalue(), job)
        write_head(answers, head)
        write_part(answers, png)
        answers.flush()


def _read_picture(jobs: IO[bytes]) -> io.BytesIO | None:
    """The pieces of a picture; None when the job was aborted."""
    data = io.BytesIO()
    while True:
        piece = read_part(jobs, PICTURE_BYTES)
        if piece is None:
            return None
        if not piece:
            return data
        data.write(piece)


def _warm_up() -> None:
    """Decode a small picture of each kind, so that every module and table is loaded before files become unreachable."""
    tile = Image.new("RGB", (304, 304))
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in FORMATS:
        sample = io.BytesIO()
        options: dict[str, Any] = {} if kind in ("BMP", "GIF") else {"exif": exif, "icc_profile": profile}
        tile.save(sample, kind, **options)
        clean(sample.getvalue(), field="image")


def _confine() -> None:
    """From here on: no new files, no children, bounded memory."""
    if platform.system() == "Linux":
        mapped = int(_status("VmSize")) * 1024
        resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
    else:
        _watch_memory(MEMORY)
    # Files last: stdin, stdout and stderr are open, and no fourth from now on.
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_NPROC: 0, resource.RLIMIT_NOFILE: 3}
    for limit, value in limits.items():
        with suppress(OSError, ValueError):  # a limit the system does not know is no reason to stop
            resource.setrlimit(limit, (value, value))


def _status(name: str) -> str:
    with open("/proc/self/status") as lines:  # noqa: PTH123  pathlib is one more import in a process that should be small
        return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))


def _watch_memory(limit: int) -> None:
    """Where the system ignores RLIMIT_AS (macOS): end the process when its peak passes the limit."""
    unit = 1 if platform.system() == "Darwin" else 1024  # of ru_maxrss
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    def watch() -> None:
        while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - start < limit:
            time.sleep(0.02)
        os._exit(9)

    threading.Thread(target=watch, daemon=True).start()


def _allow_cpu() -> None:
    """Give this job its processor time; the system ends the process when it is used up."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + CPU_SECONDS, hard))


def main() -> None:
    warnings.simplefilter("ignore")  # nobody reads them here
    Image.MAX_IMAGE_PIXELS = None  # check_picture_size is stricter and says what is allowed
    PngImagePlugin.MAX_TEXT_CHUNK = 16 * 2**20  # some tools keep whole workflows there; memory is bounded below
    _warm_up()
    _confine()
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
