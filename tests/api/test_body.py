"""Parsing a JSON object without copying long strings: the values are those of an ordinary parser."""

from __future__ import annotations

import json
import random
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivant.api.body import LONG_BYTES, LongString, parse_object
from vivant.errors import InvalidRequest

NAMES = frozenset({"image", "last_image"})


def plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: b"".join(value).decode() if isinstance(value, LongString) else value for name, value in fields.items()
    }


numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | st.text(max_size=40)
values = st.recursive(scalars, lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(max_size=8), v, max_size=4))


@given(
    st.dictionaries(st.text(max_size=12) | st.sampled_from(["image", "last_image"]), values),
    st.booleans(),
    st.randoms(),
)
@settings(max_examples=60, deadline=None)
def test_any_object_is_read_as_another_parser_reads_it(
    fields: dict[str, Any], ascii_only: bool, chance: random.Random
) -> None:
    for name in NAMES:
        if chance.random() < 0.5:
            fields[name] = chance.choice(["A", "/", "+=", "\\ ", "\\/u002B", '"', 'x"\\', "\n"]) * LONG_BYTES
    body = json.dumps(fields, ensure_ascii=ascii_only).encode()
    assert plain(parse_object(body, long=NAMES)) == json.loads(body)


@pytest.mark.parametrize("text", ["A" * LONG_BYTES, "/9j/" * LONG_BYTES, "ab+/" * (LONG_BYTES * 20)])
@pytest.mark.parametrize("style", ["plain", "php", "dotnet", "all"])
def test_long_strings_are_read_with_every_style_of_escapes(text: str, style: str) -> None:
    wire = {
        "plain": text,
        "php": text.replace("/", "\\/"),
        "dotnet": text.replace("+", "\\u002B"),
        "all": "".join(f"\\u{ord(c):04x}" for c in text[:100_000]),
    }[style]
    fields = parse_object(f'{{"prompt":"x","image":"{wire}","seed":3}}'.encode(), long=NAMES)
    assert isinstance(fields["image"], LongString)
    assert b"".join(fields["image"]).decode() == (text[:100_000] if style == "all" else text)
    assert b"".join(fields["image"]) == b"".join(fields["image"])  # again
    assert fields["seed"] == 3


def test_only_named_fields_at_the_top_are_left_in_place() -> None:
    long = "A" * LONG_BYTES
    sent = {"extra": {"image": long}, "prompt": long, "image": [long], "last_image": long}
    fields = parse_object(json.dumps(sent).encode(), long=NAMES)
    assert fields["extra"] == {"image": long} and fields["prompt"] == long and fields["image"] == [long]
    assert isinstance(fields["last_image"], LongString) and len(fields["last_image"]) == LONG_BYTES


@pytest.mark.parametrize("raw", [b"\n", b"\r", b"\t"])
def test_a_raw_control_character_inside_a_long_string_is_refused(raw: bytes) -> None:
    fields = parse_object(b'{"image":"' + b"A" * LONG_BYTES + raw + b"A" * LONG_BYTES + b'"}', long=NAMES)
    with pytest.raises(InvalidRequest, match="not escaped"):
        b"".join(fields["image"])


@given(st.binary(max_size=200))
@settings(max_examples=500, deadline=None)
def test_any_other_bytes_raise_invalid_request_only(junk: bytes) -> None:
    for body in (
        junk,
        b'{"image":"' + b"A" * LONG_BYTES + b'"' + junk,
        b'{"' + junk + b'"image":"' + b"A" * LONG_BYTES + b'"}',
    ):
        try:
            fields = parse_object(body, long=NAMES)
        except InvalidRequest:
            continue
        assert isinstance(fields, dict)


def test_two_pictures_of_thirty_mebibytes_are_not_copied() -> None:
    picture = b"A" * (40 * 2**20)
    body = bytearray(b'{"prompt":"x","image":"' + picture + b'","last_image":"' + picture + b'"}')
    del picture
    tracemalloc.start()
    try:
        fields = parse_object(body, long=NAMES)
        for piece in fields["image"]:
            assert piece
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * 2**20
