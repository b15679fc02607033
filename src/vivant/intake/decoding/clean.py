"""From the bytes of a caller's picture file to a clean PNG.

A clean picture is upright, 8-bit RGB, sRGB, without metadata, with transparency laid over white, the first frame of an
animation, and no larger than a clip can use.
"""

from __future__ import annotations

import io
import math
from typing import Final

from PIL import Image, UnidentifiedImageError

from vivant.errors import UnreadablePicture, UnsupportedPicture
from vivant.intake.decoding.colour import to_srgb
from vivant.intake.decoding.formats import FORMATS, webp_size
from vivant.intake.decoding.orientation import UPRIGHT, orientation_of, swap_sides
from vivant.request import SIZES, check_picture_size, nearest_ratio

OVERSAMPLING: Final = 1.25  # stored pixels per canvas pixel and axis, so that a camera move inward stays sharp


def clean(data: bytes, *, ratio: str | None = None) -> tuple[bytes, int, int]:
    """(PNG, width, height) of a picture file, large enough for a canvas of this ratio (None: the nearest one).

    Size and format are checked in the file's header, before a pixel is decoded. Raises InvalidPicture; a codec may
    raise anything else.
    """
    header_size = webp_size(data)
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
        known = orientation_of(picture) if picture.format in ("JPEG", "MPO", "WEBP") else 1
        check_picture_size(*swap_sides(header, known))
        if picture.mode in ("F", "I"):
            raise UnsupportedPicture("pictures with 32-bit samples are not supported; at most 16 bits per sample.")
        picture.load()
        if picture.size != header:
            raise UnreadablePicture("the picture contradicts its own header.")
        orientation = orientation_of(picture)
        width, height = stored_size(*swap_sides(header, orientation), ratio)
        rgb = to_srgb(picture, swap_sides((width, height), orientation))
    if orientation in UPRIGHT:
        rgb = rgb.transpose(UPRIGHT[orientation])
    rgb.info.clear()  # else Pillow writes the profile and the text chunks it found into the PNG
    png = io.BytesIO()
    rgb.save(png, "PNG", compress_level=1)
    return png.getvalue(), width, height


def stored_size(width: int, height: int, ratio: str | None) -> tuple[int, int]:
    """(width, height) at which a picture is stored: its own, or the smallest that covers 1.25 x the 1080p canvas."""
    canvas_width, canvas_height = SIZES["1080p", ratio or nearest_ratio(width, height)]
    scale = OVERSAMPLING * max(canvas_width / width, canvas_height / height)
    return (width, height) if scale >= 1 else (math.ceil(width * scale), math.ceil(height * scale))
