"""What a transformer keeps from one step to the next, so that steps that change little cost little.

All of them change what comes out. Which ones a family can use was tried with diffusers 0.42.1: its first-block cache
does not know LTX-2's blocks; pyramid attention mixes up the passes of LTX-2's guidance, which differ in size; and
FasterCache fails with both families.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from vivant.engines.diffusers.model_folder import Family
from vivant.errors import Misconfigured

CACHES: Final = ("off", "first-block", "pyramid-attention", "taylorseer")
_CANNOT: Final[Mapping[Family, tuple[str, ...]]] = {Family.LTX2: ("first-block", "pyramid-attention")}


def check_cache(name: str, family: Family, *, steps: int) -> None:
    """Raise Misconfigured for a cache that the family cannot use, or that would skip most of a few steps."""
    if name in _CANNOT.get(family, ()):
        others = " or ".join(cache for cache in CACHES if cache not in _CANNOT[family])
        raise Misconfigured(f"VIVANT_DIFFUSERS_CACHE: {name} does not work with {family}; it can be {others}.")
    if name != "off" and steps < 12:
        raise Misconfigured(
            f"VIVANT_DIFFUSERS_CACHE: {name} skips steps that are like the last one, and a recipe of {steps} steps has "
            "none; set it to off, or VIVANT_DIFFUSERS_RECIPE=full."
        )


def set_cache(pipeline: Any, transformers: tuple[str, ...], name: str) -> None:
    """Let the transformers keep it. Call `check_cache` before."""
    if name == "off":
        return
    for part in transformers:
        getattr(pipeline, part).enable_cache(_MAKE[name](pipeline))


def _first_block(pipeline: Any) -> Any:
    from diffusers import FirstBlockCacheConfig

    return FirstBlockCacheConfig(threshold=0.08)


def _pyramid(pipeline: Any) -> Any:
    from diffusers import PyramidAttentionBroadcastConfig

    return PyramidAttentionBroadcastConfig(
        spatial_attention_block_skip_range=2,
        spatial_attention_timestep_skip_range=(100, 800),
        current_timestep_callback=lambda: pipeline.current_timestep,
    )


def _taylorseer(pipeline: Any) -> Any:
    from diffusers import TaylorSeerCacheConfig

    return TaylorSeerCacheConfig(cache_interval=5, disable_cache_before_step=10, max_order=1)


_MAKE: Final[Mapping[str, Callable[[Any], Any]]] = {
    "first-block": _first_block, "pyramid-attention": _pyramid, "taylorseer": _taylorseer,
}  # fmt: skip
