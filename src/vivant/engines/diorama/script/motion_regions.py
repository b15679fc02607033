"""Whether a motion finds its region in the picture and may move it: by how surely looking found the region, and by
whether the prompt names it. What is asked and not found becomes a note.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final, Literal

from vivant.engines.diorama.script.notes import ScriptNote
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
    "water": "no_water",
    "falls": "no_falling_water",
    "clouds": "no_sky_for_clouds",
    "wind": "no_plants",
    "fire": "no_fire",
    "lightning": "no_sky_for_lightning",
}
# Of these nothing at all is seen without their region.
_UNSEEN_WITHOUT: Final[frozenset[MotionKind]] = frozenset({"water", "falls", "clouds", "wind"})
# What the wind carries through the air: where one of these moves, the wind is seen without any plant.
_CARRIED: Final[frozenset[MotionKind]] = frozenset(
    {"rain", "snow", "leaves", "petals", "dust", "sparks", "smoke", "fog", "bubbles"}
)


def find_regions(motions: Iterable[Motion], facts: PictureFacts) -> tuple[Motion, ...]:
    """The motions, each with `has_region` as the picture allows."""
    return tuple(replace(motion, has_region=_has_region(motion, facts)) for motion in motions)


def keep_seen(motions: tuple[Motion, ...]) -> tuple[Motion, ...]:
    """Those of which something is seen: all that have their region, or are seen in another way without it."""
    carried = any(motion.kind in _CARRIED for motion in motions)
    return tuple(
        motion
        for motion in motions
        if motion.has_region or motion.kind not in _UNSEEN_WITHOUT or (motion.kind == "wind" and carried)
    )


def note_missing_regions(motions: Collection[Motion], words: Mapping[MotionKind, str]) -> tuple[ScriptNote, ...]:
    """One note for each motion of the prompt that lacks its region and is not seen in another way. words: those of the
    prompt, by kind."""
    carried = any(motion.kind in _CARRIED for motion in motions)
    return tuple(
        ScriptNote(_WITHOUT[motion.kind], (words[motion.kind],))
        for motion in motions
        if motion.kind in _WITHOUT
        and not motion.has_region
        and motion.kind in words
        and not (motion.kind == "wind" and carried)
    )


def _has_region(motion: Motion, facts: PictureFacts) -> bool:
    region = _REGIONS.get(motion.kind)
    if region is None:
        return True
    share: float = getattr(facts, region)
    trust: float = getattr(facts, f"{region}_trust")
    # Who asks for rain has not named the water that it falls on.
    least = _NAMED if motion.origin == "prompt" and motion.kind != "rain" else TRUSTED
    return share > 0 and trust >= least
