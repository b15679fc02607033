"""The watch is asked inside every step: before each block of the transformers, the text encoder and the decoders.

A step of a large clip takes longer than the two seconds in which an engine must notice that it shall stop, and an
exception in a hook leaves the pipeline usable. On a card a program runs ahead of the card, so a hook also waits until
the block before the last one is done: else a whole step would be queued before anybody is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch

from vivant.engines.base import NullWatch, Watch

_BLOCKS: Final = ("transformer_blocks", "blocks", "layers", "up_blocks", "down_blocks", "block")


class Checkpoints:
    """Hooks in the modules of a pipeline; `watching` says whom they ask."""

    def __init__(self, pipeline: Any, device: torch.device) -> None:
        self._watch: Watch = NullWatch()
        self._device = device
        self._queued: Any = None  # an event of the card behind the last block that was begun
        self.count = 0  # how many blocks are hooked
        for component in pipeline.components.values():
            if isinstance(component, torch.nn.Module):
                self._hook(component)

    @contextmanager
    def watching(self, watch: Watch) -> Iterator[None]:
        """Ask this watch until the block ends."""
        self._watch, self._queued = watch, None
        try:
            yield
        finally:
            self._watch, self._queued = NullWatch(), None

    def check(self) -> None:
        """Ask whether to stop, between two pieces of work of the processor. Raises Stopped."""
        self._watch.raise_if_stopping()

    def _hook(self, component: torch.nn.Module) -> None:
        for name, module in component.named_modules():
            if isinstance(module, torch.nn.ModuleList) and name.rpartition(".")[2] in _BLOCKS:
                for block in module:
                    block.register_forward_pre_hook(self._ask)
                    self.count += 1

    def _ask(self, module: torch.nn.Module, inputs: Any) -> None:
        if self._device.type in ("cuda", "xpu"):
            event = torch.Event(self._device)
            event.record()
            if self._queued is not None:
                self._queued.synchronize()
            self._queued = event
        elif self._device.type == "mps":
            torch.mps.synchronize()
        self._watch.raise_if_stopping()
