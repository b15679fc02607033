"""The lexicon: what words and phrases mean, read from lexicon/*.toml, and how to find them among tokens.

Each `[[word]]` lists phrases in English (`en`) and Chinese (`zh`) that mean the same. In English, `~` before a word
stands for all its forms: `~pan left` finds pan, pans, panned and panning left; "one's" for her, his, the …
or nothing, `[warm|cosy]` for each of its words and `[soft|]` for soft or nothing. docs/prompting.md explains the rest.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Final, Literal

import msgspec

from vivant.engines.diorama.script.notes import load_sentences
from vivant.engines.diorama.script.tokens import LEXICON, Token, fold, tokenise
from vivant.engines.diorama.storyboard import (
    ActionKind,
    Age,
    Angle,
    BodyActionKind,
    CueKind,
    Direction,
    Gender,
    LightKind,
    Mood,
    MotionKind,
    MotionLook,
    MoveKind,
    ShotSize,
    Style,
    Target,
    Tone,
)  # fmt: skip

# What a word does in a sentence. not, near: deny what follows (near: only close by). nothing: only looks like a word
# that means something. but, as: start a new clause. then: starts what comes later. like, as_if: compare. ends: says
# that it is over. hear: what follows is heard. mention: what follows is not in the scene (a poster of the sea).
# camera: a noun for it. to: what follows is no subject. greeting: is spoken without quotation marks. heading, field:
# names what follows a colon, which is speech or another value. talk: someone speaks. anyone, nobody: nouns for no
# particular person, or for none. noise: a sound written out. again: it happens more than once.
Role = Literal[
    "not", "near", "nothing", "but", "like", "as_if", "ends", "hear", "mention", "camera", "to", "then", "as", "and",
    "or", "filler", "very", "adverb", "greeting", "heading", "talk", "field", "anyone", "nobody", "noise", "again", "",
]  # fmt: skip
PersonKind = Literal["someone", "animal", "voice"]
Place = Literal["left", "middle", "right", ""]  # of a person in the picture
# "move": its direction says which move; "any": only "no camera move"; "return": the move before, the other way
CameraKind = MoveKind | Literal["move", "any", "return"]

_NOT_WORDS: Final = frozenset({"cloth.toml", "forms.toml", "doings.toml", "travel.toml"})
_SKIPS: Final = 2  # adverbs that may stand inside an English phrase: "push very slowly in"
# What makes a verb go on or begin, and may stand inside an English phrase too: "the sun is slowly setting".
_PROGRESS: Final = frozenset({"is", "are", "was", "were"})
_BEGINS: Final = frozenset({"begin", "begins", "start", "starts", "began", "started", "keep", "keeps", "beginning"})
_SPLITS: Final = 4  # characters inside a Chinese one: 皱了一下眉
# What "one's" in a phrase stands for, beside nothing at all.
_POSSESSIVES: Final = frozenset({"her", "his", "their", "its", "my", "your", "our"})
_WHOSE: Final = _POSSESSIVES | {"the", "a", "an", "both"}
# Characters that Chinese puts between a verb and its object; the verb itself may stand there again: 点点头, 点了点头.
_SPLITTERS: Final = frozenset("了着过一下起个口声上")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """What a family of words means. Empty fields mean nothing; one entry may mean several things at once."""

    source: str  # file and number, for messages
    camera: tuple[tuple[CameraKind, Direction], ...] = ()  # performed together; written "kind" or "kind direction"
    motion: dict[MotionKind, float] = field(default_factory=dict)  # kind -> strength
    light: dict[LightKind, float] = field(default_factory=dict)  # kind -> strength
    describes: bool = False  # the words may only say which light the picture shows
    look: MotionLook = ""  # of the motion
    sound: dict[CueKind, float] = field(default_factory=dict)  # kind -> strength
    place: bool = False  # the sound is that of a place or thing which the words name, and nobody asks for it
    music: Style | Literal["ask"] = ""  # "ask": any music
    mood: Mood | Literal[""] = ""  # of music
    action: ActionKind | Literal[""] = ""
    body: BodyActionKind | Literal[""] = ""  # of an animal
    seen: Literal["up", "down", "away", "each other", ""] = ""  # where one looks to see it
    cannot: str = ""  # a name in notes.toml: what to tell the user instead
    is_sound: bool = False  # what cannot be done is a sound: not worth a note in a clip without sound
    speech: bool = False  # a verb of saying
    sung: bool = False  # of singing
    tone: Tone | Literal[""] = ""
    writing: Literal["noun", "verb", "title", ""] = ""  # "noun": bears writing; "verb": is written
    person: PersonKind | Literal["pronoun", "body", ""] = ""
    gender: Gender = ""
    usually: Gender = ""  # as what readers take a noun of open gender, unless a pronoun says otherwise
    age: Age | Literal[""] = ""
    accent: str = ""
    face: Place = ""  # where a person is
    speed: Literal["slow", "fast", ""] = ""
    amount: float = 1.0  # multiplies the strength of the word it belongs to
    direction: Direction = ""
    size: ShotSize = ""  # of a shot
    target: Target = ""  # what a shot may be framed on
    angle: Angle = ""
    # A new shot begins here. soft: by a dissolve; reverse: on the other person; many: several, no matter how many.
    cut: Literal["hard", "soft", "reverse", "many", ""] = ""
    role: Role = ""
    # What falls silent ("beds": music and effects), or "picture": nothing moves that is not named.
    mute: Literal["music", "effects", "beds", "all", "picture", ""] = ""
    # As things to speak of: "no sound effects" silences the topic effects.
    topic: Literal["music", "effects", "speech", "all", ""] = ""
    needs: Literal["camera", "order", "thing", ""] = ""  # what must stand before it
    unless: tuple[str, ...] = ()  # not if one of these phrases (tokens joined by blanks) is in the sentence

    @property
    def rank(self) -> int:
        """Who wins between phrases of one length: lookalikes, then people and things, then degrees and grammar."""
        if self.role == "nothing":
            return 0
        says = (
            self.camera
            or self.motion
            or self.light
            or self.sound
            or self.music
            or self.action
            or self.body
            or self.cannot
            or self.person
            or self.cut
            or self.size
        )
        return 1 if says or not (self.speed or self.amount != 1.0 or self.role) else 2


class Node:
    """One step of the phrases: what may follow, and what ends here."""

    __slots__ = ("entries", "next")

    def __init__(self) -> None:
        self.next: dict[str, Node] = {}
        self.entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PhraseMatch:
    """Tokens first..last-1 are a phrase of these entries."""

    first: int
    last: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """All phrases as a tree of tokens, and the adverbs that may stand inside a phrase."""

    root: Node
    adverbs: frozenset[str]
    phrases: dict[str, tuple[str, ...]]  # field -> phrases as written, for the documents

    def find(self, tokens: Sequence[Token]) -> list[PhraseMatch]:
        """Every phrase that stands in the tokens, the longest where they overlap, in order."""
        candidates: list[tuple[PhraseMatch, tuple[int, ...]]] = []
        for start in range(len(tokens)):
            self._walk(tokens, (), start, self.root, candidates)
        # A lookalike stands for itself alone: "a pan" is none in "a slow pan".
        candidates = [c for c in candidates if len(c[1]) == c[0].last - c[0].first or min(e.rank for e in c[0].entries)]
        # The longest first; between equals what says "this is something else", then what says more, then the earlier.
        candidates.sort(key=lambda c: (-len(c[1]), min(e.rank for e in c[0].entries), c[0].first))
        taken: set[int] = set()
        chosen = []
        for found, places in candidates:
            if taken.isdisjoint(places):
                taken.update(places)
                chosen.append(found)
        return sorted(chosen, key=lambda c: (c.first, c.last))

    def _walk(
        self,
        tokens: Sequence[Token],
        places: tuple[int, ...],
        at: int,
        node: Node,
        out: list[tuple[PhraseMatch, tuple[int, ...]]],
        *,
        loose: bool = False,
    ) -> None:
        """Follow the phrases from `node` at token `at`; `places` are the tokens that matched so far. loose: other words
        than known adverbs stand between them; only what people do is found in this way."""
        while at < len(tokens):
            token = tokens[at]
            if places:
                skipped = at - places[0] - len(places)
                if verb := self._skip_to_verb(tokens, at):
                    self._walk(tokens, places, verb, node, out, loose=loose)
                elif token.text in self.adverbs and skipped < _SKIPS:
                    self._walk(tokens, places, at + 1, node, out, loose=loose)
                elif _may_stand_inside(tokens, places[-1], at) and skipped < (
                    _SPLITS if token.kind == "han" else _SKIPS
                ):
                    self._walk(tokens, places, at + 1, node, out, loose=True)
            if token.text in _WHOSE and "one's" in node.next:
                self._walk(tokens, (*places, at), at + 1, node.next["one's"], out, loose=loose)
            child = node.next.get(token.text)
            if child is None:
                return
            node, places, at = child, (*places, at), at + 1
            entries = tuple(e for e in node.entries if e.action or e.body or e.cannot) if loose else node.entries
            if entries:
                out.append((PhraseMatch(places[0], at, entries), places))

    def _skip_to_verb(self, tokens: Sequence[Token], at: int) -> int:
        """The token of the verb that "is", "begins to" and the like at token `at` lead to; 0: they lead to none. What
        is after "is" must go on, "is setting": "the lights are dim" tells how they are."""
        known = tokens[at].text in _BEGINS or tokens[at].text in _PROGRESS
        if not known or at + 1 >= len(tokens):
            return 0
        to = tokens[at].text in _BEGINS and tokens[at + 1].text == "to"
        verb = at + 2 if to else at + 1
        while verb < len(tokens) and verb - at <= _SKIPS + 1 and tokens[verb].text in self.adverbs:
            verb += 1
        return verb if verb < len(tokens) and (to or tokens[verb].text.endswith("ing")) else 0


def _may_stand_inside(tokens: Sequence[Token], before: int, at: int) -> bool:
    """Token `at` may stand inside a phrase without being part of it: 皱了皱眉, "turns abruptly away", "closes her tired
    eyes". before: the last token that belongs to the phrase."""
    token, last = tokens[at], tokens[before]
    if token.kind == "han":
        return last.kind == "han" and (token.text in _SPLITTERS or token.text == last.text)
    described = before == at - 1 and last.text in _POSSESSIVES
    return token.kind == "word" and (described or token.text[-2:] == "ly")


