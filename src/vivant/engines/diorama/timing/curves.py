"""The curves of a clip by name: where the camera is and what each face does, a value per frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import inf
from typing import Final

import numpy as np

from vivant.engines.diorama.checks import check_array, check_type
from vivant.media import F32

# Where each axis of the camera is at home: there the frame is exactly the picture.
HOME: Final[Mapping[str, float]] = {
    "x": 0.0, "y": 0.0, "z": 0.0, "pan": 0.0, "tilt": 0.0, "roll": 0.0, "zoom": 1.0, "pivot": 0.0, "yaw": 0.0,
    "pitch": 0.0, "counter": 0.0, "whip": 0.0, "near_soft": 0.0, "far_soft": 0.0,
}  # fmt: skip
_CAMERA_RANGE: Final[Mapping[str, tuple[float, float]]] = {
    "zoom": (0.01, 100), "pivot": (0, 1), "yaw": (-1, 1), "pitch": (-1, 1), "counter": (0, 1), "near_soft": (0, 1),
    "far_soft": (0, 1),
}  # fmt: skip
_FACE_RANGE: Final[Mapping[str, tuple[float, float]]] = {
    "brow": (-1, 1), "smile": (-1, 1), "widen": (-1, 1), "gaze": (-1, 1), "chew": (-1, 1), "lean": (-1, 1),
    "yaw": (-90, 90), "pitch": (-90, 90), "roll": (-90, 90),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CameraCurves:
    """Where the camera is in each frame. All float32 (frames,)."""

    x: F32  # the camera itself to the right, canvas widths by which the subject passes: near things pass faster
    y: F32  # and down, canvas heights
    z: F32  # and forward, as a share of the way to the nearest thing
    pan: F32  # the view to the right, canvas widths as they are seen: everything passes equally fast
    tilt: F32  # and down, canvas heights
    roll: F32  # radians, clockwise as the operator turns
    zoom: F32  # focal length over the focal length at home
    pivot: F32  # 0..1: how much the view turns to keep the subject in its place while x and y change
    yaw: F32  # the camera round the subject to the right: by so much what is at the right border comes nearer, a share
    pitch: F32  # and down: what is at the lower border comes nearer
    counter: F32  # 0..1: how far the lens makes up for z, so that the subject keeps its size
    whip: F32  # canvas widths to the right through which the view is torn, blurred and in no detail; whole at its end
    near_soft: F32  # 0..1: how far what is near is out of focus
    far_soft: F32  # 0..1: and what is far

    def __post_init__(self) -> None:
        check_type("CameraCurves.x", self.x, np.ndarray)
        for field in fields(self):
            low, high = _CAMERA_RANGE.get(field.name, (-inf, inf))
            check_array(f"CameraCurves.{field.name}", getattr(self, field.name), np.float32, (self.frames,), low, high)

    @classmethod
    def at_home(cls, frames: int) -> CameraCurves:
        """A camera that does not move."""
        return cls(**{name: np.full(frames, home, np.float32) for name, home in HOME.items()})

    @property
    def frames(self) -> int:
        return len(self.x)


_BODY_RANGE: Final[Mapping[str, tuple[float, float]]] = {
    "breath": (0, 1.5), "lids": (0, 1), "yaw": (-45, 45), "pitch": (-45, 45), "roll": (-45, 45), "ears": (-45, 45),
    "tail": (-90, 90),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BodyCurves:
    """What the parts of a subject without a human face do. All float32 (frames,)."""

    breath: F32  # 0..1.5, 1: breathed in at rest
    lean: F32  # -1..1 as usual, + to the picture's right
    bob: F32  # -1..1, + down
    nearer: F32  # 0..1, how far it has come nearer
    yaw: F32  # of the head, degrees, + to the picture's right
    pitch: F32  # + down
    roll: F32  # + clockwise
    muzzle: F32  # -1..1, sniffing and chewing, + down
    ears: F32  # degrees, + backward
    tail: F32  # degrees, + clockwise
    swim: F32  # -1..1 as usual: the sine of the wave that runs from head to tail of what swims
    swim_late: F32  # the same wave's cosine
    fins: F32  # -1..1 as usual, of what swims
    drift: F32  # -1..1 as usual: where what swims hovers, + to the picture's right
    lids: F32  # 0..1, 1: shut

    def __post_init__(self) -> None:
        check_type("BodyCurves.breath", self.breath, np.ndarray)
        for field in fields(self):
            low, high = body_range(field.name)
            check_array(f"BodyCurves.{field.name}", getattr(self, field.name), np.float32, (self.frames,), low, high)

    @property
    def frames(self) -> int:
        return len(self.breath)


def body_range(name: str) -> tuple[float, float]:
    """(lowest, highest) value of a curve of BodyCurves."""
    return _BODY_RANGE.get(name, (0, 1) if name == "nearer" else (-2, 2))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceCurves:
    """What one face does in each frame. All float32 (frames,); 0 is as in the picture."""

    # The mouth, 0..1; the lips are apart by jaw · (1 - close).
    jaw: F32  # how far it drops
    wide: F32  # lips drawn apart sideways
    round: F32  # lips rounded and brought forward
    close: F32  # 1: lips pressed together
    teeth: F32  # 1: lower lip at the upper teeth
    # The eyes, 0..1.
    lids: F32  # 1: both eyes shut
    wink: F32  # the same for the eye at the picture's right alone
    # The head, degrees.
    yaw: F32  # + to the picture's right
    pitch: F32  # + down
    roll: F32  # + clockwise
    # The rest.
    breath: F32  # 0..1, 1: breathed in as deeply as possible
    lean: F32  # -1 weight shifted to the picture's left .. 1 to its right
    brow: F32  # -1 lowered .. 1 raised
    smile: F32  # -1 corners of the mouth down .. 1 up
    smirk: F32  # 0..1, 1: the corner at the picture's right alone up
    knit: F32  # 0..1, 1: brows drawn together and down
    inner: F32  # 0..1, 1: the inner ends of the brows up, as in grief and fear
    widen: F32  # -1 lids narrowed .. 1 wide open
    sneer: F32  # 0..1, 1: nose wrinkled, upper lip up
    pout: F32  # 0..1, 1: lower lip pushed up and forward
    gaze: F32  # -1 eyes to the picture's left .. 1 to its right
    chew: F32  # -1 jaw to the picture's left .. 1 to its right

    def __post_init__(self) -> None:
        check_type("FaceCurves.jaw", self.jaw, np.ndarray)
        for field in fields(self):
            low, high = face_range(field.name)
            check_array(f"FaceCurves.{field.name}", getattr(self, field.name), np.float32, (self.frames,), low, high)

    @classmethod
    def at_rest(cls, frames: int) -> FaceCurves:
        """A face that stays as it is in the picture."""
        return cls(**{field.name: np.zeros(frames, np.float32) for field in fields(cls)})

    @property
    def frames(self) -> int:
        return len(self.jaw)


def face_range(name: str) -> tuple[float, float]:
    """(lowest, highest) value of a curve of FaceCurves."""
    return _FACE_RANGE.get(name, (0, 1))
