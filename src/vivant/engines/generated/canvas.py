"""The canvas that a model generates on, and the way between it and the contract's.

Models take sizes on a grid only (multiples of 16, 32 or 64), and several sizes of the contract are not on it. A picture
is fitted to the contract's canvas first and padded to the grid by repeating its edges, and the same margins are cut
from every frame. Fitted straight to the grid, frame 0 would show another part of the picture than the contract says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from vivant.media import U8
from vivant.request import Canvas


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationCanvas:
    """width x height: what is asked of the model, on its grid. inner_width x inner_height: the part in its middle that
    is the clip; as large as the contract's canvas, or smaller where the model may not have as many pixels.

    Raises ValueError when the inner part does not lie in it, or is larger than the contract's canvas. All in pixels.
    """

    contract: Canvas
    width: int
    height: int
    inner_width: int
    inner_height: int

    def __post_init__(self) -> None:
        for side, outer, inner, whole in (
            ("width", self.width, self.inner_width, self.contract.width),
            ("height", self.height, self.inner_height, self.contract.height),
        ):
            if not 1 <= inner <= min(outer, whole):
                raise ValueError(
                    f"The inner {side} is at least 1 and at most the canvas's {outer} and the contract's {whole} "
                    f"pixels; got {inner}."
                )

    @classmethod
    def of(cls, canvas: Canvas, *, grid: int, max_pixels: int) -> GenerationCanvas:
        """The canvas for a contract's: sides rounded up to multiples of `grid`.

        max_pixels: width times height are never more than this; 0: as many as it takes. The clip is then generated
        smaller, at the contract's aspect, and scaled up at the end. Raises ValueError when not even one cell of the
        grid has so few pixels.
        """
        if grid < 1:
            raise ValueError(f"The grid is a whole number of pixels, at least 1; got {grid}.")
        if max_pixels < 0:
            raise ValueError(f"max_pixels must be 0 (no limit) or more, got {max_pixels}.")
        for inner_width, inner_height in _inner_sizes(canvas, grid):
            width, height = _round_up(inner_width, grid), _round_up(inner_height, grid)
            if not max_pixels or width * height <= max_pixels:
                return cls(
                    contract=canvas, width=width, height=height, inner_width=inner_width, inner_height=inner_height
                )
        raise ValueError(f"max_pixels must be 0 or at least {grid * grid} with a grid of {grid}, got {max_pixels}.")

    def pad(self, picture: U8) -> U8:
        """A picture as the model gets it. picture: uint8 (contract.height, contract.width, 3). Returns uint8 (height,
        width, 3), contiguous. Raises ValueError for another size."""
        self._check(picture, self.contract.width, self.contract.height)
        inner = _resize(picture, self.inner_width, self.inner_height)
        left, top = self._margins
        right, bottom = self.width - self.inner_width - left, self.height - self.inner_height - top
        padded: U8 = np.pad(inner, ((top, bottom), (left, right), (0, 0)), mode="edge")
        return padded

    def crop(self, frame: U8) -> U8:
        """A frame of the clip from one of the model's. frame: uint8 (height, width, 3). Returns uint8
        (contract.height, contract.width, 3). Raises ValueError for another size."""
        self._check(frame, self.width, self.height)
        left, top = self._margins
        inner = frame[top : top + self.inner_height, left : left + self.inner_width]
        return _resize(np.ascontiguousarray(inner), self.contract.width, self.contract.height)

    @property
    def _margins(self) -> tuple[int, int]:
        """(left, top); what is odd about them goes to the right and to the bottom."""
        return (self.width - self.inner_width) // 2, (self.height - self.inner_height) // 2

    @staticmethod
    def _check(picture: U8, width: int, height: int) -> None:
        if picture.shape != (height, width, 3) or picture.dtype != np.uint8:
            raise ValueError(f"The picture must be uint8 ({height}, {width}, 3), got {picture.dtype} {picture.shape}.")


def _inner_sizes(canvas: Canvas, grid: int) -> Iterator[tuple[int, int]]:
    """(width, height) of the contract's aspect, largest first: as the contract has it, then each that fills the grid
    exactly in one direction. No other one is worth trying: it would be padded to the cells of a larger one."""
    yield canvas.width, canvas.height
    across = {cells * grid / canvas.width for cells in range(1, canvas.width // grid + 1)}
    down = {cells * grid / canvas.height for cells in range(1, canvas.height // grid + 1)}
    for scale in sorted(across | down, reverse=True):
        if scale < 1:
            yield max(1, round(canvas.width * scale)), max(1, round(canvas.height * scale))


def _round_up(side: int, grid: int) -> int:
    return -(-side // grid) * grid


def _resize(picture: U8, width: int, height: int) -> U8:
    """Lanczos, antialiased; the picture itself where it has this size already."""
    if picture.shape[:2] == (height, width):
        return picture
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))
