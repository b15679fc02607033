from __future__ import annotations

import cv2
import numpy as np
import pytest

from support.faces import photo
from vivant.engines.diorama.scene.faces import FaceFinder, describe_face
from vivant.engines.diorama.scene.scene import Scene
from vivant.request import Canvas

# What mediapipe 0.10.21 itself finds (attention mesh): landmark -> shares of width and height.
MEDIAPIPE = {
    "portrait_barkla.jpg": {
        33: (0.3940, 0.3420), 133: (0.5152, 0.3541), 362: (0.6488, 0.3593), 263: (0.7578, 0.3586), 1: (0.6110, 0.4955),
        61: (0.4611, 0.5865), 291: (0.6772, 0.5992), 13: (0.5865, 0.5941), 152: (0.5597, 0.7457),
    },
    "portrait_curie.jpg": {
        33: (0.4852, 0.4068), 133: (0.5740, 0.4228), 362: (0.6737, 0.4330), 263: (0.7432, 0.4353), 1: (0.6509, 0.5148),
        61: (0.5246, 0.5613), 291: (0.6500, 0.5785), 13: (0.6004, 0.5731), 152: (0.5619, 0.6536),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", MEDIAPIPE)
def test_landmarks_lie_where_mediapipe_puts_them(finder: FaceFinder, name: str) -> None:
    picture = photo(name)
    (face,) = finder.find(picture)
    assert face.landmarks.shape == (478, 3)
    assert face.landmarks.dtype == np.float32
    assert face.score > 0.8
    height, width = picture.shape[:2]
    for index, (x, y) in MEDIAPIPE[name].items():
        away = np.hypot(*(face.landmarks[index, :2] - [x * width, y * height]))
        assert away < 0.03 * face.size, index


@pytest.mark.parametrize(
    "name", ["antelope.jpg", "city_day.jpg", "dahlia.jpg", "drawing_cat.jpg", "mountain_lake.jpg", "waves_sunset.jpg"]
)
def test_animals_drawings_and_views_have_no_faces(finder: FaceFinder, name: str) -> None:
    assert finder.find(photo(name)) == ()


def test_an_empty_picture_has_no_faces(finder: FaceFinder) -> None:
    assert finder.find(np.full((320, 480, 3), 128, np.uint8)) == ()


def test_two_faces_are_found_once_each_and_from_left_to_right(both: Scene) -> None:
    left, right = both.faces
    assert left.landmarks[:, 0].max() < 360 < right.landmarks[:, 0].min()


@pytest.mark.parametrize("degrees", [-20, 20])
def test_a_tilted_face_keeps_its_landmarks(finder: FaceFinder, degrees: float) -> None:
    picture = photo("portrait_barkla.jpg", (420, 560))
    (upright,) = finder.find(picture)
    turn = cv2.getRotationMatrix2D((210, 280), degrees, 1.0)
    (tilted,) = finder.find(
        np.asarray(cv2.warpAffine(picture, turn, (420, 560), borderMode=cv2.BORDER_REFLECT), np.uint8)
    )
    expected = upright.landmarks[:, :2] @ turn[:, :2].T + turn[:, 2]
    away = np.linalg.norm(tilted.landmarks[:, :2] - expected, axis=1)
    assert away.mean() < 0.02 * upright.size
    assert tilted.size == pytest.approx(upright.size, rel=0.04)


def test_a_small_face_is_found(finder: FaceFinder) -> None:
    wide = np.full((480, 852, 3), 100, np.uint8)
    wide[180:340, 360:480] = photo("portrait_barkla.jpg", (120, 160))
    (face,) = finder.find(wide)
    assert 50 < face.size < 100
    assert 360 < face.landmarks[:, 0].mean() < 480


def test_facts_are_shares_of_the_canvas(barkla: Scene) -> None:
    (face,) = barkla.faces
    told = describe_face(face, Canvas(420, 560, 121))
    assert told.x == pytest.approx(0.58, abs=0.03)
    assert told.y == pytest.approx(0.43, abs=0.03)
    assert told.height == pytest.approx(0.476, abs=0.03)
