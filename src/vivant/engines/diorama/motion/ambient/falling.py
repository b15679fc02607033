"""What is the same for all drops of rain, or flakes of snow, in one frame."""

from __future__ import annotations

from typing import NamedTuple

from vivant.engines.diorama.motion.ambient.air import Air
from vivant.engines.diorama.motion.ambient.lens import FOCAL
from vivant.request import FPS


class Fall(NamedTuple):
    """One frame of rain or snow, as one argument for a kernel."""

    time: float  # seconds
    wind: float  # metres per second, to the right
    drift: float  # metres that the wind has carried things since frame 0, to the right
    focal: float  # pixels
    width: float  # of the frame, pixels
    height: float
    opacity: float  # 0..1
    bright: float  # luma before a dark background, 16..235
    shade: float  # and before a bright one
    cb: float
    cr: float


def fall_at(air: Air, n: int, *, wind: float, bright: float, shade: float) -> Fall:
    """Frame n. wind: metres per second where the air's wind is 1; bright, shade: luma by the picture's own
    light."""
    return Fall(
        time=n / FPS,
        wind=float(air.wind[n]) * wind,
        drift=float(air.drift[n]) * wind,
        focal=FOCAL * min(air.width, air.height),
        width=float(air.width),
        height=float(air.height),
        opacity=float(air.opacity[n]),
        bright=air.dim(bright, n),
        shade=air.dim(shade, n),
        cb=air.tint[0],
        cr=air.tint[1],
    )
