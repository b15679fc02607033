from __future__ import annotations

import numpy as np
import pytest

from support.faces import photo
from vivant.engines.diorama.explain import explain
from vivant.engines.diorama.scene.cut_faces import count_cut_faces
from vivant.engines.diorama.scene.faces import FaceFinder, describe_face
from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import PictureFacts
from vivant.media import U8, fit
from vivant.request import Canvas

WIDE, SQUARE, TALL = (Canvas.of("480p", ratio, 5) for ratio in ("16:9", "1:1", "9:16"))
WIDEST = Canvas.of("480p", "21:9", 5)
LINE = 'The man says: "Good evening."'


def tall(name: str, below: float) -> U8:
    """A portrait with so many times its height of its last row below it, so that its face is far above the centre."""
    picture = photo(name)
    rows = np.repeat(picture[-1:], round(below * len(picture)), axis=0)
    return np.concatenate([picture, rows])


def facts_of(picture: U8, canvas: Canvas, finder: FaceFinder) -> PictureFacts:
    faces = finder.find(fit(picture, canvas.width, canvas.height))
    cut = count_cut_faces(picture, canvas, finder)
    return PictureFacts(faces=tuple(describe_face(face, canvas) for face in faces), cut_faces=cut)


def notes_of(prompt: str, facts: PictureFacts, canvas: Canvas) -> str:
    board = write(prompt, facts, canvas=canvas, seed=1, audio=True, camera_fixed=False, morph=False)
    return "\n".join(line for line in explain(board) if line.startswith("Note: "))


@pytest.mark.parametrize("name", ["portrait_barkla.jpg", "portrait_curie.jpg"])
def test_a_face_that_the_crop_cuts_off_is_noted_and_that_no_lips_move(finder: FaceFinder, name: str) -> None:
    facts = facts_of(tall(name, 0.9), WIDE, finder)
    assert facts.faces == ()
    assert facts.cut_faces == 1
    assert "cuts off all or part of a face: no lips move" in notes_of(LINE, facts, WIDE)
    assert "cuts off all or part of a face. " in notes_of("", facts, WIDE)


def test_a_face_that_is_cut_but_still_found_is_noted_and_speaks(finder: FaceFinder) -> None:
    facts = facts_of(photo("portrait_barkla.jpg"), WIDEST, finder)
    assert len(facts.faces) == facts.cut_faces == 1
    notes = notes_of(LINE, facts, WIDEST)
    assert "cuts off all or part of a face. " in notes and "no lips" not in notes


@pytest.mark.parametrize("name", ["portrait_barkla.jpg", "portrait_curie.jpg"])
def test_a_face_that_stays_in_the_crop_is_not_noted(finder: FaceFinder, name: str) -> None:
    for canvas in (SQUARE, TALL):
        facts = facts_of(photo(name), canvas, finder)
        assert len(facts.faces) == 1
        assert facts.cut_faces == 0
        assert "cuts off" not in notes_of(LINE, facts, canvas)


def test_a_picture_without_faces_has_none_that_are_cut_off(finder: FaceFinder) -> None:
    assert facts_of(photo("mountain_lake.jpg"), TALL, finder).cut_faces == 0
