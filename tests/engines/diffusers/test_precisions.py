"""Weights in 8 bits, from GGUF files, in groups; frames in tiles: each makes a film with the real machinery."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.small_orders import generator_of, make_order
from support.tiny_models import make_tiny_gguf
from vivant.engines.base import NullWatch
from vivant.engines.registry import load_engine
from vivant.errors import Misconfigured
from vivant.media import U8


def film_of(generator: Any, order: Any) -> Any:
    return np.stack(list(generator.generate(order, NullWatch()).frames)).astype(float)


@pytest.mark.parametrize("kind", ["ltx2", "wan-a14b"])
def test_fp8_halves_the_blocks_and_changes_the_film_a_little(load_tiny: Any, lake: U8, kind: str) -> None:
    import torch

    exact, coarse = (generator_of(load_tiny(kind, quantise=quantise)) for quantise in ("none", "fp8"))
    weights = [layer.weight for layer in coarse._pipeline.transformer.modules() if isinstance(layer, torch.nn.Linear)]
    assert any(weight.dtype == torch.float8_e4m3fn for weight in weights)
    difference = np.abs(film_of(exact, make_order(lake)) - film_of(coarse, make_order(lake))).mean()
    assert 0 < difference < 40
    assert coarse.facts()["weights"] == "fp8"


@pytest.mark.parametrize("kind", ["ltx2", "wan-a14b"])
def test_a_gguf_file_gives_nearly_the_film_of_the_weights_it_was_made_of(
    load_tiny: Any, tiny_models: Any, lake: U8, tmp_path: Path, kind: str
) -> None:
    file = make_tiny_gguf(tiny_models(kind) / "transformer", tmp_path / "small.gguf")
    exact, quantised = generator_of(load_tiny(kind)), generator_of(load_tiny(kind, gguf=str(file)))
    assert quantised.facts()["weights"] == "gguf"
    difference = np.abs(film_of(exact, make_order(lake)) - film_of(quantised, make_order(lake))).mean()
    assert 0 < difference < 20


def test_a_file_that_is_no_gguf_is_refused(tiny_options: Any, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"\x80\x04pickle")
    with pytest.raises(Misconfigured, match="is no GGUF file"):
        load_engine("diffusers", tiny_options("ltx2", gguf=str(tmp_path / "x.gguf"))).setup()


def test_a_damaged_gguf_file_is_told_in_words(tiny_options: Any, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF" + b"\xff" * 100)
    with pytest.raises(Misconfigured, match="could not be loaded"):
        load_engine("diffusers", tiny_options("ltx2", gguf=str(tmp_path / "x.gguf"))).setup()


def test_frames_in_tiles_are_nearly_those_decoded_whole(load_tiny: Any, lake: U8) -> None:
    whole, tiles = (generator_of(load_tiny("ltx2", tiling=tiling)) for tiling in ("off", "on"))
    order = make_order(lake, side=640)  # a tile is 512 pixels wide
    difference = np.abs(film_of(whole, order) - film_of(tiles, order)).mean()
    assert tiles.facts()["tiling"] is True and 0 < difference < 20


@pytest.mark.parametrize("seconds", [4, 5, 12])
def test_tiles_in_time_give_every_frame_and_leave_the_first_ones_as_they_are(
    load_tiny: Any, lake: U8, seconds: int
) -> None:
    whole, tiles = (generator_of(load_tiny("ltx2", tiling=tiling)) for tiling in ("off", "on"))
    order = make_order(lake, seconds=seconds)
    one, other = film_of(whole, order), film_of(tiles, order)
    assert one.shape == other.shape == (24 * seconds + 1, 64, 64, 3)
    assert np.abs(one[:8] - other[:8]).mean() < 2 < np.abs(one - other).max()


@pytest.mark.parametrize("kind", ["ltx2", "wan-a14b"])
def test_in_groups_the_film_is_the_same_to_the_bit(load_tiny: Any, lake: U8, kind: str, tiny_options: Any) -> None:
    """Moved between the CPU and the CPU: what is tested is that every block is there when it works."""
    import torch

    from vivant.engines.diffusers.loading import place
    from vivant.engines.diffusers.memory import Offload

    engine = load_engine("diffusers", tiny_options(kind))
    engine.setup()
    generator = generator_of(engine)
    wanted = film_of(generator, make_order(lake))
    place(generator._pipeline, generator._folder.transformers, Offload.GROUP, torch.device("cpu"))
    assert np.array_equal(film_of(generator, make_order(lake)), wanted)


@pytest.mark.parametrize(
    ("placement", "calls"),
    [
        ("resident", ["to cuda"]),
        ("model", ["enable_model_cpu_offload cuda"]),
        ("sequential", ["enable_sequential_cpu_offload cuda"]),
    ],
)
def test_each_placement_asks_diffusers_for_what_it_says(load_tiny: Any, placement: str, calls: list[str]) -> None:
    load_tiny("ltx2")
    import torch

    from vivant.engines.diffusers.loading import place
    from vivant.engines.diffusers.memory import Offload

    told: list[str] = []

    class PipelineDouble:
        def to(self, device: Any) -> None:
            told.append(f"to {device}")

        def enable_model_cpu_offload(self, device: Any) -> None:
            told.append(f"enable_model_cpu_offload {device}")

        def enable_sequential_cpu_offload(self, device: Any) -> None:
            told.append(f"enable_sequential_cpu_offload {device}")

    place(PipelineDouble(), ("transformer",), Offload(placement), torch.device("cuda"))
    assert told == calls


def test_integers_of_8_bits_need_a_package_and_say_so(tiny_options: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec("torchao") is not None or find_spec("bitsandbytes") is not None:
        pytest.skip("a package for them is installed")
    with pytest.raises(Misconfigured, match="torchao or bitsandbytes"):
        load_engine("diffusers", tiny_options("ltx2", quantise="int8")).setup()
    for name, package in (("int8-torchao", "torchao"), ("int8-bnb", "bitsandbytes")):
        with pytest.raises(Misconfigured, match=f"the package {package} is not installed"):
            load_engine("diffusers", tiny_options("ltx2", quantise=name)).setup()


@pytest.mark.skipif(find_spec("torchao") is None, reason="torchao is not installed")
def test_integers_of_8_bits_by_torchao_change_the_film_a_little(load_tiny: Any, lake: U8) -> None:
    exact, coarse = (generator_of(load_tiny("ltx2", quantise=name, dtype="bfloat16")) for name in ("none", "int8"))
    assert coarse.facts()["weights"] == "int8-torchao"
    assert 0 < np.abs(film_of(exact, make_order(lake)) - film_of(coarse, make_order(lake))).mean() < 40
