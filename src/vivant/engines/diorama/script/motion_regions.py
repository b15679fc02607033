"""Whether a motion finds its region in the picture and may move it: by how surely looking found the region, and by
whether the prompt names it. What is asked and not found becomes a note.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final, Literal

from vivant.engines.diorama.script.motions import Blown
from vivant.engines.diorama.script.notes import ScriptNote
from vivant.engines.diorama.storyboard import (
    CLOTHS,
    FOUND,
    MOVABLE,
    PORTRAIT,
    TRUSTED,
    Motion,
    MotionKind,
    PictureFacts,
    Thing,
)

Region = Literal["sky", "water", "plants", "fire", "hair"]
Find = Callable[[Thing], float]  # how surely a thing that is named is found in the picture, 0..1

# What each kind moves, or comes from: one of these; the other kinds need nothing of the picture.
_REGIONS: Final[dict[MotionKind, tuple[Region, ...]]] = {
    "water": ("water",), "falls": ("water",), "clouds": ("sky",), "wind": ("plants", "hair"), "fire": ("fire",),
    "lightning": ("sky",), "rain": ("water",), "smoke": ("fire",), "sparks": ("fire",), "birds": ("sky",),
}  # fmt: skip
# Hair is found or not; a doubtful one would tear a face.
_SURE: Final[frozenset[Region]] = frozenset({"hair"})
_NAMED: Final = 0.1  # trust from which a region moves if the prompt names it
# What is seen of a motion without its region, where that is less than was asked.
_WITHOUT: Final[dict[MotionKind, str]] = {
    "water": "no_water",
    "falls": "no_falling_water",
    "clouds": "no_sky_for_clouds",
    "wind": "no_plants",
    "fire": "no_fire",
    "lightning": "no_sky_for_lightning",
    "birds": "no_sky_for_birds",
    "flag": "no_cloth",
    "sail": "no_cloth",
    "curtain": "no_cloth",
    "clothes": "no_cloth",
    "fur": "no_fur",
}
# Of these nothing at all is seen without their region.
_CLOTHS: Final[frozenset[MotionKind]] = frozenset(CLOTHS.values())
_UNSEEN_WITHOUT: Final = frozenset[MotionKind]({"water", "falls", "clouds", "wind", "birds"}) | _CLOTHS
# What the wind carries through the air: where one of these moves, the wind is seen without any plant.
_CARRIED: Final[frozenset[MotionKind]] = frozenset(
    {"rain", "snow", "leaves", "petals", "dust", "sparks", "smoke", "fog", "bubbles"}
)


def find_regions(motions: Iterable[Motion], facts: PictureFacts) -> tuple[Motion, ...]:
    """The motions, each with `has_region` as the picture allows."""
    return tuple(replace(motion, has_region=_has_region(motion, facts)) for motion in motions)


def keep_seen(motions: tuple[Motion, ...]) -> tuple[Motion, ...]:
    """Those of which something is seen: all that have their region, or are seen in another way without it."""
    carried = any(_shows_wind(motion) for motion in motions)
    return tuple(
        motion
        for motion in motions
        if motion.has_region or motion.kind not in _UNSEEN_WITHOUT or (motion.kind == "wind" and carried)
    )


def _shows_wind(motion: Motion) -> bool:
    return motion.kind in _CARRIED or (motion.kind in _CLOTHS and motion.has_region)


def note_missing_regions(
    motions: Collection[Motion], words: Mapping[MotionKind, str], facts: PictureFacts, find: Find | None = None
) -> tuple[ScriptNote, ...]:
    """One note for each motion of the prompt that lacks its region and is not seen in another way, or is seen at
    another place. words: those of the prompt, by kind. find: how surely a thing is found in the picture, 0..1."""
    carried = any(_shows_wind(motion) for motion in motions)
    risen = [note for motion in motions if motion.kind in words and (note := _note_origin(motion, words, facts, find))]
    return (
        *risen,
        *(
            ScriptNote(_WITHOUT[motion.kind], (words[motion.kind],))
            for motion in motions
            if motion.kind in _WITHOUT
            and not motion.has_region
            and motion.kind in words
            and motion.kind != "fire"
            and not (motion.kind == "wind" and carried)
        ),
    )


def _note_origin(
    motion: Motion, words: Mapping[MotionKind, str], facts: PictureFacts, find: Find | None
) -> ScriptNote | None:
    """What burns or smokes does so where it is named; else flames stand where there is room, before a portrait there
    is only their light, and smoke drifts through the picture."""
    thing = motion.thing
    if thing is not None and _is_found(thing, facts, find):
        return None
    if motion.kind == "smoke" and thing is not None:
        return ScriptNote("smoke_elsewhere", (thing.words,))
    if motion.kind != "fire" or motion.has_region or motion.look == "firelight":
        return None
    portrait = any(face.height > PORTRAIT for face in facts.faces)
    if motion.look == "candle" or portrait:
        return ScriptNote("no_fire", (words["fire"],))
    return None if thing is None else ScriptNote("fire_elsewhere", (thing.words,))


def _is_found(thing: Thing, facts: PictureFacts, find: Find | None) -> bool:
    if find is not None and find(thing) >= FOUND:
        return True
    if thing.kind == "plant" and facts.plants_trust >= FOUND:
        return True
    if thing.kind == "candle" and facts.body is not None:
        return False  # what stands out is an animal
    return facts.subject_trust >= TRUSTED and not facts.faces


def note_missing_things(blown: Mapping[Blown, str], facts: PictureFacts) -> tuple[ScriptNote, ...]:
    """Notes for hair that wind is to move and that is not found, whatever else there is to move."""
    return tuple(
        ScriptNote("no_hair", (words,))
        for thing, words in blown.items()
        if thing == "hair" and not is_seen("hair", facts)
    )


def _has_region(motion: Motion, facts: PictureFacts) -> bool:
    if motion.kind in _CLOTHS:
        return any(fact.thing == motion.thing and fact.trust >= MOVABLE for fact in facts.things)
    regions = _REGIONS.get(motion.kind)
    if regions is None:
        return True
    # Who asks for rain has not named the water that it falls on.
    least = _NAMED if motion.origin == "prompt" and motion.kind != "rain" else TRUSTED
    return any(is_seen(region, facts, TRUSTED if region in _SURE else least) for region in regions)


def is_seen(region: Region, facts: PictureFacts, trust: float = TRUSTED) -> bool:
    """Whether there is any of a region, found with that much trust at least."""
    share: float = getattr(facts, region)
    found: float = getattr(facts, f"{region}_trust")
    return share > 0 and found >= trust
