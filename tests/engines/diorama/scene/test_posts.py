"""Poles, masts and the legs of a tripod are found by their two edges; stalks, blades and trees are none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from support.paths import PHOTOS
from vivant.engines.diorama.scene.posts import find_posts
from vivant.media import F32, U8


def photo(name: str) -> U8:
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        image.thumbnail((864, 864))
        return np.asarray(image.convert("RGB"))


def meadow(height: int = 300, width: int = 480) -> tuple[U8, F32]:
    """Grass below a plain sky, and where the grass is."""
    chance = np.random.default_rng(5)
    rgb = np.full((height, width, 3), (150, 180, 220), np.uint8)
    grass = np.zeros((height, width), np.float32)
    grass[height // 2 :] = 1
    noise = cv2.GaussianBlur(chance.standard_normal((height, width)), (0, 0), 1.0)[..., None]
    blades = np.array([90, 130, 60]) + 60 * noise
    return np.where(grass[..., None] > 0, np.clip(blades, 0, 255), rgb).astype(np.uint8), grass


def test_a_pole_is_found_down_to_its_foot_in_the_grass() -> None:
    rgb, grass = meadow()
    rgb[30:280, 200:207] = (70, 70, 75)
    posts = find_posts(rgb, grass)
    assert (posts[60:275, 203] > 0.5).all()
    posts[:, 188:219] = 0
    assert posts.max() < 0.5


def test_a_stalk_amid_plants_is_no_post() -> None:
    rgb, grass = meadow()
    rgb[170:280, 200:204] = (190, 190, 90)
    assert find_posts(rgb, grass).max() < 0.5


def test_the_legs_and_the_column_of_a_tripod_are_found() -> None:
    rgb = photo("cameraman")
    h, w = rgb.shape[:2]
    posts = find_posts(rgb, np.zeros((h, w), np.float32))
    for x, y in ((0.571, 0.75), (0.69, 0.82), (0.50, 0.86)):  # the column, and a point on two legs
        near = posts[int((y - 0.02) * h) : int((y + 0.02) * h), int((x - 0.03) * w) : int((x + 0.03) * w)]
        assert near.max() > 0.9


@pytest.mark.parametrize("name", ["dune_grass", "meadow_trees", "forest_valley", "mountain_path"])
def test_grass_trees_and_hills_have_no_posts(name: str) -> None:
    rgb = photo(name)
    assert find_posts(rgb, np.zeros(rgb.shape[:2], np.float32)).max() < 0.5
