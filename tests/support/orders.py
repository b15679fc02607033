"""Orders for generators under test."""

from __future__ import annotations

from functools import cache
from typing import Any

from support.clips import photo
from vivant.engines.generated.canvas import GenerationCanvas
from vivant.engines.generated.order import Order
from vivant.media import U8, fit
from vivant.request import Canvas


def make_order(
    *,
    width: int = 320,
    height: int = 192,
    seconds: int = 4,
    grid: int = 32,
    last: bool = False,
    prompt: str = "Waves on the lake.",
    seed: int = 7,
    audio: bool = True,
    **more: Any,
) -> Order:
    """A small order of the mountain lake, ending on the sea falls if there is a last picture. Sides in pixels."""
    canvas = GenerationCanvas.of(Canvas(width, height, 24 * seconds + 1), grid=grid, max_pixels=0)
    return Order(
        prompt=prompt,
        canvas=canvas,
        seconds=seconds,
        frames=24 * seconds + 1,
        seed=seed,
        first=canvas.pad(_small("mountain_lake", width, height)),
        last=canvas.pad(_small("sea_falls", width, height)) if last else None,
        audio=audio,
        **{"camera_fixed": False, **more},
    )


@cache
def _small(name: str, width: int, height: int) -> U8:
    return fit(photo(name), width, height)
