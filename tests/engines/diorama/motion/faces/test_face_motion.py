from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from support.faces import film, lay_patches, motion, scene_of
from vivant.engines.diorama.kernels import compiled_signatures
from vivant.engines.diorama.motion.faces import eyes, local_frame, mouth, rbf
from vivant.engines.diorama.motion.faces.canvas_patch import CanvasPatch
from vivant.engines.diorama.motion.faces.eyes import Eye
from vivant.engines.diorama.motion.faces.face import APART, FaceMotion, warm_up_faces
from vivant.engines.diorama.motion.faces.face_pose import measure_pose
from vivant.engines.diorama.motion.faces.figure import FADE
from vivant.engines.diorama.motion.faces.mouth import LipShape, Mouth
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.scene.colour import make_source
from vivant.engines.diorama.scene.faces import FaceFinder, describe_face
from vivant.engines.diorama.scene.scene import Region, Scene
from vivant.request import Canvas

REST = {"jaw": 0.0}
OPEN = {"jaw": 0.8, "wide": 0.2}
SHUT = {"jaw": 0.5, "close": 1.0}
BLINK = {"lids": 1.0}
ALIVE = {"yaw": 1.5, "pitch": -1.0, "roll": 0.4, "breath": 1.0, "brow": 0.6, "smile": 0.5}


def around(scene: Scene, landmark: int, radius: int, face: int = 0) -> tuple[slice, slice]:
    x, y = (2 * scene.faces[face].landmarks[landmark, :2]).astype(int)
    return slice(y - radius, y + radius), slice(x - radius, x + radius)


def test_warming_up_compiles_every_kernel_that_frames_need(barkla: Scene) -> None:
    warm_up_faces()
    kernels: list[Callable[..., object]] = [
        rbf._eliminate,
        rbf._evaluate,
        local_frame._source_positions,
        mouth._paint,
        mouth._photo_share,
        eyes._composite_lids,
    ]
    known = [len(compiled_signatures(kernel)) for kernel in kernels]
    faces = motion(barkla, {**OPEN, **BLINK, **ALIVE})
    faces.patches(0)
    assert faces.field(0) is not None
    assert all(known)
    assert [len(compiled_signatures(kernel)) for kernel in kernels] == known


def test_a_face_at_rest_is_the_picture(barkla: Scene) -> None:
    faces = motion(barkla, REST)
    assert faces.patches(0) == ()
    assert faces.field(0) is None


def test_a_mouth_drawn_at_rest_has_the_pictures_own_pixels(barkla: Scene) -> None:
    lips = Mouth(barkla.source, measure_pose(barkla.faces[0]), chance=rng(1, "mouth/0"))
    still, drawn = CanvasPatch(barkla.source, lips.rect), CanvasPatch(barkla.source, lips.rect)
    assert lips.rests(LipShape())
    lips.draw(drawn, LipShape())
    for name in ("y2", "u", "v"):
        assert np.array_equal(getattr(still, name), getattr(drawn, name))


@pytest.mark.parametrize("which", [0, 1])
def test_an_eye_drawn_open_has_the_pictures_own_pixels(barkla: Scene, which: int) -> None:
    eye = Eye(barkla.source, measure_pose(barkla.faces[0]), which)
    still, drawn = CanvasPatch(barkla.source, eye.rect), CanvasPatch(barkla.source, eye.rect)
    eye.draw(drawn, 0.0)
    for name in ("y2", "u", "v"):
        assert np.array_equal(getattr(still, name), getattr(drawn, name))


def test_an_open_mouth_is_dark_inside_and_pushes_the_lower_lip_down(barkla: Scene) -> None:
    faces = motion(barkla, REST, OPEN)
    patches = faces.patches(1)
    assert len(patches) == 1
    before, after = barkla.source.y2, lay_patches(barkla, patches)
    lip = around(barkla, 16, 4)  # where the lower lip was
    assert after[lip].mean() < 0.5 * before[lip].mean()
    # What was the lower lip is found further down, as it was.
    rows, columns = around(barkla, 16, 6)
    patch = before[rows, columns].astype(float)
    errors = [np.abs(after[rows.start + d : rows.stop + d, columns] - patch).mean() for d in range(60)]
    fall = int(np.argmin(errors))
    assert 0.05 * barkla.faces[0].size < fall / 2 < 0.12 * barkla.faces[0].size
    assert errors[fall] < 6


def test_shut_lips_are_shut_however_low_the_jaw_is(barkla: Scene) -> None:
    assert motion(barkla, SHUT).patches(0) == ()  # the chin moves with the field, the lips are the picture's


