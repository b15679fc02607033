"""Picture files come out as Chromium shows them, but for the differences listed here.

What Chromium showed is recorded beside this file (chromium_pictures.json and .png, written by `make
chromium-pictures`). Where Chromium is installed, all files are also shown in it and compared pixel by pixel.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
import pytest
from PIL import Image

from support.chromium import (
    chromium_version,
    find_chromium,
    only_rows,
    read_record,
    reduce,
    show_in_chromium,
    shown_rows,
)
from support.picture_files import FAMILIES, PictureFile, chart, cmyk_profile, flower, inks, picture_files, saved
from vivant.errors import InvalidPicture, UnreadablePicture
from vivant.intake.decoding.clean import clean
from vivant.media import U8

pytestmark = pytest.mark.filterwarnings("ignore")  # as in the decoder process


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The mean difference, and the difference that 99 of 100 samples keep to, in levels of 255."""

    mean: float
    most: int


# Measured with Chromium 156 on x86-64; the reason is given where files are not the same to the last level.
TOLERANCES: Final = {
    "exact": Tolerance(0.02, 0),
    "turned": Tolerance(0.02, 0),
    "jpeg": Tolerance(0.05, 1),  # both are libjpeg-turbo, but it need not be the same version
    "cut": Tolerance(0.6, 1),  # in the rows that Chromium shows; a CMYK picture among them
    "16 bit": Tolerance(0.4, 1),  # we round, Chromium cuts off
    "alpha": Tolerance(0.6, 1),  # Chromium rounds once more, since it multiplies colours by alpha first
    "bitfields": Tolerance(0.5, 1),  # five bits to eight: Pillow and Chromium round differently
    "ink": Tolerance(0.7, 1),  # the product of ink and black, rounded differently
    "profile": Tolerance(1.2, 5),  # two colour engines, lcms and skcms; a curve of gamma 1.4 near black
    "colour": Tolerance(0.3, 2),  # the same, with exact curves
    "deep colour": Tolerance(2.0, 14),  # linear grey of 16 bits: a rounded level near black is 13 levels of sRGB
    "hdr": Tolerance(1.2, 5),  # 16 bits of PQ are rounded to 8 before they are mapped
    "hdr, converted": Tolerance(1.3, 16),  # other primaries and HLG come to PQ through a table of 33 nodes
}
# Where we differ on purpose. docs/api.md says the same.
DIFFERENT: Final = {
    "refused": "neither shows it",
    "too short": "Chromium shows what there is; a clip needs nearly all rows",
    "shown by Chromium only": "avif, icons, BMP of 2 bits; of a WebP that is cut off it shows nothing, but no error",
    "shown by Vivant only": "tiff",
    "turned": "EXIF of WebP, and of PNG behind the pixels, counts: writers mean it, and other viewers turn it",
    "ink profile": "Chromium mixes black ink from the others before it applies the profile; we apply it as it is",
    "undefined": "a GIF without any palette: grey here, black there",
}


def decode(file: PictureFile) -> U8 | None:
    """What we make of a file, RGB uint8 (height, width, 3), or None if it is refused."""
    try:
        png, width, height = clean(file.data)
    except InvalidPicture:
        return None
    except (OSError, ValueError, SyntaxError, EOFError):
        return None  # decoder.py answers these with PICTURE_UNREADABLE
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.mode == "RGB" and picture.size == (width, height)
        return np.asarray(picture)


def judge(
    file: PictureFile, ours: U8 | None, shown: bool, size: tuple[int, int], rows: tuple[int, int], theirs: U8 | None,
    *, small: bool,
) -> str | None:  # fmt: skip
    """What is wrong with our picture, None if nothing. theirs: what Chromium shows, reduced if `small`."""
    refused_by_us = file.kind in ("refused", "too short", "shown by Chromium only")
    if (ours is None) != refused_by_us:
        return "refused" if ours is None else "accepted"
    if shown != (file.kind not in ("refused", "shown by Vivant only")):
        return f"Chromium {'shows it' if shown else 'refuses it'}"
    if ours is None or theirs is None or (file.kind in DIFFERENT and file.kind != "turned"):
        return None
    if file.kind == "turned":
        ours = np.rot90(ours).copy()
    if ours.shape[1::-1] != size:
        return f"is {ours.shape[1]}x{ours.shape[0]}, Chromium's {size[0]}x{size[1]}"
    if file.kind == "cut":
        ours = only_rows(ours, rows)
    difference = np.abs((reduce(ours) if small else ours).astype(int) - theirs)
    tolerance = TOLERANCES[file.kind]
    mean, most = float(difference.mean()), float(np.percentile(difference, 99))
    # Reducing rounds once more.
    if mean <= tolerance.mean + 0.3 * small and most <= tolerance.most + small:
        return None
    return f"differs by {mean:.2f} in the mean and by {most:.0f} in 99 of 100 samples"


def test_at_least_two_hundred_files_of_all_six_kinds_were_recorded() -> None:
    version, record = read_record()
    assert version >= 156
    assert set(record) == {file.name for family in FAMILIES for file in picture_files(family)}, (
        "the files and the record do not belong together: make chromium-pictures"
    )
    assert sum(shown is not None for shown in record.values()) >= 350


