"""Values out of a server's JSON, which may be anything."""

from __future__ import annotations

import math
from typing import Any, Final, TypeVar

from vivant.engines.generated.server_errors import UnusableAnswer

T = TypeVar("T")
_NAMES: Final = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}
_MISSING: Final = object()
LONGEST_WORDS: Final = 400  # characters of what a server says that are shown


def take(answer: Any, name: str, kind: type[T], default: Any = _MISSING) -> T:
    """The field `name` of an answer, which must be an object, as this type. With a default, absent and null mean it. A
    whole number is taken for a float. Raises UnusableAnswer, which says what was expected and what came."""
    if not isinstance(answer, dict):
        raise UnusableAnswer(f"The server's answer should be an object with {name!r}; it is {_shown(answer)}.")
    value = answer.get(name)
    if value is None and default is not _MISSING:
        return default  # type: ignore[no-any-return]  # the caller's own
    if kind is float and type(value) is int and abs(value) < 2**53:
        value = float(value)
    if type(value) is not kind or (isinstance(value, float) and not math.isfinite(value)):
        raise UnusableAnswer(
            f"The server's answer should have {_NAMES.get(kind, kind.__name__)} as {name!r}; it has {_shown(value)}."
        )
    return value


def words_of(answer: Any) -> str:
    """What an answer says in words, wherever servers put them; empty if nowhere. Printable, at most LONGEST_WORDS."""
    for _ in range(4):  # {"error": {"message": …}}, {"detail": [{"msg": …}]}, {"error": "…"}, …
        if isinstance(answer, str):
            return clean(answer)
        if isinstance(answer, list):
            answer = answer[0] if answer else ""
        elif isinstance(answer, dict):
            names = ("error", "detail", "message", "msg", "error_message", "reason", "title")
            answer = next((answer[name] for name in names if answer.get(name)), "")
    return ""


def clean(text: str) -> str:
    """The text on one line, without what cannot be printed, at most LONGEST_WORDS characters."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * LONGEST_WORDS]).split())
    return shown if len(shown) <= LONGEST_WORDS else shown[: LONGEST_WORDS - 1] + "…"


def _shown(value: object) -> str:
    return clean(repr(value)[:60])
