"""What is asked of a model. What comes back is `footage.Footage`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vivant.engines.generated.canvas import GenerationCanvas
from vivant.media import U8
from vivant.request import FPS, SEED_MAX, Canvas


@dataclass(frozen=True, eq=False)
class Order:
    """One clip, as a model is asked for it. Raises ValueError for what no model can be asked for.

    first, last: RGB uint8 (canvas.height, canvas.width, 3), padded to the size that the model makes. frames: at 24 fps.
    """

    prompt: str
    canvas: GenerationCanvas
    seconds: int
    frames: int
    seed: int  # 0..2**32 - 1
    first: U8
    last: U8 | None
    audio: bool
    camera_fixed: bool

    def __post_init__(self) -> None:
        for name, picture in (("first", self.first), ("last", self.last)):
            wanted = (self.canvas.height, self.canvas.width, 3)
            if picture is not None and (picture.shape != wanted or picture.dtype != np.uint8):
                raise ValueError(f"{name} must be uint8 {wanted}, got {picture.dtype} {picture.shape}.")
        if self.seconds < 1 or self.frames < 1 or not 0 <= self.seed <= SEED_MAX:
            raise ValueError(f"got {self.seconds} seconds, {self.frames} frames and seed {self.seed}.")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that is asked for, in hexadecimal: equal orders have equal digests."""
        size = [self.canvas.width, self.canvas.height, self.seconds, self.frames, self.seed]
        words = json.dumps([self.prompt, *size, self.audio, self.camera_fixed, self.last is not None])
        found = hashlib.sha256(words.encode())
        for picture in (self.first, self.last):
            if picture is not None:
                found.update(np.ascontiguousarray(picture).data)
        return found.hexdigest()


def probe_order(*, grid: int, side: int = 256, seconds: int = 1) -> Order:
    """The smallest order that makes sense: a grey wedge, `side` pixels square."""
    canvas = GenerationCanvas.of(Canvas(side, side, FPS * seconds + 1), grid=grid, max_pixels=0)
    wedge = np.linspace(40, 215, canvas.width).astype(np.uint8)
    picture = np.ascontiguousarray(np.broadcast_to(wedge[None, :, None], (canvas.height, canvas.width, 3)))
    return Order(
        prompt="A grey wall, slowly becoming brighter.",
        canvas=canvas,
        seconds=seconds,
        frames=FPS * seconds + 1,
        seed=0,
        first=picture,
        last=None,
        audio=False,
        camera_fixed=True,
    )
