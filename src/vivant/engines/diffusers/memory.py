"""Chooses where the parts of a model lie and how exact they are, from what is free. A pure function over bytes: it
knows no torch, so its tables are tested without a card.

The four placements, from fast to slow:

    resident     every part stays on the card
    model        each part is on the card while it works, and in main memory otherwise
    group        a few blocks of a part are on the card at a time, the next ones are copied meanwhile
    sequential   one layer at a time; for what would not fit otherwise

What a step and a decode take beside the weights is estimated with constants below, which were not measured on a card
here. An operator who knows better names the placement, and nothing is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vivant.errors import Misconfigured

GIB: Final = 2**30


class Offload(StrEnum):
    RESIDENT = "resident"
    MODEL = "model"
    GROUP = "group"
    SEQUENTIAL = "sequential"


class Precision(StrEnum):
    """How the weights of the transformers are held; the other parts stay as they are."""

    FULL = "full"  # as the setting dtype says
    FP8 = "fp8"  # stored in 8 bits, each layer widened while it works; every card of CUDA and ROCm can
    INT8_TORCHAO = "int8-torchao"
    INT8_BNB = "int8-bnb"
    GGUF = "gguf"  # a file with the transformer in 2 to 8 bits


# Activations of (tokens, width) that live at once in a block: the stream and its norm in float32 (4), q, k, v, two of
# them rotated, attention's answer (6), the wide part of the feed-forward (4).
STEP_COPIES: Final = 14
DECODE_BYTES: Final = 120  # bytes per pixel of all frames that an untiled decode takes: a user's 13 GB for 113 million
TILED_DECODE: Final = 3 * GIB  # of a decode in tiles, whatever the size
RESERVE: Final = 1 * GIB  # of the card: its context and what is fragmented
SYSTEM: Final = 2 * GIB  # of main memory: this process without weights
GROUP_SHARE: Final = 0.08  # of the largest part that lies on the card: two groups of blocks
LAYER_SHARE: Final = 0.02  # the same for single layers


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The parts of a model in bytes as they are loaded. Raises ValueError when there is no transformer.

    transformers: what denoises, by name. others: text encoder, VAE and so on. gguf: the transformers' sizes are those
    of GGUF files. width: of a token inside the transformer, for the estimate of a step.
    """

    transformers: Mapping[str, int]
    others: Mapping[str, int]
    width: int = 4096
    gguf: bool = False

    def __post_init__(self) -> None:
        if not self.transformers or min(*self.transformers.values(), *self.others.values(), 0) < 0:
            raise ValueError(f"A model has a transformer, and sizes are not negative; got {self!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LargestClip:
    """The largest clip that shall fit: pixels of a frame as generated, frames, and tokens of all latents."""

    pixels: int
    frames: int
    tokens: int
    value_bytes: int = 2  # of an activation: 2 for bfloat16, 4 for float32


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """card: bytes free on the card; ram: bytes free in main memory. unified: they are the same memory (CPU, Apple), so
    nothing can be moved out of the way. fp8: weights can be held in 8 bits."""

    card: int
    ram: int
    unified: bool = False
    fp8: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPlan:
    """What was chosen, and what it takes by the estimate, in bytes."""

    placement: Offload
    precision: Precision
    tiling: bool
    card: int
    ram: int

    def describe(self) -> str:
        tiles = "decoded in tiles" if self.tiling else "decoded whole"
        return (
            f"{self.placement}, weights {self.precision}, {tiles}; about {self.card / GIB:.1f} GiB of the card and "
            f"{self.ram / GIB:.1f} GiB of main memory"
        )


def choose_plan(
    weights: Weights,
    clip: LargestClip,
    machine: Machine,
    *,
    placement: Offload | None = None,
    precision: Precision | None = None,
    tiling: bool | None = None,
) -> MemoryPlan:
    """The first plan that fits, in the order of `_TIERS`; frames decoded whole before tiles.

    placement, precision, tiling: what the operator settled; None: chosen. A placement that is settled is taken whether
    it fits or not. Raises Misconfigured when nothing fits, with what is needed at least and what is free.
    """
    tried = list(_candidates(weights, clip, machine, placement, precision, tiling))
    if placement is not None:
        fitting = [plan for plan in tried if _fits(plan, machine)]
        return (fitting or tried[-1:])[0]
    for plan in tried:
        if _fits(plan, machine):
            return plan
    least = min(tried, key=lambda plan: (plan.card > machine.card, plan.ram > machine.ram, plan.card))
    raise Misconfigured(
        f"The model does not fit into this machine by our estimate: at least {_tell(least.card, least.ram, machine)} "
        f"are needed, {_tell(machine.card, machine.ram, machine)} are free. Use a smaller model or a GGUF file "
        "(VIVANT_DIFFUSERS_GGUF), set VIVANT_DIFFUSERS_MAX_PIXELS, or name VIVANT_DIFFUSERS_MEMORY yourself to try it "
        "all the same."
    )


def _tell(card: int, ram: int, machine: Machine) -> str:
    if machine.unified:
        return f"{ram / GIB:.1f} GiB of memory"
    return f"{card / GIB:.1f} GiB of the card and {ram / GIB:.1f} GiB of main memory"


def _candidates(
    weights: Weights,
    clip: LargestClip,
    machine: Machine,
    placement: Offload | None,
    precision: Precision | None,
    tiling: bool | None,
) -> Iterator[MemoryPlan]:
    """Plans in the order in which they are wanted; at least one."""
    placements = [placement] if placement else [Offload.RESIDENT] if machine.unified else list(Offload)
    if precision:
        precisions = [precision]
    elif weights.gguf:
        precisions = [Precision.GGUF]
    else:
        precisions = [Precision.FULL, *([Precision.FP8] if machine.fp8 else [])]
    tilings = [tiling] if tiling is not None else [False, True]
    for tier in _TIERS:
        for exact in precisions:
            for chosen in tier:
                if chosen in placements:
                    for tiles in tilings:
                        yield _estimate(weights, clip, machine, chosen, exact, tiles)


# Within a tier exact weights come first: moving a part once a clip costs seconds. Moving blocks at every step costs
# more than 8 bits do, and moving layers more again.
_TIERS: Final = ((Offload.RESIDENT, Offload.MODEL), (Offload.GROUP,), (Offload.SEQUENTIAL,))

_SHRINKS_TO: Final = {
    Precision.FULL: 1.0,
    Precision.GGUF: 1.0,  # the sizes of the files are given
    Precision.FP8: 0.52,  # half, and the norms that stay
    Precision.INT8_TORCHAO: 0.52,
    Precision.INT8_BNB: 0.52,
}


def _estimate(
    weights: Weights, clip: LargestClip, machine: Machine, placement: Offload, precision: Precision, tiling: bool
) -> MemoryPlan:
    shrunk = {name: int(size * _SHRINKS_TO[precision]) for name, size in weights.transformers.items()}
    transformer, other = max(shrunk.values()), max(weights.others.values(), default=0)
    total = sum(shrunk.values()) + sum(weights.others.values())
    step = clip.tokens * weights.width * clip.value_bytes * STEP_COPIES
    decode = TILED_DECODE if tiling else clip.pixels * clip.frames * DECODE_BYTES
    frames = clip.pixels * clip.frames * 3 * (clip.value_bytes + 1)  # as decoded, and as bytes
    vae = weights.others.get("vae", 0)
    match placement:
        case Offload.RESIDENT:
            card = total + max(step, decode + frames)
        case Offload.MODEL:
            card = max(transformer + step, other, vae + decode + frames)
        case Offload.GROUP:
            card = max(int(GROUP_SHARE * max(transformer, other)) + step, vae + decode + frames)
        case Offload.SEQUENTIAL:
            card = max(int(LAYER_SHARE * max(transformer, other)) + step, vae + decode + frames)
    if machine.unified:
        return MemoryPlan(placement=placement, precision=precision, tiling=tiling, card=0, ram=card + SYSTEM)
    # Shrinking happens after loading, part by part: one part at full size is in main memory for a while.
    loading = max(*weights.transformers.values(), other)
    ram = loading if placement is Offload.RESIDENT else max(total, total - transformer + loading)
    frames_bytes = clip.pixels * clip.frames * 3
    return MemoryPlan(
        placement=placement, precision=precision, tiling=tiling, card=card + RESERVE, ram=ram + frames_bytes + SYSTEM
    )


def _fits(plan: MemoryPlan, machine: Machine) -> bool:
    return plan.card <= machine.card and plan.ram <= machine.ram
