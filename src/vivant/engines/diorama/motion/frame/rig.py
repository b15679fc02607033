"""The camera in one scene: by how much its relief (differences of nearness) must be reduced so that nothing looks
stretched, how far the view must zoom in so that no border shows, and where each output pixel then looks. Knows
geometry, not pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from vivant.engines.diorama.kernels import kernel
from vivant.engines.diorama.motion.fields import STEP, Rect
from vivant.engines.diorama.motion.frame.room_zoom import win_room
from vivant.engines.diorama.motion.frame.warp import (
    FIRST,
    Grid,
    find_corners,
    grid_shape,
    make_corners,
    read_between,
)
from vivant.engines.diorama.scene.scene import Margins
from vivant.engines.diorama.scene.surroundings import Room
from vivant.engines.diorama.timing.curves import HOME, CameraCurves
from vivant.media import F32, F64

FAR: Final = 0.25  # nearness of the farthest thing when the nearest has 1: distance ratio 4
# Times the parallax, of the height, that one surface or two may have if the camera rises or sinks: nothing leans by
# that, the ground opens and closes.
_RISE: Final = (3.0, 1.2)
STRETCH: Final = 0.35  # largest change of displacement per pixel: beyond, a single surface looks like rubber
# By which the view may be enlarged to win room: with more it is soft, and the zoom all one sees.
MOST_ZOOM: Final = 1.25
_ASIDE: Final = ("x", "y", "pan", "tilt")
_OUTWARD: Final = 1.004  # zoom that a move outward may need: less than is seen
_SHUTTER: Final = 1.4  # frames that a whip is blurred over: so much that nothing is made out in its middle
_NEAR: Final = 0.03  # of the side: a subject that is so near to it is as good as cut by it
_SLACK: Final = 6  # pixels that are looked at beyond what was worked out, by what moves in the picture
# Of a dolly zoom: by how much what is far away grows, per unit of the way back, and shrinks, on the way forward; how
# much of that its surface may be stretched by; how much more relief than was found it may take; the zoom it may need,
# under which the subject still keeps its size.
_GROWS: Final = 0.8
_SHRINKS: Final = 0.42
_COUNTER_STRETCH: Final = 0.6
_MOST_RELIEF: Final = 3.0
_COUNTER_ZOOM: Final = 1.025
_SHARES: Final = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.12)  # of a move, that are tried until it fits


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
    yaw: float = 0.0  # per pixel right of the middle, by which what is there is nearer
    pitch: float = 0.0  # per pixel below it

    @property
    def is_home(self) -> bool:
        at = (self.x, self.y, self.z, self.pan, self.tilt, self.roll, self.zoom, self.yaw, self.pitch)
        return at == (0, 0, 0, 0, 0, 0, 1, 0, 0)


class Rig:
    """Made once per clip; `pose(n)` and `aim` are pure."""

    def __init__(
        self, camera: CameraCurves, size: tuple[int, int], surfaces: tuple[F32, ...], *, subject: float,
        parallax: float, segments: tuple[tuple[int, int], ...], returns: bool = False, room: Room | None = None,
        keep: F64 | None = None,
    ) -> None:  # fmt: skip
        """size: (width, height). surfaces: their nearness, float32 on the quarter grid,
        FAR..1; one, or the background and what is before it. subject: nearness of what an orbit turns about.
        parallax: largest shift between near and far, in widths. segments: (start, end) frames; returns: whether the
        last segment must end at home. room: how far beyond the canvas the view may look. keep: points, pixels,
        float64 (n, 2), that an orbit must not turn out of the view, where they are in it at first."""
        self.width, self.height = size
        w, h = float(self.width), float(self.height)
        # x and y say by how much the subject passes; the camera itself goes as much farther as that is far away.
        scale = {"x": w / subject, "y": h / subject, "pan": w, "tilt": h, "yaw": 2 / w, "pitch": 2 / h, "whip": w}
        self._poses: dict[str, F64] = {
            axis: scale.get(axis, 1.0) * np.asarray(getattr(camera, axis), np.float64) for axis in HOME
        }
        self.subject = subject
        self._room = room or Room()
        self._keep = keep
        self._counters = float(self._poses["counter"].max()) > 0
        countered = 1.0
        if self._counters:
            surfaces = _hold_subject(surfaces, subject)
            self.relief, countered = self._find_counter_relief(surfaces[0])
        else:
            self.relief = self._limit_relief(surfaces, subject, parallax)
        self.surfaces: tuple[F32, ...] = tuple(
            (subject + self.relief * (nearness - subject)).astype(np.float32) for nearness in surfaces
        )
        self._apart = abs(float(np.median(self.surfaces[-1])) - float(np.median(self.surfaces[0])))
        # 0..1: how much of what was asked the room allows, of moves that show more of the picture and of the others. A
        # dolly zoom counts to the former; it also needs something that is farther away than its subject.
        self.outward = countered * self._limit_backing_away()
        self.aside = self._zoom_in(segments, returns=returns)

    @property
    def done(self) -> float:
        return min(self.outward, self.aside)

    def pose(self, n: int) -> CameraPose:
        at = {name: float(self._poses[name][n]) for name in CameraPose.__slots__}
        at["pivot"] *= self.subject
        whip = float(self._poses["whip"][n]) / self.width
        # Twice the width further, the picture and its mirror image repeat.
        at["pan"] += ((whip + 1) % 2 - 1) * self.width
        return CameraPose(**at)

    def blur(self, n: int) -> float:
        """How far a whip moves the picture at frame n, pixels: so long it is blurred along its way."""
        whip = self._poses["whip"]
        return _SHUTTER * float(abs(whip[min(n + 1, len(whip) - 1)] - whip[n - 1]) / 2) if n else 0.0

    @property
    def margins(self) -> Margins:
        """What must be there around the canvas so that every view finds it, as far as there is room; pixels."""
        if all(self.pose(n).is_home for n in range(len(self._poses["x"]))):
            return Margins()
        need = np.ones(len(self._poses["x"]))
        looks = np.stack([self._look(need, surface) for surface in self.surfaces])
        x, y = looks[:, 0] + looks[:, 2], looks[:, 1] + looks[:, 3]
        over = (
            -x.min() - self.width / 2,
            -y.min() - self.height / 2,
            x.max() - self.width / 2,
            y.max() - self.height / 2,
        )
        room = self._room
        sides = (room.left, room.top, room.right, room.bottom)
        return Margins(
            *(int(min(side, most + _SLACK)) if most > 1 else 0 for side, most in zip(sides, over, strict=True))
        )

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
        return self._apart * (float(np.hypot(pose.x, pose.y)) + abs(pose.z) * 0.25 * self.width)

    def _limit_relief(self, surfaces: tuple[F32, ...], subject: float, parallax: float) -> float:
        """0..1: by how much differences of nearness must shrink so that neither stretch nor parallax goes too far."""
        spread = max(float(np.percentile(s, 99)) for s in surfaces) - min(float(np.percentile(s, 1)) for s in surfaces)
        travel = float(np.hypot(self._poses["x"], self._poses["y"]).max())
        rise = _RISE[0 if len(surfaces) == 1 else 1] * max(1.0, self.height / self.width)
        seen = float(np.hypot(self._poses["x"], self._poses["y"] / rise).max())
        forward = float(np.abs(self._poses["z"]).max())
        if spread < 1e-4 or travel + forward == 0:
            return 1.0
        steepest = max(
            float(np.percentile(np.abs(np.diff(s, axis=axis)), 99.7)) / STEP for s in surfaces for axis in (0, 1)
        )
        radius = 0.5 * float(np.hypot(self.width, self.height))
        stretch = steepest * (travel + forward * radius)
        shift = spread * (seen + forward * 0.5 * self.width) / self.width
        return min(1.0, STRETCH / max(stretch, 1e-9), parallax / max(shift, 1e-9))

    def _find_counter_relief(self, behind: F32) -> tuple[float, float]:
        """By how much the relief of what is behind the subject of a dolly zoom is changed so that it grows or shrinks
        as much as is asked, and the share of that which the relief allows. Distances are guessed, and what one feels is
        the change of scale; so that is given. The way forward is shortened so that it ends before the subject.
        behind: nearness, at most the subject's."""
        asked = self._poses["z"]
        most = float(asked[int(np.argmax(np.abs(asked)))])
        self._poses["z"] = np.where(asked > 0, asked / (1 + asked), asked)
        z = most / (1 + most) if most > 0 else most
        depth = self.subject - float(np.percentile(behind, 3))
        if most == 0 or depth < 0.01:
            return 1.0, float(most == 0)
        scale = 1 + _GROWS * abs(most) if most < 0 else 1 / (1 + _SHRINKS * most)
        lens = 1 - z * self.subject
        wanted = abs(lens * (1 / scale - 1) / (z * depth))
        rows, columns = behind.shape
        y, x = np.mgrid[:rows, :columns].astype(np.float32)
        away = np.hypot(y - rows / 2, x - columns / 2)
        slope = away * np.hypot(*np.gradient(behind))
        stretch = float(np.percentile(slope, 99)) * abs(z) / lens
        relief = min(wanted, _COUNTER_STRETCH / max(stretch, 1e-9), _MOST_RELIEF)
        return relief, relief / wanted

    def _limit_backing_away(self) -> float:
        """Back away, or zoom out, less far if a border would come into view: zooming in instead would enlarge what is
        far, the opposite of what was asked. Returns the share of it that is done."""
        z, zoom = self._poses["z"], self._poses["zoom"]
        if not self._counters and float(z.min()) >= 0 and float(zoom.min()) >= 1:
            return 1.0
        # A dolly zoom shows more as it goes forward, too.
        away = z if self._counters else np.minimum(z, 0)
        wider = np.minimum(zoom, 1)
        aside = {axis: self._poses[axis] for axis in (*_ASIDE, "roll", "yaw", "pitch")}
        self._poses.update({axis: np.zeros_like(z) for axis in aside})
        done = _SHARES[-1]
        for share in _SHARES:
            gone = (z - away) + share * away
            lens = np.maximum(1 - gone * self.subject, 0.1) ** self._poses["counter"]  # keeps the subject's size
            self._poses["z"] = gone
            self._poses["zoom"] = np.maximum(zoom, 1) * wider**share * lens
            if float(self._needed_zoom().max()) < (_COUNTER_ZOOM if self._counters else _OUTWARD):
                done = share
                break
        self._poses.update(aside)
        return done

    def _zoom_in(self, segments: tuple[tuple[int, int], ...], *, returns: bool) -> float:
        """Zoom in as far as the view needs it to stay inside, and go aside less far where that is too much. Returns
        the share of the way aside that is done."""
        asked = {axis: self._poses[axis] for axis in (*_ASIDE, "roll", "yaw", "pitch")}
        lens = self._poses["zoom"]
        done = _SHARES[-1]
        for share in _SHARES:
            extra = np.ones(len(lens))
            for _ in range(4):
                # Seen through a longer lens, less of the way has the same effect.
                self._poses.update({axis: share * values for axis, values in asked.items()})
                # To turn takes the most room and gives way first; by passing its background a subject loses nothing.
                self._poses.update({axis: share**2 * asked[axis] for axis in ("yaw", "pitch")})
                self._poses.update({axis: share * asked[axis] / extra for axis in _ASIDE})
                extra = win_room(self._poses, self._needed_zoom(), segments, self.width, returns=returns)
            if (float(extra.max()) <= MOST_ZOOM and self._keeps_subject(extra)) or share == _SHARES[-1]:
                done = share
                break
        self._poses["zoom"] = lens * extra
        return done

    def _keeps_subject(self, extra: F64) -> bool:
        """Whether what an orbit turns about stays in the view, which is zoomed in by `extra`, float64 (frames,)."""
        turns = any(float(np.abs(self._poses[axis]).max()) > 0 for axis in ("yaw", "pitch"))
        if self._keep is None or not turns:
            return True
        x, y = (self._keep - np.array([self.width / 2, self.height / 2])).T[:, None]
        p = {name: values[:, None] for name, values in self._poses.items()}
        # `aim`, solved for where a point that it does not shift is seen.
        turned = np.maximum(1 - p["yaw"] * x - p["pitch"] * y, 0.2)
        zoom = p["zoom"] * extra[:, None]
        seen_x, seen_y = (x / turned - p["pan"]) * zoom, (y / turned - p["tilt"]) * zoom
        fits = True
        for seen, first, side in ((seen_x, x, self.width), (seen_y, y, self.height)):
            for way in (-1, 1):
                # A side that cuts the subject, or nearly so, may cut more of it.
                cut = float((way * first).max()) > (0.5 - _NEAR) * side
                fits = fits and (cut or float((way * seen).max()) <= side / 2)
        return fits

    def _needed_zoom(self) -> F64:
        """float64 (frames,): the factor e by which the view must zoom in so that its rim stays inside the picture and
        the room around it. From X = C + D / e for points of the rim: C is where the view's middle looks, D the way from
        there to the rim."""
        room = self._room
        left, right = self.width / 2 + room.left, self.width / 2 + room.right
        top, bottom = self.height / 2 + room.top, self.height / 2 + room.bottom
        need = np.ones(len(self._poses["x"]))
        for _ in range(3):
            factors = np.ones_like(need)
            for surface in self.surfaces:
                c_x, c_y, d_x, d_y = self._look(need, surface)
                reaches = np.maximum(
                    np.abs(d_x) / np.maximum(np.where(d_x > 0, right - c_x, left + c_x), 1.0),
                    np.abs(d_y) / np.maximum(np.where(d_y > 0, bottom - c_y, top + c_y), 1.0),
                )
                factors = np.maximum(factors, reaches.max(axis=1))
            need = factors
        return need

    def _look(self, need: F64, surface: F32) -> F64:
        """Where the rim of the view looks at each frame if it is zoomed in by `need`, float64 (frames,): pixels from
        the middle of the picture, as C and D of `_needed_zoom`: float64 (4, frames, points), C's x and y and D's. Of
        one surface, see `surfaces`."""
        w, h = self.width, self.height
        across, down = np.linspace(-w / 2, w / 2, 17), np.linspace(-h / 2, h / 2, 17)
        rim = np.stack([
            np.concatenate([across, across, np.full(17, -w / 2), np.full(17, w / 2)]),
            np.concatenate([np.full(17, -h / 2), np.full(17, h / 2), down, down]),
        ])  # fmt: skip
        p = self._poses
        poses = np.stack([
            np.cos(p["roll"]) / p["zoom"], np.sin(p["roll"]) / p["zoom"], p["pan"], p["tilt"], p["x"], p["y"], p["z"],
            p["pivot"] * self.subject, p["yaw"], p["pitch"], need,
        ])  # fmt: skip
        return _look_along(surface, np.ascontiguousarray(poses), rim, w / 2, h / 2)


