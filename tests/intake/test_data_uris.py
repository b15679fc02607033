"""Data URIs: strict parsing, in pieces of any size."""

from __future__ import annotations

import base64
import random

import pytest

from vivant.errors import InvalidPicture, UnreadablePicture, UnsupportedPicture
from vivant.intake.datauri import decode

CONTENT = random.Random(7).randbytes(5000)
TEXT = b"data:image/jpeg;base64," + base64.b64encode(CONTENT)


def together(*pieces: bytes) -> bytes:
    return b"".join(decode(pieces))


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 22, 23, 24, 25, 100, 10_000])
def test_the_size_of_the_pieces_does_not_matter(step: int) -> None:
    assert together(*(TEXT[at : at + step] for at in range(0, len(TEXT), step))) == CONTENT


@pytest.mark.parametrize("size", range(12))
def test_every_length_of_content_comes_out(size: int) -> None:
    uri = b"data:image/png;base64," + base64.b64encode(CONTENT[:size])
    assert together(uri) == CONTENT[:size]
    assert together(*(uri[at : at + 1] for at in range(len(uri)))) == CONTENT[:size]


@pytest.mark.parametrize(
    "head",
    [b"data:image/jpeg;base64,", b"data:image/JPG;base64,", b"DATA:IMAGE/PNG;BASE64,", b"data:image/webp;base64,",
     b"data:image/bmp;base64,", b"data:image/x-ms-bmp;base64,", b"data:image/tiff;base64,", b"data:image/tif;base64,",
     b"data:image/gif;base64,", b"data:image/png;charset=utf-8;base64,", b"data:image/jpeg;name=a.jpg;x=y;base64,",
     b"data:image/jpeg; charset=binary;base64,", b"data:image/jpeg ; charset=binary; base64,",
     b"data:image/png ;base64,"],
)  # fmt: skip
def test_usual_heads_are_understood(head: bytes) -> None:
    assert together(head + base64.b64encode(CONTENT)) == CONTENT


@pytest.mark.parametrize(
    "head",
    [b"data:application/octet-stream;base64,", b"data:image/*;base64,", b"data:;base64,", b"data:*/*;base64,",
     b"data:binary/octet-stream; charset=binary;base64,"],
)  # fmt: skip
def test_a_head_that_names_no_certain_type_leaves_it_to_the_bytes(head: bytes) -> None:
    assert together(head + base64.b64encode(CONTENT)) == CONTENT


@pytest.mark.parametrize(
    "head",
    [b"data:image/svg+xml;base64,", b"data:image/heic;base64,", b"data:text/html;base64,", b"data:image/;base64,",
     b"data:video/mp4;base64,", b"data:application/pdf;base64,", b"data:png;base64,"],
)  # fmt: skip
def test_other_types_are_refused_by_name(head: bytes) -> None:
    with pytest.raises(UnsupportedPicture, match="image/jpeg, image/png"):
        together(head + base64.b64encode(CONTENT))


@pytest.mark.parametrize(
    "uri",
    [b"data:", b"data:image/png", b"data:image/png,abc", b"data:image/png;base64", b"data:image/png;utf8,abcd",
     b"data:image/png;base64;base64,QUJD", b"data:image/png;" + b"x=y;" * 100 + b"base64,QUJD",
     b"data:image/png;base32,QUJD", b"data:image/png;a b=c;base64,QUJD"],
)  # fmt: skip
def test_a_malformed_head_is_refused(uri: bytes) -> None:
    with pytest.raises(InvalidPicture, match="must begin with data:image/"):
        together(uri)


@pytest.mark.parametrize(
    "text",
    [b"A", b"AB", b"ABC", b"ABCDE", b"AB=", b"AB=C", b"A===", b"====", b"AB==ABCD", b"ABC=ABCD", b"ABCD=", b"AB-_",
     b"AB%3D", b"ABC\0", b"\xc3\xa9ABC", b"ABCD!", b"ABCD,ABCD", b"AB\\n==", b"AB==="],
)  # fmt: skip
def test_base64_is_strict(text: bytes) -> None:
    for pieces in ([b"data:image/png;base64," + text], [b"data:image/png;base64,"] + [bytes([b]) for b in text]):
        with pytest.raises(UnreadablePicture, match="valid base64"):
            together(*pieces)


def test_line_breaks_and_blanks_are_skipped() -> None:
    wrapped = base64.encodebytes(CONTENT).replace(b"\n", b"\r\n ")
    assert wrapped.count(b"\r\n") > 50
    assert together(b"data:image/png;base64,", wrapped) == CONTENT
    assert (
        together(*(wrapped[at : at + 13] for at in range(0, 0, 13)), b"data:image/png;base64,\n" + wrapped) == CONTENT
    )