@cache
def load_lexicon() -> Lexicon:
    """The lexicon that ships. Raises ValueError, naming the place, when an entry cannot be understood."""
    root = Node()
    adverbs: set[str] = set()
    phrases: dict[str, list[str]] = {}
    forms = load_forms()
    for path in sorted(LEXICON.iterdir(), key=lambda p: p.name):
        if not path.name.endswith(".toml") or path.name in _NOT_WORDS:
            continue
        for number, raw in enumerate(tomllib.loads(path.read_text(encoding="utf-8"))["word"], start=1):
            entry, written = _entry(f"{path.name}, word {number}", raw, forms)
            for phrase in written:
                for row in _rows(phrase, forms):
                    _add_phrase(root, row, entry)
                    if len(row) == 1 and (entry.speed or entry.amount != 1.0 or entry.role == "adverb"):
                        adverbs.add(row[0])
            for name in raw:
                phrases.setdefault(name, []).extend(written)
    return Lexicon(root, frozenset(adverbs), {name: tuple(found) for name, found in phrases.items()})


def forms_of(word: str) -> frozenset[str]:
    """The word with its -s, -ed and -ing, by the rules of spelling. What breaks them is in lexicon/forms.toml."""
    if re.search(r"(?:[sxz]|ch|sh|o)$", word):
        third = word + "es"
    else:
        third = word[:-1] + "ies" if re.search(r"[^aeiou]y$", word) else word + "s"
    if word.endswith("ie"):
        past, present = word + "d", word[:-2] + "ying"
    elif re.search(r"[^eyo]e$", word):
        past, present = word + "d", word[:-1] + "ing"
    elif re.search(r"[^aeiou]y$", word):
        past, present = word[:-1] + "ied", word + "ing"
    elif re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", word):  # one short syllable: pan, panned
        past, present = word + word[-1] + "ed", word + word[-1] + "ing"
    else:
        past, present = word + ("d" if word.endswith("e") else "ed"), word + "ing"
    return frozenset({word, third, past, present})


