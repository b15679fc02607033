"""The parts of a subject's outline."""

from __future__ import annotations

import cv2
import numpy as np

from vivant.engines.diorama.kernels import compiled_signatures
from vivant.engines.diorama.scene import body
from vivant.media import F32


def animal() -> F32:
    """A trunk on two legs, a head on a neck to the left, a thin tail to the right."""
    matte = np.zeros((240, 320), np.float32)
    cv2.ellipse(matte, (170, 120), (70, 38), 0, 0, 360, 1.0, -1)
    cv2.line(matte, (115, 105), (80, 60), 1.0, 18)
    cv2.circle(matte, (72, 52), 20, 1.0, -1)
    cv2.line(matte, (235, 110), (290, 70), 1.0, 6)
    for x in (125, 215):
        cv2.line(matte, (x, 130), (x, 210), 1.0, 14)
    return matte


def test_head_tail_and_feet_are_found_where_they_are() -> None:
    found = body.find_body(animal())
    assert found is not None and found.head is not None and found.tail is not None
    assert np.hypot(found.head.x - 72, found.head.y - 52) < 12
    assert np.hypot(found.tail.tip[0] - 290, found.tail.tip[1] - 70) < 8
    assert all(any(np.hypot(x - at, y - 210) < 20 for x, y in found.feet) for at in (125, 215))


def test_after_the_warm_up_a_body_is_found_without_compiling() -> None:
    body.warm_up_body()
    known = len(compiled_signatures(body._measure_from))
    body.find_body(animal())
    assert len(compiled_signatures(body._measure_from)) == known > 0
