"""Mandarin syllables in pinyin -> Kokoro's symbols: "zhong1" -> "ꭧʊ→ŋ".

The spelling follows the broad transcription that Kokoro's Chinese voices were trained on (misaki's `zh`, which is
pinyin-to-ipa's first variant with tone letters turned into arrows); the tests compare every syllable with it.
"""

from __future__ import annotations

from functools import cache
from typing import Final

TONES: Final = {"1": "→", "2": "↗", "3": "↓", "4": "↘", "5": ""}

# Longest first, so that "zh" is not read as "z".
_INITIALS: Final = {
    "zh": "ꭧ", "ch": "ꭧʰ", "sh": "ʂ", "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n",
    "l": "l", "g": "k", "k": "kʰ", "h": "x", "j": "ʨ", "q": "ʨʰ", "x": "ɕ", "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s",
}  # fmt: skip

# "0" stands where the tone is written: after the vowel or diphthong that carries it.
_FINALS: Final = {
    "a": "a0", "ai": "ai0", "an": "a0n", "ang": "a0ŋ", "ao": "au0", "e": "ɤ0", "ei": "ei0", "en": "ə0n",
    "eng": "ə0ŋ", "i": "i0", "ia": "ja0", "ian": "jɛ0n", "iang": "ja0ŋ", "iao": "jau0", "ie": "je0", "in": "i0n",
    "iou": "jou0", "ing": "i0ŋ", "iong": "jʊ0ŋ", "ong": "ʊ0ŋ", "ou": "ou0", "u": "u0", "uei": "wei0", "ua": "wa0",
    "uai": "wai0", "uan": "wa0n", "uen": "wə0n", "uang": "wa0ŋ", "ueng": "wə0ŋ", "uo": "wo0", "o": "wo0",
    "ü": "y0", "üe": "ɥe0", "üan": "ɥɛ0n", "ün": "y0n",
}  # fmt: skip

# Syllables that are not an initial and a final: er, interjections, syllabic nasals.
_WHOLE: Final = {
    "er": "ɚ0", "o": "ɔ0", "ê": "ɛ0", "yo": "jɔ0", "m": "m0", "n": "n0", "ng": "ŋ0", "hm": "hm0", "hng": "hŋ0",
}  # fmt: skip

# How pinyin spells finals without an initial.
_ZERO_INITIAL: Final = {
    "yi": "i", "ya": "ia", "yan": "ian", "yang": "iang", "yao": "iao", "ye": "ie", "yin": "in", "you": "iou",
    "ying": "ing", "yong": "iong", "wu": "u", "wei": "uei", "wa": "ua", "wai": "uai", "wan": "uan", "wen": "uen",
    "wang": "uang", "weng": "ueng", "wo": "uo", "yu": "ü", "yue": "üe", "yuan": "üan", "yun": "ün", "yai": "ai",
}  # fmt: skip

# Finals that pinyin abbreviates after an initial.
_SHORT: Final = {"iu": "iou", "ui": "uei", "un": "uen"}


@cache
def spell(syllable: str) -> str:
    """Kokoro's symbols of one syllable written as letters and a tone digit 1..5 ("lv4" or "lü4", "de5").

    Raises ValueError if it is not an initial, a final and a tone.
    """
    letters, tone = syllable[:-1].replace("v", "ü").replace("u:", "ü"), syllable[-1:]
    if tone not in TONES:
        raise ValueError(f"{syllable!r} has no tone: a digit 1..5 must end it.")
    return _toneless(letters, syllable).replace("0", TONES[tone])


def is_syllable(text: str) -> bool:
    """Whether `spell` knows it."""
    try:
        spell(text)
    except ValueError:
        return False
    return True


def _toneless(letters: str, syllable: str) -> str:
    if letters in _WHOLE:
        return _WHOLE[letters]
    if letters in _ZERO_INITIAL:
        return _FINALS[_ZERO_INITIAL[letters]]
    initial = next((i for i in _INITIALS if letters.startswith(i)), "")
    final = letters[len(initial) :]
    if initial in ("j", "q", "x") and final.startswith("u"):
        final = "ü" + final[1:]
    final = _SHORT.get(final, final)
    if final == "i" and initial in ("zh", "ch", "sh", "r", "z", "c", "s"):
        return _INITIALS[initial] + "ɨ0"  # the apical vowel
    if final not in _FINALS:
        raise ValueError(f"{syllable!r} is no syllable of Mandarin.")
    return _INITIALS.get(initial, "") + _FINALS[final]
