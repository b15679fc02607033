"""Families of models as these servers run them, and what each takes. Imports nothing heavy: the card reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SERVERS: Final = ("sglang", "vllm-omni", "rapid-mlx")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFamily:
    """A family of models. fps: of its films. sound: made with the picture. last: over HTTP it takes a last picture."""

    name: str
    model: str
    licence: str
    fps: int
    sound: bool
    last: bool


FAMILIES: Final = {
    family.name: family
    for family in (
        ServedFamily(name="ltx", model="LTX-2.x", licence="LTX-2 Community", fps=24, sound=True, last=False),
        ServedFamily(name="wan", model="Wan 2.2", licence="Apache-2.0", fps=16, sound=False, last=False),
        ServedFamily(name="h3", model="MiniMax-H3", licence="MiniMax H3 Community", fps=24, sound=True, last=True),
    )
}
# Of Rapid-MLX 0.16: it refuses more, for fear of the memory of small Macs.
RAPID_MLX_PIXEL_FRAMES: Final = 768 * 512 * 97
RAPID_MLX_GRID: Final = 64  # of all its families; LTX-2.5 would take 32
H3_SECONDS: Final = (4.0, 15.0)
H3_SHORT_EDGE: Final = 768  # pixels, for which it was made
H3_MOST_PIXELS: Final = 1344 * 768
