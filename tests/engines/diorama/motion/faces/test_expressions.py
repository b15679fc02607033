"""Expressions as the repository's own face mesh sees them on rendered frames."""

from __future__ import annotations

import numpy as np
import pytest

from support.faces import film, motion
from vivant.engines.diorama.motion.faces.face_pose import measure_pose
from vivant.engines.diorama.scene.faces import FaceFinder
from vivant.engines.diorama.scene.scene import Face, Scene
from vivant.media import F64


def seen(scene: Scene, finder: FaceFinder, frame: dict[str, float]) -> Face:
    (face,) = finder.find(film(scene, motion(scene, frame), 0))
    return face


def own(face: Face, of: Scene) -> F64:
    """Landmarks in own coordinates of the face as it is in the picture, face heights."""
    return measure_pose(of.faces[0]).own(face.landmarks.astype(np.float64))


def measures(face: Face, of: Scene) -> dict[str, float]:
    """All + for up, wide or open; face heights."""
    at = own(face, of)
    return {
        "left corner": -float(at[61, 1]),
        "right corner": -float(at[291, 1]),
        "width": float(at[291, 0] - at[61, 0]),
        "inner brows": -float(at[[55, 285], 1].mean()),
        "outer brows": -float(at[[46, 276], 1].mean()),
        "between brows": float(at[285, 0] - at[55, 0]),
        "eyes": float((at[[145, 374], 1] - at[[159, 386], 1]).mean()),
        "upper lip": -float(at[0, 1]),
        "chin": -float(at[152, 1]),
        "iris": float(at[[468, 473], 0].mean()),
    }


@pytest.mark.parametrize(
    ("curve", "moved"),
    [
        ({"smirk": 1.0}, {"right corner": 0.008}), ({"smile": 1.0}, {"left corner": 0.010, "right corner": 0.010}),
        ({"knit": 1.0}, {"inner brows": -0.006}), ({"inner": 1.0}, {"inner brows": 0.008}),
        ({"brow": 1.0}, {"inner brows": 0.008}),
        ({"widen": 1.0}, {"eyes": 0.0018}), ({"widen": -1.0}, {"eyes": -0.004}), ({"sneer": 1.0}, {"upper lip": 0.006}),
        ({"gaze": 1.0}, {"iris": 0.004}), ({"gaze": -1.0}, {"iris": -0.004}), ({"jaw": 0.9}, {"chin": -0.03}),
        ({"pout": 1.0, "round": 1.0}, {"width": -0.01}),
    ],
    ids=lambda value: " ".join(f"{name} {size}" for name, size in value.items()),
)  # fmt: skip
def test_an_expression_moves_what_it_should(
    barkla: Scene, finder: FaceFinder, curve: dict[str, float], moved: dict[str, float]
) -> None:
    before, after = (measures(seen(barkla, finder, frame), barkla) for frame in ({}, curve))
    for name, least in moved.items():
        change = after[name] - before[name]
        assert change * np.sign(least) > abs(least), f"{name}: {change:+.4f}"


def test_a_smirk_lifts_one_corner_only(barkla: Scene, finder: FaceFinder) -> None:
    before, after = (measures(seen(barkla, finder, frame), barkla) for frame in ({}, {"smirk": 1.0}))
    lifted = {side: after[side] - before[side] for side in ("left corner", "right corner")}
    assert lifted["right corner"] > 2.5 * abs(lifted["left corner"])


def test_brows_do_not_move_the_mouth_nor_a_sneer_the_brows(barkla: Scene, finder: FaceFinder) -> None:
    rest = measures(seen(barkla, finder, {}), barkla)
    for curve, still in (({"inner": 1.0}, ("left corner", "width", "chin")), ({"pout": 1.0}, ("inner brows", "eyes"))):
        after = measures(seen(barkla, finder, curve), barkla)
        for name in still:
            assert abs(after[name] - rest[name]) < 0.006, name


@pytest.mark.parametrize("gaze", [-1.0, 1.0])
def test_eyes_that_turn_leave_the_lids_and_all_else_as_they_are(barkla: Scene, gaze: float) -> None:
    faces = motion(barkla, {"gaze": gaze})
    assert faces.field(0) is None
    patches = faces.patches(0)
    assert len(patches) == 2
    for patch in patches:
        rows = slice(2 * patch.rect.top, 2 * (patch.rect.top + patch.rect.height))
        columns = slice(2 * patch.rect.left, 2 * (patch.rect.left + patch.rect.width))
        changed = np.abs(patch.y2.astype(int) - barkla.source.y2[rows, columns]) > 0
        assert 0.01 < changed.mean() < 0.4  # the opening of the eye alone
        assert not changed[[0, -1]].any()


def test_no_expression_folds_the_picture(barkla: Scene) -> None:
    names = ("smirk", "knit", "inner", "widen", "sneer", "pout", "chew", "smile", "brow", "jaw")
    for frame in ({name: 1.0} for name in names):
        field = motion(barkla, frame).field(0)
        assert field is not None
        assert np.diff(field.dx, axis=1).min() > -4, frame
        assert np.diff(field.dy, axis=0).min() > -4, frame
