"""What moves by itself in the scene because the prompt says so: weather, water, wind, fire, small things in the air."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from vivant.engines.diorama.script.clauses import is_done_by_someone
from vivant.engines.diorama.script.cloth import find_cloths
from vivant.engines.diorama.script.found import Found, Span
from vivant.engines.diorama.script.grammar import Hit, Reading
from vivant.engines.diorama.script.origins import find_origin
from vivant.engines.diorama.script.times import NO_TIME, Times, When, join
from vivant.engines.diorama.script.tokens import ends_clause, ends_sentence
from vivant.engines.diorama.storyboard import Drift, Motion, MotionKind, MotionLook, Thing

_DRIFTS: Final = frozenset[MotionKind](
    {"rain", "snow", "clouds", "wind", "smoke", "fog", "leaves", "petals", "dust", "water"}
)
_RISES: Final = frozenset[MotionKind]({"fire", "smoke"})  # from a thing that a prompt may name
_STRIKES: Final = frozenset[MotionKind]({"lightning"})  # at moments, which may be said to be many
GENTLE: Final = 0.3  # no stronger than this is expressly gentle
_CLOTH: Final = frozenset(
    {
        "banner",
        "banners",
        "flag",
        "flags",
        "dress",
        "cloak",
        "curtain",
        "curtains",
        "fabric",
        "sail",
        "sails",
        "muscles",
    }
)
Blown = Literal["hair", "cloth"]
# What the wind is to move, by a part of the words that ask for it; other words mean the air, or plants.
_BLOWN: Final[tuple[tuple[Blown, tuple[str, ...]], ...]] = (
    ("hair", ("hair", "发", "刘海")),
    ("cloth", (
        "dress", "skirt", "coat", "cloak", "cape", "scarf", "flag", "banner", "curtain", "fabric", "sail", "clothes",
        "ribbon", "旗", "裙", "帘", "衣", "披风", "飘带", "丝巾", "围巾",
    )),
)  # fmt: skip
_FALL: Final = ("rain", "fall", "pour", "shower", "落", "洒")  # of sparks
_HAS: Final = frozenset({"has", "have", "had", "已"})
_NEAR: Final = 3  # tokens
_REACH: Final = 8  # tokens between a motion and the direction it drifts


@dataclass(frozen=True, slots=True)
class MotionRequest:
    motions: tuple[Motion, ...]
    words: Mapping[MotionKind, str]  # the first of the prompt that ask for each
    denied: frozenset[MotionKind]  # kinds that must not move, whatever the picture shows
    nothing_else: bool  # what the prompt does not name stays still
    blown: Mapping[Blown, str] = field(
        default_factory=dict
    )  # what wind is to move, and the first words that ask for it


def find_motions(reading: Reading, times: Times) -> Found[MotionRequest]:
    """The motions of the prompt, each kind once, as strong as it was said at its strongest."""
    strengths: dict[MotionKind, dict[int, float]] = {}  # kind -> clause -> strength
    directions: dict[MotionKind, Drift] = {}
    denied: set[MotionKind] = set()
    words: dict[MotionKind, str] = {}
    moments: dict[MotionKind, list[When]] = {}
    ends: dict[MotionKind, int] = {}
    looks: dict[MotionKind, list[MotionLook]] = {}
    things: dict[MotionKind, Thing] = {}
    often: set[MotionKind] = set()
    spans: list[Span] = []
    blown: dict[Blown, str] = {}
    for hit in reading.hits:
        if not hit.entry.motion or not has_fitting_doer(reading, hit):
            continue
        if hit.denied:
            denied |= set(hit.entry.motion)
        if end := find_end(reading, hit, times):
            for kind, strength in hit.entry.motion.items():
                ends[kind] = end
                if kind not in strengths:
                    moments.setdefault(kind, []).append(NO_TIME)
                    strengths[kind] = {reading.clause[hit.first]: strength}
                    words.setdefault(kind, reading.written(hit))
        if not hit.meant or hit.heard:
            continue
        spans.append((hit.first, hit.last))
        if "wind" in hit.entry.motion and (named := _blown_thing(reading, hit)):
            blown.setdefault(named, reading.written(hit))
        for kind, strength in hit.entry.motion.items():
            moments.setdefault(kind, []).append(times.begins(hit.first))
            words.setdefault(kind, reading.written(hit))
            raise_strength(strengths.setdefault(kind, {}), reading.clause[hit.first], strength * hit.amount)
            looks.setdefault(kind, []).append(hit.entry.look)
            if kind in _STRIKES and _is_said_often(reading, hit):
                often.add(kind)
            if kind in _RISES and kind not in things and (thing := find_origin(reading, hit)):
                things[kind] = thing
            if kind in _DRIFTS and kind not in directions and (direction := _drift(reading, hit)):
                directions[kind] = direction
            if kind == "sparks" and any(word in reading.written(hit).casefold() for word in _FALL):
                directions[kind] = "down"
    cloths = [] if "wind" in denied - set(strengths) else find_cloths(reading)
    for cloth in cloths:
        strengths[cloth.kind] = {reading.clause[cloth.at]: cloth.strength}
        moments[cloth.kind] = [times.begins(cloth.at)]
        things[cloth.kind] = cloth.thing
        if cloth.asked:
            words.setdefault(cloth.kind, cloth.words)
            spans.append(cloth.span)
    motions = tuple(
        Motion(
            kind=kind,
            strength=max(clauses.values()),
            direction=directions.get(kind, ""),
            start=(time := join(moments[kind])).start,
            end=cut(time, ends.get(kind)),
            look=_choose_look(kind, looks.get(kind, [])),
            thing=things.get(kind),
            often=kind in often,
        )
        for kind, clauses in strengths.items()
    )
    nothing_else = any(hit.entry.mute == "picture" and not hit.denied for hit in reading.hits)
    return Found(
        MotionRequest(motions, words, frozenset(denied - set(strengths)), nothing_else, blown), spans=tuple(spans)
    )


def _blown_thing(reading: Reading, hit: Hit) -> Blown | None:
    """What is blown by these words or, where they are a verb, by the noun right before them."""
    before = reading.tokens[hit.first - 1].text if hit.first else ""
    told = f"{before} {reading.written(hit)}".casefold()
    return next((thing for thing, parts in _BLOWN if any(part in told for part in parts)), None)


def _is_said_often(reading: Reading, hit: Hit) -> bool:
    """ "Lightning strikes again and again": said anywhere in its sentence, for a comma may stand between."""
    first, last = reading.sentence_bounds(hit.first)
    return any("again" in reading.roles(at) for at in range(first, last))


def _choose_look(kind: MotionKind, looks: list[MotionLook]) -> MotionLook:
    """The first that is said; but where flames are named, their light alone is not what is meant."""
    if kind == "fire" and "" in looks:
        return ""
    return next((look for look in looks if look), "")


def find_end(reading: Reading, hit: Hit, times: Times) -> int | None:
    """The frame from which it is over, by the words of the prompt: "after 3 seconds the rain stops". None where they
    give no time, or where it was over before: "the rain has stopped"."""
    if not hit.over or _HAS & {token.text for token in reading.tokens[hit.last : hit.last + _NEAR]}:
        return None
    return times.begins(hit.first).start or None


def cut(time: When, end: int | None) -> int | None:
    """The end of a time, no later than `end`, if that is after its start."""
    if end is None or end <= (time.start or 0):
        return time.end
    return end if time.end is None else min(time.end, end)


def raise_strength(clauses: dict[int, float], clause: int, strength: float) -> None:
    """Take up a strength said in a clause: the greatest of them, but "a gentle breeze moves the leaves" is gentle."""
    said = round(min(1.0, max(0.1, strength)), 3)
    known = clauses.get(clause, said)
    clauses[clause] = min(said, known) if min(said, known) <= GENTLE else max(said, known)


def has_fitting_doer(reading: Reading, hit: Hit) -> bool:
    """Entries that need a thing as their doer (the sea waves, she waves), and verbs of the weather that someone does:
    "the woman storms into the room", "he smokes a pipe"."""
    single = hit.last - hit.first == 1 and reading.tokens[hit.first].kind == "word"
    if single and _describes(reading, hit.first):
        return False
    if single and is_done_by_someone(reading, hit.first):
        return False
    if hit.entry.needs != "thing":
        return True
    if _shares_with_a_doing(reading, hit):
        return False
    at = hit.first - 1
    while at >= 0 and {"adverb", "filler"} & reading.roles(at) and reading.tokens[at].text not in ("the", "a", "with"):
        at -= 1
    return at < 0 or not reading.names_person(at) or bool({"to"} & reading.roles(at))


def _describes(reading: Reading, at: int) -> bool:
    """ "A storm-swept valley", "wind-blown hair": part of an adjective; or a verb whose subject is cloth."""
    tags = reading.parts.tags
    if tags[at] == "HYPH" and at + 1 < len(tags) and tags[at + 1] == "HYPH":
        return reading.tokens[at + 1].text.endswith(("ed", "swept", "blown", "lit", "worn", "torn"))
    return at > 0 and tags[at].startswith("VB") and reading.tokens[at - 1].text in _CLOTH


def _shares_with_a_doing(reading: Reading, hit: Hit) -> bool:
    """ "Waves and smiles": what follows the "and" is something people do."""
    if "and" not in reading.roles(hit.last):
        return False
    return any(h.entry.speech or h.entry.action or h.entry.cannot for h in reading.at.get(hit.last + 1, ()))


def _drift(reading: Reading, hit: Hit) -> Drift:
    """Where it goes: the first left, right, up or down said beside it in its clause."""
    for at in range(hit.last, min(hit.last + _REACH, len(reading.tokens))):
        if ends_clause(reading.tokens[at]) or ends_sentence(reading.tokens[at]) or "camera" in reading.roles(at):
            break
        for other in reading.at.get(at, ()):
            if other.entry.camera:
                return ""
            if other.entry.direction in ("left", "right", "up", "down"):
                return other.entry.direction
    return ""
