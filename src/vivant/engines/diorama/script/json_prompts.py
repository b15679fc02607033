"""Turns a prompt written as JSON, as some tools do, into plain lines `name: value`."""

from __future__ import annotations

import json
from typing import Any, Final

_LONGEST: Final = 20_000  # characters; a longer text is read as it stands
_MOST: Final = 20_000  # characters of all lines together: a long name is repeated for every value of its list
_LONGEST_NAME: Final = 80  # characters


def flatten_json(prompt: str) -> str:
    """The prompt, unless it is one JSON object: then its leaves in order, one line each, at most 20,000 characters."""
    text = prompt.strip()
    if not (text.startswith("{") and text.endswith("}")) or len(text) > _LONGEST:
        return prompt
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):  # no JSON, an integer of thousands of digits, or nested thousandfold
        return prompt
    return "\n".join(_leaves(data)) or prompt


def _leaves(data: Any) -> list[str]:
    lines: list[str] = []
    room = _MOST
    waiting: list[tuple[str, Any]] = [("", data)]  # a list and not a recursion, however deep the data are nested
    while waiting and room > 0:
        name, value = waiting.pop()
        if isinstance(value, dict):
            named = [(key.replace("_", " ")[:_LONGEST_NAME], inner) for key, inner in value.items()]
            waiting += reversed(named)
        elif isinstance(value, list):
            waiting += [(name, inner) for inner in reversed(value)]
        elif isinstance(value, str):
            lines.append((f"{name}: {value}" if name else value)[:room])
            room -= len(lines[-1])
    return lines