@kernel
def _look_along(nearness: F32, poses: F64, rim: F64, middle_x: float, middle_y: float) -> F64:
    """`Rig._look`: `aim`, for the points of the rim, float64 (2, points), over float64 (11, frames) of what the camera
    does."""
    frames, points = poses.shape[1], rim.shape[1]
    rows, columns = nearness.shape
    out = np.empty((4, frames, points), np.float64)
    for n in range(frames):
        cos, sin, pan, tilt, x, y = poses[0, n], poses[1, n], poses[2, n], poses[3, n], poses[4, n], poses[5, n]
        z, pivot, yaw, pitch, need = poses[6, n], poses[7, n], poses[8, n], poses[9, n], poses[10, n]
        for k in range(points):
            way_x, way_y = cos * rim[0, k] - sin * rim[1, k], sin * rim[0, k] + cos * rim[1, k]
            at_x, at_y = pan + way_x / need, tilt + way_y / need
            turned = 1 / max(1 + yaw * at_x + pitch * at_y, 0.2)
            row = min(max(int(np.rint((at_y * turned + middle_y) / STEP)), 0), rows - 1)
            column = min(max(int(np.rint((at_x * turned + middle_x) / STEP)), 0), columns - 1)
            near = nearness[row, column]
            turn, scale = near - pivot, (1 - z * near) * turned
            out[0, n, k], out[1, n, k] = pan * scale + x * turn, tilt * scale + y * turn
            out[2, n, k], out[3, n, k] = way_x * scale, way_y * scale
    return out


