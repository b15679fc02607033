"""Text -> Kokoro's phoneme symbols (grapheme to phoneme), in English, Chinese or both."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from typing import Final

from vivant.assets import asset
from vivant.engines.diorama.sound.speech import g2p_chinese, g2p_english
from vivant.engines.diorama.storyboard import Language

_HAN_RUN = re.compile(rf"[{g2p_chinese.HAN}](?:[^A-Za-z]*[{g2p_chinese.HAN}])?[。，！？、；：…]*")
_LATIN_RUN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ](?:[A-Za-zÀ-ÖØ-öø-ÿ'’.\- ]*[A-Za-zÀ-ÖØ-öø-ÿ])?")
# Marks around a word, but not the signs between two figures (3*4, 50%~60%) nor before a short number (#1).
_EMPHASIS: Final = re.compile(
    r"(?<![\d%*~])(?:[*_~`]|#(?!\d{1,3}(?!\w)))+(?=\w)|(?<=\w)[*_`]+(?!\d)|(?<=[^\W\d])[*_`]+"
)


@cache
def vocabulary() -> dict[str, int]:
    """Kokoro's symbols and their token numbers, 1..177."""
    found: dict[str, int] = json.loads(asset("voices/kokoro_vocab.json").read_text(encoding="utf-8"))["vocab"]
    return found


def phonemize(text: str, language: Language, *, british: bool = False) -> str:
    """The pronunciation of `text` in symbols of `vocabulary()`; "" if nothing in it is spoken.

    language: of the line as a whole; it decides how figures are read. Latin words in a Chinese line are read as
    English, Chinese words in an English line as Chinese. british: the accent of English. Emoji, control characters and
    other scripts are not spoken.
    """
    inner = _HAN_RUN if language == "en" else _LATIN_RUN
    text = _strip_unspoken(text)
    if language == "zh":
        text = g2p_chinese.write_out(text)  # before Latin words are taken out: units are Latin letters, too
    pieces, at = [], 0
    for match in inner.finditer(text):
        pieces += [
            _phonemize_main(text[at : match.start()], language, british),
            _phonemize_other(match[0], language, british),
        ]
        at = match.end()
    pieces.append(_phonemize_main(text[at:], language, british))
    known = "".join(c for c in " ".join(pieces) if c in vocabulary())
    known = re.sub(r"\s+([;:,.!?…)”])", r"\1", re.sub(r"\s+", " ", known)).strip()
    return known if any(c.isalpha() for c in known) else ""


def _phonemize_main(text: str, language: Language, british: bool) -> str:
    if language == "en":
        return g2p_english.phonemize(text, british=british) if text.strip() else ""
    return g2p_chinese.phonemize(text)


def _phonemize_other(text: str, language: Language, british: bool) -> str:
    if language == "en":
        return g2p_chinese.phonemize(text)
    return g2p_english.phonemize(text, british=british)


def _strip_unspoken(text: str) -> str:
    """Without emoji, emphasis marks and invisible characters; letters, numerals and squared units (㎏) in ordinary
    characters."""
    narrow = "".join(map(_narrow, unicodedata.normalize("NFC", text)))
    kept = (
        " " if unicodedata.category(c) in ("So", "Sk", "Cs", "Cc", "Cf", "Co", "Mn") and c not in "°℃℉" else c
        for c in narrow
    )
    return _EMPHASIS.sub("", "".join(kept))


def _narrow(c: str) -> str:
    """A full-width letter, a digit of any script, a numeral in another shape (①, Ⅷ, ½) or a squared unit, in ordinary
    characters.

    What a number reader takes for a digit and cannot convert must not reach it. Small raised figures stay: m², km³.
    """
    kind = unicodedata.category(c)
    if kind == "Nd":
        return str(unicodedata.decimal(c))
    if kind in ("No", "Nl") and c not in "²³〇":
        plain = unicodedata.normalize("NFKC", c).replace("\u2044", "/")
        return f" {plain} " if all(p.isascii() or "\u3400" <= p <= "\u9fff" for p in plain) else " "
    if 0xFF01 <= ord(c) <= 0xFF5E and c.isalnum():
        return chr(ord(c) - 0xFEE0)
    return unicodedata.normalize("NFKC", c) if 0x3380 <= ord(c) <= 0x33DF else c
