"""The values that motions hand to the renderer. All are in the picture's own space, before the camera, so that every
pixel is resampled once.

The quarter grid: arrays float32 (ceil(h/4), ceil(w/4)); sample (i, j) belongs to canvas pixel (4i, 4j). Displacements
are in canvas pixels: the renderer reads the picture at (x + dx, y + dy).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama.checks import check_array, check_number, check_whole
from vivant.engines.diorama.scene.backdrop import Backdrop
from vivant.engines.diorama.scene.lifted import Lifted
from vivant.engines.diorama.scene.scene import Scene
from vivant.media import F32, U8, Planes

STEP: Final = 4  # canvas pixels from one sample of the quarter grid to the next


def quarter_shape(height: int, width: int) -> tuple[int, int]:
    """(rows, columns) of the quarter grid over a canvas."""
    return -(-height // STEP), -(-width // STEP)


def sample_quarter(values: F32) -> F32:
    """float32 (h, w) -> (ceil(h/4), ceil(w/4)): what stands on pixel (4i, 4j). Fine detail must be blurred before."""
    return np.ascontiguousarray(values[::STEP, ::STEP], np.float32)


def average_quarter(values: F32) -> F32:
    """float32 (h, w), a mask or luma -> quarter grid, averaged over the 5 x 5 pixels about each sample."""
    return sample_quarter(np.asarray(cv2.blur(values, (5, 5), borderType=cv2.BORDER_REPLICATE), np.float32))


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in canvas pixels, all numbers even, so that it covers whole chroma samples. Raises ValueError for
    others."""

    left: int
    top: int
    width: int
    height: int

    def __post_init__(self) -> None:
        for name, least in (("left", 0), ("top", 0), ("width", 2), ("height", 2)):
            value = getattr(self, name)
            check_whole(f"Rect.{name}", value, least)
            if value % 2:
                raise ValueError(f"Rect.{name} must be even; it is {value}.")

    @classmethod
    def around(cls, points: NDArray[np.float64], canvas: tuple[int, int]) -> Rect:
        """The smallest one that covers points, float64 (n, 2), and two pixels more, inside a canvas (width, height)."""
        (left, top), (right, bottom) = points.min(0) - 2, points.max(0) + 2
        x0, y0 = (int(np.clip(np.floor(v / 2) * 2, 0, limit - 2)) for v, limit in zip((left, top), canvas, strict=True))
        x1, y1 = (int(np.clip(np.ceil(v / 2) * 2, 2, limit)) for v, limit in zip((right, bottom), canvas, strict=True))
        return cls(x0, y0, max(2, x1 - x0), max(2, y1 - y0))

    def is_near(self, other: Rect, gap: int) -> bool:
        """Whether fewer than `gap` pixels lie between the two."""
        return (
            self.left < other.left + other.width + gap
            and other.left < self.left + self.width + gap
            and self.top < other.top + other.height + gap
            and other.top < self.top + self.height + gap
        )

    def union(self, other: Rect) -> Rect:
        """The smallest one that covers both."""
        left, top = min(self.left, other.left), min(self.top, other.top)
        right = max(self.left + self.width, other.left + other.width)
        bottom = max(self.top + self.height, other.top + other.height)
        return Rect(left, top, right - left, bottom - top)

    @property
    def luma(self) -> tuple[slice, slice]:
        """Its rows and columns in a canvas's luma."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    @property
    def chroma(self) -> tuple[slice, slice]:
        """Its rows and columns in a canvas's chroma."""
        return (
            slice(self.top // 2, (self.top + self.height) // 2),
            slice(self.left // 2, (self.left + self.width) // 2),
        )

    def luma2_in(self, outer: Rect) -> tuple[slice, slice]:
        """Its rows and columns in the double-size luma of `outer`, which covers it."""
        x, y = 2 * (self.left - outer.left), 2 * (self.top - outer.top)
        return slice(y, y + 2 * self.height), slice(x, x + 2 * self.width)

    def chroma_in(self, outer: Rect) -> tuple[slice, slice]:
        """Its rows and columns in the chroma of `outer`, which covers it."""
        x, y = (self.left - outer.left) // 2, (self.top - outer.top) // 2
        return slice(y, y + self.height // 2), slice(x, x + self.width // 2)


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """Displacement and light at one frame, on the quarter grid. gain multiplies luma above black; None: 1
    everywhere. Raises ValueError for arrays of unequal shapes, of another dtype or not finite."""

    dx: F32
    dy: F32
    gain: F32 | None = None

    def __post_init__(self) -> None:
        check_array("Field.dx", self.dx, np.float32, (None, None))
        check_array("Field.dy", self.dy, np.float32, self.dx.shape)
        if self.gain is not None:
            check_array("Field.gain", self.gain, np.float32, self.dx.shape, 0)


@dataclass(frozen=True, slots=True, eq=False)
class FieldSum:
    """The running total of one frame, on the quarter grid: each motion adds to dx and dy (canvas pixels) and multiplies
    gain (of luma above black), in place."""

    dx: F32
    dy: F32
    gain: F32

    @classmethod
    def zero(cls, width: int, height: int) -> FieldSum:
        shape = quarter_shape(height, width)
        return cls(np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.ones(shape, np.float32))

    def field(self) -> Field:
        return Field(self.dx, self.dy, self.gain)


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Two displaced copies of the picture for what flows, on the quarter grid: the renderer reads at a and at b (canvas
    pixels), blends by `weight` (of b, 0..1) inside `mask` (0..1) and restores the contrast that a blend loses. Raises
    ValueError as `Field` does."""

    ax: F32
    ay: F32
    bx: F32
    by: F32
    weight: F32
    mask: F32

    def __post_init__(self) -> None:
        check_array("Flow.mask", self.mask, np.float32, (None, None), 0, 1)
        check_array("Flow.weight", self.weight, np.float32, self.mask.shape, 0, 1)
        for name in ("ax", "ay", "bx", "by"):
            check_array(f"Flow.{name}", getattr(self, name), np.float32, self.mask.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Drift:
    """Where the sky of a backdrop has drifted to, on the quarter grid: it is read at a and at b (canvas pixels, added
    to the place of the output in the picture), blended by `weight` (of b, 0..1). settled, 0..1: how far the rims of
    outlines, see Backdrop.home, have vanished. Raises ValueError as `Field` does."""

    ax: F32
    ay: F32
    bx: F32
    by: F32
    weight: float
    settled: float = 1.0

    def __post_init__(self) -> None:
        check_array("Drift.ax", self.ax, np.float32, (None, None))
        for name in ("ay", "bx", "by"):
            check_array(f"Drift.{name}", getattr(self, name), np.float32, self.ax.shape)
        for name in ("weight", "settled"):
            check_number(f"Drift.{name}", getattr(self, name), 0, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A part of the source redrawn for one frame, e.g. a talking mouth.

    y2: uint8 (2·height, 2·width) replaces that rect of Source.y2; u, v: uint8 (height/2, width/2). Raises ValueError
    for others."""

    rect: Rect
    y2: U8
    u: U8
    v: U8

    def __post_init__(self) -> None:
        height, width = self.rect.height, self.rect.width
        check_array("Patch.y2", self.y2, np.uint8, (2 * height, 2 * width))
        for name in ("u", "v"):
            check_array(f"Patch.{name}", getattr(self, name), np.uint8, (height // 2, width // 2))


# What a tone does to luma above black, y (0..219), and to chroma about grey, in this order on its first axis:
# y' = GAIN · y + LIFT; cb' = COLOUR · cb + CB_BY_LUMA · y + CB; cr' likewise.
GAIN, LIFT, COLOUR, CB_BY_LUMA, CR_BY_LUMA, CB, CR = range(7)


@dataclass(frozen=True, slots=True, eq=False)
class Glow:
    """Windows that are lit. share: uint8 (h, w), in 1/255, of the picture that their light takes the place of; luma,
    cb, cr: float32 on the quarter grid, of that light. Raises ValueError for others."""

    share: U8
    luma: F32
    cb: F32
    cr: F32

    def __post_init__(self) -> None:
        check_array("Glow.share", self.share, np.uint8, (None, None))
        check_array("Glow.luma", self.luma, np.float32, quarter_shape(*self.share.shape))
        for name in ("cb", "cr"):
            check_array(f"Glow.{name}", getattr(self, name), np.float32, self.luma.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Shade:
    """The light of one frame on the quarter grid. ground, sky: float32 (7, rows, columns), the tone of what stands
    before the sky and of the sky; sky None: one tone for all. sky_luma: float32 (rows, columns), the sky's own soft
    luma above black, continued behind outlines, where both are mixed. curve: float32 (256,), luma above black for each
    luma, before the tones; None: as it is. Raises ValueError for others."""

    ground: F32
    sky: F32 | None
    sky_luma: F32
    curve: F32 | None = None
    glow: Glow | None = None  # windows that are lit

    def __post_init__(self) -> None:
        check_array("Shade.ground", self.ground, np.float32, (7, None, None))
        check_array("Shade.sky_luma", self.sky_luma, np.float32, self.ground.shape[1:], 0)
        if self.curve is not None:
            check_array("Shade.curve", self.curve, np.float32, (256,))
        if self.sky is not None:
            check_array("Shade.sky", self.sky, np.float32, self.ground.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Stars:
    """Points of light in the sky, float32 (n,): where they stand in the picture, canvas pixels; how wide, pixels; by
    how much luma rises in their middle."""

    x: F32
    y: F32
    sigma: F32
    luma: F32

    def __post_init__(self) -> None:
        check_array("Stars.x", self.x, np.float32, (None,))
        for name in ("y", "sigma", "luma"):
            check_array(f"Stars.{name}", getattr(self, name), np.float32, self.x.shape)


class Illumination(Protocol):
    """How the light of the scene changes. Each method is a pure function of the frame number, callable from any thread
    in any order. Frame 0 is the picture."""

    @property
    def sky_share(self) -> U8 | None:
        """The sky's share of each pixel of the picture, uint8 (h, w), in 1/255; None: sky and ground are one."""
        ...

    def shade(self, n: int) -> Shade | None: ...

    def stars(self, n: int) -> Stars | None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Something thin that glows or veils and stands in the picture's own space, at one frame: flames, the light that
    they cast, steam. Sample (i, j) of `amount`, float32 (rows, columns), 0..1, lies on canvas pixel (left + step·j,
    top + step·i); outside there is none.

    table: float32 (k, 6), for k amounts from 0 to 1: by what R, G and B in linear light, 0..1, are multiplied, and what
    is added; where the amount is 0 nothing changes. on_subject: it moves with the subject, where that is a layer of its
    own. Raises ValueError as `Field` does."""

    left: float
    top: float
    step: float
    amount: F32
    table: F32
    on_subject: bool = False

    def __post_init__(self) -> None:
        check_array("Sheet.amount", self.amount, np.float32, (None, None), 0, 1)
        check_array("Sheet.table", self.table, np.float32, (None, 6), 0)
        for name in ("left", "top"):
            check_number(f"Sheet.{name}", getattr(self, name), -1e6, 1e6)
        check_number("Sheet.step", self.step, 0.1, 1e4)


@dataclass(frozen=True, slots=True, eq=False)
class Draping:
    """Cloth that moves before what is behind it. body: where it is in the picture. field(n): its displacement and light
    at a frame, also beyond its outline; a pure function of the frame number, None where it is as in the picture."""

    body: Lifted
    field: Callable[[int], Field | None]


@dataclass(frozen=True, slots=True, eq=False)
class Drapery:
    """All such cloth of a picture, and the scene without it."""

    behind: Scene
    cloths: tuple[Draping, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ArrivingSky:
    """The sky of a given last picture: it drifts until it is as that picture shows it. drift(n): a pure function of the
    frame number, None where it does not move."""

    backdrop: Backdrop
    drift: Callable[[int], Drift | None]


class Ambient(Protocol):
    """Everything that moves by itself. Each method is a pure function of the frame number, callable from any thread in
    any order. Frame 0 is the picture: nothing has moved yet, but speeds are not 0."""

    @property
    def backdrop(self) -> Backdrop | None:
        """The sky that drifts, None where none does."""
        ...

    @property
    def drapery(self) -> Drapery | None:
        """Cloth that moves before a background of its own, None where there is none."""
        ...

    def drift(self, n: int) -> Drift | None: ...

    def field(self, n: int) -> Field | None: ...

    def worn(self, n: int) -> Field | None:
        """What moves on the subject alone, as clothes and fur do: what is behind it stays. None where nothing does."""
        ...

    def flow(self, n: int) -> Flow | None: ...

    def sheets(self, n: int) -> tuple[Sheet, ...]:
        """What glows or veils in the picture's own space, in the order in which it is drawn. Nothing at frame 0."""
        ...

    def overlay(self, n: int, frame: Planes) -> None:
        """Draw what is in front of the camera (rain, snow, sparks) into `frame`, in place. Nothing at frame 0."""
