"""What is in front of the camera (rain, snow, sparks) on the way to a last picture, which has none of it."""

from __future__ import annotations

from typing import Final

import cv2

from vivant.engines.diorama.motion.fields import Ambient
from vivant.media import Planes
from vivant.request import FPS

_FADE: Final = 0.7  # seconds before the last picture


def draw_in_front(ambient: Ambient, n: int, frame: Planes, *, left: int) -> None:
    """Draw it into `frame`, in place. left: frames from frame n to the last picture."""
    share = left / (_FADE * FPS)
    if share >= 1:
        ambient.overlay(n, frame)
        return
    clear = Planes(frame.y.copy(), frame.u.copy(), frame.v.copy())
    ambient.overlay(n, frame)
    for dry, wet in ((clear.y, frame.y), (clear.u, frame.u), (clear.v, frame.v)):
        cv2.addWeighted(wet, share, dry, 1 - share, 0, dst=wet)
