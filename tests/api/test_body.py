"""Parsing a JSON object without copying long strings: the values are those of an ordinary parser."""

from __future__ import annotations

import contextlib
import json
import random
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivant.api.body import LONG_BYTES, NAME_BYTES, LongString, parse_object
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
@settings(max_examples=60)
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
@settings(max_examples=500)
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


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_skipped(before: bytes) -> None:
    body = before + b'{"image":"' + b"A" * LONG_BYTES + b'","seed":3}'
    assert plain(parse_object(body, long=NAMES)) == {"image": "A" * LONG_BYTES, "seed": 3}


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("gbk", "GBK"), ("big5", "not UTF-8"), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("utf-16-be", "UTF-16"),
     ("utf-32", "UTF-32"), ("latin-1", "not UTF-8")],
)  # fmt: skip
def test_a_body_in_another_encoding_is_refused_by_its_name(encoding: str, named: str) -> None:
    prompt = "\xe9t\xe9 \xe0 la plage" if encoding == "latin-1" else "\u4e0b\u96e8\u7684\u8857\u9053\uff0c\u5979\u8aaa"
    for text in (f'{{"prompt":"{prompt}"}}', f'{{"{prompt}":1}}', f'{{"prompt":"a","image":"b","x":["{prompt}"]}}'):
        with pytest.raises(InvalidRequest, match=named) as refused:
            parse_object(text.encode(encoding), long=NAMES)
        assert "UTF-8" in str(refused.value)


@pytest.mark.parametrize(
    "hostile",
    [(b"\\" * 49_999 + b'"') * 1700, (b"\\" * 40_000 + b'"x') * 2000, b"\\" * (80 * 2**20), b" " * (80 * 2**20),
     b'":' + b" " * (80 * 2**20) + b"1"],
    ids=["odd runs of backslashes", "even runs", "one run", "blanks inside", "blanks outside"],
)  # fmt: skip
def test_a_hostile_body_of_80_mib_takes_time_in_proportion_only(hostile: bytes) -> None:
    """Ten seconds are generous: it takes a fraction of one. Counted one by one, the backslashes took a minute."""
    body = b'{"prompt":"x","image":"' + hostile + b'"}'
    start = time.process_time()
    with contextlib.suppress(InvalidRequest):
        for value in parse_object(body, long=NAMES).values():
            if isinstance(value, LongString):
                for _ in value:
                    pass
    assert time.process_time() - start < 10


def test_the_name_of_a_field_has_an_end() -> None:
    """To decode a name of 85 MiB held the interpreter lock for a second."""
    name = "n" * NAME_BYTES
    assert parse_object(f'{{"{name}":1}}'.encode(), long=NAMES) == {name: 1}
    for long in (name + "n", "\\\\" * 2**20, "\\u0041" * NAME_BYTES):
        with pytest.raises(InvalidRequest, match="name of a field may have at most 1024 bytes"):
            parse_object(f'{{"{long}":1}}'.encode(), long=NAMES)
