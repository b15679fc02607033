"""Whether the subject of a picture can be moved as a living thing, and which parts of it were found.

Eyes settle where the head is, and that the matte is right where its outline alone leaves doubts. They do not prove that
there is an animal: two dark holes in a rock look like eyes. That is for the words of the prompt.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from vivant.engines.diorama.scene.animal_eyes import find_eyes
from vivant.engines.diorama.scene.body import AnimalEye, Body, Circle, find_body
from vivant.engines.diorama.scene.scene import Region
from vivant.engines.diorama.storyboard import SUBJECT_TRUSTED, BodyFact
from vivant.media import U8

WITH_EYES: Final = 0.6  # trust of a matte with two eyes in it, at least
LEAST, MOST = 0.008, 0.88  # share of the canvas that a subject that can be moved fills
HEAD: Final = (1.15, 0.25)  # distances between the eyes: radius of a head, and how far its middle lies below them
LONE: Final = (4.6, 0.4)  # half axes across of the one eye that is seen: radius of a head; and how far, in such radii,
# its middle lies toward the trunk
NECK: Final = 1.05  # head radii from its middle


def find_being(matte: Region, rgb: U8) -> tuple[Body | None, BodyFact | None]:
    """The parts of the subject and what they tell; None, None where it cannot be moved. rgb: uint8 (h, w, 3)."""
    if not LEAST < matte.share < MOST:
        return None, None
    body = find_body(matte.mask)
    eyes = find_eyes(rgb, matte.mask) if body else ()
    # One eye alone does not make a matte trusted: headlights and marbles have rings and highlights, too.
    if body is None or (matte.trust <= SUBJECT_TRUSTED and len(eyes) < 2):
        return None, None
    body = _join(body, eyes)
    fact = BodyFact(
        trust=max(matte.trust, WITH_EYES if len(eyes) == 2 else 0.0), head=body.head is not None, ears=bool(body.ears),
        eyes=bool(body.eyes) and all(eye.blinks for eye in body.eyes), tail=body.tail is not None,
    )  # fmt: skip
    return body, fact


def _join(body: Body, eyes: tuple[AnimalEye, ...]) -> Body:
    """The body with its eyes: in the head that its outline shows, or else in the head about them."""
    if not eyes:
        return body
    one, other = eyes[0], eyes[-1]
    x, y = (one.x + other.x) / 2, (one.y + other.y) / 2
    if body.head is not None and np.hypot(x - body.head.x, y - body.head.y) < body.head.radius:
        return replace(body, eyes=eyes)
    if len(eyes) == 1:
        radius = LONE[0] * one.across
        far = max(1.0, float(np.hypot(body.trunk.x - x, body.trunk.y - y)))
        back = min(1.0, LONE[1] * radius / far)  # an eye is nearer to the muzzle than the middle of the head is
        head = Circle(x + back * (body.trunk.x - x), y + back * (body.trunk.y - y), radius)
    else:
        apart = float(np.hypot(other.x - one.x, other.y - one.y))
        head = Circle(x, y + HEAD[1] * apart, HEAD[0] * apart)
    radius = head.radius
    across, down = body.trunk.x - head.x, body.trunk.y - head.y
    away = float(np.hypot(across, down))
    # A head that is nearly all one sees stands on a neck below it.
    way = (across / away, down / away) if away > 0.8 * radius and down > -0.5 * away else (0.0, 1.0)
    neck = head.x + NECK * radius * way[0], head.y + NECK * radius * way[1]
    near = (head.x, head.y)
    tail = body.tail
    if tail is not None and np.hypot(tail.tip[0] - near[0], tail.tip[1] - near[1]) < 2.2 * radius:
        tail = None
    return replace(body, head=head, neck=neck, ears=(), tail=tail, eyes=eyes)
