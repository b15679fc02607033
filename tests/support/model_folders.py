"""Folders that look like a model's, for tests that load nothing: real indexes and safetensors headers, no torch."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

LTX2_PARTS: Final = ("audio_vae", "connectors", "text_encoder", "transformer", "vae", "vocoder")
WAN_PARTS: Final = ("text_encoder", "transformer", "transformer_2", "vae")


def write_safetensors(path: Path, tensors: Mapping[str, tuple[str, Sequence[int]]]) -> None:
    """A file of these dtypes and shapes; its numbers are zeros, and not written out."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, (dtype, shape) in tensors.items():
        size = 2 if "16" in dtype else 1 if "8" in dtype else 4
        for side in shape:
            size *= side
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + offset)


def write_model(folder: Path, kind: str = "ltx2", **index: Any) -> Path:
    """kind: one of tiny_models.KINDS. index: changes to model_index.json. Each part has 1000 numbers."""
    ltx2 = kind == "ltx2"
    parts = LTX2_PARTS if ltx2 else WAN_PARTS if kind == "wan-a14b" else tuple(p for p in WAN_PARTS if p[-1] != "2")
    given: dict[str, Any] = {"_class_name": "LTX2ConditionPipeline" if ltx2 else "WanImageToVideoPipeline"}
    given |= {part: ["diffusers", "Part"] for part in parts}
    given |= {"scheduler": ["diffusers", "Scheduler"]}
    own: dict[str, dict[str, Any]] = {"wan-a14b": {"boundary_ratio": 0.9}, "wan-5b": {"expand_timesteps": True}}
    given |= own.get(kind, {})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model_index.json").write_text(json.dumps({k: v for k, v in (given | index).items() if v is not None}))
    for part in parts:
        write_safetensors(folder / part / "model.safetensors", {"weight": ("BF16", (10, 100))})
        (folder / part / "config.json").write_text(json.dumps({"num_attention_heads": 2, "attention_head_dim": 8}))
    return folder
