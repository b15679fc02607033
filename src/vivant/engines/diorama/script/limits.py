"""Notes on what a prompt asks for and this engine cannot do."""

from __future__ import annotations

from typing import Final

from vivant.engines.diorama.script.grammar import Reading

_MOST_WORDS: Final = 6  # named in one note


def note_limits(reading: Reading, *, audio: bool) -> list[str]:
    """One note for each reason, with the words of the prompt that it concerns; none about sound without `audio`."""
    reasons: dict[str, list[str]] = {}
    for hit in reading.hits:
        if not hit.entry.cannot or not hit.meant:
            continue
        if hit.entry.is_sound and not audio:
            continue
        words = reasons.setdefault(hit.entry.cannot, [])
        written = reading.written(hit)
        if written.lower() not in (word.lower() for word in words):
            words.append(written)
    found = []
    for reason, words in reasons.items():
        named = ", ".join(f"“{word}”" for word in words[:_MOST_WORDS]) + (", …" if len(words) > _MOST_WORDS else "")
        found.append(f"{named}: {reason}.")
    return found
