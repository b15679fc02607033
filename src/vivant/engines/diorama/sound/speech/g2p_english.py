"""English text -> Kokoro's symbols, by hibari's port of misaki (dictionaries, part-of-speech tags, a small net for
unknown words), after normalising what people write in prompts."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any, Final

from vivant.engines.diorama import words_english
from vivant.engines.diorama.sound.speech import heteronyms_english
from vivant.engines.diorama.sound.speech.abbreviations_english import write_out_abbreviations
from vivant.engines.diorama.sound.speech.capitals_english import lower_shouted
from vivant.engines.diorama.sound.speech.figures_english import write_out_figures
from vivant.engines.diorama.sound.speech.roman_english import write_out_roman

# Interjections that are in no dictionary or would be read letter by letter: regular expression -> symbols.
_INTERJECTIONS: Final = {
    r"mm+-?hm+": "mhˈm", r"uh-huh": "ʌhˈʌ", r"sh+": "ʃˈː", r"ps+t": "psˈt", r"h+m{2,}": "hˈəm", r"m{2,}": "mˈː",
    r"a+h+": "ˈɑː", r"o+h+": "ˈO", r"u+gh+": "ˈʌɡ", r"e+w+": "ˈiju", r"br{2,}": "bɹˈː", r"gr{2,}": "ɡɹˈː",
    r"w?h?o+a+h*": "wˈOə", r"y+a+y+": "jˈA", r"a+w+": "ˈɔ", r"u+h+": "ˈʌ", r"e+r+m*": "ˈɜɹ", r"pf+t*": "fˈt",
}  # fmt: skip
_NOISE: Final = re.compile(
    rf"(?<![\w'’\-/\[])(?:{'|'.join(f'({pattern})' for pattern in _INTERJECTIONS)})(?![\w\-/]|['’.]\w)", re.IGNORECASE
)
_CRIES: Final = frozenset({"NO", "GO", "SO", "OH", "AH", "HA", "YO", "HI", "BO"})  # "NOOOO" in small letters' company
_TRIPLED: Final = re.compile(r"((?!A)[A-Z]|)([AE])\2\2")  # AAA, IEEE: "triple A", "I triple E"
_SYMBOLS_SPOKEN: Final = {"@": " at ", "_": " underscore ", "-": " dash ", "/": " slash ", ".": " dot "}
_LONGEST_CHAIN: Final = 16  # pieces
# A word with its symbols, as `_respell` writes it; a word, or the part of it up to the next capital; a number; a sign.
_PIECE: Final = re.compile(
    r"\[[^\]\s]{1,60}\]\(/[^)\s]{1,60}/\)|[A-ZÀ-ÖØ-Þ]+[^\W\d_A-ZÀ-ÖØ-Þ]*|[^\W\d_A-ZÀ-ÖØ-Þ]+|\d+|[^\s\w]|_"
)
_DOMAINS: Final = "com|org|net|io|ai|dev|edu|gov|co|uk|cn|tv|app|info|me"


def phonemize(text: str, *, british: bool = False) -> str:
    """Kokoro's symbols of English text; sentences are joined by a space."""
    return " ".join(filter(None, (_say(s, british) for s in _sentences(normalise(text, british=british)))))


def _say(sentence: str, british: bool) -> str:
    """The symbols of one sentence, as hibari's own call gives them but for words with two readings."""
    from hibari.g2p.normalize import normalize

    sounds = _hibari(british)
    tokens = sounds.tokenize(_break_chains(normalize(sentence)))
    heteronyms_english.choose(tokens, sounds.lexicon.golds, british=british)
    spoken = sounds.phonemize_tokens(tokens)
    return "".join((token.phonemes or "") + (" " if token.whitespace else "") for token in spoken).strip()


def _break_chains(text: str) -> str:
    """`text` with a blank wherever more than 16 words, numbers and signs follow each other without one.

    hibari looks for the pronunciation of every stretch of such a chain, which takes time by the third power of its
    length. "She'll-be-coming-round-the-mountain" has 11; what is broken is no language.
    """
    out: list[str] = []
    end = length = 0
    for piece in _PIECE.finditer(text):
        length = length + 1 if piece.start() == end else 1
        if length > _LONGEST_CHAIN:
            out.append(" ")
            length = 1
        out += [text[end : piece.start()], piece[0]]
        end = piece.end()
    return "".join(out) + text[end:]


