"""The voices: who speaks how, which one fits a speaker, and the style a voice gives the model. Knows no text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Final

import numpy as np

from vivant.engines.diorama.storyboard import Age, Gender, Language, Speaker
from vivant.media import F32

TABLE_ROWS: Final = 510  # a voice has one style per number of symbols, 1..510


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """tables: share of each Kokoro voice in its colour; the shares sum to 1; empty: its own. melody: the same for how
    it rises, falls and hurries; empty: as `tables`. semitones: how far it is raised afterwards, with its formants, as
    a smaller throat would."""

    who: str
    language: Language
    gender: Gender
    age: Age
    british: bool = False
    tables: Mapping[str, float] = field(default_factory=dict)
    melody: Mapping[str, float] = field(default_factory=dict)
    semitones: float = 0.0
    speed: float = 1.0


# Median pitches measured at speed 1: see docs/decisions/0040-kokoro-for-speech.md.
VOICES: Final[dict[str, Voice]] = {
    "af_heart": Voice(who="a warm woman", language="en", gender="woman", age="adult"),
    "af_bella": Voice(who="a lively young woman", language="en", gender="woman", age="young"),
    "bf_emma": Voice(who="a British woman", language="en", gender="woman", age="adult", british=True),
    "am_michael": Voice(who="a calm man", language="en", gender="man", age="adult"),
    "am_fenrir": Voice(who="a lively young man", language="en", gender="man", age="young"),
    "bm_george": Voice(who="a British man", language="en", gender="man", age="adult", british=True),
    "zf_xiaoxiao": Voice(who="a warm woman", language="zh", gender="woman", age="adult"),
    "zf_xiaobei": Voice(who="a woman", language="zh", gender="woman", age="adult"),
    "zf_xiaoyi": Voice(who="a lively young woman", language="zh", gender="woman", age="young"),
    "zm_yunxi": Voice(who="a young man", language="zh", gender="man", age="young"),
    "zm_yunjian": Voice(who="a man with a deep voice", language="zh", gender="man", age="adult"),
    "zm_yunxia": Voice(who="a boy", language="zh", gender="man", age="child"),
    # Made of the above. No English table is a child's: the melody of Kokoro's Chinese boy makes one.
    "en_girl": Voice(
        who="a girl",
        language="en",
        gender="woman",
        age="child",
        tables={"af_heart": 0.7, "zf_xiaoyi": 0.3},
        melody={"af_heart": 0.4, "zf_xiaoyi": 0.3, "zm_yunxia": 0.3},
        semitones=2.0,
    ),
    "en_boy": Voice(
        who="a boy",
        language="en",
        gender="man",
        age="child",
        tables={"af_bella": 0.5, "zm_yunxia": 0.5},
        melody={"af_bella": 0.3, "zm_yunxia": 0.7},
        semitones=1.0,
    ),
    "en_grandmother": Voice(
        who="an old woman",
        language="en",
        gender="woman",
        age="old",
        tables={"af_heart": 0.6, "bf_emma": 0.4},
        semitones=-1.6,
    ),
    "en_grandfather": Voice(
        who="an old man",
        language="en",
        gender="man",
        age="old",
        tables={"am_michael": 0.6, "bm_george": 0.4},
        semitones=-1.5,
    ),
    "zh_girl": Voice(
        who="a girl",
        language="zh",
        gender="woman",
        age="child",
        tables={"zf_xiaoyi": 0.5, "zf_xiaoxiao": 0.5},
        semitones=1.5,
    ),
    "zh_grandmother": Voice(
        who="an old woman",
        language="zh",
        gender="woman",
        age="old",
        tables={"zf_xiaoxiao": 0.6, "zf_xiaobei": 0.4},
        semitones=-1.8,
    ),
    "zh_grandfather": Voice(
        who="an old man",
        language="zh",
        gender="man",
        age="old",
        tables={"zm_yunjian": 1.0},
        semitones=-1.2,
    ),
}

# The first is the default; a second speaker of the same kind gets the next.
_FITTING: Final[dict[tuple[Language, Gender, Age], tuple[str, ...]]] = {
    ("en", "woman", "adult"): ("af_heart", "bf_emma", "af_bella"),
    ("en", "woman", "young"): ("af_bella", "af_heart", "bf_emma"),
    ("en", "woman", "child"): ("en_girl", "en_boy"),
    ("en", "woman", "old"): ("en_grandmother", "bf_emma"),
    ("en", "man", "adult"): ("am_michael", "bm_george", "am_fenrir"),
    ("en", "man", "young"): ("am_fenrir", "am_michael", "bm_george"),
    ("en", "man", "child"): ("en_boy", "en_girl"),
    ("en", "man", "old"): ("en_grandfather", "bm_george"),
    ("zh", "woman", "adult"): ("zf_xiaoxiao", "zf_xiaobei", "zf_xiaoyi"),
    ("zh", "woman", "young"): ("zf_xiaoyi", "zf_xiaoxiao", "zf_xiaobei"),
    ("zh", "woman", "child"): ("zh_girl", "zm_yunxia"),
    ("zh", "woman", "old"): ("zh_grandmother", "zf_xiaobei"),
    ("zh", "man", "adult"): ("zm_yunjian", "zm_yunxi"),
    ("zh", "man", "young"): ("zm_yunxi", "zm_yunjian"),
    ("zh", "man", "child"): ("zm_yunxia", "zh_girl"),
    ("zh", "man", "old"): ("zh_grandfather", "zm_yunjian"),
}


def fitting(speaker: Speaker, language: Language, taken: tuple[str, ...] = ()) -> str:
    """The name of the voice for a speaker; one that is not `taken` while there is one.

    Unknown gender: a woman's voice for English and Chinese alike, a girl's or a boy's in turn for a child.
    """
    own = _FITTING[language, speaker.gender or "woman", speaker.age]
    other = _FITTING[language, "man" if (speaker.gender or "woman") == "woman" else "woman", speaker.age]
    candidates = own if speaker.gender else own + other
    return next((name for name in candidates if name not in taken), candidates[0])


def style(name: str, symbols: int) -> F32:
    """float32 (256,): the first half colours the sound, the second half shapes the melody. symbols: 1..510.

    Raises KeyError for a name that is not in VOICES.
    """
    voice = VOICES[name]
    colour = voice.tables or {name: 1.0}
    row = min(max(symbols, 1), TABLE_ROWS) - 1
    return np.concatenate([_mix_tables(colour, row)[:128], _mix_tables(voice.melody or colour, row)[128:]])


def _mix_tables(shares: Mapping[str, float], row: int) -> F32:
    rows = [np.float32(share) * _tables()[table][row] for table, share in shares.items()]
    return np.asarray(sum(rows), np.float32)


@cache
def _tables() -> dict[str, F32]:
    """Kokoro voice -> float32 (510, 256)."""
    path = resources.files("vivant.assets") / "voices" / "kokoro_voices.npz"
    with path.open("rb") as file, np.load(file) as voices:
        return {name: voices[name].astype(np.float32) for name in voices.files}