def test_the_chin_goes_down_with_the_jaw(barkla: Scene) -> None:
    field = motion(barkla, OPEN).field(0)
    assert field is not None
    x, y = barkla.faces[0].landmarks[152, :2] / 4
    rise = field.dy[int(y), int(x)]
    assert -0.12 * barkla.faces[0].size < rise < -0.03 * barkla.faces[0].size
    nose_x, nose_y = barkla.faces[0].landmarks[1, :2] / 4
    assert abs(field.dy[int(nose_y), int(nose_x)]) < 0.005 * barkla.faces[0].size


def test_the_mouth_opens_continuously(barkla: Scene) -> None:
    faces = motion(barkla, *({"jaw": share} for share in np.linspace(0, 0.05, 6)))
    steps = [lay_patches(barkla, faces.patches(n)).astype(float) for n in range(6)]
    changes = [np.abs(a - b).mean() for a, b in pairwise(steps)]
    assert max(changes) < 4 * (sum(changes) / len(changes))


def test_a_blink_covers_the_iris_and_ends_at_the_eyes_corners(barkla: Scene) -> None:
    patches = motion(barkla, BLINK).patches(0)
    assert len(patches) == 2
    before, after = barkla.source.y2, lay_patches(barkla, patches)
    for iris, inner, outer in ((468, 133, 33), (473, 362, 263)):
        spot = around(barkla, iris, 6)
        assert after[spot].min() > before[spot].min() + 15  # the pupil is gone
        left, right = sorted(2 * barkla.faces[0].landmarks[[inner, outer], 0])
        rows = around(barkla, iris, 60)[0]
        outside = np.ones(before.shape[1], bool)
        outside[int(left) - 2 : int(right) + 3] = False
        near = np.abs(np.arange(before.shape[1]) - (left + right) / 2) < 80
        assert np.array_equal(after[rows][:, outside & near], before[rows][:, outside & near])


def test_nothing_moves_outside_head_and_shoulders(wide: Scene) -> None:
    faces = motion(wide, {**OPEN, **BLINK, **ALIVE})
    field = faces.field(0)
    assert field is not None
    face = wide.faces[0]
    low, high = face.landmarks[:, :2].min(0), face.landmarks[:, :2].max(0)
    y, x = np.mgrid[0 : field.dx.shape[0], 0 : field.dx.shape[1]] * 4
    far = (x < low[0] - 1.1 * face.size) | (x > high[0] + 1.1 * face.size) | (y < low[1] - 1.1 * face.size)
    assert far.mean() > 0.25
    assert (field.dx[far] == 0).all()
    assert (field.dy[far] == 0).all()
    for patch in faces.patches(0):
        assert low[0] < patch.rect.left < patch.rect.left + patch.rect.width < high[0]
        assert low[1] < patch.rect.top < patch.rect.top + patch.rect.height < high[1]


def test_with_a_trusted_outline_what_is_behind_stays(wide: Scene) -> None:
    height, width = wide.rgb.shape[:2]
    person = np.zeros((height, width), np.float32)
    person[40:, 240:480] = 1
    scene = replace(wide, matte=Region(person, 0.9))
    field = motion(scene, {**OPEN, **ALIVE, "yaw": 10.0, "lean": 1.0}).field(0)
    assert field is not None
    reach = int(FADE * wide.faces[0].size / 4) + 4  # quarter samples
    assert not field.dx[:, : 60 - reach].any()
    assert not field.dx[:, 120 + reach :].any()
    assert not field.dy[:, 120 + reach :].any()
    assert np.abs(field.dx[:, 60:120]).max() > 5


def test_nose_ears_and_background_pass_each_other_as_a_head_turns(barkla: Scene) -> None:
    field = motion(barkla, {"yaw": 8.0}).field(0)
    assert field is not None
    size = barkla.faces[0].size
    points = (barkla.faces[0].landmarks[:, :2] / 4).astype(int)
    nose, (left, right) = points[1], points[[234, 454]]
    gone = -field.dx[nose[1], nose[0]]
    ears = [-field.dx[at[1], at[0]] for at in (left, right)]
    assert 0.08 * size < gone < 0.16 * size
    assert all(0.01 * size < ear < 0.5 * gone for ear in ears)
    assert np.abs(field.dx[-1]).max() < 0.1 * gone  # the shoulders stay


