"""Which engine fits a machine. The figures are those of docs/engines/hardware.md: makers' and users' words; we
measured none of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vivant.hardware import GraphicsCard

GIB: Final = 2**30


@dataclass(frozen=True, slots=True)
class Recommendation:
    """An engine and what to run on it; why and how in a sentence."""

    engine: str
    model: str
    why: str


def recommend(cards: Sequence[GraphicsCard], *, ram: int, disk: int) -> Recommendation:
    """What fits these cards (largest first), so much main memory and so much free disk, all in bytes."""
    if not cards:
        return Recommendation(
            "diorama", "", "no card was found: the embedded engine needs none; or name a server elsewhere"
        )
    card = cards[0]
    gib, disk_gib, ram_gib = card.memory / GIB, disk / GIB, ram / GIB
    # A card that is sold with 24 GB reports a little less; the steps are set below what is sold.
    if card.maker == "apple":
        if gib < 20:
            return Recommendation("diorama", "", "memory of 32 GB and more is where models begin on a Mac")
        return Recommendation(
            "command",
            "LTX-2.3",
            "ltx-2-mlx as a command, or Rapid-MLX behind openai-videos; ComfyUI lacks float8 on Macs",
        )
    if card.maker == "amd":
        if gib < 11:
            return Recommendation("diorama", "", "cards from 12 GB are where models begin with ROCm and Vulkan")
        return Recommendation(
            "comfyui",
            "LTX-2.3 or Wan 2.2 5B",
            "ComfyUI with ROCm; stable-diffusion.cpp with Vulkan (sdcpp) is the second choice",
        )
    if gib < 7.5:
        return Recommendation("diorama", "", "cards from 8 GB are where models begin")
    if gib < 15:
        return Recommendation("comfyui", "LTX-2.3 distilled as GGUF, or Wan 2.2 5B, at 480p", _with_ram(ram_gib, 32))
    if gib < 22:
        return Recommendation("comfyui", "LTX-2.5 int8, or Wan 2.2 A14B with 4-step LoRA", _with_ram(ram_gib, 48))
    if gib < 75 or disk_gib < 100:
        why = (
            "TI2V 5B fits into 24 GB; LTX-2.5 streams its weights"
            if disk_gib >= 100
            else "100 GB of disk are needed for LTX-2.5"
        )
        return Recommendation("diffusers", "wan-2.2-5b" if gib < 30 or disk_gib < 100 else "ltx-2.5", why)
    if len(cards) > 1:
        return Recommendation(
            "openai-videos", "LTX-2.5 or MiniMax-H3", "SGLang Diffusion spreads a model over several cards"
        )
    return Recommendation("diffusers", "ltx-2.5", "first and last picture and sound; everything stays on the card")


def _with_ram(ram_gib: float, wanted: int) -> str:
    enough = "which this machine has" if ram_gib >= wanted - 1 else f"and this machine has {ram_gib:.0f}"
    return f"weights wait in main memory: {wanted} GB are wanted, {enough}"
