"""Which kinds of files are read, and what other kinds of files are called."""

from __future__ import annotations

import struct
from typing import Final

from PIL import ImageCms

from vivant.errors import UnsupportedPicture

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
WANTED: Final = "the picture must be jpeg, png, webp, bmp, tiff or gif"
# What Pillow raises for metadata it cannot read; the pixels may still be good.
BAD_METADATA: Final = (
    OSError, ValueError, SyntaxError, KeyError, IndexError, TypeError, OverflowError, struct.error, ImageCms.PyCMSError,
)  # fmt: skip
# Major brands of ISO base media files (ISO/IEC 14496-12, 4.3; mp4ra.org) that are pictures; all others are films.
_BRANDS: Final = {
    b"heic": "HEIC", b"heix": "HEIC", b"heim": "HEIC", b"heis": "HEIC", b"hevc": "HEIC", b"hevx": "HEIC",
    b"mif1": "HEIF", b"msf1": "HEIF", b"avif": "AVIF", b"avis": "AVIF", b"jp2 ": "JPEG 2000", b"jpx ": "JPEG 2000",
    b"jxl ": "JPEG XL", b"crx ": "a Canon raw file",
}  # fmt: skip
_STARTS: Final = (
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"8BPS", "a Photoshop file"),
    (b"%PDF", "a PDF"),
    (b"%!PS", "PostScript"),
    (b"\0\0\1\0", "an icon (ICO)"),
    (b"\0\0\2\0", "a cursor (CUR)"),
    (b"\x1aE\xdf\xa3", "a film (Matroska or WebM)"),
    (b"FLV\1", "a film (FLV)"),
    (b"OggS", "sound or a film (Ogg)"),
    (b"ID3", "sound (MP3)"),
    (b"v/1\1", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"gimp xcf", "a GIMP file"),
    (b"qoif", "QOI"),
    (b"DDS ", "DDS"),
    (b"icns", "an icon (ICNS)"),
    (b"FUJIFILMCCD-RAW", "a Fujifilm raw file"),
    (b"IIU\0", "a Panasonic raw file"),
    (b"II\x2a\0\x10\0\0\0CR", "a Canon raw file"),
    (b"IIRO", "an Olympus raw file"),
    (b"II\xbc", "JPEG XR"),
    (b"PK\3\4", "a ZIP archive"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
)


def refuse_other_kinds(data: bytes) -> None:
    """Raise UnsupportedPicture, saying what the file is, when its first bytes are those of a kind that is not read."""
    kind = _name_of(data)
    if kind is not None:
        raise UnsupportedPicture(f"this file is {kind}; {WANTED}.")


def _name_of(data: bytes) -> str | None:
    """What a file of another kind is called; None when it is one of ours, or unknown."""
    if not data:
        return "empty"
    if data[4:8] == b"ftyp":
        brands = [data[8:12], *(data[at : at + 4] for at in range(16, min(int.from_bytes(data[:4], "big"), 96), 4))]
        return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), "a film (MP4 or QuickTime)")
    if data[:4] == b"RIFF" and data[8:12] != b"WEBP":
        return "a film (AVI)" if data[8:12] == b"AVI " else "a RIFF file"
    if data[12:16] == b"CgBI" and data[:4] == b"\x89PNG":
        return "a PNG made for Apple's devices only (CgBI), which other programs cannot show"
    for start, name in _STARTS:
        if data.startswith(start):
            return name
    if len(data) > 2 and data[:1] == b"P" and data[1:2] in b"1234567" and data[2:3].isspace():
        return "a netpbm file (PNM)"
    return _name_of_text(data[:1024])


def _name_of_text(start: bytes) -> str | None:
    """What a text is called. HTML is mostly the answer of a server that wanted a login or had no such picture."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page (HTML)"
    if text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!doctype svg", b"<!--")) and b"<svg" in text):
        return "SVG"
    if text.startswith(b"<?xml"):
        return "XML"
    if text.startswith((b'{"', b"{\n", b"[{")):
        return "JSON"
    if text.startswith(b"data:image/"):
        return "the text of a data URI, not its bytes"
    return None
