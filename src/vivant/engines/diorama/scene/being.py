"""Whether the subject of a picture can be moved as a living thing, and which parts of it were found.

Eyes settle where the head is, and that the matte is right where its outline alone leaves doubts. Few of them prove that
there is an animal (`AnimalEye.proves`): two dark holes in a rock look like eyes, and a headlight like one. Where they
do not, that is for the words of the prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from vivant.engines.diorama.scene.animal_eyes import find_eyes, find_turned_eye
from vivant.engines.diorama.scene.apart import tell_apart
from vivant.engines.diorama.scene.body import AnimalEye, Body, Circle, find_body
from vivant.engines.diorama.scene.detection import Detection
from vivant.engines.diorama.scene.living_kind import name_living
from vivant.engines.diorama.scene.scene import Region
from vivant.engines.diorama.scene.tail import with_sure_tail
from vivant.engines.diorama.storyboard import SUBJECT_TRUSTED, BodyFact
from vivant.media import F32, U8

WITH_EYES: Final = 0.6  # trust of a matte with two eyes in it, at least
LEAST, MOST = 0.008, 0.88  # share of the canvas that a subject that can be moved fills
TOGETHER: Final = 6  # animals of one picture that are moved
HEAD: Final = (1.15, 0.25)  # distances between the eyes: radius of a head, and how far its middle lies below them
SMALLEST: Final = 0.75  # distances between the eyes: radius of a head at least
LONE: Final = (4.6, 0.4)  # half axes across of the one eye that is seen: radius of a head; and how far, in such radii,
# its middle lies toward the trunk
# Radius of a person's head in trunk radii, from..to, and how far aside of the trunk it is, in heights above it.
UPRIGHT: Final = (0.2, 1.0, 1.0)
NECK: Final = 1.05  # head radii from its middle
# Of an outline that is a head: trunk radii that it goes on above the trunk, and its area in areas of the trunk's
# circle, both at most; the radius of the head in the trunk's; how far from its middle what else passes for a head is at
# most.
ALL_HEAD: Final = (0.5, 2.2, 0.95, 1.1)


def find_being(matte: Region, rgb: U8) -> tuple[Body | None, BodyFact | None]:
    """The parts of the subject and what they tell; None, None where it cannot be moved. rgb: uint8 (h, w, 3)."""
    if not LEAST < matte.share < MOST:
        return None, None
    alone, several = _take_first(matte.mask)
    body = find_body(alone)
    eyes = find_eyes(rgb, alone) if body else ()
    # One eye alone does not make a matte trusted: headlights and marbles have rings and highlights, too.
    if body is None or (matte.trust <= SUBJECT_TRUSTED and len(eyes) < 2):
        return None, None
    body = with_sure_tail(_join(body, eyes), alone)
    body = _as_head(body, alone) if several else body
    fact = BodyFact(
        trust=max(matte.trust, WITH_EYES if len(eyes) == 2 else 0.0),
        being="animal" if any(eye.proves for eye in eyes) else "",
        head=body.head is not None, ears=bool(body.ears), eye_seen=_is_eye_of_animal(eyes),
        eyes=bool(body.eyes) and all(eye.blinks for eye in body.eyes), tail=body.tail is not None,
        upright=_is_upright(body),
    )  # fmt: skip
    return body, fact


def recognise(
    body: Body, fact: BodyFact, matte: Region, rgb: U8, seen: Sequence[Detection], *, drawn: float
) -> tuple[Body, BodyFact]:
    """The same with what the word of a detector adds: that it is an animal, and then an eye that is not where eyes
    usually are. rgb: uint8 (h, w, 3); seen: what the detector says of it; drawn: 0..1, how sure it is a drawing."""
    being = name_living(rgb, matte, seen, eyes=len(body.eyes), drawn=drawn)
    if not being:
        return body, fact
    fact = replace(fact, being=being)
    eyes = () if body.eyes else find_turned_eye(rgb, matte.mask)
    if not eyes:
        return body, fact
    body = _join(body, eyes)
    return body, replace(fact, head=True, eyes=True, eye_seen=True, ears=bool(body.ears), tail=body.tail is not None)


def find_others(matte: Region, rgb: U8, body: Body) -> tuple[Body, ...]:
    """Further living things that the matte shows apart from the one whose parts are `body`, the largest first. rgb:
    uint8 (h, w, 3)."""
    owner = tell_apart(matte.mask)
    if owner is None:
        return ()
    h, w = owner.shape
    own = owner[int(np.clip(round(body.trunk.y), 0, h - 1)), int(np.clip(round(body.trunk.x), 0, w - 1))]
    labels, areas = np.unique(owner[matte.mask > 0.5], return_counts=True)
    found = []
    for label in labels[np.argsort(-areas, kind="stable")][:TOGETHER]:
        alone = matte.mask * (owner == label)
        if label != own and (other := find_body(alone)) is not None:
            found.append(_as_head(with_sure_tail(_join(other, find_eyes(rgb, alone)), alone), alone))
    return tuple(found)


def _take_first(matte: F32) -> tuple[F32, bool]:
    """The matte of the largest of several subjects, float32 (h, w), 0..1, and whether there are several: the head of
    one is no part of another."""
    owner = tell_apart(matte)
    if owner is None:
        return matte, False
    labels, areas = np.unique(owner[matte > 0.5], return_counts=True)
    return np.asarray(matte * (owner == labels[int(areas.argmax())]), np.float32), True


def _as_head(body: Body, matte: F32) -> Body:
    """One of several bodies, which is a head where its outline shows hardly more than one large circle that reaches its
    top: of animals that look out of a window. matte: float32 (h, w), 0..1, of it alone."""
    trunk, head = body.trunk, body.head
    if body.tail is not None or not all(np.hypot(e.x - trunk.x, e.y - trunk.y) < trunk.radius for e in body.eyes):
        return body
    if head is not None and np.hypot(head.x - trunk.x, head.y - trunk.y) > ALL_HEAD[3] * trunk.radius:
        return body
    solid = matte > 0.5
    top = float(np.flatnonzero(solid.any(axis=1))[0])
    if trunk.y - trunk.radius - top > ALL_HEAD[0] * trunk.radius:
        return body
    if float(solid.sum()) > ALL_HEAD[1] * np.pi * trunk.radius**2:
        return body
    radius = ALL_HEAD[2] * trunk.radius
    return replace(body, head=replace(trunk, radius=radius), neck=(trunk.x, trunk.y + NECK * radius), ears=())


def _is_eye_of_animal(eyes: tuple[AnimalEye, ...]) -> bool:
    """Whether there is an animal, or, of one eye without a lid, a fish or a bird if words name one."""
    return any(eye.proves for eye in eyes) or (len(eyes) == 1 and not eyes[0].blinks)


def _is_upright(body: Body) -> bool:
    """Whether a head stands above the trunk, as a person's does."""
    if body.head is None:
        return False
    aside, above = abs(body.head.x - body.trunk.x), body.trunk.y - body.head.y
    like = UPRIGHT[0] < body.head.radius / body.trunk.radius < UPRIGHT[1]
    return like and above > body.trunk.radius and aside < UPRIGHT[2] * above


