"""The camera moves a prompt asks for, in steps: what stands in one step happens together, the steps one after another.

It knows when a word means the camera ("the camera rises") and when it does not ("she rises", "a frying pan").
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.script.found import Found
from vivant.engines.diorama.script.grammar import Hit, Reading
from vivant.engines.diorama.script.notes import ScriptNote
from vivant.engines.diorama.script.shot_words import find_boundaries
from vivant.engines.diorama.script.times import NO_TIME, Times, When
from vivant.engines.diorama.script.tokens import ends_clause, ends_sentence, is_han
from vivant.engines.diorama.script.travel_words import load_travel_words
from vivant.engines.diorama.script.words import CameraKind
from vivant.engines.diorama.storyboard import DIRECTIONS, Direction, Move, MoveKind

_USUAL: Final = 0.5
_DIRECTION_AFTER: Final = 7  # tokens after the verb in which its direction may stand
_DIRECTION_BEFORE: Final = 4

# What a direction makes of a move; a kind that is not here keeps itself and takes only directions of its own.
_BY_DIRECTION: Final[dict[CameraKind, dict[Direction, tuple[MoveKind, Direction]]]] = {
    "move": {
        "left": ("truck", "left"), "right": ("truck", "right"), "up": ("pedestal", "up"), "down": ("pedestal", "down"),
        "in": ("dolly", "in"), "out": ("dolly", "out"),
    },
    "truck": {"up": ("pedestal", "up"), "down": ("pedestal", "down"), "in": ("dolly", "in"), "out": ("dolly", "out")},
    "pan": {"up": ("tilt", "up"), "down": ("tilt", "down")},
    "tilt": {"left": ("pan", "left"), "right": ("pan", "right")},
    "dolly": {
        "left": ("truck", "left"), "right": ("truck", "right"), "up": ("pedestal", "up"), "down": ("pedestal", "down"),
    },
    "roll": {"left": ("roll", "counterclockwise"), "right": ("roll", "clockwise")},
}  # fmt: skip
_PANS: Final[dict[Direction, MoveKind]] = {"left": "pan", "right": "pan", "up": "tilt", "down": "tilt"}
_OPPOSITE: Final[dict[Direction, Direction]] = {
    "left": "right", "right": "left", "up": "down", "down": "up", "in": "out", "out": "in",
    "clockwise": "counterclockwise", "counterclockwise": "clockwise",
}  # fmt: skip
_ORDER_REACH: Final = 40  # tokens before a verb that are looked at; if none of them speaks against an order, it is one
_DISPOSED: Final = 8  # tokens between 把 and its verb
_IMPLIED_REACH: Final = 8  # tokens between the camera and its direction
# The direction of a move whose direction nobody said; elsewhere the seed chooses.
_CAMERA: Final = frozenset({"camera"})
_FLYING_CAMERA: Final = frozenset({"无人机", "直升机"})
_VIEWS: Final = frozenset(
    {"航拍", "航拍镜头", "无人机航拍", "无人机镜头", "无人机视角", "第一视角", "第一人称视角", "主观视角", "主观镜头",
     "自拍视角", "pov", "pov shot", "first person view", "first person pov", "drone shot", "drone footage",
     "aerial drone shot"}
)  # fmt: skip
_HOLDS: Final = 6  # characters after 手持 in which a word of the camera may stand
_HELD_CAMERA: Final = (*"镜拍摄跟感运抖风机推摇", "晃动", "视角", "呼吸", "稳定", "特写")
_COUNTED: Final = frozenset("个朵条道扇根把张块只杯碗片支枝件本封盒瓶袋束串颗粒")  # measure words of things
_UNSAID: Final[dict[MoveKind, Direction]] = {
    "zoom": "in", "dolly": "in", "tilt": "up", "pedestal": "up", "dolly_zoom": "out", "rack_focus": "out",
}  # fmt: skip
_FOCUS_REACH: Final = 14  # tokens after the word for a change of focus in which what it goes to may stand
# What a focus goes to: the last of these decides.
_FAR_AWAY: Final = frozenset(
    {"background", "distance", "horizon", "mountains", "mountain", "sky", "skyline", "city", "far", "landscape",
     "buildings"}
)  # fmt: skip
_NEAR_BY: Final = frozenset(
    {"foreground", "subject", "face", "eyes", "flower", "flowers", "near", "close", "hand", "hands"}
)
_FAR_AWAY_ZH: Final = ("背景", "远景", "远处", "远方", "远山", "天空", "后景")
_NEAR_BY_ZH: Final = ("前景", "近处", "主体", "近景", "人物", "面部", "脸", "花")
_FUNCTION_WORDS: Final = frozenset({"filler", "then", "and", "adverb", "very", "camera", "as", "to", "not", "near"})
_LINKING: Final = frozenset({"stay", "stays", "remain", "remains", "is", "are", "was", "were", "keeps", "appears"})
_HELD: Final = frozenset({"with", "holding", "holds", "his", "her", "their", "carrying", "carries"})
_ARTICLES: Final = frozenset({"a", "an", "the", "his", "her", "my"})
_LASTING: Final = frozenset({"static", "handheld"})  # they last as long as the moves beside them and have no direction


@dataclass(frozen=True, slots=True)
class Step:
    """Moves done together. `token`: where in the prompt the first of them stands."""

    moves: tuple[Move, ...]
    token: int
    when: When = NO_TIME


@dataclass(frozen=True, slots=True)
class CameraRequest:
    """What the prompt says of the camera."""

    steps: tuple[Step, ...]
    still: bool  # moves were only denied: "no camera movement"


@dataclass(slots=True)
class _CameraPhrase:
    hit: Hit
    moves: list[Move]


def find_moves(reading: Reading, times: Times) -> Found[CameraRequest]:
    """Every camera move of the prompt, in order."""
    still = False
    notes: tuple[ScriptNote, ...] = ()
    phrases: list[_CameraPhrase] = []
    for hit in reading.hits:
        if not hit.entry.camera or not _is_camera(reading, hit, phrases):
            continue
        if hit.denied:
            # "Avoid: camera shake" wants no shaking; only "avoid: camera movement" wants a still camera.
            still = still or hit.first not in reading.negative or any(kind == "any" for kind, _ in hit.entry.camera)
        elif hit.entry.camera == (("return", ""),):
            back = _return(reading, hit, phrases)
            phrases += back
            notes += () if back else (ScriptNote("no_way_back", (reading.written(hit),)),)
        elif hit.entry.camera != (("any", ""),) and not _only_goes_on(reading, hit, phrases):
            phrases.append(_CameraPhrase(hit, _moves(reading, hit)))
    phrases += _implied_moves(reading, phrases)
    phrases.sort(key=lambda h: h.hit.first)
    phrases = _drop_mere_views(phrases)
    following: list[_CameraPhrase | None] = [*phrases[1:], None]
    phrases = [one for one, after in zip(phrases, following, strict=False) if not _is_named_by(reading, one, after)]
    travels = [h for h in phrases if h.moves[0].kind not in _LASTING]
    if travels and any(h.moves[0].kind == "static" for h in phrases):
        phrases, contradicted = _drop_contradicting_static(reading, phrases, times)
        notes += contradicted
    steps = tuple(_times(_steps(reading, phrases), phrases, times))
    spans = tuple((phrase.hit.first, phrase.hit.last) for phrase in phrases)
    return Found(CameraRequest(steps, still and not steps), notes, spans)


def _return(reading: Reading, hit: Hit, phrases: list[_CameraPhrase]) -> list[_CameraPhrase]:
    """ "Whip pan to the right and come back": the last move the other way; nothing where no move can be taken back. A
    direction that nobody said is settled, so that the way back is the other one."""
    if not phrases:
        return []
    gone = phrases[-1]
    gone.moves = [
        replace(move, direction=DIRECTIONS[move.kind][0]) if DIRECTIONS[move.kind] and not move.direction else move
        for move in gone.moves
    ]
    back = [
        replace(move, direction=_OPPOSITE[move.direction], words=reading.written(hit))
        for move in gone.moves
        if move.direction
    ]
    return [_CameraPhrase(hit, back)] if back else []


def _drop_mere_views(phrases: list[_CameraPhrase]) -> list[_CameraPhrase]:
    """Without those that only name from where one looks (航拍, POV), where anything else tells how the camera moves:
    "an aerial shot pulls back"."""
    moving = [one for one in phrases if not _is_view(one)]
    return moving or phrases


def _is_view(one: _CameraPhrase) -> bool:
    return one.moves[0].words.lower() in _VIEWS


def choose_directions(steps: Sequence[Step], seed: int) -> tuple[Step, ...]:
    """The steps with every open direction chosen by the seed, evenly."""
    chance = rng(seed, "camera.direction")
    chosen = []
    for step in steps:
        moves: list[Move] = []
        for move in step.moves:
            directions = DIRECTIONS[move.kind]
            if directions and not move.direction:
                move = replace(move, direction=directions[int(chance.integers(2))])
            if not any(_same(move, known) for known in moves):
                moves.append(move)
        chosen.append(replace(step, moves=tuple(moves)))
    return tuple(chosen)


def _implied_moves(reading: Reading, phrases: list[_CameraPhrase]) -> list[_CameraPhrase]:
    """ "The camera, from left to right": a clause with a camera and a direction but no known verb is a pan or tilt."""
    busy = {reading.clause[h.hit.first] for h in phrases}
    found = []
    for hit in reading.hits:
        clause = reading.clause[hit.first]
        if hit.entry.direction not in _PANS or hit.last - hit.first < 3 or clause in busy:
            continue
        before = range(max(0, hit.first - _IMPLIED_REACH), hit.first)
        if any("camera" in reading.roles(at) and reading.clause[at] == clause for at in before):
            kind = _PANS[hit.entry.direction]
            move = Move(kind=kind, direction=hit.entry.direction, words=reading.written(hit))
            found.append(_CameraPhrase(hit, [move]))
            busy.add(clause)
    return found


def _is_camera(reading: Reading, hit: Hit, phrases: list[_CameraPhrase]) -> bool:
    if _is_in_a_hand(reading, hit) or _takes_out_something(reading, hit) or _is_what_a_thing_does(reading, hit):
        return False
    if not hit.entry.needs:
        return not _is_held(reading, hit) and not _is_done_to_someone(reading, hit)
    if hit.entry.needs == "camera" and _is_noun_by_article(reading, hit):
        return False
    if hit.entry.needs == "order" and not _is_said_of_someone(reading, hit) and _is_order(reading, hit):
        return True
    return _camera_is_subject(reading, hit, phrases)


def _is_in_a_hand(reading: Reading, hit: Hit) -> bool:
    """手持红包, 手持轻晃红包: something is held, and no camera. Before a mark 手持 says how the picture was taken."""
    if "".join(token.text for token in reading.tokens[hit.first : hit.last]) != "手持":
        return False
    rest = ""
    for token in reading.tokens[hit.last : hit.last + _HOLDS]:
        if token.kind != "han":
            break
        rest += token.text
    return bool(rest) and not any(word in rest for word in _HELD_CAMERA)


def _takes_out_something(reading: Reading, hit: Hit) -> bool:
    """拉出一朵花, 推开一扇门: a verb of one or two characters with a counted object, and no camera in its clause."""
    if hit.last - hit.first > 2 or not is_han(reading.tokens[hit.first].text):
        return False
    after = [token.text for token in reading.tokens[hit.last : hit.last + 2]]
    counted = len(after) > 1 and after[0] == "一" and after[1] in _COUNTED
    drawn = reading.tokens[hit.last - 1].text in "出开起" and _has_noun_before(reading, hit)
    if not counted and not drawn:
        return False
    return not any(
        "camera" in reading.roles(at)
        for at in range(max(0, hit.first - _ORDER_REACH), hit.first)
        if reading.clause[at] == reading.clause[hit.first]
    )


def _is_what_a_thing_does(reading: Reading, hit: Hit) -> bool:
    """飞机抖动, 风筝越飞越高: the verb of a thing that goes somewhere, in a clause without a camera."""
    if not is_han(reading.tokens[hit.first].text):
        return False
    first = hit.first
    while first and reading.tokens[first - 1].kind == "han":
        first -= 1
    last = hit.last
    while last < len(reading.tokens) and reading.tokens[last].kind == "han":
        last += 1
    if any("camera" in reading.roles(at) for at in range(first, last)):
        return False
    words = load_travel_words()
    text = "".join(token.text for token in reading.tokens[first:last])
    noun = next((noun for noun in words.things if is_han(noun[0]) and noun in text[: hit.first - first]), "")
    if not noun or noun in _FLYING_CAMERA:
        return False
    does = [verb for verb in words.does if is_han(verb[0]) and verb in text]
    places = [(first + text.find(verb), first + text.find(verb) + len(verb)) for verb in does]
    return any(at < hit.last and hit.first < end for at, end in places)


def _has_noun_before(reading: Reading, hit: Hit) -> bool:
    """芝士在面包之间拉出长丝: a noun opens the clause in which the verb stands."""
    words = reading.parts.han
    place = bisect.bisect_left(words, hit.first, key=lambda word: word.first)
    return any(
        word.tag == "n" and reading.clause[word.first] == reading.clause[hit.first] and not reading.roles(word.first)
        for word in words[max(0, place - _ORDER_REACH) : place]
    )


def _is_noun_by_article(reading: Reading, hit: Hit) -> bool:
    """ "Half a turn": a thing, and not what the camera does."""
    return hit.last - hit.first == 1 and hit.first > 0 and reading.tokens[hit.first - 1].text in ("a", "an", "half")


def _is_said_of_someone(reading: Reading, hit: Hit) -> bool:
    """ "He closes his eyes, tilts his chin up", "the overlay stays perfectly static": a verb in the third person in a
    sentence that names a person and no camera, or what something stays like, is no order."""
    first, _ = reading.sentence_bounds(hit.first)
    before = range(first, hit.first)
    if any("camera" in reading.roles(at) or any(h.entry.camera for h in reading.at.get(at, ())) for at in before):
        return False
    at = hit.first - 1
    while at >= first and reading.tokens[at].text.endswith("ly"):
        at -= 1
    if at >= first and reading.tokens[at].text in _LINKING:
        return True
    verb = reading.tokens[hit.first].text
    return verb.endswith("s") and verb.isascii() and any(reading.names_person(place) for place in before)


def _is_order(reading: Reading, hit: Hit) -> bool:
    """An order to the camera: it opens its clause ("Pan left", "slow pan right") or has an adjective ("a slow pan")."""
    if _described(reading, hit):
        return True
    if hit.last - hit.first == 1 and reading.tokens[max(0, hit.first - 1)].text in _ARTICLES:
        # "the pan" is a thing of the kitchen, "the pan left" a move
        return any(other.entry.direction for other in reading.at.get(hit.last, ()))
    at = hit.first - 1
    while at >= max(0, hit.first - _ORDER_REACH):
        token = reading.tokens[at]
        if token.kind == "quote" or ends_sentence(token) or ends_clause(token) or {"as", "not"} & reading.roles(at):
            return True
        if not _may_precede_order(reading, at):
            return False
        at -= 1
    return True


def _only_goes_on(reading: Reading, hit: Hit, phrases: list[_CameraPhrase]) -> bool:
    """ "横移扫过一排排座位": a move without a direction in the clause of one that has told what the camera does."""
    if hit.entry.camera != (("move", ""),) or not phrases or _direction_near(reading, hit):
        return False
    return reading.clause[phrases[-1].hit.first] == reading.clause[hit.first]


def _is_named_by(reading: Reading, one: _CameraPhrase, after: _CameraPhrase | None) -> bool:
    """ "A drone shot pulling back": the participle says what the shot does."""
    if after is None or after.hit.first != one.hit.last or not reading.tokens[one.hit.last].text.endswith("ing"):
        return False
    return reading.tokens[one.hit.last - 1].text in ("shot", "shots", "view", "footage", "camera")


def _is_held(reading: Reading, hit: Hit) -> bool:
    """ "A boy with a camera turns": that camera is a thing in the picture."""
    at = hit.first - 1
    if reading.tokens[hit.first].text == "camera" and at >= 0 and reading.tokens[at].text == "a":
        at -= 1
    return at >= 0 and reading.tokens[hit.first].text == "camera" and reading.tokens[at].text in _HELD


def _is_done_to_someone(reading: Reading, hit: Hit) -> bool:
    """ "把女主推进水里": 把 or 将 with a person and no camera before a verb says what somebody does."""
    for at in range(hit.first - 1, max(-1, hit.first - 1 - _DISPOSED), -1):
        if "camera" in reading.roles(at) or ends_sentence(reading.tokens[at]) or ends_clause(reading.tokens[at]):
            return False
        if reading.tokens[at].text in ("把", "将"):
            return any(reading.names_person(between) for between in range(at + 1, hit.first))
    return False


def _described(reading: Reading, hit: Hit) -> bool:
    """An adjective of speed or amount stands before it."""
    if hit.first == 0:
        return False
    return any(
        (other.entry.speed or other.entry.amount != 1.0) and not reading.tokens[other.last - 1].text.endswith("ly")
        for other in reading.at.get(hit.first - 1, ())
    )


def _may_precede_order(reading: Reading, at: int) -> bool:
    """A word that may stand between the start of an order and its verb; "the swing" is a thing."""
    if at and reading.tokens[at - 1].text in _ARTICLES and reading.parts.tags[at] == "NN" and not _is_shot(reading, at):
        return False
    return any(
        hit.entry.role in _FUNCTION_WORDS
        or hit.entry.speed
        or hit.entry.amount != 1.0
        or hit.entry.camera
        or hit.entry.direction
        or hit.entry.mood
        for hit in reading.at.get(at, ())
    )


def _is_shot(reading: Reading, at: int) -> bool:
    """What stands here is no camera word, or a move by name, which needs no camera to be one."""
    return not any(hit.entry.camera and hit.entry.needs == "camera" for hit in reading.at.get(at, ()))


def _camera_is_subject(reading: Reading, hit: Hit, phrases: list[_CameraPhrase]) -> bool:
    """Going back from the verb, a camera comes before any other doer."""
    recent = {reading.sentence[h.hit.first] for h in phrases[-2:]}
    near = reading.sentence_has(hit.first, _CAMERA) or reading.sentence[hit.first] in recent
    if not near and not _it_is_the_camera(reading, hit, phrases):
        return False  # as the walk would find, at its whole length
    earlier = {h.hit for h in phrases[-2:]}
    doer = False  # a word that may be a doer stands between
    shared = False  # the verb follows "and", "then" or a comma directly: it shares the subject of an earlier verb
    someone = False  # a person stands in the words skipped because of that
    in_turn = False  # 再 stands before it: the next step of who acted before, whatever was shown meanwhile
    at = hit.first - 1
    while at >= 0 and reading.sentence[at] == reading.sentence[hit.first]:
        token, roles = reading.tokens[at], reading.roles(at)
        if "camera" in roles:
            # "shots of dew drops on leaves": what stands between is one noun, and no verb
            return not (at + 3 == hit.first and reading.tokens[at + 1].text == "of")
        if not earlier.isdisjoint(reading.at.get(at, ())):
            # "pulls back to reveal lanterns rising": what stands right before a participle is its subject
            return not (doer and not shared and reading.tokens[hit.first].text.endswith("ing"))
        if token.kind == "quote":
            return False
        if token.text == "it" and phrases and reading.sentence[phrases[-1].hit.first] == reading.sentence[at]:
            return True  # "the camera tilts down, then it rises"
        if shared and reading.names_person(at) and not _is_object(reading, at):
            someone = True
        if "as" in roles and someone:
            return False  # "as she rises and turns": she is the one who turns
        if token.text == ":" and at and "camera" in reading.roles(at - 1):
            return True  # "Camera: a slow push in, then hold"
        if ends_clause(token) or roles & {"as", "and", "then"}:
            if doer and not shared and not in_turn:
                return False
            in_turn = in_turn or ("then" in roles and not doer and is_han(token.text[0]))
            shared = shared or not doer or in_turn
        elif not shared:
            if reading.names_person(at) and not _is_object(reading, at):
                return False
            doer = doer or not _may_precede_order(reading, at)
        at -= 1
    return at >= 0 and _it_is_the_camera(reading, hit, phrases)


def _is_object(reading: Reading, at: int) -> bool:
    """After "on", "of", 从 or 对 a person is not the doer."""
    return any("to" in reading.roles(before) for before in range(max(0, at - 3), at))


def _it_is_the_camera(reading: Reading, hit: Hit, phrases: list[_CameraPhrase]) -> bool:
    """ "The camera starts low. It rises …": the pronoun stands for the camera of the sentence before."""
    first, _ = reading.sentence_bounds(hit.first)
    if reading.tokens[first].text != "it" or not phrases:
        return False
    return reading.sentence[phrases[-1].hit.first] == reading.sentence[hit.first] - 1


def _moves(reading: Reading, hit: Hit) -> list[Move]:
    strength = min(1.0, max(0.1, round(_USUAL * hit.amount, 3)))
    moves = []
    for kind, direction in hit.entry.camera:
        if kind == "rack_focus":
            direction = direction or _focus_goes(reading, hit)
        near = [direction] if direction else _direction_near(reading, hit)
        resolved = [_resolve(kind, near)]
        if kind == "move" and near[1:] and (second := _resolve(kind, near[1:2]))[0] != resolved[0][0]:
            resolved.append(second)  # "up and to the right"
        moves += [
            Move(kind=move, direction=to, speed=hit.speed or "normal", strength=strength, words=reading.written(hit))
            for move, to in resolved
        ]
    return moves


def _focus_goes(reading: Reading, hit: Hit) -> Direction:
    """Where the focus goes: "from the foreground to the distant mountains" out, "to her face" in; "" where nobody
    says."""
    goes: Direction = ""
    han = ""
    for at in range(hit.last, min(hit.last + _FOCUS_REACH, len(reading.tokens))):
        token = reading.tokens[at]
        if ends_sentence(token) or ends_clause(token) or reading.roles(at) & {"then", "as"}:
            break
        han += token.text if token.kind == "han" else " "
        if token.text in _FAR_AWAY:
            goes = "out"
        elif token.text in _NEAR_BY or reading.names_person(at):
            goes = "in"
    places: list[tuple[int, Direction]] = [(han.rfind(word), "out") for word in _FAR_AWAY_ZH]
    places += [(han.rfind(word), "in") for word in _NEAR_BY_ZH]
    last, direction = max(places)
    return direction if last >= 0 else goes


def _resolve(kind: CameraKind, near: Sequence[Direction]) -> tuple[MoveKind, Direction]:
    """The move that a camera word and the first fitting of the directions beside it make together."""
    turned = _BY_DIRECTION.get(kind, {})
    if kind == "move" or kind == "any" or kind == "return":
        return next((turned[direction] for direction in near if direction in turned), ("dolly", "in"))
    for direction in near:
        if direction in turned:
            return turned[direction]
        if direction in DIRECTIONS[kind]:
            return kind, direction
    return kind, _UNSAID.get(kind, "")


def _direction_near(reading: Reading, hit: Hit) -> list[Direction]:
    """Directions said around the verb: those after it first, nearest first, as far as the next camera word."""
    near: list[Direction] = []
    for at in range(hit.last, min(hit.last + _DIRECTION_AFTER, len(reading.tokens))):
        near += [other.entry.direction for other in reading.at.get(at, ()) if other.first == at]
        if not _same_phrase(reading, at, hit):
            break
    for at in range(hit.first - 1, max(-1, hit.first - 1 - _DIRECTION_BEFORE), -1):
        near += [other.entry.direction for other in reading.at.get(at, ()) if other.last - 1 == at]
        if not _same_phrase(reading, at, hit):
            break
    return [direction for direction in near if direction]


def _same_phrase(reading: Reading, at: int, hit: Hit) -> bool:
    """The words on this side of the hit still belong to it at token `at`."""
    token = reading.tokens[at]
    if ends_sentence(token) or (ends_clause(token) and token.text not in "-–") or reading.roles(at) & {"then", "as"}:
        return False
    return not any(other.entry.camera and other is not hit and other.meant for other in reading.at.get(at, ()))


def _drop_contradicting_static(
    reading: Reading, phrases: list[_CameraPhrase], times: Times
) -> tuple[list[_CameraPhrase], tuple[ScriptNote, ...]]:
    """ "Static shot, then a zoom" keeps both, and so do shots and times of their own; "static shot, slow zoom" cannot,
    and the move that was named wins."""
    cuts = [boundary.token for boundary in find_boundaries(reading)]

    def clash(one: _CameraPhrase, other: _CameraPhrase) -> bool:
        a, b = sorted((one.hit, other.hit), key=lambda hit: hit.first)
        return (
            other.moves[0].kind not in (*_LASTING, "rack_focus")
            and times.when(a.first) == times.when(b.first)
            and bisect.bisect_right(cuts, a.first) == bisect.bisect_right(cuts, b.first)
            and not _then_between(reading, a, b)
        )

    dropped = [
        one
        for index, one in enumerate(phrases)
        if one.moves[0].kind == "static" and any(clash(one, other) for other in phrases[max(0, index - 1) : index + 2])
    ]
    kept = [one for one in phrases if one not in dropped]
    if not dropped:
        return kept, ()
    return kept, (ScriptNote("still_and_moving", tuple(reading.written(one.hit) for one in dropped)),)


def _then_between(reading: Reading, earlier: Hit, later: Hit) -> bool:
    return any(
        "then" in reading.roles(at) or reading.tokens[at].kind == "arrow" for at in range(earlier.last, later.first)
    )


def _steps(reading: Reading, phrases: list[_CameraPhrase]) -> list[list[_CameraPhrase]]:
    """Group what happens together. A "then", an opposite move or a new sentence starts a new step."""
    steps: list[list[_CameraPhrase]] = []
    cuts = [boundary.token for boundary in find_boundaries(reading)]
    for one in phrases:
        last = steps[-1][-1].hit if steps else None
        if last is None or bisect.bisect_right(cuts, last.first) != bisect.bisect_right(cuts, one.hit.first):
            steps.append([one])
            continue
        known = [move for h in steps[-1] for move in h.moves]
        if all(any(_same(move, other) for other in known) for move in one.moves):
            _merge_speed(steps[-1], one)
            continue
        lasting = one.moves[0].kind in _LASTING or all(m.kind in _LASTING for m in known)
        apart = (
            _then_between(reading, last, one.hit)
            or any(_opposed(move, other) for move in one.moves for other in known)
            or (reading.sentence[last.first] != reading.sentence[one.hit.first] and not lasting)
        )
        if apart:
            steps.append([one])
        else:
            steps[-1].append(one)
    return steps


def _same(one: Move, other: Move) -> bool:
    return one.kind == other.kind and (one.direction == other.direction or not one.direction)


def _opposed(one: Move, other: Move) -> bool:
    return one.kind == other.kind and one.direction != other.direction and bool(one.direction and other.direction)


def _merge_speed(step: list[_CameraPhrase], again: _CameraPhrase) -> None:
    """A move said twice is one move; its speed may be said only the second time."""
    for move in again.moves:
        for phrase in step:
            for index, known in enumerate(phrase.moves):
                if _same(move, known) and known.speed == "normal" and move.speed != "normal":
                    phrase.moves[index] = replace(known, speed=move.speed)


def _times(steps: list[list[_CameraPhrase]], phrases: list[_CameraPhrase], times: Times) -> list[Step]:
    """Steps as data; where the prompt gives times, what stands under one time is a step."""
    timed: dict[When, list[_CameraPhrase]] = {}
    for one in phrases:
        timed.setdefault(times.when(one.hit.first), []).append(one)
    if set(timed) <= {NO_TIME}:
        return [_step(group) for group in steps]
    return [_step(group, when) for when, group in timed.items()]


def _step(group: list[_CameraPhrase], when: When = NO_TIME) -> Step:
    moves: list[Move] = []
    for one in group:
        moves += [move for move in one.moves if not any(_same(move, known) for known in moves)]
    return Step(tuple(moves), group[0].hit.first, when)