def load_forms() -> dict[str, list[str]]:
    loaded: dict[str, list[str]] = tomllib.loads((LEXICON / "forms.toml").read_text(encoding="utf-8"))
    return loaded


def expand(phrase: str) -> tuple[str, ...]:
    """The phrases that one with `[this|that]` in it stands for: one for each choice."""
    parts = [part.split("|") for part in re.split(r"[\[\]]", phrase)]
    return tuple(dict.fromkeys(" ".join("".join(chosen).split()) for chosen in itertools.product(*parts)))


def _rows(phrase: str, forms: dict[str, list[str]]) -> Iterable[tuple[str, ...]]:
    """The phrase as rows of token texts: one per form of the word after `~`, with "one's" and without it."""
    before, whose, after = phrase.partition("one's ")
    if whose:
        for row in _rows(before, forms):
            for end in _rows(after, forms):
                yield (*row, "one's", *end)
                yield (*row, *end)
        return
    base, mark, rest = phrase.partition("~")
    if not mark:
        yield tuple(token.text for token in tokenise(fold(phrase)))
        return
    word, _, after = rest.partition(" ")
    for form in sorted(forms_of(word) | set(forms.get(word, ()))):
        yield from _rows(f"{base}{form} {after}", forms)


def _add_phrase(root: Node, row: tuple[str, ...], entry: Entry) -> None:
    node = root
    for text in row:
        node = node.next.setdefault(text, Node())
    if entry not in node.entries:
        node.entries = (*node.entries, entry)


