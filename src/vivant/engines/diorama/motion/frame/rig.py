"""The camera in one scene: by how much its relief (differences of nearness) must be reduced so that nothing looks
stretched, how far the view must zoom in so that no border shows, and where each output pixel then looks. Knows
geometry, not pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np

from vivant.engines.diorama.easing import smootherstep
from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.fields import STEP, Rect
from vivant.engines.diorama.motion.frame.warp import FIRST, Grid, grid_shape
from vivant.engines.diorama.scene.border import Borders
from vivant.engines.diorama.timing.curves import HOME, CameraCurves
from vivant.media import F32, F64
from vivant.request import FPS

FAR: Final = 0.25  # nearness of the farthest thing when the nearest has 1: distance ratio 4
MIRRORED: Final = 0.022  # how much of the picture mirrored at its border may be seen, in widths
MIRRORED_BACKING: Final = 0.016  # and how much more while backing away, when borders come into view anyway
STRETCH: Final = 0.35  # largest change of displacement per pixel: beyond, a single surface looks like rubber


@dataclass(frozen=True, slots=True)
class CameraPose:
    """The camera at one frame; lengths in pixels, roll in radians. At home, where it took the picture: all 0, zoom
    1."""

    x: float
    y: float
    z: float
    pan: float
    tilt: float
    roll: float
    zoom: float
    pivot: float  # the nearness that stays in place while x and y change

    @property
    def is_home(self) -> bool:
        return (self.x, self.y, self.z, self.pan, self.tilt, self.roll, self.zoom) == (0, 0, 0, 0, 0, 0, 1)


class Rig:
    """Made once per clip; `pose(n)` and `aim` are pure."""

    def __init__(
        self, camera: CameraCurves, size: tuple[int, int], surfaces: tuple[F32, ...], *, subject: float,
        parallax: float, segments: tuple[tuple[int, int], ...], returns: bool = False, beyond: Borders | None = None,
    ) -> None:  # fmt: skip
        """size: (width, height). surfaces: their nearness, float32 on the quarter grid,
        FAR..1; one, or the background and what is before it. subject: nearness of what an orbit turns about.
        parallax: largest shift between near and far, in widths. segments: (start, end) frames; returns: whether the
        last segment must end at home. beyond: how little the mirror image beyond each border is noticed."""
        self.width, self.height = size
        scale = {"x": self.width, "y": self.height, "pan": self.width, "tilt": self.height}
        self._poses: dict[str, F64] = {
            axis: scale.get(axis, 1) * np.asarray(getattr(camera, axis), np.float64) for axis in HOME
        }
        self.relief = self._limit_relief(surfaces, subject, parallax)
        self.surfaces: tuple[F32, ...] = tuple(
            (subject + self.relief * (nearness - subject)).astype(np.float32) for nearness in surfaces
        )
        self.subject = subject
        self._beyond = beyond or Borders()
        self._limit_backing_away()
        self._zoom_in(segments, returns=returns)

    def pose(self, n: int) -> CameraPose:
        at = {name: float(values[n]) for name, values in self._poses.items()}
        at["pivot"] *= self.subject
        return CameraPose(**at)

    def aim(self, pose: CameraPose, rect: Rect, surface: int = 0) -> Grid:
        """Where the pixels of `rect` look, if they show that surface."""
        return aim(self.surfaces[surface], pose, rect, self.width, self.height)

    @property
    def parallax(self) -> float:
        """The largest shift between the nearest and the farthest thing in the whole clip, in pixels."""
        spread = max(float(s.max()) for s in self.surfaces) - min(float(s.min()) for s in self.surfaces)
        travel = float(np.hypot(self._poses["x"], self._poses["y"]).max())
        return spread * (travel + float(np.abs(self._poses["z"]).max()) * 0.5 * self.width)

    def shift(self, pose: CameraPose) -> float:
        """About how far the last surface has moved against the first, in pixels."""
        apart = abs(float(np.median(self.surfaces[-1])) - float(np.median(self.surfaces[0])))
        return apart * (float(np.hypot(pose.x, pose.y)) + abs(pose.z) * 0.25 * self.width)

    def _limit_relief(self, surfaces: tuple[F32, ...], subject: float, parallax: float) -> float:
        """0..1: by how much differences of nearness must shrink so that neither stretch nor parallax goes too far."""
        spread = max(float(np.percentile(s, 99)) for s in surfaces) - min(float(np.percentile(s, 1)) for s in surfaces)
        travel = float(np.hypot(self._poses["x"], self._poses["y"]).max())
        forward = float(np.abs(self._poses["z"]).max())
        if spread < 1e-4 or travel + forward == 0:
            return 1.0
        steepest = max(
            float(np.percentile(np.abs(np.diff(s, axis=axis)), 99.7)) / STEP for s in surfaces for axis in (0, 1)
        )
        radius = 0.5 * float(np.hypot(self.width, self.height))
        stretch = steepest * (travel + forward * radius)
        shift = spread * (travel + forward * 0.5 * self.width) / self.width
        return min(1.0, STRETCH / max(stretch, 1e-9), parallax / max(shift, 1e-9))

    def _limit_backing_away(self) -> None:
        """Back away less far if a border would come into view: zooming in instead would enlarge what is far, the
        opposite of what was asked."""
        z = self._poses["z"]
        if float(z.min()) >= 0:
            return
        away = np.minimum(z, 0)
        for share in (1.0, 0.8, 0.6, 0.45, 0.3, 0.2):
            self._poses["z"] = np.maximum(z, 0) + share * away
            if float(self._needed_zoom().max()) < 1.004:
                return

    def _zoom_in(self, segments: tuple[tuple[int, int], ...], *, returns: bool) -> None:
        need = self._needed_zoom()
        zoom = self._poses["zoom"]
        for start, end in segments:
            lead = np.maximum.accumulate(need[start:end])
            home = returns and end == len(zoom)
            if home:
                lead = np.minimum(lead, np.maximum.accumulate(need[start:end][::-1])[::-1])
            extra = cv2.GaussianBlur((lead - 1)[None], (0, 0), 5, borderType=cv2.BORDER_REPLICATE)[0]
            if start == 0:
                extra = extra * smootherstep(np.arange(end) / (0.6 * FPS))
            if home:
                extra = extra * smootherstep(np.arange(end - start)[::-1] / (0.6 * FPS))
            zoom[start:end] *= 1 + extra

    def _needed_zoom(self) -> F64:
        """float64 (frames,): the factor e by which the view must zoom in so that its rim stays inside the picture plus
        MIRRORED. From X = C + D / e for points of the rim: C is where the view's middle looks, D the way from there to
        the rim."""
        w, h = self.width, self.height
        p = {name: values[:, None] for name, values in self._poses.items()}
        across, down = np.linspace(-w / 2, w / 2, 17), np.linspace(-h / 2, h / 2, 17)
        rim_x = np.concatenate([across, across, np.full(17, -w / 2), np.full(17, w / 2)])[None]
        rim_y = np.concatenate([np.full(17, -h / 2), np.full(17, h / 2), down, down])[None]
        cos, sin = np.cos(p["roll"]), np.sin(p["roll"])
        out_x = (cos * rim_x - sin * rim_y) / p["zoom"]
        out_y = (sin * rim_x + cos * rim_y) / p["zoom"]
        backs = np.clip((1 - p["zoom"]) / 0.06 - p["z"] / 0.06, 0, 1)

        def limit(half: float, unnoticed: float) -> F64:
            visible = np.maximum(np.maximum(unnoticed, 0.1), 0.25 * backs)
            return half + (MIRRORED + MIRRORED_BACKING * backs) * w * visible

        sides = self._beyond
        left, right, top, bottom = (
            limit(*side)
            for side in ((w / 2, sides.left), (w / 2, sides.right), (h / 2, sides.top), (h / 2, sides.bottom))
        )
        need = np.ones((len(p["x"]), 1))
        for _ in range(3):
            factors = np.ones_like(need)
            for surface in self.surfaces:
                near = self._nearness_at(surface, p["pan"] + out_x / need, p["tilt"] + out_y / need)
                forward = 1 - p["z"] * near
                turn = near - p["pivot"] * self.subject
                c_x, c_y = p["pan"] * forward + p["x"] * turn, p["tilt"] * forward + p["y"] * turn
                d_x, d_y = out_x * forward, out_y * forward
                reaches = np.maximum(
                    np.abs(d_x) / np.maximum(np.where(d_x > 0, right - c_x, left + c_x), 1.0),
                    np.abs(d_y) / np.maximum(np.where(d_y > 0, bottom - c_y, top + c_y), 1.0),
                )
                factors = np.maximum(factors, reaches.max(axis=1, keepdims=True))
            need = factors
        return need[:, 0]

    def _nearness_at(self, surface: F32, x: F64, y: F64) -> F64:
        rows, columns = surface.shape
        i = np.clip(np.rint((y + self.height / 2) / STEP), 0, rows - 1).astype(int)
        j = np.clip(np.rint((x + self.width / 2) / STEP), 0, columns - 1).astype(int)
        found: F64 = surface[i, j].astype(np.float64)
        return found


class _View(NamedTuple):
    """The camera at one frame as the kernel reads it: cosine and sine of the roll, over the zoom; the rest as in
    CameraPose; the middle of the canvas in pixels."""

    cos: np.float32
    sin: np.float32
    pan: np.float32
    tilt: np.float32
    x: np.float32
    y: np.float32
    z: np.float32
    pivot: np.float32
    middle_x: np.float32
    middle_y: np.float32


def aim(nearness: F32, pose: CameraPose, rect: Rect, width: int, height: int) -> Grid:
    """Where the pixels of `rect` look: the camera's picture of a surface whose nearness (one over distance, the nearest
    thing at 1) is given, float32 on the quarter grid.

    Forward, a point at X (pixels from the middle) of nearness r is seen at (X - t·(r - pivot)) / (1 - z·r); solved for
    X with the nearness found at X itself, by three rounds of substitution: the rig keeps the slope far under 1.
    """
    rows, columns = grid_shape(rect)
    if pose.is_home:
        x = np.arange(columns, dtype=np.float32) * STEP + (FIRST + rect.left)
        y = np.arange(rows, dtype=np.float32) * STEP + (FIRST + rect.top)
        return Grid(rect, *np.meshgrid(x.astype(np.float32), y.astype(np.float32)))
    cos, sin = np.cos(pose.roll) / pose.zoom, np.sin(pose.roll) / pose.zoom
    view = _View(*(np.float32(number) for number in (
        cos, sin, pose.pan, pose.tilt, pose.x, pose.y, pose.z, pose.pivot, (width - 1) / 2, (height - 1) / 2,
    )))  # fmt: skip
    return Grid(rect, *_aim(nearness, view, np.float32(rect.left + FIRST), np.float32(rect.top + FIRST), rows, columns))


@kernel
def _aim(nearness: F32, view: _View, left: np.float32, top: np.float32, rows: int, columns: int) -> tuple[F32, F32]:
    """Solved at every other sample and filled in between: nearness is smooth at the scale of 8 pixels."""
    cos, sin, pan, tilt, tx, ty, tz, pivot, cx, cy = view
    # One node more than needed on the far sides, so that every sample lies between two.
    out_x = np.empty((rows + 2, columns + 2), np.float32)
    out_y = np.empty((rows + 2, columns + 2), np.float32)
    last_r, last_c = nearness.shape[0] - 1, nearness.shape[1] - 1
    one, zero, quarter, half = np.float32(1), np.float32(0), np.float32(0.25), np.float32(0.5)
    far_r, far_c = np.float32(last_r), np.float32(last_c)
    end_r, end_c = rows + rows % 2, columns + columns % 2
    for i in range(0, end_r + 1, 2):
        dy = top + np.float32(4 * i) - cy
        for j in range(0, end_c + 1, 2):
            dx = left + np.float32(4 * j) - cx
            qx = cos * dx - sin * dy + pan
            qy = sin * dx + cos * dy + tilt
            x, y = qx, qy
            for _ in range(3):
                px = min(max((x + cx) * quarter, zero), far_c)
                py = min(max((y + cy) * quarter, zero), far_r)
                c = min(int(px), last_c - 1)
                r = min(int(py), last_r - 1)
                fx, fy = px - np.float32(c), py - np.float32(r)
                a = nearness[r, c] + fx * (nearness[r, c + 1] - nearness[r, c])
                b = nearness[r + 1, c] + fx * (nearness[r + 1, c + 1] - nearness[r + 1, c])
                near = a + fy * (b - a)
                forward, turn = one - tz * near, near - pivot
                x = qx * forward + tx * turn
                y = qy * forward + ty * turn
            out_x[i, j] = x + cx
            out_y[i, j] = y + cy
        for j in range(1, end_c, 2):
            out_x[i, j] = half * (out_x[i, j - 1] + out_x[i, j + 1])
            out_y[i, j] = half * (out_y[i, j - 1] + out_y[i, j + 1])
    for i in range(1, end_r, 2):
        for j in range(end_c + 1):
            out_x[i, j] = half * (out_x[i - 1, j] + out_x[i + 1, j])
            out_y[i, j] = half * (out_y[i - 1, j] + out_y[i + 1, j])
    return out_x[:rows, :columns], out_y[:rows, :columns]
