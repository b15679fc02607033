"""What lies in a model's folder is read without loading it, and what could run code is refused. No torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.model_folders import write_model, write_safetensors
from vivant.engines.diffusers.model_folder import Family, read_model_folder
from vivant.errors import Misconfigured


@pytest.mark.parametrize(
    ("kind", "family", "transformers"),
    [
        ("ltx2", Family.LTX2, ("transformer",)),
        ("wan-a14b", Family.WAN_A14B, ("transformer", "transformer_2")),
        ("wan-5b", Family.WAN_5B, ("transformer",)),
    ],
)
def test_the_family_is_told_from_the_index(
    tmp_path: Path, kind: str, family: Family, transformers: tuple[str, ...]
) -> None:
    folder = read_model_folder(write_model(tmp_path, kind))
    assert (folder.family, folder.transformers, folder.width) == (family, transformers, 16)


def test_the_hub_s_names_of_classes_are_known(tmp_path: Path) -> None:
    assert read_model_folder(write_model(tmp_path / "a", _class_name="LTX2Pipeline")).family is Family.LTX2
    five = write_model(tmp_path / "b", "wan-5b", _class_name="WanPipeline")
    assert read_model_folder(five).family is Family.WAN_5B


def test_sizes_are_counted_from_the_headers_at_the_width_they_are_loaded_in(tmp_path: Path) -> None:
    folder = read_model_folder(write_model(tmp_path))
    write_safetensors(tmp_path / "transformer" / "model.safetensors", {"a": ("F32", (1000, 10)), "b": ("I64", (3,))})
    write_safetensors(tmp_path / "vae" / "model-00001-of-00002.safetensors", {"a": ("F8_E4M3", (100,))})
    write_safetensors(tmp_path / "vae" / "model.fp16.safetensors", {"a": ("F16", (10**9,))})  # a variant: not loaded
    sizes = folder.sizes(2)
    assert sizes["transformer"] == 2 * 10_003 and sizes["vae"] == 2 * 1000 + 100 and sizes["vocoder"] == 2000
    assert folder.sizes(4)["transformer"] == 4 * 10_003


def test_full_weights_are_taken_from_their_own_folder_where_there_is_one(tmp_path: Path) -> None:
    write_model(tmp_path)
    assert read_model_folder(tmp_path, recipe="full").parts["transformer"] == "transformer"
    write_safetensors(tmp_path / "transformer_full" / "model.safetensors", {"a": ("BF16", (7,))})
    (tmp_path / "transformer_full" / "config.json").write_text("{}")
    full = read_model_folder(tmp_path, recipe="full")
    assert full.parts["transformer"] == "transformer_full" and full.sizes(2)["transformer"] == 14
    assert read_model_folder(tmp_path).parts["transformer"] == "transformer"


def test_parts_that_are_not_used_are_neither_loaded_nor_counted(tmp_path: Path) -> None:
    write_model(tmp_path, prompt_enhancer=["transformers", "Gemma"], duration_head=["ltx2", "Head"])
    write_safetensors(tmp_path / "prompt_enhancer" / "model.safetensors", {"a": ("BF16", (10**9,))})
    (tmp_path / "prompt_enhancer" / "config.json").write_text("{}")
    folder = read_model_folder(tmp_path)
    assert folder.unused == ("prompt_enhancer", "duration_head") and "prompt_enhancer" not in folder.sizes(2)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.ckpt", "model.pkl"])
def test_weights_that_are_only_pickled_are_refused(tmp_path: Path, name: str) -> None:
    write_model(tmp_path)
    (tmp_path / "text_encoder" / "model.safetensors").unlink()
    (tmp_path / "text_encoder" / name).write_bytes(b"cposix\nsystem")
    with pytest.raises(Misconfigured, match=f"only {name}, which can run code"):
        read_model_folder(tmp_path)


def test_a_folder_with_programs_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / "transformer" / "transformer.py").write_text("import os")
    with pytest.raises(Misconfigured, match=r"holds programs \(transformer/transformer.py\)"):
        read_model_folder(tmp_path)


def test_weights_that_come_from_a_gguf_file_may_be_missing(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / "transformer" / "model.safetensors").unlink()
    with pytest.raises(Misconfigured, match="holds no weights"):
        read_model_folder(tmp_path)
    assert read_model_folder(tmp_path, given=("transformer",)).sizes(2)["transformer"] == 0


@pytest.mark.parametrize(
    "index",
    [
        {"_class_name": "StableDiffusionPipeline"},
        {"_class_name": "WanPipeline"},  # text only
        {"_class_name": None},
        {"vocoder": None},
        {"transformer": ["diffusers"]},
        {"transformer": "diffusers"},
        {"../outside": ["diffusers", "Part"], "transformer": None},
    ],
)
def test_other_pipelines_are_refused_with_those_that_are_known(tmp_path: Path, index: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured, match=r"It knows LTX-2, 2.3 and 2.5, Wan 2.2 I2V A14B and Wan 2.2 TI2V 5B"):
        read_model_folder(write_model(tmp_path, **index))


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, "null", "\x00"])
def test_an_index_that_is_none_is_told_in_words(tmp_path: Path, text: str) -> None:
    write_model(tmp_path)
    (tmp_path / "model_index.json").write_text(text)
    with pytest.raises(Misconfigured, match=r"VIVANT_DIFFUSERS_MODEL: .*JSON"):
        read_model_folder(tmp_path)


def test_a_folder_that_is_none_or_holds_no_model_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="`vivant models pull` fetches models"):
        read_model_folder(tmp_path / "nowhere")
    with pytest.raises(Misconfigured, match=r"with model_index.json in it"):
        read_model_folder(tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1234",
        b"\xff" * 100,
        (2).to_bytes(8, "little") + b"[]",
        (100).to_bytes(8, "little") + b"{",
        (40).to_bytes(8, "little") + json.dumps({"a": {"dtype": "F99", "shape": [1]}}).encode().ljust(40),
        (40).to_bytes(8, "little") + json.dumps({"a": {"dtype": "F32", "shape": "x"}}).encode().ljust(40),
        (40).to_bytes(8, "little") + json.dumps({"a": [1]}).encode().ljust(40),
    ],
)
def test_a_damaged_safetensors_file_is_told_in_words(tmp_path: Path, data: bytes) -> None:
    folder = read_model_folder(write_model(tmp_path))
    (tmp_path / "vae" / "model.safetensors").write_bytes(data)
    with pytest.raises(Misconfigured, match="is no safetensors file, or is not whole"):
        folder.sizes(2)


def test_the_frames_of_every_length_lie_on_each_family_s_grid() -> None:
    for seconds in range(4, 13):
        assert Family.LTX2.frames(seconds) == 24 * seconds + 1 and Family.LTX2.frames(seconds) % 8 == 1
        assert Family.WAN_5B.frames(seconds) == 24 * seconds + 1 and Family.WAN_5B.frames(seconds) % 4 == 1
        assert Family.WAN_A14B.frames(seconds) == 16 * seconds + 1 and Family.WAN_A14B.frames(seconds) % 4 == 1


def test_tokens_are_counted_as_the_models_do() -> None:
    assert Family.LTX2.tokens(1280, 736, 121) == 16 * 40 * 23
    assert Family.WAN_A14B.tokens(1280, 736, 81) == 21 * 80 * 46
    assert Family.WAN_5B.tokens(1280, 736, 121) == 31 * 40 * 23
