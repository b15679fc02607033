"""Picture and sound as plain values on one exact clock.

Conventions, everywhere: a picture is RGB uint8 (height, width, 3), sRGB, upright. A video frame is three planes
(Y, U, V), BT.709, limited range, 4:2:0, chroma sited left. Sound is float32 (2, n) at 48 kHz. Frame n is on screen
from n/24 s; exactly 2000 samples belong to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.request import FPS, Canvas

SAMPLE_RATE: Final = 48_000  # Hz
SAMPLES_PER_FRAME: Final = SAMPLE_RATE // FPS  # 2000, exact

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """One frame. y: uint8 (h, w), 16..235; u, v: uint8 (h/2, w/2), 16..240, neutral at 128. h and w are even.

    Raises ValueError for other shapes and dtypes. The values are not looked at: there are 289 frames in 12 s.
    """

    y: U8
    u: U8
    v: U8

    def __post_init__(self) -> None:
        y, u, v = self.y, self.u, self.v
        given: Any = (y, u, v)  # whatever the annotations say
        if not all(isinstance(plane, np.ndarray) for plane in given):
            raise ValueError(f"Planes are uint8 arrays, got {', '.join(type(plane).__name__ for plane in given)}.")
        half = tuple(side // 2 for side in y.shape)
        even = y.ndim == 2 and y.size > 0 and not any(side % 2 for side in y.shape)
        if not (even and u.shape == v.shape == half and y.dtype == u.dtype == v.dtype == np.uint8):
            raise ValueError(
                "Planes are uint8, y (h, w) with even sides, u and v (h/2, w/2) as 4:2:0 has it; got "
                + ", ".join(f"{name} {plane.dtype} {plane.shape}" for name, plane in (("y", y), ("u", u), ("v", v)))
                + "."
            )


@dataclass(frozen=True, slots=True, eq=False)
class Soundtrack:
    """Stereo sound at 48 kHz. samples: float32 (2, n), n at least 1, in [-1, 1]. Raises ValueError for others."""

    samples: F32

    def __post_init__(self) -> None:
        samples: Any = self.samples  # whatever the annotations say
        if not isinstance(samples, np.ndarray):
            raise ValueError(f"A soundtrack is a float32 array (2, n), got {type(samples).__name__}.")
        if samples.ndim != 2 or samples.shape[0] != 2 or samples.shape[1] == 0 or samples.dtype != np.float32:
            raise ValueError(f"A soundtrack is float32 (2, n), got {samples.dtype} {samples.shape}.")
        if not max(samples.max(), -samples.min()) <= 1:  # false for NaN, too
            raise ValueError(f"Samples lie in [-1, 1], got {samples.min()} to {samples.max()}.")


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """What an engine makes. `frames` yields exactly canvas.frames Planes of the canvas's size, in order, once.

    `soundtrack` is None for a silent clip; otherwise it is called once, on whatever thread and while frames are still
    taken, may wait for work that runs beside the frames, and returns exactly 2000 samples per frame. `cuts` are the
    frames at which a new shot starts (the encoder puts a key frame there), rising, never frame 0. `report` is called
    once after the last frame: what the making took and what was adapted, plain data for the task. Raises ValueError for
    anything else that can be seen before the frames are made.
    """

    canvas: Canvas
    frames: Iterator[Planes]
    soundtrack: Callable[[], Soundtrack] | None
    cuts: tuple[int, ...] = ()
    report: Callable[[], Mapping[str, Any]] | None = None

    def __post_init__(self) -> None:
        given: Any = self  # whatever the annotations say
        if not isinstance(given.canvas, Canvas):
            raise ValueError(f"canvas must be a Canvas, got {given.canvas!r}.")
        if not isinstance(given.frames, Iterator):
            raise ValueError(f"frames must be an iterator of Planes, got {type(given.frames).__name__}.")
        if given.soundtrack is not None and not callable(given.soundtrack):
            raise ValueError(f"soundtrack must be a function or None, got {type(given.soundtrack).__name__}.")
        if given.report is not None and not callable(given.report):
            raise ValueError(f"report must be a function or None, got {type(given.report).__name__}.")
        inside = type(given.cuts) is tuple and all(type(n) is int and 0 < n < self.canvas.frames for n in self.cuts)
        if not inside or list(self.cuts) != sorted(set(self.cuts)):
            raise ValueError(
                f"cuts must be a tuple of rising frame numbers from 1 to {self.canvas.frames - 1}, got {self.cuts!r}."
            )


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """The decoded inputs of a request: RGB uint8 (h, w, 3), upright, sRGB, not yet cropped to the canvas.

    Raises ValueError for other shapes and dtypes.
    """

    first: U8
    last: U8 | None = None

    def __post_init__(self) -> None:
        for name, picture in (("first", self.first), ("last", self.last)):
            if picture is None and name == "last":
                continue
            given: Any = picture  # whatever the annotations say
            if not isinstance(given, np.ndarray) or given.ndim != 3 or given.shape[2] != 3 or given.dtype != np.uint8:
                shown = f"{given.dtype} {given.shape}" if isinstance(given, np.ndarray) else type(given).__name__
                raise ValueError(f"The {name} picture must be uint8 (h, w, 3), got {shown}.")
            if not given.size:
                raise ValueError(f"The {name} picture has no pixels: its shape is {given.shape}.")


def crop_box(width: int, height: int, canvas_width: int, canvas_height: int) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) in pixels of the largest centred part of a picture with the canvas's aspect."""
    if width * canvas_height < height * canvas_width:  # too tall: keep the width
        kept = width * canvas_height / canvas_width
        return 0.0, (height - kept) / 2, float(width), (height + kept) / 2
    kept = height * canvas_width / canvas_height
    return (width - kept) / 2, 0.0, (width + kept) / 2, float(height)