def _hold_subject(surfaces: tuple[F32, ...], subject: float) -> tuple[F32, ...]:
    """Surfaces for a dolly zoom: what is before its subject keeps its size as the subject does, so that no border comes
    into view and feet stay on the ground; and a subject that was cut out is flat."""
    behind = np.minimum(surfaces[0], np.float32(subject))
    return (behind, *(np.full_like(surface, subject) for surface in surfaces[1:]))


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
    yaw: np.float32
    pitch: np.float32
    middle_x: np.float32
    middle_y: np.float32


def aim(nearness: F32, pose: CameraPose, rect: Rect, width: int, height: int) -> Grid:
    """Where the pixels of `rect` look: the camera's picture of a surface whose nearness (one over distance, the nearest
    thing at 1) is given, float32 on the quarter grid.

    Forward, a point at X (pixels from the middle) of nearness r is seen at (X - t·(r - pivot)) / (1 - z·r); solved for
    X with the nearness found at X itself, by three rounds of substitution: the rig keeps the slope far under 1. Round
    the subject the picture is turned as a plane before that: by a homography, so that what is straight stays straight.
    """
    rows, columns = grid_shape(rect)
    if pose.is_home:
        x = np.arange(columns, dtype=np.float32) * STEP + (FIRST + rect.left)
        y = np.arange(rows, dtype=np.float32) * STEP + (FIRST + rect.top)
        return Grid(rect, *np.meshgrid(x.astype(np.float32), y.astype(np.float32)))
    cos, sin = np.cos(pose.roll) / pose.zoom, np.sin(pose.roll) / pose.zoom
    view = _View(*(np.float32(number) for number in (
        cos, sin, pose.pan, pose.tilt, pose.x, pose.y, pose.z, pose.pivot, pose.yaw, pose.pitch, (width - 1) / 2,
        (height - 1) / 2,
    )))  # fmt: skip
    return Grid(rect, *_aim(nearness, view, np.float32(rect.left + FIRST), np.float32(rect.top + FIRST), rows, columns))


