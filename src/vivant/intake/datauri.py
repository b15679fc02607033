"""Decodes data URIs (RFC 2397) of pictures in pieces, without holding the whole text twice."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Final

from vivant.errors import InvalidPicture, UnreadablePicture, UnsupportedPicture

# Accepted declared types. The format itself is told from the bytes, not from this; stores and browsers that do not know
# the type of a file declare a generic one or none.
GENERIC: Final = frozenset(("", "*/*", "image/*", "application/octet-stream", "binary/octet-stream"))
TYPES: Final = GENERIC | {
    f"image/{name}"
    for name in (
        "jpeg",
        "jpg",
        "pjpeg",
        "png",
        "x-png",
        "apng",
        "webp",
        "bmp",
        "x-bmp",
        "x-ms-bmp",
        "tiff",
        "tif",
        "gif",
    )
}
_HEAD: Final = re.compile(
    rb"data:[ \t]*([a-z0-9.+*-]*/?[a-z0-9.+*-]*)[ \t]*"
    rb"((?:;[ \t]*[a-z0-9.+-]+[ \t]*=[^;,]*)*)(;[ \t]*base64[ \t]*)?,",
    re.IGNORECASE,
)
_HEAD_BYTES: Final = 256
_BLANKS: Final = b" \t\r\n"


def is_data_uri(start: bytes) -> bool:
    return start[:5].lower() == b"data:"


def decode(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The content of a data URI, piece by piece. `pieces`: its ASCII text.

    Line breaks and blanks inside the base64 are skipped (RFC 2045 encoders wrap lines); everything else is strict:
    the standard alphabet, full padding, nothing after it. Raises InvalidPicture, possibly after some pieces.
    """
    rest, head = b"", True
    padded = False
    for piece in pieces:
        rest += piece
        if head:
            if len(rest) < _HEAD_BYTES and b"," not in rest:
                continue
            rest, head = rest[_end_of_head(rest) :], False
        rest = rest.translate(None, _BLANKS)
        whole = len(rest) - len(rest) % 4
        if whole:
            if padded:
                raise _not_base64()
            data = _decode(rest[:whole])
            padded = len(data) != whole // 4 * 3
            rest = rest[whole:]
            yield data
    if head:
        rest = rest[_end_of_head(rest) :].translate(None, _BLANKS)
    if rest:
        raise _not_base64()


def _end_of_head(text: bytes) -> int:
    """Where the base64 begins. Raises InvalidPicture unless the head declares a picture type and base64."""
    match = _HEAD.match(text[:_HEAD_BYTES])
    if match is None or match[3] is None:
        raise InvalidPicture("a data URI must begin with data:image/<format>;base64, and go on in base64.")
    if match[1].decode().lower() not in TYPES:
        raise UnsupportedPicture(
            "a data URI must declare image/jpeg, image/png, image/webp, image/bmp, image/tiff, image/gif or no certain "
            "type (application/octet-stream, image/*, nothing); "
            f"this one declares {match[1].decode()[:80]!r}."
        )
    return match.end()


def _decode(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        raise _not_base64() from None


def _not_base64() -> UnreadablePicture:
    return UnreadablePicture(
        "the data URI does not hold valid base64 (A-Z a-z 0-9 + /, padded with = to a multiple of four)."
    )
