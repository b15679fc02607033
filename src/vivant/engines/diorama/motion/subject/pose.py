"""How each part of a body moves with its curve: one displacement of the whole subject per curve, which add up.

All are smooth, die out toward the feet, and go on unchanged beyond the outline, so that the outline moves with what is
inside it. Displacements say where things go; `field` turns them into where the picture is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.engines.diorama import filters
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.fields import STEP, Field, average_quarter, quarter_shape
from vivant.engines.diorama.motion.subject.swim import make_swim
from vivant.engines.diorama.motion.subject.weights import spread
from vivant.engines.diorama.scene.body import Body, Limb
from vivant.engines.diorama.scene.complete import pull_push
from vivant.engines.diorama.scene.tail import Tail, find_tail
from vivant.engines.diorama.storyboard import Being
from vivant.media import F32

# Trunk radii by which chest and flanks widen, and by which they rise.
BREATH: Final = (0.085, 0.06)
# Where the trunk's circle is the head's: what is left of the widening, and of what the whole head moves with its
# middle when it turns, which would bare what it hides.
HEADY: Final = (0.25, 0.45)
LARGE: Final = 0.1  # widths: trunk radius above which a breath is as deep as at it
LEAN: Final = 0.024  # of the height, sideways at the top
BOB: Final = 0.016  # of the height, at the top
NEARER: Final = 0.035  # larger by this share
# Head radius in long sides of the picture whose angles are as the curves say; smaller heads turn farther, else nobody
# sees it, and larger ones less: a face that fills the picture would jump. Both within these factors.
SMALL: Final = 0.063
FARTHER: Final = (0.26, 2.6)
DEEPER: Final = (1.0, 1.7)  # the same of breath, by the trunk's radius
LOW: Final = 0.6  # long sides of the picture: height of what shifts its weight as the curves say; lower ones do it more
WIDER: Final = (1.0, 2.4)  # within these factors
EDGE: Final = 0.07  # widths beside the picture's border in which displacements die out: nobody knows what lies beyond
TAIL_EDGE: Final = 0.02  # the same of a tail
SWING: Final = 0.6  # degrees about the neck per degree that a head seen from the side turns
TURN: Final = (1.05, 0.75)  # head radii per radian: what the middle of a ball moves more than its rim, and the whole
DIP: Final = (0.7, 1.0)  # the same up and down, of a head that is seen from the front
SHORT: Final = 0.1  # widths: length of a tail that turns as the curve says; a shorter one turns farther
STROKE: Final = 24.0  # degrees, about the most that a wagging tail's curve says
FOLDS: Final = 1.6  # of its own thickness, by which the tip of a tail goes to a side at most
MUZZLE: Final = 0.05  # head radii
THIN: Final = 0.25  # of the matte, averaged, from which a sample is the subject's: horns and tails are thin
CORE: Final = 0.55  # trunk radii that never follow the head or the tail
FOOT: Final = 0.3  # trunk radii about a foot that hold still
BEYOND: Final = 9  # quarter samples about the outline on which the displacement of a cut-out goes on
RIM: Final = (4.0, 0.35)  # pixels, and trunk radii, in which it dies out beside an outline that is not cut out


class _Turn(NamedTuple):
    """A rotation about a point, clockwise: `weights` (float32, quarter grid, 0..1) times the sum of curves, each by its
    share, degrees."""

    about: tuple[float, float]
    weights: F32
    shares: Mapping[str, float]


class BodyPose:
    """The displacements of one body, made once per clip."""

    def __init__(
        self, body: Body, matte: F32, size: tuple[int, int], *, cut_out: bool = True, being: Being = "animal"
    ) -> None:
        """matte: float32 (h, w), 0..1; size: (width, height) of the canvas. cut_out: the background does not follow;
        else it does beside the outline, less the farther away."""
        width, height = size
        rows, columns = quarter_shape(height, width)
        soft = average_quarter(matte)
        self._soft = soft
        self._inside = soft > THIN
        y, x = np.mgrid[:rows, :columns].astype(np.float32) * STEP
        self._x, self._y, self._body, self._size = x, y, body, size
        found_rows = np.flatnonzero(self._inside.any(1))
        top = STEP * float(found_rows[0]) if len(found_rows) else 0.0
        self._tall = max(8.0, body.ground - top)
        self._up = np.clip((body.ground - y) / self._tall, 0, 1.3)
        self._still = np.asarray(smoothstep(self._up / 0.16), np.float32)
        for foot in body.feet:
            near = np.hypot(x - foot[0], y - foot[1]) / (FOOT * body.trunk.radius)
            self._still = self._still * np.asarray(smoothstep(near - 0.35), np.float32)
        head = body.head
        long = max(width, height)  # a tall picture is seen as large as a wide one
        self._farther = 1.0 if head is None else float(np.clip(SMALL * long / max(1.0, head.radius), *FARTHER))
        self._deeper = float(np.clip(SMALL * long / max(1.0, body.trunk.radius), *DEEPER))
        self._wider = float(np.clip(LOW * long / self._tall, *WIDER))
        self._head = self._spread_head()
        self._ball = self._make_ball()
        pushes: Mapping[str, tuple[F32, F32] | None] = make_swim(x, y, self._inside, body) if being == "fish" else {
            "breath": self._breathe(), "lean": self._lean(), "bob": self._bob(), "nearer": self._come_nearer(),
            "yaw": self._turn(), "pitch": self._dip(), "muzzle": self._sniff(),
        }  # fmt: skip
        border = np.min([x, width - 1 - x, y, height - 1 - y], axis=0) / (EDGE * width)
        beside = self._fade(cut_out=cut_out)
        fade = beside * np.asarray(smoothstep(border), np.float32)
        self._pushes = {
            name: np.stack([fade * self._go_on(axis) for axis in push])
            for name, push in pushes.items()
            if push is not None
        }
        self._turns = [
            _Turn(one.about, fade * self._go_on(one.weights), one.shares)
            for one in (() if being == "fish" else (*self._swing(), *self._twitch()))
        ]
        # All of a tail is seen: only beyond it, at the border, nothing must move.
        whole = beside * np.asarray(smoothstep(border * (EDGE / TAIL_EDGE)), np.float32)
        self._turns += [_Turn(one.about, whole * one.weights, one.shares) for one in self._wag(being)]

    @property
    def moves(self) -> frozenset[str]:
        """The curves of BodyCurves that move something of this body."""
        return frozenset(self._pushes) | {name for turn in self._turns for name in turn.shares}

    def field(self, values: Mapping[str, float]) -> Field | None:
        """The field of curves with these values; None where nothing moves."""
        u = np.zeros((2, *self._x.shape), np.float32)
        moving = False
        for name, push in self._pushes.items():
            if values.get(name, 0.0):
                u += np.float32(values[name]) * push
                moving = True
        for turn in self._turns:
            angle = sum(share * values.get(name, 0.0) for name, share in turn.shares.items())
            if angle:
                self._rotate(turn, angle, u)
                moving = True
        if not moving:
            return None
        # What is seen at p came from p + d with d = -u(p + d): two rounds of substitution.
        dx, dy = -u[0], -u[1]
        for _ in range(2):
            at_x, at_y = (self._x + dx) / STEP, (self._y + dy) / STEP
            dx, dy = -filters.sample(u[0], at_x, at_y), -filters.sample(u[1], at_x, at_y)
        # Beyond the border lies a mirror image, of which nothing must be seen.
        width, height = self._size
        return Field(np.clip(self._x + dx, 0, width - 1) - self._x, np.clip(self._y + dy, 0, height - 1) - self._y)

    def _rotate(self, turn: _Turn, degrees: float, u: F32) -> None:
        """Add a rotation, clockwise, to displacements."""
        angle = np.float32(np.radians(degrees)) * turn.weights
        x, y = self._x - np.float32(turn.about[0]), self._y - np.float32(turn.about[1])
        less, sine = np.cos(angle) - 1, np.sin(angle)
        u[0] += less * x - sine * y
        u[1] += sine * x + less * y

    def _fade(self, *, cut_out: bool) -> F32:
        """float32, 0..1: how far displacements go on beyond the outline."""
        if cut_out:
            near = cv2.dilate(self._inside.astype(np.uint8), np.ones((2 * BEYOND + 1,) * 2, np.uint8))
            return np.asarray(np.clip(2 * filters.blur(near, 2.5), 0, 1), np.float32)
        away = STEP * cv2.distanceTransform((~self._inside).astype(np.uint8), cv2.DIST_L2, 5)
        rim = RIM[0] + min(RIM[1] * self._body.trunk.radius, 10.0 * STEP)
        return np.asarray(1 - smoothstep((away - RIM[0]) / rim), np.float32)

    def _go_on(self, values: F32) -> F32:
        """The values of the subject, continued beyond its outline."""
        known = self._inside.astype(np.float32)
        return filters.blur(np.where(self._inside, values, pull_push(values.astype(np.float32), known)), 1.0)

    def _spread_head(self) -> F32 | None:
        body = self._body
        if body.head is None or body.neck is None:
            return None
        head, neck = body.head, body.neck
        moved = np.hypot(self._x - head.x, self._y - head.y) < 0.9 * head.radius
        # What lies beyond the head as seen from the neck (horns, ears, a muzzle) is the head's.
        ahead = (self._x - head.x) * (head.x - neck[0]) + (self._y - head.y) * (head.y - neck[1]) > 0
        near = np.hypot(self._x - head.x, self._y - head.y) < 3.2 * head.radius
        moved |= ahead & near & self._inside
        held = self._hold(CORE)
        weights = spread(self._inside, held & ~moved, moved & self._inside)
        return np.asarray(smoothstep(weights), np.float32)

    def _hold(self, core: float) -> NDArray[np.bool_]:
        """What no part moves: the core of the trunk, and all below its middle."""
        trunk = self._body.trunk
        held = np.hypot(self._x - trunk.x, self._y - trunk.y) < core * trunk.radius
        low = self._y > trunk.y + 0.9 * trunk.radius
        return np.asarray(held | low, np.bool_)

    def _make_ball(self) -> F32 | None:
        head = self._body.head
        if head is None or self._head is None:
            return None
        out = np.hypot(self._x - head.x, self._y - head.y) / (1.35 * head.radius)
        return np.asarray(np.clip(1 - out**2, 0, 1) ** 1.5, np.float32)

    def _breathe(self) -> tuple[F32, F32]:
        trunk = self._body.trunk
        x, y = (self._x - trunk.x) / trunk.radius, (self._y - trunk.y) / trunk.radius
        chest = np.exp(-((np.hypot(x, y) / 1.35) ** 4)) * self._still
        radius = self._deeper * min(trunk.radius, LARGE * self._size[0])
        across, rise = BREATH[0] * radius, BREATH[1] * radius
        if self._is_all_head():  # its chest is not seen
            across *= HEADY[0]
        lift = rise * smoothstep(self._up * 1.6 - 0.3) * self._still  # what is above rides on the chest
        return (across * x * chest).astype(np.float32), (across * 0.6 * y * chest - lift).astype(np.float32)

    def _is_all_head(self) -> bool:
        """Whether nothing but the head of it is seen."""
        head, trunk = self._body.head, self._body.trunk
        return head is not None and (head.x, head.y) == (trunk.x, trunk.y)

    def _lean(self) -> tuple[F32, F32]:
        push = self._wider * LEAN * min(self._tall, 4 * LARGE * self._size[0]) * self._up**1.4 * self._still
        return push.astype(np.float32), np.zeros_like(self._x)

    def _bob(self) -> tuple[F32, F32]:
        rise = self._wider * BOB * self._tall * np.sqrt(self._up) * self._still
        return np.zeros_like(self._x), rise.astype(np.float32)

    def _come_nearer(self) -> tuple[F32, F32]:
        body = self._body
        return (
            (NEARER * (self._x - body.trunk.x)).astype(np.float32),
            (NEARER * (self._y - body.ground)).astype(np.float32),
        )

    def _turn(self) -> tuple[F32, F32] | None:
        """Per degree: the middle of the head goes farther than its rim."""
        head = self._body.head
        if head is None or self._head is None or self._ball is None:
            return None
        whole = TURN[1] * (HEADY[1] if self._is_all_head() else 1.0)
        push = np.radians(self._farther) * head.radius * (TURN[0] * self._ball + whole) * self._head
        return push.astype(np.float32), np.zeros_like(self._x)

    def _dip(self) -> tuple[F32, F32] | None:
        """Per degree: a head seen from the front goes up and down."""
        head = self._body.head
        if head is None or self._head is None or self._ball is None:
            return None
        down = np.radians(self._farther) * head.radius * (DIP[0] * self._ball + DIP[1]) * self._head
        return np.zeros_like(self._x), (down * (1 - abs(self._side()))).astype(np.float32)

    def _side(self) -> float:
        """-1 a head seen from its side that points to the picture's left .. 0 from the front .. 1."""
        body = self._body
        if body.head is None or body.neck is None:
            return 0.0
        across, down = body.head.x - body.neck[0], body.head.y - body.neck[1]
        return float(across / max(1.0, float(np.hypot(across, down))))

    def _swing(self) -> tuple[_Turn, ...]:
        """The head about the neck: tilted, and, seen from the side, dipped, or raised as it turns away."""
        neck = self._body.neck
        if neck is None or self._head is None:
            return ()
        side, far = self._side(), self._farther
        return (_Turn(neck, self._head, {"roll": far, "pitch": far * side, "yaw": far * SWING * side}),)

    def _sniff(self) -> tuple[F32, F32] | None:
        body = self._body
        if body.head is None or body.neck is None or self._head is None:
            return None
        side = self._side()
        x = body.head.x + 0.75 * body.head.radius * side
        y = body.head.y + (0.25 + 0.4 * (1 - abs(side))) * body.head.radius
        near = np.exp(-((np.hypot(self._x - x, self._y - y) / (0.65 * body.head.radius)) ** 2))
        return np.zeros_like(self._x), (MUZZLE * body.head.radius * near * self._head).astype(np.float32)

    def _twitch(self) -> tuple[_Turn, ...]:
        """Ears, away from the middle of the head; the first one more than the other."""
        body = self._body
        if body.head is None:
            return ()
        turns = []
        for ear, share in zip(body.ears, (1.0, -0.55), strict=False):
            away = 1.0 if ear.tip[0] >= body.head.x else -1.0
            turns.append(_Turn(ear.root, self._along(ear), {"ears": share * away}))
        return tuple(turns)

    def _along(self, limb: Limb) -> F32:
        """0 at the root of a limb, 1 at its tip and beyond, fading out beside it."""
        (x0, y0), (x1, y1) = limb.root, limb.tip
        long = max(4.0, limb.length)
        ux, uy = (x1 - x0) / long, (y1 - y0) / long
        ahead = ((self._x - x0) * ux + (self._y - y0) * uy) / long
        beside = np.abs((self._y - y0) * ux - (self._x - x0) * uy) / max(1.2 * STEP, 0.55 * long)
        return np.asarray(smoothstep(ahead + 0.15) * np.exp(-(beside**4)), np.float32)

    def _wag(self, being: Being) -> tuple[_Turn, ...]:
        """The tail about its root, the tip most; a short one farther, but none so far that it folds over."""
        tail = self._body.tail
        if tail is None or being == "fish":
            return ()
        found = find_tail(self._soft, self._body)
        if found is None:  # a body that the caller describes, or one that the view cuts off
            return (_Turn(tail.root, self._bend_tail(tail), {"tail": self._farther_tail(tail.length)}),)
        long = float(np.hypot(tail.tip[0] - found.root[0], tail.tip[1] - found.root[1]))
        far = min(self._farther_tail(long), FOLDS * found.thick / float(np.radians(STROKE) * max(1.0, long)))
        return (_Turn(found.root, self._swing_tail(found), {"tail": far}),)

    def _swing_tail(self, tail: Tail) -> F32:
        """0 at the root .. 1 at the tip; 0 in the trunk, however near to the tail it is."""
        (x0, y0), (x1, y1) = tail.root, tail.tip
        out = np.hypot(self._x - x0, self._y - y0) / max(8.0, float(np.hypot(x1 - x0, y1 - y0)))
        weights = np.where(tail.part, np.clip(out, 0, 1), 0).astype(np.float32)
        known = tail.part | tail.rest  # the rim of the matte goes with what is beside it
        return np.where(known, weights, pull_push(weights, known.astype(np.float32)))

    def _farther_tail(self, long: float) -> float:
        return float(np.clip(SHORT * self._size[0] / max(8.0, long), 0.7, 1.4))

    def _bend_tail(self, tail: Limb) -> F32:
        """0..1 of a tail that is not told from the trunk by how thin it is."""
        (x0, y0), (x1, y1) = tail.root, tail.tip
        moved = np.hypot(self._x - x1, self._y - y1) < max(2.0 * STEP, 0.2 * max(8.0, tail.length))
        body = self._body
        held = (np.hypot(self._x - body.trunk.x, self._y - body.trunk.y) < 0.85 * body.trunk.radius) | (
            (self._x - x0) * (x1 - x0) + (self._y - y0) * (y1 - y0) < 0
        )
        if body.head is not None:
            held |= np.hypot(self._x - body.head.x, self._y - body.head.y) < 1.3 * body.head.radius
        weights = spread(self._inside, held & ~moved, moved & self._inside) ** np.float32(1.2)
        return self._go_on(weights.astype(np.float32))
