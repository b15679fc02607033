"""From the first picture to the last. If both show the same scene, one is warped into the other along their optical
flow. If not, a warp would look like rubber: the first dissolves into the last while the camera pushes in on one and
settles on the other. Knows pictures and time, nothing of what is in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smootherstep
from vivant.engines.diorama.motion.fields import STEP, quarter_shape
from vivant.engines.diorama.motion.frame.warp import look_up
from vivant.media import F32, F64, U8, Planes

_LEAST_RETURNING: Final = 0.55  # share of pixels to which the flow there and back must return, or it is not trusted
_LEAST_LIKENESS: Final = 0.55  # least correlation of the first picture with the last one warped onto it
_PUSH: Final = 0.10  # share by which the camera zooms in on the first picture, and in from which it settles on the last
_DISSOLVE: Final = (0.40, 0.66)  # shares of the clip


@dataclass(frozen=True, slots=True, eq=False)
class Between:
    """One moment between two pictures, all float32 on the quarter grid: displacements in the first and in the last
    picture, canvas pixels, and the weight of the last, 0..1."""

    ax: F32
    ay: F32
    bx: F32
    by: F32
    weight: F32


class FlowMorph:
    """The two pictures show the same scene: everything moves to its new place while one turns into the other."""

    def __init__(self, there: F32, back: F32, sure_there: F32, sure_back: F32, *, brighter: float = 1.0) -> None:
        """there, back: float32 (2, rows, columns), flow from first to last and from last to first, canvas pixels on the
        quarter grid. sure_*: float32 (rows, columns), 0..1, how far each flow can be trusted. brighter: luma of the
        last picture over that of the first, where they show the same."""
        self._brighter = brighter
        rows, columns = there.shape[1:]
        self._x, self._y = np.meshgrid(
            np.arange(columns, dtype=np.float32) * STEP, np.arange(rows, dtype=np.float32) * STEP
        )
        self._there = np.concatenate([there, sure_there[None]])
        self._back = np.concatenate([back, sure_back[None]])

    def at(self, t: float) -> Between:
        """t 0..1. At 0 the first picture, unmoved; at 1 the last."""
        ax, ay, sure_a = self._trace_back(self._there, t)
        bx, by, sure_b = self._trace_back(self._back, 1 - t)
        a = (1 - t) * (0.05 + sure_a) * self._inside(self._x + ax, self._y + ay)
        b = t * (0.05 + sure_b) * self._inside(self._x + bx, self._y + by)
        return Between(ax, ay, bx, by, (b / np.maximum(a + b, 1e-9)).astype(np.float32))

    def gains(self, t: float) -> tuple[float, float]:
        """Factors for the luma of the first and of the last picture that give both the light of moment t, so that no
        seam shows where only one of them is used."""
        return self._brighter**t, self._brighter ** (t - 1)

    def _inside(self, x: F32, y: F32) -> F32:
        """1 inside the picture, falling to almost 0 within a few pixels beyond its border."""
        right, bottom = self._x[0, -1], self._y[-1, 0]
        beyond = np.maximum(np.maximum(-x, x - right), np.maximum(-y, y - bottom))
        inside: F32 = np.clip(1 - beyond / (10 * STEP), 1e-3, 1).astype(np.float32)
        return inside

    def _trace_back(self, flow: F32, t: float) -> tuple[F32, F32, F32]:
        """For every point p of the moment t: x - p, with x + t·flow(x) = p, found by substitution; and the trust
        there."""
        x, y = self._x, self._y
        found = flow
        for _ in range(4):
            found = look_up(flow, x, y)
            x, y = self._x - np.float32(t) * found[0], self._y - np.float32(t) * found[1]
        return x - self._x, y - self._y, found[2]


def find_flow(first: Planes, last: Planes) -> FlowMorph | None:
    """How the first picture becomes the last, or None where they do not show the same thing."""
    h, w = first.y.shape
    size = (max(w // 2, 16), max(h // 2, 16))
    a, b = (cv2.resize(p.y, size, interpolation=cv2.INTER_AREA) for p in (first, last))
    solver = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    nothing: Any = None
    there: Any = solver.calc(a, b, nothing)
    back: Any = solver.calc(b, a, nothing)
    sure_there, sure_back = _check_round_trip(there, back), _check_round_trip(back, there)
    if (
        min(float(sure_there.mean()), float(sure_back.mean())) < _LEAST_RETURNING
        or _correlate_detail(a, b, there) < _LEAST_LIKENESS
    ):
        return None
    scale = w / size[0], h / size[1]
    ratio = _brightness_ratio(b, back, sure_back, a)
    return FlowMorph(
        _on_grid(there, scale, (h, w)), _on_grid(back, scale, (h, w)),
        _on_grid(sure_there[..., None], (1.0, 1.0), (h, w))[0], _on_grid(sure_back[..., None], (1.0, 1.0), (h, w))[0],
        brighter=float(np.clip(ratio, 0.4, 2.5)),
    )  # fmt: skip


def make_progress(frames: int) -> F64:
    """float64 (frames,), 0..1: how far the first picture has become the last; it pauses at both ends."""
    u = np.linspace(0, 1, frames)
    return smootherstep((u - 0.04) / 0.9)


def make_dissolve(frames: int) -> F64:
    """float64 (frames,), 0..1: how much of the last picture is seen in a dissolve."""
    low, high = _DISSOLVE
    return smootherstep((np.linspace(0, 1, frames) - low) / (high - low))


def make_push(frames: int) -> F64:
    """float64 (frames,): the zoom while the camera pushes in on the first picture."""
    return 1 + _PUSH * smootherstep(np.linspace(0, 1, frames) / _DISSOLVE[1] * 0.8)


def make_settle(frames: int) -> F64:
    """float64 (frames,): the same while it settles on the last picture; exactly 1 at the end."""
    return 1 + _PUSH * (1 - smootherstep((np.linspace(0, 1, frames) - _DISSOLVE[0]) / (1 - _DISSOLVE[0]) * 0.85 + 0.15))


def mix(first: Planes, last: Planes, share: float) -> Planes:
    """The two frames, `share` (0..1) of the last."""
    return Planes(
        *(
            _blend(a, b, share)
            for a, b in ((first.y, last.y), (first.u, last.u), (first.v, last.v))
        )
    )  # fmt: skip


def _blend(a: U8, b: U8, share: float) -> U8:
    return np.asarray(cv2.addWeighted(a, 1 - share, b, share, 0), np.uint8)


def _check_round_trip(there: F32, back: F32) -> F32:
    """float32 (h, w), 0..1: whether the flow there and back returns to each pixel (Sundaram et al. 2010, with wider
    bounds)."""
    h, w = there.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    home: Any = cv2.remap(back, x + there[..., 0], y + there[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT,
                          borderValue=(1e3, 1e3, 0, 0))  # fmt: skip
    error = ((there + home) ** 2).sum(-1)
    allowed = 0.02 * ((there**2).sum(-1) + (home**2).sum(-1)) + 1.5
    return filters.blur(error < allowed, 2.0)


def _correlate_detail(a: Any, b: Any, there: F32) -> float:
    """Correlation of the detail of the first picture with that of the last one warped back along the flow."""
    h, w = a.shape
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    drawn: Any = cv2.remap(b, x + there[..., 0], y + there[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    one, other = (_detail(p) for p in (a, drawn))
    return float((one * other).sum() / max(float(np.sqrt((one**2).sum() * (other**2).sum())), 1e-6))


def _brightness_ratio(last: Any, back: F32, sure: F32, first: Any) -> float:
    """Mean luma above black of the last picture over that of the first, where both show the same."""
    h, w = last.shape
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    drawn: Any = cv2.remap(first, x + back[..., 0], y + back[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    total = float(sure.sum()) + 1e-6
    return max(float(((last.astype(np.float32) - 16) * sure).sum()) / total, 4.0) / max(
        float(((drawn.astype(np.float32) - 16) * sure).sum()) / total, 4.0
    )


def _detail(picture: U8) -> F32:
    values = picture.astype(np.float32)
    return filters.blur(values, 1.0) - filters.blur(values, 12.0)


def _on_grid(values: F32, scale: tuple[float, float], size: tuple[int, int]) -> F32:
    """float32 (h', w', k) of a smaller picture -> (k, rows, columns) on the quarter grid, channels times scale."""
    h, w = size
    soft = cv2.GaussianBlur(values, (0, 0), 1.5)
    soft = soft.reshape(values.shape)
    rows, columns = quarter_shape(h, w)
    x = (np.arange(columns) * STEP + 0.5) * (values.shape[1] / w) - 0.5
    y = (np.arange(rows) * STEP + 0.5) * (values.shape[0] / h) - 0.5
    map_x, map_y = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    out = [
        cv2.remap(np.ascontiguousarray(soft[..., k]), map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        * np.float32(scale[k])
        for k in range(values.shape[2])
    ]
    return np.stack(out).astype(np.float32)
