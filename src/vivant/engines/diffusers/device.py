"""The card that the model runs on, and what is free on it and in main memory.

A worker has the card of its number, so as many workers as cards use all of them.
"""

from __future__ import annotations

import os
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from vivant.engines.diffusers.memory import Machine
from vivant.errors import Misconfigured

DEVICES: Final = ("auto", "cuda", "rocm", "xpu", "mps", "cpu")
_CGROUP: Final = Path("/sys/fs/cgroup")
_CGROUP_FILES: Final = (  # of version 2 and 1: limit, use
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)


@dataclass(frozen=True, slots=True)
class Device:
    """kind: one of DEVICES but auto. torch: the device as torch names it."""

    kind: str
    torch: torch.device

    @property
    def name(self) -> str:
        """As its maker calls it."""
        if self.kind in ("cuda", "rocm"):
            return str(torch.cuda.get_device_name(self.torch))
        if self.kind == "xpu":
            return str(torch.xpu.get_device_name(self.torch))
        return {"mps": "Apple GPU", "cpu": "CPU"}[self.kind]

    @property
    def can_offload(self) -> bool:
        """Whether its memory is another than the main memory."""
        return self.kind in ("cuda", "rocm", "xpu")

    def choose_dtype(self, name: str) -> torch.dtype:
        """auto: bfloat16 on a card that computes with it, float16 on others, float32 on a CPU."""
        if name != "auto":
            return {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}[name]
        if self.kind == "cpu":
            return torch.float32
        if self.kind == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
            return torch.float16
        return torch.bfloat16

    def measure(self) -> Machine:
        """What is free now."""
        ram = free_ram()
        if self.kind in ("cuda", "rocm"):
            return Machine(card=int(torch.cuda.mem_get_info(self.torch)[0]), ram=ram)
        if self.kind == "xpu":
            return Machine(card=int(torch.xpu.mem_get_info(self.torch)[0]), ram=ram)
        if self.kind == "mps":
            most = int(torch.mps.recommended_max_memory()) - int(torch.mps.driver_allocated_memory())
            return Machine(card=0, ram=min(ram, most), unified=True, fp8=False)  # Apple's GPUs have no 8-bit floats
        return Machine(card=0, ram=ram, unified=True, fp8=True)

    def forget_peak(self) -> None:
        """Begin a new measurement of `peak`."""
        if self.kind in ("cuda", "rocm"):
            torch.cuda.reset_peak_memory_stats(self.torch)
        elif self.kind == "xpu":
            torch.xpu.reset_peak_memory_stats(self.torch)

    def peak(self) -> int:
        """The most bytes that were taken: of the card since `forget_peak`, of this process where there is none."""
        if self.kind in ("cuda", "rocm"):
            return int(torch.cuda.max_memory_allocated(self.torch))
        if self.kind == "xpu":
            return int(torch.xpu.max_memory_allocated(self.torch))
        if self.kind == "mps":
            return int(torch.mps.driver_allocated_memory())
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def find_device(wanted: str, worker: int) -> Device:
    """The device for the worker of this number, from 0. wanted: one of DEVICES; auto: the first kind that is there.
    A CPU is taken only if it is named.

    Raises Misconfigured: a kind that is not there, or none at all.
    """
    there = _present()
    if wanted == "auto":
        wanted = next((kind for kind in DEVICES if kind in there), "")
        if not wanted:
            raise Misconfigured(
                "VIVANT_DIFFUSERS_DEVICE: torch finds no card (CUDA, ROCm, XPU or Apple). Is this the build of torch "
                "for your card? A CPU takes hours for a clip; VIVANT_DIFFUSERS_DEVICE=cpu tries it all the same."
            )
    if wanted == "cpu":
        return Device("cpu", torch.device("cpu"))
    if wanted not in there:
        raise Misconfigured(
            f"VIVANT_DIFFUSERS_DEVICE: torch {torch.__version__} finds no {wanted}; it finds "
            f"{', '.join(there) or 'no card'}."
        )
    count = there[wanted]
    return Device(
        wanted, torch.device("mps") if wanted == "mps" else torch.device(_TORCH_NAMES[wanted], worker % count)
    )


_TORCH_NAMES: Final = {"cuda": "cuda", "rocm": "cuda", "xpu": "xpu"}


def _present() -> dict[str, int]:
    """Kinds of cards -> how many there are."""
    found: dict[str, int] = {}
    if torch.cuda.is_available():
        found["rocm" if getattr(torch.version, "hip", None) else "cuda"] = torch.cuda.device_count()
    xpu: Any = getattr(torch, "xpu", None)
    if xpu is not None and xpu.is_available():
        found["xpu"] = xpu.device_count()
    if torch.backends.mps.is_available():
        found["mps"] = 1
    return found


def free_ram() -> int:
    """Bytes of main memory that this process may still take: by the machine, its container, and its own limit."""
    free = [_machine_free()]
    for most, used in _CGROUP_FILES:
        limit, taken = _read_number(_CGROUP / most), _read_number(_CGROUP / used)
        if limit is not None and taken is not None:
            free.append(max(0, limit - taken))
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if soft != resource.RLIM_INFINITY:
        free.append(max(0, soft - _data_bytes()))
    return min(free)


def _machine_free() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):  # no Linux
        pass
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _data_bytes() -> int:
    """What counts against RLIMIT_DATA already; 0 where that is not told."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return 0


def _read_number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # no such file, or "max"
        return None
