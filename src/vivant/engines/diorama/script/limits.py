"""What a prompt asks for in words that the lexicon knows, and this engine cannot do."""

from __future__ import annotations

from vivant.engines.diorama.script.found import Found
from vivant.engines.diorama.script.grammar import Reading
from vivant.engines.diorama.script.notes import ScriptNote


def find_limits(reading: Reading, *, audio: bool) -> Found[None]:
    """A note for each such word; none about sounds without `audio`."""
    hits = [hit for hit in reading.hits if hit.entry.cannot and hit.meant and (audio or not hit.entry.is_sound)]
    return Found(
        None,
        notes=tuple(ScriptNote(hit.entry.cannot, (reading.written(hit),)) for hit in hits),
        spans=tuple((hit.first, hit.last) for hit in hits),
    )
