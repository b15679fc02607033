"""Whether a motion finds its region in the picture and may move it: by how surely looking found the region, and by
whether the prompt names it. What is asked and not found becomes a note.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final, Literal

from vivant.engines.diorama.storyboard import TRUSTED, Motion, MotionKind, PictureFacts

Region = Literal["sky", "water", "plants", "fire"]

# What each kind moves, or comes from; the other kinds need nothing of the picture.
_REGIONS: Final[dict[MotionKind, Region]] = {
    "water": "water", "falls": "water", "clouds": "sky", "wind": "plants", "fire": "fire",
    "lightning": "sky", "rain": "water", "smoke": "fire", "sparks": "fire",
}  # fmt: skip
_NAMED: Final = 0.1  # trust from which a region moves if the prompt names it
# What is seen of a motion without its region, where that is less than was asked.
_WITHOUT: Final[dict[MotionKind, str]] = {
    "water": "no water is seen in the picture that could move",
    "falls": "no water is seen in the picture that could fall",
    "clouds": "no sky is seen in the picture in which clouds could drift",
    "wind": "no plants are seen in the picture that wind could move",
    "fire": "no fire is seen in the picture; its light flickers",
    "lightning": "no sky is seen in the picture; there are flashes without a bolt",
}
# What the wind carries through the air: where one of these moves, the wind is seen without any plant.
_CARRIED: Final[frozenset[MotionKind]] = frozenset(
    {"rain", "snow", "leaves", "petals", "dust", "sparks", "smoke", "fog", "bubbles"}
)


def find_regions(motions: Iterable[Motion], facts: PictureFacts) -> tuple[Motion, ...]:
    """The motions, each with `has_region` as the picture allows."""
    return tuple(replace(motion, has_region=_has_region(motion, facts)) for motion in motions)


def note_missing_regions(motions: Collection[Motion], words: Mapping[MotionKind, str]) -> list[str]:
    """One note for each motion of the prompt that lacks its region and is not seen in another way. words: those of the
    prompt, by kind."""
    carried = any(motion.kind in _CARRIED for motion in motions)
    return [
        f"“{words[motion.kind]}”: {_WITHOUT[motion.kind]}."
        for motion in motions
        if motion.kind in _WITHOUT
        and not motion.has_region
        and motion.kind in words
        and not (motion.kind == "wind" and carried)
    ]


def _has_region(motion: Motion, facts: PictureFacts) -> bool:
    region = _REGIONS.get(motion.kind)
    if region is None:
        return True
    share: float = getattr(facts, region)
    trust: float = getattr(facts, f"{region}_trust")
    # Who asks for rain has not named the water that it falls on.
    least = _NAMED if motion.origin == "prompt" and motion.kind != "rain" else TRUSTED
    return share > 0 and trust >= least
