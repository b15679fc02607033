"""One place in a workflow that a value of the request goes to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class SlotPlace:
    """An input of a node. rule: how it was found: "setting", "title", "template title" or "shape"."""

    node: str
    input: str
    rule: str
