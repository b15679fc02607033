"""What an animal, or a person whose face is not seen, is asked to do: turn the head, blink, wag the tail, walk… and
what it does by itself.

Only the subject of the picture is moved. That the prompt names an animal makes it one, unless the animal is of those
that come in flocks or fly by; so do eyes that nothing but an animal has. A person whose face is not seen is one that
the prompt names, where a head stands above a trunk.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vivant.engines.diorama.script.actions import (
    describes_a_thing,
    is_done_by_camera,
    is_done_by_thing,
    is_heard_from_afar,
)
from vivant.engines.diorama.script.found import Found, Span
from vivant.engines.diorama.script.grammar import Hit, Reading
from vivant.engines.diorama.script.notes import ScriptNote
from vivant.engines.diorama.script.people import Cast
from vivant.engines.diorama.script.times import Times
from vivant.engines.diorama.script.tokens import is_han
from vivant.engines.diorama.storyboard import (
    TRUSTED,
    ActionKind,
    Being,
    BodyAction,
    BodyActionKind,
    BodyFact,
    PictureFacts,
)

# What a face is asked to do, as the subject without one does it. The rest it cannot do.
_AS_BODY: Final[Mapping[ActionKind, BodyActionKind]] = {
    "nod": "nod", "shake_head": "shake_head", "tilt_head": "tilt_head", "turn_head": "turn_head",
    "look_left": "look_left", "look_right": "look_right", "look_up": "look_up", "look_down": "look_down",
    "look_away": "turn_head", "look_camera": "turn_head", "move_eyes": "turn_head", "blink": "blink", "wink": "blink",
    "close_eyes": "blink", "breathe": "breathe", "sigh": "breathe", "chew": "chew", "sway": "sway",
}  # fmt: skip
_HEAD: Final[frozenset[BodyActionKind]] = frozenset(
    {"turn_head", "look_left", "look_right", "look_up", "look_down", "tilt_head", "nod", "shake_head", "sniff", "chew"}
)
_BY_CAMERA: Final = ("look_", "turn_", "tilt_")
OF_ANIMALS: Final[frozenset[BodyActionKind]] = frozenset({"twitch_ears", "wag_tail", "flick_tail", "sniff"})
# They fly by, swim in numbers or are too small to be what a picture is of.
_PASSING: Final = frozenset(
    {"bird", "birds", "gull", "gulls", "seagull", "seagulls", "pigeons", "butterfly", "butterflies", "bee", "bees",
     "fish", "insect", "fly", "ant", "spider", "koi", "crow", "crows", "snowman", "robot", "toy", "doll", "鸟", "小鸟",
     "鸟儿", "鸟群", "海鸥", "鸽子", "蝴蝶", "蜜蜂", "鱼", "鱼儿", "鱼群", "昆虫", "雪人", "机器人", "玩偶"}
)  # fmt: skip
# They swim where they are, whatever they are called; "fish" alone only where an eye without lids is seen.
_FISH: Final = frozenset(
    {"fish", "goldfish", "koi", "shark", "dolphin", "whale", "clownfish", "carp", "betta", "鱼", "鱼儿", "金鱼", "锦鲤",
     "海豚", "鲸鱼", "鲨鱼", "小丑鱼", "鲤鱼", "斗鱼"}
)  # fmt: skip
_BIRDS: Final = frozenset(
    {"bird", "parrot", "owl", "eagle", "penguin", "duck", "chicken", "swan", "peacock", "crow", "raven", "鸟", "小鸟",
     "鸟儿", "鹦鹉", "猫头鹰", "企鹅", "鸭子", "小鸡", "鹰", "老鹰", "孔雀", "天鹅", "仙鹤", "小鸭子"}
)  # fmt: skip
# Likenesses of animals: what the words call so does nothing unasked, however much it looks alive.
_LIKENESSES: Final = frozenset(
    {"statue", "statues", "sculpture", "sculptures", "figurine", "figurines", "figure", "toy", "toys", "doll", "dolls",
     "plush", "plushie", "teddy", "stuffed", "carving", "monument", "taxidermy", "replica", "puppet", "ornament"}
)  # fmt: skip
_MADE_OF: Final = frozenset({"stone", "bronze", "marble", "wooden", "ceramic", "porcelain", "plastic", "brass", "clay"})
_LIKENESSES_CHINESE: Final = (
    "雕像", "雕塑", "塑像", "石像", "铜像", "玩具", "玩偶", "公仔", "毛绒", "布偶", "摆件", "手办", "标本", "模型",
    "陶瓷", "木雕", "石雕", "铜雕", "石头", "木头", "青铜",
)  # fmt: skip
_BEFORE: Final = 4  # tokens from a likeness to the animal: "statue of a horse"
FACELESS: Final = 0.7  # trust of the subject, from which a person that is named is taken to be it
USUAL: Final = 0.5


def find_body_actions(
    reading: Reading, cast: Cast, times: Times, facts: PictureFacts, *, nothing_else: bool = False
) -> Found[tuple[BodyAction, ...]]:
    """The actions of the subject in the order of the prompt, each once per time, or that it breathes; notes on what it
    cannot do. nothing_else: nothing moves that the prompt does not name."""
    body = facts.body
    being = find_being(cast, facts)
    if body is None or being is None:
        return Found(())
    found: dict[tuple[BodyActionKind, int | None], BodyAction] = {}
    spans: list[Span] = []
    notes: list[ScriptNote] = []
    for hit in reading.hits:
        if not (hit.entry.action or hit.entry.body) or not hit.meant or hit.heard or is_heard_from_afar(reading, hit):
            continue
        if describes_a_thing(reading, hit) or not _is_done_by(reading, cast, hit, being):
            continue
        kind = hit.entry.body or _AS_BODY.get(hit.entry.action or "smile")
        words = (reading.written(hit),)
        if kind is None:
            continue  # a smile: actions.py tells
        spans.append((hit.first, hit.last))
        missing = find_missing_part(kind, body)
        if missing:
            notes.append(ScriptNote(missing, words))
            continue
        if kind == "walk":
            notes.append(ScriptNote("legs_stay", words))
        when = times.when(hit.first)
        action = BodyAction(
            kind=kind, being=being, strength=min(1.0, max(0.1, USUAL * hit.amount)), start=when.start, end=when.end,
            order=times.order(hit.first),
        )  # fmt: skip
        found.setdefault((kind, when.start), action)
    if not found and not nothing_else and not _is_likeness(reading, cast):
        return Found(choose_life(being), tuple(notes), tuple(spans))
    return Found(tuple(found.values()), tuple(notes), tuple(spans))


def find_unmoved(reading: Reading, cast: Cast) -> tuple[Span, ...]:
    """The words for what ears, tails, noses and legs of an animal do, whether or not there is a subject to do it."""
    spans = []
    for hit in reading.hits:
        if not hit.entry.body or not hit.meant or hit.heard or is_heard_from_afar(reading, hit):
            continue
        mention = cast.doer_mention(hit.first)
        animal = mention is not None and mention.person.kind == "animal"
        if (animal or hit.entry.body in OF_ANIMALS) and not is_done_by_thing(reading, hit):
            spans.append((hit.first, hit.last))
    return tuple(spans)


def choose_life(being: Being) -> tuple[BodyAction, ...]:
    """What a living subject does by itself."""
    return (BodyAction(kind="breathe", being=being, origin="picture"),)


def find_being(cast: Cast, facts: PictureFacts) -> Being | None:
    """What the subject of the picture is; None where nothing tells that it lives, or it is not seen well enough."""
    body = facts.body
    if body is None or body.trust < TRUSTED:
        return None
    for person in cast.people:
        if person.kind == "animal" and (body.eye_seen or not {person.head, person.name.lower()} & _PASSING):
            return _name_kind(person.head, person.name.lower())
    if body.being:
        return body.being
    faceless = not facts.faces and not facts.cut_faces and body.upright and body.trust >= FACELESS
    return "person" if faceless and any(person.kind == "someone" for person in cast.people) else None


def _is_likeness(reading: Reading, cast: Cast) -> bool:
    """Whether the words call the subject a statue or a toy: each animal that they name is the likeness of one, or they
    name none and a likeness."""
    words = [token.text for token in reading.tokens]
    heads = {person.head for person in cast.people if person.kind == "animal" and person.head} - _LIKENESSES
    if not heads:
        lives = any(person.kind == "someone" and person.head not in _LIKENESSES for person in cast.people)
        named = not _LIKENESSES.isdisjoint(words) or any(word in reading.text for word in _LIKENESSES_CHINESE[:-3])
        return named and not lives
    return all(_is_made(head, words, reading.text) for head in heads)


def _is_made(head: str, words: list[str], text: str) -> bool:
    """Whether an animal of that name is made by hand wherever the words name it. words: all tokens of the text."""
    if not _LIKENESSES.isdisjoint(head.split()):
        return True
    if is_han(head[:1]):
        return any(f"{made}{link}{head}" in text or f"{head}{link}{made}" in text
                   for made in _LIKENESSES_CHINESE for link in ("", "的", "小"))  # fmt: skip
    head = head.split()[-1]
    for at, word in enumerate(words):
        if word == head:
            before = words[max(0, at - _BEFORE) : at]
            near = before[-2:] if "of" not in before else before
            beside = not _LIKENESSES.isdisjoint([*near, *words[at + 1 : at + 2]])
            if not beside and _MADE_OF.isdisjoint(before[-1:]):
                return False
    return head in words


def _name_kind(*names: str) -> Being:
    return "fish" if _FISH.intersection(names) else "bird" if _BIRDS.intersection(names) else "animal"


def _is_done_by(reading: Reading, cast: Cast, hit: Hit, being: Being) -> bool:
    if hit.entry.action.startswith(_BY_CAMERA) and is_done_by_camera(reading, hit):
        return False
    mention = cast.doer_mention(hit.first)
    if mention is None:
        if is_done_by_thing(reading, hit):
            return False
        return not hit.entry.body or hit.entry.body in OF_ANIMALS or being != "person"
    if being != "person":
        return mention.person.kind == "animal" or (hit.entry.body in OF_ANIMALS)
    return mention.person.kind == "someone" and hit.entry.body not in OF_ANIMALS


def find_missing_part(kind: BodyActionKind, body: BodyFact) -> str:
    """The reason of the note where the part that would move was not found; "" where it was."""
    if kind == "blink":
        return "" if body.eyes else "no_animal_eyes"
    found = body.head if kind in _HEAD else body.ears if kind == "twitch_ears" else body.tail
    return "" if found or (kind not in _HEAD and kind not in OF_ANIMALS) else "no_such_part"
