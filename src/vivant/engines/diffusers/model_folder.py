"""What lies in a model's folder, read without loading it: the family, the parts and their sizes. Refuses a folder that
could run code: weights are safetensors or GGUF, never pickles, and there are no programs.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import prod
from pathlib import Path
from typing import Any, Final

from vivant.errors import Misconfigured

INDEX: Final = "model_index.json"
MOST_INDEX_BYTES: Final = 2**20
MOST_HEADER_BYTES: Final = 100 * 2**20  # of a safetensors file; the format's own limit
UNUSED: Final = ("prompt_enhancer", "processor", "duration_head")  # LTX-2.5's; prompts and lengths are the caller's
PICKLES: Final = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
# Bits of a value in safetensors; what is wider than the dtype is narrowed when it is loaded.
_BITS: Final = {
    "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "I64": 64, "I32": 32, "I16": 16, "I8": 8,
    "U8": 8, "BOOL": 8,
}  # fmt: skip


class Family(StrEnum):
    """What a model is asked in the same way as."""

    LTX2 = "ltx-2"  # first and last picture, sound
    WAN_A14B = "wan-2.2-a14b"  # first and last picture, 16 frames a second, no sound
    WAN_5B = "wan-2.2-5b"  # first picture, no sound

    @property
    def makes_sound(self) -> bool:
        return self is Family.LTX2

    @property
    def takes_last(self) -> bool:
        return self is not Family.WAN_5B

    @property
    def fps(self) -> int:
        """Frames a second that the model makes."""
        return 16 if self is Family.WAN_A14B else 24

    def frames(self, seconds: int) -> int:
        """How many frames it is asked for: 24·s + 1 lies on LTX-2's grid of 8k + 1 and on Wan's of 4k + 1, and so does
        16·s + 1 on the latter."""
        return self.fps * seconds + 1

    def tokens(self, width: int, height: int, frames: int) -> int:
        """Of all latents: what attention runs over."""
        in_time, in_space = {Family.LTX2: (8, 32), Family.WAN_A14B: (4, 16), Family.WAN_5B: (4, 32)}[self]
        return ((frames - 1) // in_time + 1) * (width // in_space) * (height // in_space)


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """parts: name of each part with weights -> its folder. transformers: names of those that denoise. unused: parts
    that the index names and that are not loaded. width: of a token inside the transformer."""

    path: Path
    family: Family
    parts: Mapping[str, str]
    transformers: tuple[str, ...]
    unused: tuple[str, ...]
    width: int

    def sizes(self, value_bytes: int) -> dict[str, int]:
        """Bytes of each part when its numbers are held with at most `value_bytes` each. Raises Misconfigured."""
        return {part: _size_of_part(self.path / folder, value_bytes) for part, folder in self.parts.items()}


def read_model_folder(path: Path, *, recipe: str = "auto", given: tuple[str, ...] = ()) -> ModelFolder:
    """What lies in `path`. recipe: "full" takes the transformer from `transformer_full`, where LTX-2.5 has it. given:
    parts whose weights come from elsewhere, so they may be missing here.

    Raises Misconfigured in words: no folder, no pipeline of diffusers, a family that is not known here, pickles, code.
    """
    if not path.is_dir():
        raise Misconfigured(f"VIVANT_DIFFUSERS_MODEL: there is no folder {path}. `vivant models pull` fetches models.")
    index = _read_json(path / INDEX)
    _refuse_code(path)
    named = [name for name, entry in index.items() if _is_part(path, name, entry)]
    family = _find_family(path, index, named)
    parts = {name: name for name in named if name not in UNUSED}
    transformers = tuple(name for name in ("transformer", "transformer_2") if name in parts)
    if recipe == "full" and (path / "transformer_full").is_dir() and family is Family.LTX2:
        parts["transformer"] = "transformer_full"
    for name, folder in parts.items():
        if name not in given and not any((path / folder).glob("*.safetensors")):
            pickled = sorted(file.name for file in (path / folder).iterdir() if file.suffix in PICKLES)
            held = f"only {', '.join(pickled)}, which can run code when it is read" if pickled else "no weights"
            raise Misconfigured(
                f"VIVANT_DIFFUSERS_MODEL: {path / folder} holds {held}. Weights must be .safetensors (or, for a "
                f"transformer, a GGUF file that VIVANT_DIFFUSERS_GGUF names)."
            )
    width = _width(_read_json(path / parts["transformer"] / "config.json"))
    return ModelFolder(path, family, parts, transformers, tuple(name for name in UNUSED if name in index), width)


def _is_part(path: Path, name: str, entry: Any) -> bool:
    """Whether the index names a part that has weights: a pair of library and class, which has a config of a model."""
    named = isinstance(entry, list) and len(entry) == 2 and all(isinstance(text, str) for text in entry)
    return named and "/" not in name and (path / name / "config.json").is_file()


def _find_family(path: Path, index: Mapping[str, Any], parts: list[str]) -> Family:
    name = str(index.get("_class_name", ""))
    if name.startswith("LTX2") and {"transformer", "vae", "audio_vae", "vocoder"} <= set(parts):
        return Family.LTX2
    if name in ("WanImageToVideoPipeline", "WanPipeline") and {"transformer", "vae"} <= set(parts):
        if index.get("expand_timesteps"):
            return Family.WAN_5B
        if name == "WanImageToVideoPipeline" and "transformer_2" in parts and index.get("boundary_ratio"):
            return Family.WAN_A14B
    raise Misconfigured(
        f"VIVANT_DIFFUSERS_MODEL: {path} holds a pipeline {name or 'without a name'}, which this engine does not know "
        "as a model that begins with a picture. It knows LTX-2, 2.3 and 2.5, Wan 2.2 I2V A14B and Wan 2.2 TI2V 5B as "
        "diffusers saves them."
    )


def _refuse_code(path: Path) -> None:
    programs = sorted(str(file.relative_to(path)) for file in path.rglob("*.py"))
    if programs:
        raise Misconfigured(
            f"VIVANT_DIFFUSERS_MODEL: {path} holds programs ({', '.join(programs[:3])}). Models with code of their own "
            "are not loaded."
        )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(MOST_INDEX_BYTES))
    except OSError as error:
        raise Misconfigured(
            f"VIVANT_DIFFUSERS_MODEL: {path} cannot be read: {error.strerror}. A model's folder is one that diffusers "
            "saved, with model_index.json in it."
        ) from None
    except (ValueError, RecursionError):
        raise Misconfigured(f"VIVANT_DIFFUSERS_MODEL: {path} is not JSON.") from None
    if not isinstance(data, dict):
        raise Misconfigured(f"VIVANT_DIFFUSERS_MODEL: {path} is not a JSON object.")
    return data


def _width(config: Mapping[str, Any]) -> int:
    heads, dimension = config.get("num_attention_heads", 32), config.get("attention_head_dim", 128)
    known = isinstance(heads, int) and isinstance(dimension, int) and 0 < heads * dimension < 2**20
    return heads * dimension if known else 4096


def _size_of_part(part: Path, value_bytes: int) -> int:
    """Of its safetensors files, from their headers; 0 without any. diffusers reads variants (fp16, ema), whose names
    have a further dot, only when they are asked for."""
    files = [file for file in sorted(part.glob("*.safetensors")) if file.name.count(".") == 1]
    return sum(_size_of_file(file, value_bytes) for file in files)


def _size_of_file(path: Path, value_bytes: int) -> int:
    try:
        with path.open("rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            if length > MOST_HEADER_BYTES:
                raise ValueError
            header = json.loads(file.read(length))
        return sum(
            prod(tensor["shape"]) * min(_BITS[tensor["dtype"]], 8 * value_bytes) // 8
            for name, tensor in header.items()
            if name != "__metadata__"
        )
    except OSError as error:
        raise Misconfigured(f"VIVANT_DIFFUSERS_MODEL: {path} cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError, LookupError, AttributeError, struct.error, RecursionError):
        raise Misconfigured(f"VIVANT_DIFFUSERS_MODEL: {path} is no safetensors file, or is not whole.") from None
