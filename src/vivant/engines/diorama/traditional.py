"""Traditional Chinese characters as simplified ones. The tables are in `traditional.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


def simplify(text: str) -> str:
    """`text` with every traditional character as its simplified one, of the same length; all else is unchanged.

    A word that is listed as a whole wins over its characters: 乾淨 becomes 干净, but 乾隆 stays 乾隆.
    """
    words, longest, starts = _words()
    simplified = list(text.translate(characters()))
    at = 0
    while at < len(text):
        length = 1
        if text[at] in starts:
            for size in range(longest, 1, -1):
                word = words.get(text[at : at + size])
                if word is not None:
                    length = len(word)
                    simplified[at : at + length] = word
                    break
        at += length
    return "".join(simplified)


@cache
def characters() -> dict[int, int]:
    """The code of each traditional character -> that of its simplified one."""
    return {ord(pair[0]): ord(pair[1]) for line in _tables()["pairs"] for pair in line.split()}


@cache
def _words() -> tuple[dict[str, str], int, frozenset[str]]:
    """(word -> the same in simplified characters, length of the longest, first characters of all)."""
    both = [entry for line in _tables()["words"] for entry in line.split()]
    words = {entry[: len(entry) // 2]: entry[len(entry) // 2 :] for entry in both}
    return words, max(map(len, words)), frozenset(word[0] for word in words)


@cache
def _tables() -> dict[str, list[str]]:
    text = files(__package__).joinpath("traditional.toml").read_text(encoding="utf-8")
    tables: dict[str, list[str]] = tomllib.loads(text)
    return tables
