"""Kinds of values that settings have: each function takes the value as given (text from the environment or a flag, or
what TOML makes of it) and returns the checked one, plain data that JSON can hold, or raises ValueError with a sentence
that begins with "must be" and never repeats the value.
"""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

Parser = Callable[[Any], Any]

_ON: Final = frozenset({"1", "true", "yes", "on"})
_OFF: Final = frozenset({"0", "false", "no", "off"})


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value.strip()


def secret(value: Any) -> str:
    """What is sent as a bearer token."""
    given = text(value)
    if not (given.isascii() and given.isprintable()) or " " in given:
        raise ValueError("must be printable ASCII without blanks, to fit into a header")
    return given


def whole_number(low: int, high: int) -> Parser:
    def parse(value: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", value):
            value = int(value)
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return parse


def number(low: float, high: float, *, of: str = "") -> Parser:
    """of: what is counted, such as "seconds"."""

    def parse(value: Any) -> float:
        try:
            given = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            given = math.nan
        if not low <= given <= high:
            raise ValueError(f"must be a number {f'of {of} ' if of else ''}from {low:g} to {high:g}")
        return given

    return parse


def switch(value: Any) -> bool:
    given = str(value).strip().lower()
    if given not in _ON | _OFF:
        raise ValueError("must be true or false")
    return given in _ON


def choice(*allowed: str) -> Parser:
    def parse(value: Any) -> str:
        if value not in allowed:
            raise ValueError(
                f"must be {' or '.join(allowed)}" if len(allowed) < 3 else f"must be one of {', '.join(allowed)}"
            )
        return str(value)

    return parse


def file(value: Any) -> str:
    """The absolute path of a file that is there; empty for none."""
    given = text(str(value) if isinstance(value, Path) else value)
    if not given:
        return ""
    try:
        path = Path(given).expanduser().resolve()
        is_file = path.is_file()
    except (RuntimeError, OSError, ValueError):  # no home folder, links in a circle, a null byte
        is_file = False
    if not is_file:
        raise ValueError("must be the path of a file that can be read")
    return str(path)


def folder(value: Any) -> Path:
    """An absolute path. A folder that is not there yet is made when it is needed."""
    if not isinstance(value, str | Path) or not str(value).strip() or "\0" in str(value):
        raise ValueError("must be the path of a folder")
    try:
        found = Path(value).expanduser().resolve()
    except (RuntimeError, OSError) as error:  # no home folder, links in a circle, or a folder that may not be read
        raise ValueError(f"must be the path of a folder ({error})") from None
    refuse_file(found)
    return found


def folder_text(value: Any) -> str:
    """`folder` as text; empty for none."""
    return str(folder(value)) if str(value).strip() else ""


def refuse_file(folder: Path) -> None:
    """Raise ValueError when a file lies where the folder, or one above it, would be."""
    try:
        nearest = next(path for path in (folder, *folder.parents) if path.exists())
    except OSError as error:
        raise ValueError(f"must be the path of a folder ({error.strerror})") from None
    if not nearest.is_dir():
        raise ValueError(f"must be the path of a folder, and {nearest} is a file")


def url(example: str) -> Parser:
    """One http or https address without user, query and fragment; empty for none."""

    def parse(value: Any) -> str:
        given = text(value)
        if given and not _is_address(given):
            raise ValueError(f"must be an http or https address, such as {example}")
        return given.rstrip("/")

    return parse


def urls(example: str) -> Parser:
    """Addresses separated by commas, or a list of them; none are an empty list."""
    one = url(example)

    def parse(value: Any) -> list[str]:
        given = value.split(",") if isinstance(value, str) else value
        if not isinstance(given, list | tuple):
            raise ValueError(f"must be http or https addresses, separated by commas, such as {example}")
        return [parsed for entry in given if (parsed := one(entry))]

    return parse


def names(value: Any) -> list[str]:
    """Names separated by commas, or a list of them."""
    given = value.split(",") if isinstance(value, str) else value
    if not isinstance(given, list | tuple) or not all(isinstance(name, str) for name in given):
        raise ValueError("must be names separated by commas")
    return [name.strip() for name in given if name.strip()]


def pairs(value: Any) -> dict[str, str]:
    """`name=value` separated by commas, or a table of texts."""
    if isinstance(value, str):
        entries = [entry.partition("=") for entry in names(value)]
        if not all(equals and left.strip() and right.strip() for left, equals, right in entries):
            raise ValueError("must be name=value pairs separated by commas")
        return {left.strip(): right.strip() for left, _, right in entries}
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for pair in value.items() for text in pair):
        raise ValueError("must be name=value pairs separated by commas")
    return dict(value)


def json_object(value: Any) -> dict[str, Any]:
    """A JSON object as text, or a table; empty for none."""
    if isinstance(value, str):
        if not value.strip():
            return {}
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError('must be a JSON object, such as {"a": 1}') from None
    if not isinstance(value, Mapping):
        raise ValueError('must be a JSON object, such as {"a": 1}')
    return dict(value)


def headers(value: Any) -> dict[str, str]:
    """HTTP headers as a JSON object of texts."""
    given = json_object(value)
    for name, text in given.items():
        if (
            not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name)
            or not isinstance(text, str)
            or not text.isprintable()
        ):
            raise ValueError('must be a JSON object of header names and texts, such as {"X-Key": "a"}')
    return given


def command(value: Any) -> list[str]:
    """A program and its arguments: text split as a shell would, or a list; none are an empty list."""
    if isinstance(value, str):
        try:
            value = shlex.split(value)
        except ValueError:
            raise ValueError("must be a command with its quotes closed") from None
    if not isinstance(value, list | tuple) or not all(isinstance(part, str) and "\0" not in part for part in value):
        raise ValueError("must be a command: a program and its arguments")
    return list(value)


def _is_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port or an IPv6 address that is none
        return False
    return right and not (parts.username or parts.password or parts.query or parts.fragment)
