"""Files that break off, or are damaged: what can be read of them, and whether that is enough.

Browsers show what there is. A clip needs a whole picture, so nearly all rows must be there; the missing ones repeat
the row beside them.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final

from PIL import Image, ImageChops, ImageFile

from vivant.errors import UnreadablePicture
from vivant.intake.decoding import jpeg

ENOUGH: Final = Fraction(9, 10)  # of all rows
# Rows that a JPEG codes together, at most (T.81, A.2.4, with two by two samples), and one that is interpolated from
# them. When only the last of these breaks off, its left part is there.
_MCU: Final = 17
_OTHER_BITS: Final = bytes(range(1, 255)) * 4
Open = Callable[[io.BytesIO], ImageFile.ImageFile]


def load(picture: ImageFile.ImageFile, data: bytes, open_file: Open) -> None:
    """Decode the opened picture as far as its file goes. Raises UnreadablePicture when too few rows are there.

    How far that is shows in a second decoding onto other pixels: rows that differ were never written.
    """
    try:
        picture.load()
        return
    except OSError as error:
        problem = error
    size, mode = picture.size, picture.mode
    if picture._im is None:  # the codec did not come so far as to make room for pixels
        raise problem
    picture.tile = []  # what is decoded stays
    if picture.format in ("JPEG", "MPO") and _complete_jpeg(picture, data, open_file):
        return
    again = open_file(io.BytesIO(data))
    if (again.size, again.mode) != (size, mode):
        raise problem
    bands = Image.getmodebands(mode)
    white = 65_535 if mode.startswith("I;16") else 255 if bands == 1 else (255,) * bands
    again.im = Image.new(mode, size, white).im
    try:
        again.load()
    except OSError:
        again.tile = []
    fill_missing(picture, rows_that_differ(picture, again))


def _complete_jpeg(picture: ImageFile.ImageFile, data: bytes, open_file: Open) -> bool:
    """Put the JPEG's end behind what there is: libjpeg then fills up what is missing (its jdhuff.c), as in browsers.

    With other bits before the end, all rows from the first missing one on come out differently. False for a file that
    libjpeg gives up. Raises UnreadablePicture when too few rows are there.
    """
    whole, other = open_file(io.BytesIO(data + jpeg.END)), open_file(io.BytesIO(data + _OTHER_BITS + jpeg.END))
    try:
        whole.load()
        other.load()
    except OSError:
        return False
    if (whole.size, whole.mode) != (picture.size, picture.mode):
        return False
    picture.im = whole.im
    if jpeg.has_several_scans(data):
        if not jpeg.has_whole_first_scans(data):
            fill_missing(picture, range(picture.height))
        return True
    first = next(iter(rows_that_differ(whole, other)), picture.height)
    if picture.height - first > _MCU:
        fill_missing(picture, range(first, picture.height))
    elif first < picture.height:
        _fill_columns(picture, other, first)
    return True


def _fill_columns(picture: Image.Image, other: Image.Image, first: int) -> None:
    """From row `first` down, let the columns in which two pictures differ repeat the row above."""
    width, height = picture.width, picture.height - first
    box = (0, first, width, picture.height)
    difference = ImageChops.difference(picture.crop(box), other.crop(box)).convert("L")
    columns = difference.resize((width, 1), Image.Resampling.BOX).point([0] + [255] * 255)
    above = picture.crop((0, first - 1, width, first)).resize((width, height))
    picture.paste(above, box, columns.resize((width, height)))


def rows_that_differ(one: Image.Image, other: Image.Image) -> list[int]:
    """Numbers of the rows in which two pictures of one size and mode differ."""
    width, height = one.size
    boxes = [(0, row, width, row + 1) for row in range(height)]
    return [row for row, box in enumerate(boxes) if one.crop(box).tobytes() != other.crop(box).tobytes()]


def fill_missing(picture: Image.Image, missing: Sequence[int]) -> None:
    """Let the missing rows repeat the nearest row above, or below where there is none above.

    Raises UnreadablePicture when fewer than 9 of 10 rows are there.
    """
    if len(missing) > (1 - ENOUGH) * picture.height:
        there = 100 * (picture.height - len(missing)) // picture.height
        raise UnreadablePicture(
            f"the picture is cut off or damaged: {there} % of its rows can be read, and at least "
            f"{math.ceil(100 * ENOUGH)} % are needed. Send the whole file."
        )
    absent = set(missing)
    first_there = next(row for row in range(picture.height) if row not in absent)
    for row in sorted(absent):
        source = max(row - 1, first_there)
        picture.paste(picture.crop((0, source, picture.width, source + 1)), (0, row))
