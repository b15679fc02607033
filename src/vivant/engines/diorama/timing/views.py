"""A view: the part of the picture that a segment shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vivant.engines.diorama.checks import check_number


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A rectangle with the canvas's aspect, in shares of the canvas: `size` of its width and height."""

    left: float = 0.0
    top: float = 0.0
    size: float = 1.0

    def __post_init__(self) -> None:
        check_number("View.size", self.size, 0.05, 1)
        check_number("View.left", self.left, 0, 1 - self.size + 1e-6)
        check_number("View.top", self.top, 0, 1 - self.size + 1e-6)

    @property
    def x(self) -> float:
        """Its middle."""
        return self.left + self.size / 2

    @property
    def y(self) -> float:
        return self.top + self.size / 2


WHOLE: Final = View()
