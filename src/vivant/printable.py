"""Text of callers as it may stand in a log line or on a terminal.

A prompt can hold escape codes that clear a screen or set its title, line breaks that imitate a log line, and marks that
reverse the order of the characters shown (Unicode TR 36, 3.1; CWE-117, CWE-150).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final


def escape_unprintable(text: str, *, keep: str = "") -> str:
    """The text with each character that is not seen as itself written as \\n, \\x1b, \\u202e or \\U000e0001.

    These are control characters, format characters such as bidirectional overrides, line separators, surrogates, and
    what Unicode has not assigned. Spaces of every width stay, as do the characters in `keep`.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep or unicodedata.category(c) == "Zs" else _escape(c) for c in text)


def is_printable(text: str) -> bool:
    """Whether `escape_unprintable` would change nothing."""
    return escape_unprintable(text) == text


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


_ADDRESS: Final = re.compile(r"\bhttps?://[^\s,;)\]}'\"]+", re.IGNORECASE)


def hide_addresses(text: str) -> str:
    """The text without URLs: callers need not know where an operator's servers stand."""
    return _ADDRESS.sub("its address", text)
