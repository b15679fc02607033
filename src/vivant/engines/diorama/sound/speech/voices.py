"""The table of voices, and the style vector by which the model speaks with one of them. Knows no text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import numpy as np

from vivant.assets import asset
from vivant.engines.diorama.checks import check_choice, check_number, check_type
from vivant.engines.diorama.storyboard import Age, Gender, Language
from vivant.media import F32

TABLE_ROWS: Final = 510  # a voice has one style per number of symbols, 1..510


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One voice. `script/casting.py` chooses among them; a test checks that the two agree.

    british: accent of its English. tables: share of each Kokoro voice table in its timbre; the shares sum to 1, empty
    means its own table. melody: the same for intonation and rhythm; empty means as `tables`. semitones: how far pitch
    and formants are raised after synthesis. Raises ValueError for others.
    """

    language: Language
    gender: Gender
    age: Age
    british: bool = False
    tables: Mapping[str, float] = field(default_factory=dict)
    melody: Mapping[str, float] = field(default_factory=dict)
    semitones: float = 0.0

    def __post_init__(self) -> None:
        check_choice("Voice.language", self.language, Language)
        check_choice("Voice.gender", self.gender, Gender)
        check_choice("Voice.age", self.age, Age)
        check_type("Voice.british", self.british, bool)
        for name, shares in (("tables", self.tables), ("melody", self.melody)):
            if shares and abs(sum(shares.values()) - 1) > 1e-6:
                raise ValueError(f"Voice.{name} must have shares that sum to 1; they sum to {sum(shares.values())}.")
        check_number("Voice.semitones", self.semitones, -12, 12)


# Where the mixed voices come from, and their measured pitch: docs/decisions/0040-kokoro-for-speech.md.
VOICES: Final[dict[str, Voice]] = {
    "af_heart": Voice(language="en", gender="woman", age="adult"),  # warm
    "af_bella": Voice(language="en", gender="woman", age="young"),  # lively
    "bf_emma": Voice(language="en", gender="woman", age="adult", british=True),
    "am_michael": Voice(language="en", gender="man", age="adult"),  # calm
    "am_fenrir": Voice(language="en", gender="man", age="young"),  # lively
    "bm_george": Voice(language="en", gender="man", age="adult", british=True),
    "zf_xiaoxiao": Voice(language="zh", gender="woman", age="adult"),  # warm
    "zf_xiaobei": Voice(language="zh", gender="woman", age="adult"),
    "zf_xiaoyi": Voice(language="zh", gender="woman", age="young"),  # lively
    "zm_yunxi": Voice(language="zh", gender="man", age="young"),
    "zm_yunjian": Voice(language="zh", gender="man", age="adult"),  # deep
    "zm_yunxia": Voice(language="zh", gender="man", age="child"),
    # Kokoro has no child in English: mixed with the tables of its Chinese boy, two of its women sound like children.
    "en_girl": Voice(
        language="en",
        gender="woman",
        age="child",
        tables={"af_heart": 0.7, "zf_xiaoyi": 0.3},
        melody={"af_heart": 0.4, "zf_xiaoyi": 0.3, "zm_yunxia": 0.3},
        semitones=2.0,
    ),
    "en_boy": Voice(
        language="en",
        gender="man",
        age="child",
        tables={"af_bella": 0.5, "zm_yunxia": 0.5},
        melody={"af_bella": 0.3, "zm_yunxia": 0.7},
        semitones=1.0,
    ),
    "en_grandmother": Voice(
        language="en", gender="woman", age="old", tables={"af_heart": 0.6, "bf_emma": 0.4}, semitones=-1.6
    ),
    "en_grandfather": Voice(
        language="en", gender="man", age="old", tables={"am_michael": 0.6, "bm_george": 0.4}, semitones=-1.5
    ),
    "zh_girl": Voice(
        language="zh", gender="woman", age="child", tables={"zf_xiaoyi": 0.5, "zf_xiaoxiao": 0.5}, semitones=1.5
    ),
    # A third man: between the two of Kokoro, for its only other one is a boy.
    "zh_man": Voice(
        language="zh",
        gender="man",
        age="adult",
        tables={"zm_yunxi": 0.5, "zm_yunjian": 0.5},
        melody={"zm_yunxi": 0.3, "zm_yunjian": 0.7},
        semitones=0.8,
    ),
    "zh_grandmother": Voice(
        language="zh", gender="woman", age="old", tables={"zf_xiaoxiao": 0.6, "zf_xiaobei": 0.4}, semitones=-1.8
    ),
    "zh_grandfather": Voice(language="zh", gender="man", age="old", tables={"zm_yunjian": 1.0}, semitones=-1.2),
}


def make_style(name: str, symbols: int) -> F32:
    """The style vector of a voice for a text of so many symbols (1..510): float32 (256,).

    The first half sets the timbre, the second half pitch, rhythm and intonation.
    Raises KeyError for a name that is not in VOICES.
    """
    voice = VOICES[name]
    timbre = voice.tables or {name: 1.0}
    row = min(max(symbols, 1), TABLE_ROWS) - 1
    return np.concatenate([_mix_tables(timbre, row)[:128], _mix_tables(voice.melody or timbre, row)[128:]])


def _mix_tables(shares: Mapping[str, float], row: int) -> F32:
    """Row `row` of the tables, weighted by their shares: float32 (256,)."""
    rows = [np.float32(share) * _tables()[table][row] for table, share in shares.items()]
    return np.asarray(sum(rows), np.float32)


@cache
def _tables() -> dict[str, F32]:
    """Name of a Kokoro voice -> float32 (510, 256): a style vector for each number of symbols."""
    with asset("voices/kokoro_voices.npz").open("rb") as file, np.load(file) as voices:
        return {name: voices[name].astype(np.float32) for name in voices.files}
