"""What one step of the chain found: its value, the notes it has to tell, and the words of the prompt that it used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from vivant.engines.diorama.script.notes import ScriptNote

T = TypeVar("T")
Span = tuple[int, int]  # tokens first..last-1 of a reading


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """`spans` are the words that the value was made of or that the notes tell of; they may overlap."""

    value: T
    notes: tuple[ScriptNote, ...] = ()
    spans: tuple[Span, ...] = ()
