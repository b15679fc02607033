"""Setting the engine up: nothing is fetched, the device is found or told, and damaged folders are told in words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.model_folders import write_model
from vivant.engines.registry import load_engine
from vivant.errors import Misconfigured


def test_the_libraries_are_told_that_there_is_no_hub_before_they_are_loaded(tiny_options: Any) -> None:
    code = f"""
import sys
from vivant.engines.registry import load_engine
load_engine("diffusers", {tiny_options("ltx2")!r}).setup()
import huggingface_hub.constants, transformers.utils.hub
print(huggingface_hub.constants.HF_HUB_OFFLINE, transformers.utils.hub.is_offline_mode())
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert answer.stdout.split() == ["True", "True"], answer.stderr


def test_setting_up_prints_nothing_that_a_log_would_be_full_of(tiny_options: Any) -> None:
    code = (
        f'from vivant.engines.registry import load_engine; load_engine("diffusers", {tiny_options("ltx2")!r}).setup()'
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "" and "%|" not in answer.stderr and len(answer.stderr.splitlines()) < 5, answer.stderr


@pytest.mark.parametrize("part", ["transformer", "text_encoder", "vae"])
def test_damaged_weights_are_told_in_words(tiny_models: Any, tiny_options: Any, tmp_path: Path, part: str) -> None:
    folder = shutil.copytree(tiny_models("ltx2"), tmp_path / "damaged")
    (file,) = (folder / part).glob("*.safetensors")
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(Misconfigured, match=r"VIVANT_DIFFUSERS_MODEL: the model in .* could not be loaded"):
        load_engine("diffusers", tiny_options("ltx2", model=str(folder))).setup()


def test_a_folder_that_only_looks_like_a_model_is_told_in_words(tiny_options: Any, tmp_path: Path) -> None:
    write_model(tmp_path)
    with pytest.raises(Misconfigured, match="could not be loaded"):
        load_engine("diffusers", tiny_options("ltx2", model=str(tmp_path))).setup()


def test_pickles_beside_safetensors_are_never_read(tiny_models: Any, tiny_options: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_models("ltx2"), tmp_path / "both")
    (folder / "transformer" / "diffusion_pytorch_model.bin").write_bytes(b"cposix\nsystem\n")
    load_engine("diffusers", tiny_options("ltx2", model=str(folder))).setup()


def test_the_full_recipe_loads_the_full_weights(tiny_models: Any, tiny_options: Any, tmp_path: Path) -> None:
    import torch

    from support.small_orders import generator_of

    folder = shutil.copytree(tiny_models("ltx2"), tmp_path / "two")
    shutil.copytree(folder / "transformer", folder / "transformer_full")
    from safetensors.torch import load_file, save_file

    (file,) = (folder / "transformer_full").glob("*.safetensors")
    save_file({name: tensor + 1 for name, tensor in load_file(file).items()}, file, metadata={"format": "pt"})
    loaded = []
    for recipe in ("distilled", "full"):
        engine = load_engine("diffusers", tiny_options("ltx2", model=str(folder), recipe=recipe))
        engine.setup()
        loaded.append(generator_of(engine)._pipeline.transformer.proj_in.weight)
    assert torch.allclose(loaded[0] + 1, loaded[1])


def test_a_device_that_is_not_there_is_told_with_those_that_are(tiny_options: Any) -> None:
    import torch

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("this machine has a card")
    for device in ("cuda", "rocm", "xpu", "mps"):
        with pytest.raises(Misconfigured, match=f"VIVANT_DIFFUSERS_DEVICE: .* finds no {device}; it finds no card"):
            load_engine("diffusers", tiny_options("ltx2", device=device)).setup()
    with pytest.raises(Misconfigured, match="A CPU takes hours for a clip"):
        load_engine("diffusers", tiny_options("ltx2", device="auto")).setup()


@pytest.mark.parametrize(
    ("hip", "wanted", "worker", "kind", "name"),
    [
        (None, "auto", 0, "cuda", "cuda:0"),
        (None, "cuda", 3, "cuda", "cuda:3"),
        (None, "auto", 5, "cuda", "cuda:1"),
        ("6.4", "auto", 1, "rocm", "cuda:1"),
        ("6.4", "rocm", 0, "rocm", "cuda:0"),
    ],
)
def test_a_worker_has_the_card_of_its_number(
    tiny_models: Any, monkeypatch: pytest.MonkeyPatch, hip: str | None, wanted: str, worker: int, kind: str, name: str
) -> None:
    tiny_models("ltx2")
    import torch

    from vivant.engines.diffusers.device import find_device

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch, "version", SimpleNamespace(hip=hip))
    device = find_device(wanted, worker)
    assert (device.kind, str(device.torch)) == (kind, name) and device.can_offload
    with pytest.raises(Misconfigured, match="it finds"):
        find_device("xpu", 0)


def test_weights_cannot_be_moved_where_there_is_one_memory(tiny_options: Any) -> None:
    with pytest.raises(
        Misconfigured, match=r"VIVANT_DIFFUSERS_MEMORY: group moves weights .* on cpu they are the same"
    ):
        load_engine("diffusers", tiny_options("ltx2", memory="group")).setup()


def test_what_is_free_is_bounded_by_the_process_s_own_limit(tiny_models: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_models("ltx2")
    import resource

    from vivant.engines.diffusers.device import free_ram

    free = free_ram()
    assert free > 0
    monkeypatch.setattr(resource, "getrlimit", lambda which: (2**40 // 1024, resource.RLIM_INFINITY))
    assert free_ram() <= 2**30


def test_every_loaded_part_is_hooked(load_tiny: Any) -> None:
    from support.small_orders import generator_of

    assert generator_of(load_tiny("ltx2"))._checkpoints.count >= 2 + 2 + 1  # transformer, text encoder, connectors