@kernel
def _aim(nearness: F32, view: _View, left: np.float32, top: np.float32, rows: int, columns: int) -> tuple[F32, F32]:
    """Solved at every other sample and filled in between: nearness is smooth at the scale of 8 pixels. A row at a time,
    each step a loop of its own: only such loops use SIMD."""
    cos, sin, pan, tilt, tx, ty, tz, pivot, yaw, pitch, cx, cy = view
    out_x, out_y = np.empty((rows, columns), np.float32), np.empty((rows, columns), np.float32)
    # Solved samples are on the far sides, too, so that every sample is one or lies between two.
    count = (columns + 1) // 2 + 1
    qx, qy = np.empty(count, np.float32), np.empty(count, np.float32)
    x, y, near = np.empty(count, np.float32), np.empty(count, np.float32), np.empty(count, np.float32)
    row_x, row_y = np.empty(2 * count, np.float32), np.empty(2 * count, np.float32)
    above_x, above_y = np.empty(2 * count, np.float32), np.empty(2 * count, np.float32)
    flat, corners = nearness.reshape(-1), make_corners(count)
    one, half = np.float32(1), np.float32(0.5)
    for i in range(0, rows + 1, 2):
        dy = top + np.float32(4 * i) - cy
        for k in range(count):
            dx = left + np.float32(8 * k) - cx
            way_x = cos * dx - sin * dy + pan
            way_y = sin * dx + cos * dy + tilt
            turned = one / max(one + yaw * way_x + pitch * way_y, np.float32(0.2))
            qx[k], qy[k] = way_x * turned, way_y * turned
        for k in range(count):
            x[k], y[k] = qx[k] + cx, qy[k] + cy
        for _ in range(3):
            find_corners(x, y, nearness.shape[0], nearness.shape[1], corners)
            read_between(flat, 0, nearness.shape[1], corners, near)
            for k in range(count):
                x[k] = qx[k] * (one - tz * near[k]) + tx * (near[k] - pivot) + cx
            for k in range(count):
                y[k] = qy[k] * (one - tz * near[k]) + ty * (near[k] - pivot) + cy
        _fill_between(x, row_x)
        _fill_between(y, row_y)
        if i:
            for j in range(columns):
                out_x[i - 1, j] = half * (above_x[j] + row_x[j])
            for j in range(columns):
                out_y[i - 1, j] = half * (above_y[j] + row_y[j])
        if i < rows:
            out_x[i], out_y[i] = row_x[:columns], row_y[:columns]
        above_x, row_x = row_x, above_x
        above_y, row_y = row_y, above_y
    return out_x, out_y


@kernel
def _fill_between(values: F32, out: F32) -> None:
    """out, float32 (2n,) = values, float32 (n,), and what lies in the middle between them."""
    half = np.float32(0.5)
    for k in range(values.shape[0] - 1):
        out[2 * k] = values[k]
        out[2 * k + 1] = half * (values[k] + values[k + 1])
    out[-2] = values[-1]