def test_a_body_leans_from_the_hips_and_breath_lifts_the_shoulders(barkla: Scene, finder: FaceFinder) -> None:
    barkla = scene_of(np.pad(barkla.rgb, ((0, 240), (0, 0), (0, 0)), mode="edge"), finder)
    size = barkla.faces[0].size
    leaning, breathing = (motion(barkla, {name: 1.0}).field(0) for name in ("lean", "breath"))
    assert leaning is not None
    assert breathing is not None
    forehead, chin = (barkla.faces[0].landmarks[[10, 152], :2] / 4).astype(int)
    assert -leaning.dx[forehead[1], forehead[0]] > 0.05 * size
    assert -leaning.dx[chin[1], chin[0]] > -leaning.dx[chin[1] + int(0.5 * size / 4), chin[0]] > 0.01 * size
    shoulders = breathing.dy[chin[1] + int(0.6 * size / 4), chin[0]]
    assert shoulders > 0.02 * size
    assert 0.2 * shoulders < breathing.dy[forehead[1], forehead[0]] < 0.6 * shoulders  # the head rides on them


def test_hair_hangs_behind_a_head_that_turns(barkla: Scene) -> None:
    height, width = barkla.rgb.shape[:2]
    scene = replace(barkla, matte=Region(np.ones((height, width), np.float32), 0.9))
    turning = [{"yaw": float(degrees)} for degrees in range(6)]
    begins, held = motion(scene, *turning).field(5), motion(scene, *[{"yaw": 5.0}] * 6).field(5)
    assert begins is not None
    assert held is not None
    face = scene.faces[0]
    nose = (face.landmarks[1, :2] / 4).astype(int)
    beside = (int((face.landmarks[234, 0] - 0.25 * face.size) / 4), int(face.landmarks[10, 1] / 4))
    assert begins.dx[nose[1], nose[0]] == pytest.approx(held.dx[nose[1], nose[0]], rel=0.05)
    assert abs(begins.dx[beside[1], beside[0]]) < 0.85 * abs(held.dx[beside[1], beside[0]])


def test_motion_never_folds_the_picture(barkla: Scene) -> None:
    everything = {**OPEN, **ALIVE, "jaw": 1.0, "yaw": 12.0, "roll": 4.0, "lean": 1.0}
    for frame in (everything, {"round": 1.0, "jaw": 0.3}, {"wide": 1.0, "smile": 1.0}):
        field = motion(barkla, frame).field(0)
        assert field is not None
        assert np.diff(field.dx, axis=1).min() > -4  # neighbours 4 px apart keep their order
        assert np.diff(field.dy, axis=0).min() > -4


def test_only_the_speakers_lips_move(both: Scene) -> None:
    faces = motion(both, OPEN, face=1)
    (patch,) = faces.patches(0)
    assert patch.rect.left >= 360
    field = faces.field(0)
    assert field is not None
    left = (both.faces[0].landmarks[:, :2] / 4).astype(int)
    assert (field.dx[left[:, 1], left[:, 0]] == 0).all()
    assert (field.dy[left[:, 1], left[:, 0]] == 0).all()


