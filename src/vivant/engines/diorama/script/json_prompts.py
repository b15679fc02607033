"""Turns a prompt written as JSON, as some tools do, into plain lines `name: value`."""

from __future__ import annotations

import json
from typing import Any, Final

_LONGEST: Final = 20_000  # characters; a longer text is read as it stands


def flatten_json(prompt: str) -> str:
    """The prompt, unless it is one JSON object: then its leaves, one line each."""
    text = prompt.strip()
    if not (text.startswith("{") and text.endswith("}")) or len(text) > _LONGEST:
        return prompt
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return prompt
    lines: list[str] = []
    _leaves("", data, lines)
    return "\n".join(lines) or prompt


def _leaves(name: str, value: Any, lines: list[str]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _leaves(key.replace("_", " "), inner, lines)
    elif isinstance(value, list):
        for inner in value:
            _leaves(name, inner, lines)
    elif isinstance(value, str):
        lines.append(f"{name}: {value}" if name else value)
