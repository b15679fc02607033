"""Which way a thing faces, by its outline."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vivant.engines.diorama.scene.facing import find_facing
from vivant.engines.diorama.scene.small_copy import Mask
from vivant.engines.diorama.storyboard import Drift, ThingKind

# Corners in a field of 200 x 100 pixels; each faces left.
OUTLINES: dict[ThingKind, list[tuple[int, int]]] = {
    "car": [(20, 80), (20, 60), (70, 55), (90, 30), (160, 30), (180, 60), (180, 80)],
    "plane": [(20, 60), (35, 50), (150, 50), (172, 20), (180, 20), (178, 60), (160, 68), (40, 68)],
    "boat": [(20, 60), (95, 60), (100, 5), (105, 60), (180, 60), (175, 85), (70, 85)],
    "fish": [(20, 50), (60, 25), (100, 35), (150, 48), (180, 35), (180, 65), (150, 52), (100, 65), (60, 75)],
}


def draw(kind: ThingKind) -> Mask:
    field = np.zeros((100, 200), np.uint8)
    cv2.fillPoly(field, [np.array(OUTLINES[kind], np.int32)], 1)
    return field > 0


@pytest.mark.parametrize("kind", list(OUTLINES))
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_thing_faces_the_side_of_its_front(kind: ThingKind, side: Drift) -> None:
    solid = draw(kind)
    assert find_facing(kind, solid if side == "left" else solid[:, ::-1]) == side


@pytest.mark.parametrize("kind", [*OUTLINES, "balloon"])
def test_what_is_the_same_on_both_sides_shows_no_front(kind: ThingKind) -> None:
    solid = np.zeros((100, 200), np.uint8)
    cv2.ellipse(solid, (100, 50), (60, 30), 0, 0, 360, 1, -1)
    assert find_facing(kind, solid > 0) == ""


def test_half_a_thing_shows_no_front() -> None:
    assert find_facing("car", draw("car")[:, 60:]) == ""


def test_a_speck_shows_no_front() -> None:
    assert find_facing("car", draw("car")[::10, ::20]) == ""
