"""Every way in which memory runs out, as one error that says what to lower. torch has a class for a card's memory; main
memory, Apple's and Intel's cards and some libraries only say so in words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import torch

from vivant.engines.diffusers.memory import GIB, MemoryPlan, Offload, Precision
from vivant.errors import OutOfMemory

_WORDS: Final = (
    "out of memory",  # CUDA, HIP, MPS, and drivers
    "out_of_device_memory",  # Level Zero
    "out_of_host_memory",
    "not enough memory",  # the allocator of main memory
    "can't allocate memory",
    "cannot allocate memory",
    "cuda_error_out_of_memory",
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
)


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether the error, or one that it was raised from, says that memory ran out."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, torch.OutOfMemoryError | MemoryError):
            return True
        if isinstance(error, RuntimeError | OSError) and any(words in str(error).lower() for words in _WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False


def explain(plan: MemoryPlan, *, width: int, height: int, frames: int, peak: int) -> OutOfMemory:
    """The error for a clip of this size: what was asked, how it was tried, what to lower."""
    return OutOfMemory(
        f"Memory ran out: {frames} frames of {width}x{height} with {plan.describe()}; {peak / GIB:.1f} GiB were taken "
        f"at most. {' '.join(_advice(plan, width * height))}"
    )


def _advice(plan: MemoryPlan, pixels: int) -> Iterator[str]:
    yield "Ask for a lower resolution or fewer seconds."
    settings = [f"VIVANT_DIFFUSERS_MAX_PIXELS={pixels // 2}"]
    if not plan.tiling:
        settings.append("VIVANT_DIFFUSERS_TILING=on")
    order = list(Offload)
    if plan.card and plan.placement is not order[-1]:  # a CPU has nowhere to move weights to
        settings.append(f"VIVANT_DIFFUSERS_MEMORY={order[order.index(plan.placement) + 1]}")
    if plan.precision is Precision.FULL:
        settings.append("VIVANT_DIFFUSERS_QUANTISE=fp8")
    yield f"The operator can set {' or '.join(settings)}."