def fit(picture: U8, width: int, height: int) -> U8:
    """The picture's centre, cropped to the aspect width:height and resized (Lanczos, antialiased).

    picture: uint8 (h, w, 3). Returns uint8 (height, width, 3).
    """
    h, w = picture.shape[:2]
    if (w, h) == (width, height):
        return picture
    resized = Image.fromarray(picture).resize(
        (width, height), Image.Resampling.LANCZOS, box=crop_box(w, h, width, height)
    )
    return np.asarray(resized)


# BT.709: Kr 0.2126, Kb 0.0722 (ITU-R BT.709-6, 3.2); limited range puts Y in 16..235 and U, V in 16..240.
_KR, _KB = 0.2126, 0.0722
_KG = 1 - _KR - _KB
_TO_Y = np.array([_KR, _KG, _KB]) * (219 / 255)
_TO_U = np.array([-_KR, -_KG, 1 - _KB]) / (2 * (1 - _KB)) * (224 / 255)
_TO_V = np.array([1 - _KR, -_KG, -_KB]) / (2 * (1 - _KR)) * (224 / 255)
_TO_YUV = np.stack([_TO_Y, _TO_U, _TO_V]).astype(np.float32)


def to_planes(picture: U8) -> Planes:
    """RGB uint8 (h, w, 3) with even sides -> Planes. Chroma: mean of two rows, (1 2 1)/4 over columns (left siting)."""
    yuv = cv2.transform(picture.astype(np.float32), _TO_YUV)
    luma = np.rint(yuv[..., 0] + 16).astype(np.uint8)
    halves = []
    for channel in (1, 2):
        rows = 0.5 * (yuv[0::2, :, channel] + yuv[1::2, :, channel])
        padded = np.pad(rows, ((0, 0), (1, 0)), mode="edge")
        sited = 0.25 * padded[:, 0:-1:2] + 0.5 * padded[:, 1::2] + 0.25 * rows[:, 1::2]
        halves.append(np.clip(np.rint(sited + 128), 16, 240).astype(np.uint8))
    return Planes(luma, *halves)


def to_picture(planes: Planes) -> U8:
    """Planes -> RGB uint8 (h, w, 3), with bilinear chroma. For previews and tests; the encoder takes Planes."""
    h, w = planes.y.shape
    y = (planes.y.astype(np.float32) - 16) * (255 / 219)
    columns = np.arange(w, dtype=np.float32) / 2  # left siting: chroma sample i sits on column 2i
    rows = (np.arange(h, dtype=np.float32) - 0.5) / 2
    map_x, map_y = np.meshgrid(columns, rows)
    u, v = (
        cv2.remap(p.astype(np.float32) - 128, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        * (255 / 224)
        for p in (planes.u, planes.v)
    )
    red = y + 2 * (1 - _KR) * v
    blue = y + 2 * (1 - _KB) * u
    green = (y - _KR * red - _KB * blue) / _KG
    rgb: U8 = np.clip(np.rint(np.stack([red, green, blue], axis=-1)), 0, 255).astype(np.uint8)
    return rgb
