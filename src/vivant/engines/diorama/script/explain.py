"""A storyboard in plain English, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vivant.engines.diorama.storyboard import Storyboard


def explain(board: Storyboard) -> list[str]:
    """What the engine understood, for `--explain`, the demo and the page."""
    return [f"{board.width}x{board.height}, {board.frames} frames, seed {board.seed}", *board.notes]
