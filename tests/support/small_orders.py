"""Requests and orders small enough for a model of random weights on a CPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from vivant.engines.base import Engine
from vivant.engines.generated.canvas import GenerationCanvas
from vivant.engines.generated.order import Order
from vivant.media import U8, fit
from vivant.request import FPS, Brief, Canvas, VideoRequest


def make_request(picture: U8, *, last: bool = False, **fields: Any) -> VideoRequest:
    """The smallest clip of the contract, unless `fields` say otherwise."""
    brief = Brief(**{"prompt": "The camera pans right.", "resolution": "480p", "seconds": 4, "seed": 7, **fields})
    return brief.resolve(picture.shape[1], picture.shape[0], has_last_frame=last)


def make_order(first: U8, last: U8 | None = None, *, seconds: int = 1, side: int = 64, **fields: Any) -> Order:
    """One second of `side` pixels square, unless `fields` say otherwise."""
    canvas = GenerationCanvas.of(Canvas(side, side, FPS * seconds + 1), grid=32, max_pixels=0)

    def pad(picture: U8) -> U8:
        return np.ascontiguousarray(canvas.pad(fit(picture, side, side)))

    given = {"prompt": "waves on the lake", "seed": 7, "audio": True, "camera_fixed": False, **fields}
    return Order(
        canvas=canvas,
        seconds=seconds,
        frames=FPS * seconds + 1,
        first=pad(first),
        last=None if last is None else pad(last),
        **given,
    )


def generator_of(engine: Engine) -> Any:
    """The generator inside an engine of diffusers: tests look at its pipeline."""
    return engine._generator  # type: ignore[attr-defined]