def normalise(text: str, *, british: bool = False) -> str:
    """`text` with addresses, figures, numerals and abbreviations in words, shouted words in small letters, drawn-out
    words shortened ("sooo") and interjections ("shhh") as symbols."""
    text = text.replace("[", "(").replace("]", ")")  # hibari takes [word](/symbols/) as a pronunciation
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\.{3,}|…+", "…", text)
    text = re.sub(r"([!?])[!?]+", lambda m: "?" if "?" in m[0] else "!", text)
    text = re.sub(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", lambda m: _address_in_words(m[0]), text)
    web = rf"\b(?:https?://)?(?:www\.)?((?:[\w-]+\.)+(?:{_DOMAINS})\b(?:/[\w/-]*)?)(?:[?#]\S*)?"
    text = re.sub(web, lambda m: _address_in_words(m[1].rstrip("/")), text, flags=re.IGNORECASE)
    text = write_out_roman(text)
    text = lower_shouted(text, lambda word: word in _hibari(british).lexicon.golds)
    text = write_out_abbreviations(text)
    text = write_out_figures(text, lambda letters: _spell(letters, british))
    text = re.sub(r"\b(?:911|999|112)\b(?![,.]?\d)", lambda m: " ".join(m[0]), text)
    text = re.sub(r"\b50/50\b", "fifty-fifty", text)
    text = re.sub(r"\b24/7\b", "twenty-four seven", text)
    text = re.sub(r"\b(\d+)x\b", r"\1 times", text)
    text = re.sub(r"\bNo\. ?(?=\d)", "Number ", text)
    text = re.sub(r"¥ ?(\d[\d,.]*\d|\d)", r"\1 yen", text)
    # Twelve digits and more are read digit by digit, not as an amount.
    text = re.sub(r"\d[\d,]{11,}\d", lambda m: " ".join(m[0].replace(",", "")), text)
    text = re.sub(r"\s+[-–]\s+|\s*—\s*|--+", " — ", text)
    text = _NOISE.sub(_respell_noise, text)
    text = re.sub(r"(?<![\w\[/])[A-Za-z]+(?![\w\]])", lambda m: _shorten(m[0], british), text)
    text = re.sub(r"(?<![\w\[])[^\W\d_]+(?!\w)", _respell, text)
    return re.sub(r"\s+", " ", text).strip()


def _respell(match: re.Match[str]) -> str:
    sound = _listed_readings().get(match[0].lower())
    return f"[{match[0]}](/{sound}/)" if sound else match[0]


@cache
def _listed_readings() -> dict[str, str]:
    text = resources.files(__package__).joinpath("readings_english.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _respell_noise(match: re.Match[str]) -> str:
    letters = match[0].isupper() and len(match[0]) == 2 and match[0][0] == match[0][1]  # "MM" may be an abbreviation
    sound = list(_INTERJECTIONS.values())[(match.lastindex or 1) - 1]
    return match[0] if letters else f"[{match[0]}](/{sound}/)"


def _address_in_words(address: str) -> str:
    return re.sub(r"[@_./-]", lambda m: _SYMBOLS_SPOKEN[m[0]], address).strip()


def _spell(letters: str, british: bool) -> str:
    """Capitals as they are spelled, or read where that is their usual reading (COVID), as hibari's pronunciation."""
    lexicon = _hibari(british).lexicon
    sound = lexicon.golds.get(letters) if len(letters) > 3 else None
    if not isinstance(sound, str):
        sound = lexicon.get_NNP(letters)[0]
    return f"[{letters}](/{sound}/)" if sound else letters


def _shorten(word: str, british: bool) -> str:
    """A drawn-out word in its dictionary spelling: "soooo" -> "so", "cooool" -> "cool". Three equal capitals in an
    abbreviation are spelled, or read as people say them (AAA, IEEE)."""
    if not re.search(r"(?i)([a-z])\1\1", word):
        return word
    lexicon = _hibari(british).lexicon
    if re.fullmatch("(?i)sto+p", word):
        return "stop"  # more often meant than "stoop"
    for kept in (r"\1\1", r"\1"):
        shorter = re.sub(r"(?i)([a-z])\1{2,}", kept, word)
        if shorter.lower() in lexicon.golds and not (word.isupper() and len(shorter) < 3 and shorter not in _CRIES):
            return shorter
    if word.isupper():
        tripled = _TRIPLED.fullmatch(word)
        if tripled is None:
            return word
        before, letter = (_spell(part, british) if part else "" for part in (tripled[1], tripled[2]))
        return f"{before} triple {letter}".strip()
    return re.sub(r"(?i)([a-z])\1{2,}", r"\1\1", word)


def _sentences(text: str) -> list[str]:
    from hibari import Hibari

    sentences: list[str] = Hibari.split_sentences(text)
    return sentences


@cache
def _hibari(british: bool) -> Any:
    """The grapheme-to-phoneme part of hibari, without its voice model: 0.7 s, 60 MB."""
    from hibari.g2p import G2P

    sounds = G2P(british=british)
    sounds.tagger = words_english.load_tagger()  # one for all, instead of its own
    return sounds
