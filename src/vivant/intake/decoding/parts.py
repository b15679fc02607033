"""Limits on the number of parts in a picture file: scans, segments, chunks, blocks, strips.

A codec works on every part, so that a small file of many parts can take minutes: 500 scans in a JPEG of 170 KB took
25 s. So each format's own walk over the file counts them, before a codec sees it, and refuses more than any honest file
has. What is damaged or cut off is left to the codec: the walk ends where it cannot go on.
"""

from __future__ import annotations

from vivant.errors import UnreadablePicture


def limit_parts(count: int, most: int, what: str) -> None:
    """Raise UnreadablePicture when the file has more of these parts than it may."""
    if count > most:
        raise UnreadablePicture(f"the picture has too many {what}.")
