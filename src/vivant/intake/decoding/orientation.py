"""Which way up a picture is stored, and how to turn it."""

from __future__ import annotations

from typing import Final

from PIL import Image

from vivant.intake.decoding.formats import BAD_METADATA

ORIENTATION: Final = 0x0112  # the EXIF tag
# EXIF orientation tag (EXIF 2.32, 4.6.4 A) -> the transposition that makes the picture upright.
UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def swap_sides(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """The size, with width and height swapped for the EXIF orientations that turn by a quarter."""
    return (size[1], size[0]) if orientation >= 5 else size


def orientation_of(picture: Image.Image) -> int:
    """The EXIF orientation, 1..8; 1 when the tag is absent or not valid.

    Only EXIF counts: a copy of the tag in XMP is often stale, and browsers do not look at it. Pillow does.
    """
    for key in ("xmp", "XML:com.adobe.xmp"):
        picture.info.pop(key, None)
    try:
        value = picture.getexif().get(ORIENTATION, 1)
    except BAD_METADATA:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