def _join(body: Body, eyes: tuple[AnimalEye, ...]) -> Body:
    """The body with its eyes: in the head that its outline shows, or else in the head about them."""
    if not eyes:
        return body
    one, other = eyes[0], eyes[-1]
    x, y = (one.x + other.x) / 2, (one.y + other.y) / 2
    apart = float(np.hypot(other.x - one.x, other.y - one.y))
    inside = body.head is not None and np.hypot(x - body.head.x, y - body.head.y) < body.head.radius
    # A smaller head is a tuft of one whose outline does not tell it from the trunk.
    if body.head is not None and inside and body.head.radius > SMALLEST * apart:
        return replace(body, eyes=eyes)
    if len(eyes) == 1:
        radius = LONE[0] * one.across
        far = max(1.0, float(np.hypot(body.trunk.x - x, body.trunk.y - y)))
        back = min(1.0, LONE[1] * radius / far)  # an eye is nearer to the muzzle than the middle of the head is
        head = Circle(x + back * (body.trunk.x - x), y + back * (body.trunk.y - y), radius)
    else:
        head = Circle(x, y + HEAD[1] * apart, HEAD[0] * apart)
    radius = head.radius
    across, down = body.trunk.x - head.x, body.trunk.y - head.y
    away = float(np.hypot(across, down))
    # A head that is nearly all one sees stands on a neck below it.
    seen = away > 0.8 * radius and down > -0.5 * away if one.upright else away > 0.3 * radius
    way = (across / away, down / away) if seen else (0.0, 1.0)
    neck = head.x + NECK * radius * way[0], head.y + NECK * radius * way[1]
    near = (head.x, head.y)
    tail = body.tail
    if tail is not None and np.hypot(tail.tip[0] - near[0], tail.tip[1] - near[1]) < 2.2 * radius:
        tail = None
    return replace(body, head=head, neck=neck, ears=(), tail=tail, eyes=eyes)
