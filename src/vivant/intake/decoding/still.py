"""The first frame of a file, cut out of it before a codec sees it."""

from __future__ import annotations

from dataclasses import dataclass

from vivant.intake.decoding.colour_spaces import DeclaredColour

UNDECLARED = DeclaredColour()


@dataclass(frozen=True, slots=True)
class Still:
    """A file of one frame, and where that frame lies.

    data: a file for Pillow. screen: the picture's size when the frame covers only a part of it, which starts at `at`
    (pixels from the top left); around it the picture is transparent. transparent: the palette index that is
    transparent. colour: what the file says of its colours outside an ICC profile.
    """

    data: bytes
    screen: tuple[int, int] | None = None
    at: tuple[int, int] = (0, 0)
    transparent: int | None = None
    colour: DeclaredColour = UNDECLARED
