"""Backends of attention and caches: checked by name before anything is loaded, and really used."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.small_orders import generator_of, make_order
from vivant.engines.base import NullWatch
from vivant.engines.registry import load_engine
from vivant.errors import Misconfigured
from vivant.media import U8


def film_of(generator: Any, order: Any) -> Any:
    return np.stack(list(generator.generate(order, NullWatch()).frames)).astype(float)


def test_a_backend_of_attention_is_used_and_gives_the_same_film(load_tiny: Any, lake: U8) -> None:
    usual, other = generator_of(load_tiny("ltx2")), generator_of(load_tiny("ltx2", attention="_native_math"))
    processors = [m.processor for m in other._pipeline.transformer.modules() if hasattr(m, "processor")]
    assert {str(p._attention_backend.value) for p in processors} == {"_native_math"}
    assert np.abs(film_of(usual, make_order(lake)) - film_of(other, make_order(lake))).max() <= 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sage_hub", "downloads its program at run time"),
        ("flash_4_hub", "downloads its program at run time"),
        ("fastest", "there is no 'fastest'; there are .*native"),
        ("sage", "Sage Attention backend"),
        ("flash", "Flash Attention backend"),
    ],
)
def test_a_backend_that_cannot_be_used_is_refused_in_words(tiny_options: Any, name: str, words: str) -> None:
    with pytest.raises(Misconfigured, match=rf"(?s)VIVANT_DIFFUSERS_ATTENTION: .*{words}"):
        load_engine("diffusers", tiny_options("ltx2", attention=name)).setup()


@pytest.mark.parametrize(
    ("kind", "cache"),
    [
        ("ltx2", "taylorseer"),
        ("wan-a14b", "first-block"),
        ("wan-a14b", "pyramid-attention"),
        ("wan-a14b", "taylorseer"),
        ("wan-5b", "first-block"),
    ],
)
def test_a_cache_makes_a_film_that_is_like_the_one_without(load_tiny: Any, lake: U8, kind: str, cache: str) -> None:
    more = {"recipe": "full", "steps": 16}
    plain, cached = (generator_of(load_tiny(kind, cache=name, **more)) for name in ("off", cache))
    assert cached.facts()["cache"] == cache
    assert all(getattr(cached._pipeline, part).is_cache_enabled for part in cached._folder.transformers)
    assert np.abs(film_of(plain, make_order(lake)) - film_of(cached, make_order(lake))).mean() < 40


def test_a_cache_really_skips_work(load_tiny: Any, lake: U8) -> None:
    def count_blocks(cache: str) -> int:
        generator = generator_of(load_tiny("wan-5b", cache=cache, recipe="full", steps=16))
        worked: list[int] = []
        block = generator._pipeline.transformer.blocks[1].ffn
        hook = block.register_forward_pre_hook(lambda module, inputs: worked.append(1))
        try:
            generator.generate(make_order(lake), NullWatch())
        finally:
            hook.remove()
        return len(worked)

    assert count_blocks("first-block") < count_blocks("off") == 16 * 2


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("ltx2", {"cache": "first-block", "recipe": "full"}, "does not work with ltx-2; it can be off or taylorseer"),
        ("ltx2", {"cache": "pyramid-attention", "recipe": "full"}, "does not work with ltx-2"),
        ("ltx2", {"cache": "taylorseer"}, "a recipe of 8 steps has none"),
        ("wan-a14b", {"cache": "taylorseer", "steps": 4}, "a recipe of 4 steps has none"),
    ],
)
def test_a_cache_that_cannot_be_used_is_refused_in_words(
    tiny_options: Any, kind: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(Misconfigured, match=f"VIVANT_DIFFUSERS_CACHE: .*{words}"):
        load_engine("diffusers", tiny_options(kind, **options)).setup()