@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_come_out_as_chromium_showed_them(family: str) -> None:
    _, record = read_record()
    wrong = {}
    for file in picture_files(family):
        shown = record[file.name]
        ours = decode(file)
        if shown is None:
            problem = judge(file, ours, False, (0, 0), (0, 0), None, small=True)
        else:
            problem = judge(file, ours, True, shown.size, shown.rows, shown.small, small=True)
        if problem:
            wrong[file.name] = problem
    assert not wrong


def test_pictures_come_out_as_the_installed_chromium_shows_them() -> None:
    program = find_chromium()
    if program is None:
        pytest.skip("Chromium is not installed; its recorded pictures are compared all the same")
    recorded, _ = read_record()
    if chromium_version(program) < recorded:
        pytest.skip(f"this Chromium is older than the recorded one, {recorded}")
    files = [file for family in FAMILIES for file in picture_files(family)]
    wrong = {}
    for file, theirs in zip(files, show_in_chromium([file.data for file in files]), strict=True):
        if theirs is None:
            problem = judge(file, decode(file), False, (0, 0), (0, 0), None, small=False)
        else:
            size, rows = (theirs.shape[1], theirs.shape[0]), shown_rows(theirs)
            theirs = only_rows(theirs, rows) if file.kind == "cut" else theirs
            problem = judge(file, decode(file), True, size, rows, theirs, small=False)
        if problem:
            wrong[file.name] = problem
    assert not wrong


def test_an_ink_profile_is_applied_with_its_black() -> None:
    """Against the formula that the profile's table was made of, since Chromium leaves out the black."""
    data = saved(inks(flower()), "JPEG", quality=100, subsampling=0, icc_profile=cmyk_profile())
    with Image.open(io.BytesIO(data)) as picture:
        cyan, magenta, yellow, black = np.moveaxis(np.asarray(picture) / 255, 2, 0)
    paper = np.stack([1 - 0.95 * cyan, 1 - 0.9 * magenta, 1 - 0.85 * yellow], axis=-1)
    expected = 255 * paper * (1 - np.stack([black, black, 0.95 * black], axis=-1))
    ours = decode(PictureFile("inks", data, "ink profile"))
    assert ours is not None and np.abs(ours - expected).mean() < 2.5  # five nodes an axis; without the black it is 8


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60), "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf" + bytes(60), "HEI[CF]"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(60), "AVIF"),
        (b"\xff\x0a\xfa\x1f" + bytes(40), "JPEG XL"), (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40), "JPEG 2000"), (b"\xff\x4f\xff\x51" + bytes(40), "JPEG 2000"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(60), r"a film \(MP4 or QuickTime\)"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(60), r"a film \(MP4 or QuickTime\)"),
        (b"\x1aE\xdf\xa3" + bytes(40), r"a film \(Matroska or WebM\)"),
        (b"RIFF\0\0\0\0AVI " + bytes(40), r"a film \(AVI\)"),
        (b"8BPS\0\1" + bytes(40), "a Photoshop file"), (b"%PDF-1.7\n", "a PDF"),
        (b"\0\0\1\0\1\0" + bytes(40), r"an icon \(ICO\)"),
        (b"\xef\xbb\xbf  <svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<?xml version='1.0'?>\n<!-- x --><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<!DOCTYPE html>\n<title>404</title>", r"a web page \(HTML\)"),
        (b'{"error": "expired"}', "JSON"), (b"", "empty"),
        (b"P6 400 400 255\n" + bytes(99), r"a netpbm file \(PNM\)"),
        (b"data:image/png;base64,iVBORw0KGgo=", "the text of a data URI"),
    ],
    ids=lambda value: "bytes" if isinstance(value, bytes) else None,
)  # fmt: skip
def test_a_file_of_another_kind_is_refused_by_its_name(data: bytes, name: str) -> None:
    with pytest.raises(InvalidPicture, match=f"^this file is {name}.*must be jpeg, png, webp, bmp, tiff or gif"):
        clean(data)


@pytest.mark.parametrize("family", ["jpeg", "png", "gif", "bmp"])
def test_a_file_without_nearly_all_rows_is_refused_with_how_many_there_are(family: str) -> None:
    files = [file for file in picture_files(family) if file.kind == "too short"]
    assert files
    for file in files:
        with pytest.raises(UnreadablePicture, match=r"cut off or damaged: \d+ % of its rows can be read"):
            clean(file.data)


def test_a_jpeg_of_twelve_bits_is_refused_with_its_depth() -> None:
    (file,) = (file for file in picture_files("jpeg") if file.name == "jpeg 12 bits")
    with pytest.raises(InvalidPicture, match="a JPEG of 12 bits per sample"):
        clean(file.data)


def test_missing_rows_repeat_the_last_one() -> None:
    """Where Chromium shows the page behind the picture."""
    whole = saved(flower(), "BMP")
    ours = decode(PictureFile("cut", whole[: -10 * 400 * 3], "cut"))  # BMPs are stored upwards: the first rows are lost
    assert ours is not None
    assert np.array_equal(ours[10:], flower()[10:]) and np.array_equal(
        ours[:10], np.repeat(flower()[10:11], 10, axis=0)
    )


def test_a_jpeg_without_its_end_is_whole() -> None:
    """Chromium leaves out the last rows here; nothing of them is missing."""
    data = saved(chart(), "JPEG", quality=90)
    ours, whole = decode(PictureFile("cut", data[:-2], "cut")), decode(PictureFile("whole", data, "jpeg"))
    assert ours is not None and whole is not None and np.array_equal(ours, whole)
