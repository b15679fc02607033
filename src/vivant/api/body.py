"""Parses a JSON object without copying its longest strings.

Two pictures of 30 MiB make a body of 80 MiB. Parsed into Python strings it would be in memory three times. Here long
strings are cut out as views of the body before the rest, a few hundred bytes, is parsed; they are read later in pieces.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from vivant.errors import InvalidRequest

LONG_BYTES: Final = 16 * 1024  # bytes from which on a string is cut out
NAME_BYTES: Final = 1024  # of the name of a field; to decode a very long one holds the interpreter lock for a second
REST_BYTES: Final = 2**20  # bytes that the body without its long strings may have
MAX_MARKS: Final = 50_000  # structural characters and quotes that a body may have; it bounds the time of the scan
_PIECE: Final = 2**20

_BOM: Final = b"\xef\xbb\xbf"  # of UTF-8; editors and shells put it before a file's text (RFC 8259, 8.1)
_MARK: Final = re.compile(rb'["{}\[\],:]')


class LongString:
    """A JSON string too long to copy. Iterating yields its ASCII text in pieces, any number of times."""

    def __init__(self, view: memoryview) -> None:
        self._view = view  # the bytes between the quotes, not unescaped

    def __len__(self) -> int:
        return len(self._view)

    def __iter__(self) -> Iterator[bytes]:
        """Raises InvalidRequest, possibly after some pieces, where the text is no JSON string or not ASCII."""
        rest = b""
        for at in range(0, len(self._view), _PIECE):
            piece = rest + bytes(self._view[at : at + _PIECE])
            cut = len(piece) if at + _PIECE >= len(self._view) else _find_safe_cut(piece)
            piece, rest = piece[:cut], piece[cut:]
            try:
                yield msgspec.json.decode(b'"' + piece + b'"', type=str).encode("ascii")
            except ValueError:
                raise malformed_body("a long string holds what is not escaped or not ASCII") from None


def parse_object(body: bytes | bytearray, *, long: frozenset[str]) -> dict[str, Any]:
    """The object in `body`; values of the fields in `long` may come as LongString. Raises InvalidRequest.

    Numbers are int or float, never inf or nan. A field that appears twice is refused, since JSON parsers disagree on
    which one counts.
    """
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in body[:4]:
        raise malformed_body("it is UTF-16 or UTF-32; send UTF-8")
    rest, lifted = _cut_out_long_strings(body, long)
    if len(rest) > REST_BYTES:
        raise malformed_body(f"without its pictures it may have at most {REST_BYTES} bytes")
    try:
        fields = msgspec.json.decode(rest)
    except RecursionError:
        raise malformed_body("it is nested too deeply") from None
    except ValueError as error:  # msgspec's own errors, broken UTF-8, integers of thousands of digits
        why = re.sub(r" ?[-(].*", "", str(error)).strip(". ") or "it is not JSON"
        raise malformed_body(_find_wrong_encoding(rest) or why) from None
    if not isinstance(fields, dict):
        raise malformed_body("it is not an object")
    return fields | lifted


def _find_wrong_encoding(text: bytes) -> str:
    """What to say of a text that is not UTF-8; empty for one that is."""
    try:
        text.decode()
    except UnicodeDecodeError:
        pass
    else:
        return ""
    try:
        text.decode("gb18030")
    except UnicodeDecodeError:
        return "it is not UTF-8; send UTF-8"
    return "it is not UTF-8 but, it seems, GBK or another older encoding; send UTF-8"


def malformed_body(why: str) -> InvalidRequest:
    return InvalidRequest(f"The body must be one JSON object in UTF-8: {why[:200]}.")


def _cut_out_long_strings(body: bytes | bytearray, long: frozenset[str]) -> tuple[bytes, dict[str, LongString]]:
    """The body with the long strings of the fields in `long` replaced by empty ones, and those strings by field."""
    view = memoryview(body)
    kept: list[memoryview] = []
    lifted: dict[str, LongString] = {}
    seen: set[str] = set()
    at = start = len(_BOM) if body.startswith(_BOM) else 0
    depth = marks = 0
    key: str | None = None
    at_key = False
    while mark := _MARK.search(body, at, at + REST_BYTES + 1):  # a longer search holds the interpreter lock too long
        marks += 1
        if marks > MAX_MARKS:
            raise malformed_body("it has too many parts")
        at = mark.end()
        match mark[0]:
            case b'"':
                end, quotes = _find_closing_quote(body, at, MAX_MARKS - marks)
                marks += quotes
                if end < 0:
                    break  # msgspec will say what is wrong
                if depth == 1 and at_key:
                    key, at_key = _decode_name(view[at:end]), False
                    if key in seen:
                        raise malformed_body(f"the field {key[:80]!r} appears twice")
                    seen.add(key)
                elif depth == 1 and key in long and end - at >= LONG_BYTES:
                    kept.append(view[start:at])
                    lifted[key] = LongString(view[at:end])
                    start = end
                at = end + 1
            case b"{" | b"[":
                depth += 1
                at_key = depth == 1
            case b"}" | b"]":
                depth -= 1
            case b",":
                at_key = at_key or depth == 1
            case _:
                pass
    kept.append(view[start:])
    return b"".join(kept), lifted


def _find_closing_quote(body: bytes | bytearray, at: int, quotes_allowed: int) -> tuple[int, int]:
    """Where the string that begins at `at` ends (-1: nowhere), and its number of escaped quotes."""
    passed = 0
    while (quote := body.find(b'"', at)) >= 0:
        if _count_slashes_before(body, at, quote) % 2 == 0:
            break
        passed += 1
        if passed > quotes_allowed:
            raise malformed_body("it has too many parts")
        at = quote + 1
    return quote, passed


def _count_slashes_before(body: bytes | bytearray, at: int, end: int) -> int:
    """How many backslashes stand directly before `end`, of those from `at` on."""
    width = 16
    while width < end - at and not body[end - width : end].strip(b"\\"):
        width *= 2
    tail = body[max(at, end - width) : end]
    return len(tail) - len(tail.rstrip(b"\\"))


def _decode_name(raw: memoryview) -> str:
    if len(raw) > NAME_BYTES:
        raise malformed_body(f"the name of a field may have at most {NAME_BYTES} bytes")
    try:
        return msgspec.json.decode(b'"' + bytes(raw) + b'"', type=str)
    except ValueError:
        raise malformed_body(_find_wrong_encoding(bytes(raw)) or "a field's name is not a JSON string") from None


def _find_safe_cut(piece: bytes) -> int:
    """Where to cut so that no escape is split: before the last backslash if its escape may continue after the piece."""
    last = piece.rfind(b"\\", max(0, len(piece) - 6))
    if last < 0:
        return len(piece)
    return last if _count_slashes_before(piece, 0, last) % 2 == 0 else len(piece)
