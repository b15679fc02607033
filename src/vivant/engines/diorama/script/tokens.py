"""A prompt as tokens: English words, single Chinese characters, numbers and marks, each with its place in the text.

It knows how letters are written (width, case, traditional characters, control characters), not what words mean.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Literal, NamedTuple, cast

from vivant.engines.diorama import traditional

LEXICON: Final = files(__package__) / "lexicon"

# Tried in this order. A title's or an abbreviation's full stop does not end a sentence. Each alternative reads a run of
# characters once: one that fails at its end must not be tried again from every character of the run.
_TOKEN: Final = re.compile(
    r"(?P<word>(?:mr|mrs|ms|dr)\.(?=\s)|[vo]\.[os]\.|[a-zà-öø-ÿ]+|'[a-z]+)"
    r"|(?P<number>\d+(?:[.:]\d+)*)"
    r"|(?P<arrow>(?<!-)-+>|(?<!=)=+>|→|➡|⇒)"
    r"|(?P<han>[\u3400-\u4dbf\u4e00-\u9fff々〇])"
    r"|(?P<line>\s+)"  # of which only those with a line break are tokens
    r"|(?P<mark>\.{2,}|\S)"
)
_DECORATION: Final = frozenset("*_#`~\ufe0f")  # markdown and emoji selectors, which say nothing
_SENTENCE_ENDS: Final = frozenset(".!?;。")
_CLAUSE_ENDS: Final = frozenset(",:()[]{}<>/|—–…【】〔〕〈〉\"'")


TokenKind = Literal["word", "number", "arrow", "han", "line", "mark", "quote"]


class Token(NamedTuple):
    """One token. `text` is folded; `start`..`end` are places in the cleaned prompt, in characters."""

    text: str
    start: int
    end: int
    kind: TokenKind


@dataclass(frozen=True, slots=True)
class Quotation:
    """A quoted or titled stretch of the prompt: `start`..`end` with its marks, `inner` without them."""

    start: int
    end: int
    inner: str
    mark: str  # the opening mark


def blank_unreadable(prompt: str) -> str:
    """The prompt with what cannot be read turned into spaces: control and format characters, lone surrogates.

    Same length, so places stay valid; line breaks stay.
    """
    if prompt.isprintable():
        return prompt
    return "".join(c if c == "\n" or unicodedata.category(c) not in _UNREADABLE else " " for c in prompt)


_UNREADABLE: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


def fold(text: str) -> str:
    """Lower case, half width, simplified characters, straight apostrophes; same length as `text`."""
    return text.translate(_folding())


class _Folding(dict[int, int]):
    """What each character is read as, computed at its first use. Always one character for one."""

    def __init__(self, simplified: dict[int, int]) -> None:
        super().__init__(simplified)

    def __missing__(self, code: int) -> int:
        if 0xFF01 <= code <= 0xFF5E:  # full-width ASCII
            folded = self[code - 0xFEE0]
        elif code in (0x2018, 0x2019, 0x02BC, 0x00B4):
            folded = ord("'")
        else:
            lowered = chr(code).lower()
            folded = ord(lowered) if len(lowered) == 1 else code
        self[code] = folded
        return folded


@cache
def _folding() -> _Folding:
    return _Folding(traditional.characters())


def tokenise(folded: str, quotations: tuple[Quotation, ...] = ()) -> tuple[Token, ...]:
    """The tokens of a folded text. Each quotation becomes one token of kind "quote", whatever it holds."""
    tokens: list[Token] = []
    at = 0
    for quotation in quotations:
        tokens += _tokens(folded, at, quotation.start)
        tokens.append(Token("“”", quotation.start, quotation.end, "quote"))
        at = quotation.end
    tokens += _tokens(folded, at, len(folded))
    return tuple(tokens)


def _tokens(folded: str, start: int, end: int) -> list[Token]:
    found = []
    for match in _TOKEN.finditer(folded, start, end):
        kind = cast(TokenKind, match.lastgroup)  # each group of _TOKEN is called like a kind
        text = match.group()
        if kind == "mark":
            if text in _DECORATION:
                continue
            if text == "-" and _joins(folded, match.start()):
                continue  # push-in reads like push in
            if text.startswith(".."):
                text = "…"
            elif text == "】":
                text = ":"  # 【镜头】固定 is a heading as 镜头：固定 is
        elif kind == "line":
            if "\n" not in text:
                continue
            text = "\n"
        elif kind == "word" and text[-1] == ".":
            text = text.replace(".", "")
        found.append(Token(text, match.start(), match.end(), kind))
    return found


def _joins(text: str, at: int) -> bool:
    return 0 < at < len(text) - 1 and text[at - 1].isalnum() and text[at + 1].isalnum()


def ends_sentence(token: Token) -> bool:
    return token.kind == "line" or (token.kind == "mark" and token.text in _SENTENCE_ENDS)


def ends_clause(token: Token) -> bool:
    return token.kind == "arrow" or (token.kind == "mark" and token.text in _CLAUSE_ENDS)


def is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff" or "\u3400" <= character <= "\u4dbf"
