"""From the bytes of a caller's picture file to a clean PNG.

A clean picture is upright, 8-bit RGB, sRGB, without metadata, with transparency laid over white, the first frame of an
animation, and no larger than a clip can use. It looks as browsers show it; the exceptions are listed in docs/api.md.
"""

from __future__ import annotations

import io
import math
from contextlib import suppress
from typing import Final

from PIL import Image, ImageFile, TiffImagePlugin, UnidentifiedImageError

from vivant.errors import UnreadablePicture, UnsupportedPicture
from vivant.intake.decoding import bmp, cut_off, gif, jpeg, png, tiff, webp
from vivant.intake.decoding.colour import to_plain_mode, to_srgb
from vivant.intake.decoding.formats import FORMATS, WANTED, refuse_other_kinds
from vivant.intake.decoding.orientation import UPRIGHT, orientation_of, swap_sides
from vivant.intake.decoding.still import Still
from vivant.request import SIZES, check_picture_size, nearest_ratio

OVERSAMPLING: Final = 1.25  # stored pixels per canvas pixel and axis, so that a camera move inward stays sharp
_PHOTOMETRIC: Final = 262  # the TIFF tag PhotometricInterpretation; 0: white is zero
# The one combination of white is zero and 16 bits that Pillow's table of TIFFs lacks: big-endian.
TiffImagePlugin.OPEN_INFO[b"MM", 0, (1,), 1, (16,), ()] = ("I;16B", "I;16B")


def clean(data: bytes, *, ratio: str | None = None) -> tuple[bytes, int, int]:
    """(PNG, width, height) of a picture file, large enough for a canvas of this ratio (None: the nearest one).

    Size and format are checked in the file's header, before a pixel is decoded. Raises InvalidPicture; a codec may
    raise anything else.
    """
    refuse_other_kinds(data)
    still = first_frame(data)
    picture, orientation = _decode(still)
    width, height = stored_size(*swap_sides(picture.size, orientation), ratio)
    rgb = to_srgb(picture, swap_sides((width, height), orientation), still.colour)
    if orientation in UPRIGHT:
        rgb = rgb.transpose(UPRIGHT[orientation])
    rgb.info.clear()  # else Pillow writes the profile and the text chunks it found into the PNG
    made = io.BytesIO()
    rgb.save(made, "PNG", compress_level=1)
    return made.getvalue(), width, height


def stored_size(width: int, height: int, ratio: str | None) -> tuple[int, int]:
    """(width, height) at which a picture is stored: its own, or the smallest that covers 1.25 x the 1080p canvas."""
    canvas_width, canvas_height = SIZES["1080p", ratio or nearest_ratio(width, height)]
    scale = OVERSAMPLING * max(canvas_width / width, canvas_height / height)
    return (width, height) if scale >= 1 else (math.ceil(width * scale), math.ceil(height * scale))


def first_frame(data: bytes) -> Still:
    """The first frame of a PNG or GIF; any other file as it is, once its parts have been counted. Takes linear time.

    Raises UnsupportedPicture for a JPEG of deep samples, and UnreadablePicture for a GIF without a frame and for a file
    of more parts than it may have.
    """
    if data.startswith(png.SIGNATURE):
        return png.first_frame(data)
    if data.startswith(gif.SIGNATURES):
        return gif.first_frame(data)
    if data.startswith(jpeg.START):
        jpeg.check_segments(data)
    elif data.startswith(tiff.STARTS):
        tiff.check_parts(data)
    return Still(data)


def _decode(still: Still) -> tuple[Image.Image, int]:
    """The picture as it is stored, and its EXIF orientation."""
    header_size = still.screen or webp.picture_size(still.data)
    if header_size is not None:
        check_picture_size(*header_size)  # on opening a WebP, Pillow allocates its whole canvas
    profile = bmp.embedded_profile(still.data)
    about = {} if profile is None else {"icc_profile": profile}
    bitmap = bmp.decode(still.data)
    if bitmap is not None:
        pixels, missing = bitmap
        cut_off.fill_missing(pixels, missing)
        pixels.info.update(about)
        return pixels, 1
    picture = _open(io.BytesIO(still.data))
    header = picture.size
    # Pillow itself turns a TIFF, and looks for the EXIF of a PNG behind its pixels; the bounds are symmetric.
    known = orientation_of(picture) if picture.format != "TIFF" and "exif" in picture.info else 1
    check_picture_size(*swap_sides(still.screen or header, known))
    if picture.mode in ("F", "I"):
        raise UnsupportedPicture("pictures with 32-bit samples are not supported; at most 16 bits per sample.")
    if picture.format == "TIFF" and picture.mode.startswith("I;16"):
        picture.info["white is zero"] = picture.getexif().get(_PHOTOMETRIC) == 0
    coded = still.colour.coded
    deep = coded is not None and coded.high_dynamic_range and picture.mode in ("RGB", "RGBA") and png.is_deep(picture)
    cut_off.load(picture, still.data, _open)
    if picture.size != header:
        raise UnreadablePicture("the picture contradicts its own header.")
    picture.info.update(about)
    if still.transparent is not None:
        picture.info["transparency"] = still.transparent
    if deep:
        with suppress(OSError):  # of a file that is cut off, the upper bytes must do
            return png.round_to_eight_bits(picture, _open(io.BytesIO(still.data))), orientation_of(picture)
    if still.screen is None:
        return picture, orientation_of(picture)
    return _placed(picture, still.screen, still.at), 1


def _open(file: io.BytesIO) -> ImageFile.ImageFile:
    try:
        return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        if file.getvalue()[:4] in tiff.STARTS:
            raise UnsupportedPicture(
                "this TIFF's samples or compression are of a kind that is not read; 1, 2, 4, 8 or 16 bits per sample "
                "are, uncompressed or as LZW, deflate, PackBits, JPEG or fax."
            ) from None
        raise UnsupportedPicture(f"{WANTED}; these bytes are none of them, or are damaged at the start.") from None


def _placed(frame: Image.Image, screen: tuple[int, int], at: tuple[int, int]) -> Image.Image:
    """The frame on an otherwise transparent picture of the screen's size."""
    frame = to_plain_mode(frame)
    if frame.mode not in ("RGBA", "LA"):
        frame = frame.convert("RGBA")
    whole = Image.new(frame.mode, screen)
    whole.paste(frame, at)
    whole.info.update(frame.info)
    return whole
