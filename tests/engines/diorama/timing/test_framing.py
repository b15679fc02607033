"""What part of the picture a shot shows after a cut."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vivant.engines.diorama.storyboard import FaceFact, Framing, Move, PictureFacts, Shot, Storyboard
from vivant.engines.diorama.timing.framing import make_views
from vivant.engines.diorama.timing.views import WHOLE, View

PAIR = PictureFacts(
    faces=(FaceFact(x=0.3, y=0.4, height=0.15), FaceFact(x=0.7, y=0.4, height=0.15)), subject=0.3, subject_trust=0.9,
    detail=3.0,
)  # fmt: skip


def views(*framings: Framing | None, facts: PictureFacts = PAIR) -> tuple[View, ...]:
    shots = [Shot(start=0, end=24, moves=(Move(kind="static"),))]
    for n, framing in enumerate(framings, start=1):
        shots.append(Shot(start=24 * n, end=24 * n + 24, moves=(), cut=True, framing=framing))
    frames = 24 * len(shots) + 49
    shots[-1] = replace(shots[-1], end=frames)
    board = Storyboard(
        width=640, height=640, frames=frames, seed=1, language="en", audio=False, camera_fixed=False, morph=False,
        shots=tuple(shots),
    )  # fmt: skip
    return make_views(board, facts)[1:]


def test_the_nearer_the_size_the_smaller_the_view() -> None:
    medium, close, detail = (views(Framing(size=size, face_index=0))[0] for size in ("medium", "close-up", "detail"))
    assert 1 > medium.size > close.size > detail.size


@pytest.mark.parametrize("face", [0, 1])
@pytest.mark.parametrize("target", ["face", "eyes", "mouth"])
def test_a_close_up_is_of_the_face_that_is_named(face: int, target: str) -> None:
    (view,) = views(Framing(size="close-up", target=target, face_index=face))  # type: ignore[arg-type]  # the three above
    there = PAIR.faces[face]
    assert abs(view.x - there.x) < 0.1
    assert view.top < there.y - 0.3 * there.height < view.top + view.size  # the eyes
    assert not view.left < PAIR.faces[1 - face].x < view.left + view.size


def test_the_eyes_are_in_the_upper_half_of_a_close_up_however_large_the_face_is() -> None:
    for height in (0.08, 0.2, 0.35, 0.5):
        facts = replace(PAIR, faces=(FaceFact(x=0.5, y=0.5, height=height),))
        (view,) = views(Framing(size="close-up", target="face", face_index=0), facts=facts)
        eyes = (0.5 - 0.3 * height - view.top) / view.size
        assert 0.1 < eyes < 0.6


def test_a_wide_shot_is_the_whole_picture() -> None:
    assert views(Framing(size="close-up"), Framing(size="wide"))[1] == WHOLE


def test_a_low_angle_looks_at_the_upper_part_and_a_high_one_at_the_lower() -> None:
    low, high = (views(Framing(size="wide", angle=angle), facts=PictureFacts())[0] for angle in ("low", "high"))
    assert low.y < 0.5 < high.y


@pytest.mark.parametrize(
    "framing", [None, Framing(), Framing(size="close-up"), Framing(size="medium"), Framing(angle="low")]
)
@pytest.mark.parametrize("facts", [PAIR, PictureFacts(), PictureFacts(subject=0.9, subject_trust=0.9)])
def test_after_a_cut_the_view_is_another(framing: Framing | None, facts: PictureFacts) -> None:
    before = WHOLE
    for view in views(framing, framing, framing, facts=facts):
        assert abs(view.size - before.size) > 0.1 or abs(view.x - before.x) > 0.1 or abs(view.y - before.y) > 0.1
        before = view


def test_a_view_is_never_nearer_than_the_pixels_of_the_picture_allow() -> None:
    for detail in (1.0, 2.0):
        (view,) = views(Framing(size="detail", target="eyes"), facts=replace(PAIR, detail=detail))
        assert view.size >= 1 / (1.7 * detail) - 1e-9


def test_every_view_lies_inside_the_picture() -> None:
    corner = replace(PAIR, faces=(FaceFact(x=0.02, y=0.97, height=0.1),))
    (view,) = views(Framing(size="close-up", target="face"), facts=corner)
    assert view.left == 0 and view.top + view.size == pytest.approx(1)
