"""What a machine has for models: graphics cards with their memory, main memory. Read from the makers' own programs, so
that no package for any card is needed; a machine without them simply has no card.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MIB: Final = 2**20
_PATIENCE: Final = 10.0  # seconds for one such program
_MOST_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True)
class GraphicsCard:
    """maker: nvidia, amd, intel or apple. Memory in bytes; what is free only where it is known, else the whole. Raises
    ValueError for a card without memory."""

    maker: str
    name: str
    memory: int
    free: int

    def __post_init__(self) -> None:
        if self.memory <= 0 or not 0 <= self.free <= self.memory:
            raise ValueError(f"{self.name}: {self.free} of {self.memory} bytes are free.")


def find_cards() -> list[GraphicsCard]:
    """The cards of this machine, the largest first."""
    found = [*_find_nvidia(), *_find_amd(), *_find_apple()]
    return sorted(found, key=lambda card: -card.memory)


def main_memory() -> int:
    """Bytes of main memory."""
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _find_nvidia() -> Iterator[GraphicsCard]:
    query = ["nvidia-smi", "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"]
    for line in _run(query).splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit() and int(parts[1]):
            total = int(parts[1]) * MIB
            yield GraphicsCard("nvidia", parts[0][:100], total, min(int(parts[2]) * MIB, total))


def _find_amd() -> Iterator[GraphicsCard]:
    try:
        cards = json.loads(_run(["rocm-smi", "--showproductname", "--showmeminfo", "vram", "--json"]) or "{}")
    except (ValueError, RecursionError):
        return
    for card in cards.values() if isinstance(cards, dict) else ():
        if not isinstance(card, dict):
            continue
        total, used = (str(card.get(f"VRAM Total {kind}Memory (B)", "")) for kind in ("", "Used "))
        if total.isdigit() and int(total):
            free = int(total) - int(used) if used.isdigit() and int(used) <= int(total) else int(total)
            name = str(card.get("Card Series") or card.get("Card series") or card.get("Card SKU") or "AMD card")
            yield GraphicsCard("amd", name[:100], int(total), free)


def _find_apple() -> Iterator[GraphicsCard]:
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        # The graphics cores share main memory, of which macOS lets them take about three quarters.
        share = main_memory() * 3 // 4
        yield GraphicsCard(
            "apple", _run(["sysctl", "-n", "machdep.cpu.brand_string"]).strip()[:100] or "Apple", share, share
        )


def _run(command: list[str]) -> str:
    """What the program prints; empty when it is not there, fails or hangs."""
    try:
        ended = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout[:_MOST_BYTES].decode("utf-8", errors="replace") if ended.returncode == 0 else ""