_KNOWN: Final = frozenset(f.name for f in fields(Entry)) - {"source"} | {"en", "zh"}


def _entry(source: str, raw: dict[str, Any], forms: dict[str, list[str]]) -> tuple[Entry, list[str]]:
    unknown = sorted(set(raw) - _KNOWN)
    if unknown:
        raise ValueError(f"{source}: {', '.join(unknown)} is not known; known: {', '.join(sorted(_KNOWN))}.")
    written = [one for phrase in (*raw.get("en", ()), *raw.get("zh", ())) for one in expand(phrase)]
    if not written:
        raise ValueError(f"{source}: an entry needs words, `en` or `zh`.")
    meaning = {name: value for name, value in raw.items() if name not in ("en", "zh")}
    if "camera" in meaning:
        moves = [meaning["camera"]] if isinstance(meaning["camera"], str) else meaning["camera"]
        meaning["camera"] = [(move.partition(" ")[0], move.partition(" ")[2]) for move in moves]
    if "unless" in meaning:
        meaning["unless"] = [
            " ".join(row) for phrase in meaning["unless"] for one in expand(phrase) for row in _rows(one, forms)
        ]
    if meaning.get("cannot", "more") not in load_sentences():
        raise ValueError(f"{source}: cannot must be a name in notes.toml; it is {meaning['cannot']!r}.")
    try:
        return msgspec.convert({"source": source, **meaning}, Entry), written
    except msgspec.ValidationError as error:
        raise ValueError(f"{source}: {error}") from error