def test_patches_are_even_apart_and_inside_the_picture(both: Scene) -> None:
    height, width = both.rgb.shape[:2]
    patches = motion(both, {**OPEN, **BLINK}).patches(0)
    assert patches
    for i, patch in enumerate(patches):
        assert not any(side % 2 for side in (patch.rect.left, patch.rect.top, patch.rect.width, patch.rect.height))
        assert patch.rect.left >= 0
        assert patch.rect.top >= 0
        assert patch.rect.left + patch.rect.width <= width
        assert patch.rect.top + patch.rect.height <= height
        assert patch.y2.shape == (2 * patch.rect.height, 2 * patch.rect.width)
        assert patch.u.shape == patch.v.shape == (patch.rect.height // 2, patch.rect.width // 2)
        for other in patches[i + 1 :]:
            assert (
                patch.rect.left + patch.rect.width + APART <= other.rect.left
                or other.rect.left + other.rect.width + APART <= patch.rect.left
                or patch.rect.top + patch.rect.height + APART <= other.rect.top
                or other.rect.top + other.rect.height + APART <= patch.rect.top
            )


def test_a_grey_photo_stays_grey(barkla: Scene) -> None:
    for patch in motion(barkla, {**OPEN, **BLINK}).patches(0):
        assert np.abs(patch.u.astype(int) - 128).max() <= 1
        assert np.abs(patch.v.astype(int) - 128).max() <= 1


def test_the_inside_of_a_mouth_has_the_colour_of_its_lips(barkla: Scene) -> None:
    tinted = np.clip(barkla.rgb * np.array([1.0, 0.8, 0.65]), 0, 255).astype(np.uint8)
    scene = replace(barkla, rgb=tinted, source=make_source(tinted))
    (patch,) = motion(scene, OPEN).patches(0)
    x, y = ((barkla.faces[0].landmarks[16, :2] - [patch.rect.left, patch.rect.top]) / 2).astype(int)
    spot = slice(y - 2, y + 3), slice(x - 3, x + 3)
    assert 130 < patch.v[spot].mean() < 150  # warm, and not painted red
    assert 110 < patch.u[spot].mean() < 127


def test_a_mouth_that_is_open_in_the_photo_closes_for_p_b_and_m(barkla: Scene, finder: FaceFinder) -> None:
    speaking = film(barkla, motion(barkla, {"jaw": 1.0, "wide": 0.3}), 0)
    scene = scene_of(speaking, finder)
    pose = measure_pose(scene.faces[0])
    lips = Mouth(scene.source, pose, chance=rng(1, "mouth/0"))
    assert lips.is_open
    open_patch, shut_patch = CanvasPatch(scene.source, lips.rect), CanvasPatch(scene.source, lips.rect)
    lips.draw(open_patch, LipShape())
    assert np.array_equal(open_patch.y2, CanvasPatch(scene.source, lips.rect).y2)
    lips.draw(shut_patch, LipShape(jaw=0.3, close=1.0))
    dark = [(patch.y2 < 70).mean() for patch in (open_patch, shut_patch)]
    assert dark[1] < 0.6 * dark[0]


def test_frames_are_the_same_in_any_order_and_on_any_thread(barkla: Scene) -> None:
    frames = [{**OPEN, **ALIVE}, {**BLINK, "jaw": 0.3}, {"round": 0.9, "jaw": 0.4}, SHUT] * 2
    one, two = motion(barkla, *frames), motion(barkla, *frames)

    def everything(faces: FaceMotion, n: int) -> list[bytes]:
        field = faces.field(n)
        parts = [] if field is None else [field.dx.tobytes(), field.dy.tobytes()]
        return parts + [plane.tobytes() for p in faces.patches(n) for plane in (p.y2, p.u, p.v)]

    in_order = [everything(one, n) for n in range(8)]
    with ThreadPoolExecutor(2) as pool:
        at_once = list(pool.map(lambda n: everything(two, n), reversed(range(8))))
    assert at_once[::-1] == in_order


def test_a_face_at_the_pictures_edge_is_drawn_without_harm(barkla: Scene, finder: FaceFinder) -> None:
    scene = scene_of(np.ascontiguousarray(barkla.rgb[:360, 150:420]), finder)
    assert scene.faces
    faces = motion(scene, {**OPEN, **BLINK, **ALIVE})
    assert faces.field(0) is not None
    for patch in faces.patches(0):
        assert patch.rect.left + patch.rect.width <= 270
        assert patch.rect.top + patch.rect.height <= 360


@pytest.mark.parametrize("turn", [-75, -45, 0, 45, 75])
@pytest.mark.parametrize("shift", [(0, 0), (-150, 0), (180, 60), (0, 250), (0, -220), (900, 900)])
def test_no_face_is_too_odd_or_too_far_out_to_draw(barkla: Scene, turn: float, shift: tuple[float, float]) -> None:
    face = barkla.faces[0]
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    middle = face.landmarks.mean(0)
    points = (face.landmarks - middle) @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]) + middle + [*shift, 0]
    scene = replace(barkla, faces=(replace(face, landmarks=points.astype(np.float32)),))
    faces = motion(scene, {**OPEN, **BLINK, **ALIVE})
    for patch in faces.patches(0):
        assert patch.y2.shape == (2 * patch.rect.height, 2 * patch.rect.width)
    field = faces.field(0)
    if field is not None:
        assert np.isfinite(field.dx).all()
        assert np.isfinite(field.dy).all()
        assert max(np.abs(field.dx).max(), np.abs(field.dy).max()) < 0.25 * face.size


@pytest.mark.parametrize(("size", "turn"), [(1.0, 0), (0.05, 0), (1.0, 80), (1.0, 30), (0.2, 30)])
def test_the_script_knows_which_faces_do_not_move(barkla: Scene, size: float, turn: float) -> None:
    face = barkla.faces[0]
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    middle = face.landmarks.mean(0)
    points = size * (face.landmarks - middle) @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]) + middle
    scene = replace(barkla, faces=(replace(face, landmarks=points.astype(np.float32), size=size * face.size),))
    moves = motion(scene, ALIVE).field(0) is not None
    height, width = barkla.rgb.shape[:2]
    assert describe_face(scene.faces[0], Canvas(width, height, 1)).still != moves
