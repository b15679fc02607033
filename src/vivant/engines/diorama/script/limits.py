"""What a prompt asks for in words that the lexicon knows, and this engine cannot do."""

from __future__ import annotations

from typing import Final

from vivant.engines.diorama.script.found import Found
from vivant.engines.diorama.script.grammar import Reading
from vivant.engines.diorama.script.notes import ScriptNote

# What someone does and what makes a sound is quoted with all its words by leftovers.py.
LEFT_OVER: Final = frozenset({"bodies", "keeps_shape", "light_stays", "no_such_sound"})


def find_limits(reading: Reading) -> Found[None]:
    """A note for each such word."""
    hits = [hit for hit in reading.hits if hit.entry.cannot and hit.entry.cannot not in LEFT_OVER and hit.meant]
    return Found(
        None,
        notes=tuple(ScriptNote(hit.entry.cannot, (reading.written(hit),)) for hit in hits),
        spans=tuple((hit.first, hit.last) for hit in hits),
    )
