"""Pictures with cloth, drawn for the tests, for want of free photos: a flag on its pole before a photograph of hills,
and curtains beside a bright window. Drawn: `python -m support.drawn_cloth FOLDER` writes them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.media import F32, U8

PHOTOS = Path(__file__).parents[1] / "photos"
TWICE = 2  # drawn at twice the size, for soft outlines


def draw_flag(
    photo: str = "dune_grass", *, left: float = 0.42, top: float = 0.1, height: float = 0.26, wide: float = 1.6
) -> U8:
    """RGB uint8 (h, w, 3): a red and white striped flag that flies to the right from its pole, in the middle of a wave.
    left, top, height: of the flag, shares of the picture; wide: by how much it is longer than high."""
    canvas = _photo(photo)
    h, w = canvas.shape[:2]
    tall = height * h
    long = wide * tall
    x0, y0 = left * w, top * h
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    u = (x - x0) / long
    fold = 2 * np.pi * (1.5 * u + 0.15 * (y - y0) / tall)
    lift = tall * (0.11 * np.sin(fold) * np.clip(u, 0, 1) ** 0.8 + 0.07 * u)
    v = (y - y0 - lift) / tall
    inside = np.clip((u + 0.002) * long, 0, 1) * np.clip((1 - u) * long, 0, 1)
    inside = inside * np.clip(v * tall, 0, 1) * np.clip((1 - v) * tall, 0, 1)
    stripe = (np.floor(v * 5) % 2 == 0)[..., None]
    cloth = np.where(stripe, np.array([190, 38, 44]), np.array([232, 228, 220])).astype(np.float32)
    light = 1 - 0.24 * np.cos(fold) * np.clip(3 * u, 0, 1)
    weave = np.random.default_rng(5).normal(0, 2.5, (h, w)).astype(np.float32)
    cloth = cloth * light[..., None] + weave[..., None]
    canvas = canvas * (1 - inside[..., None]) + cloth * inside[..., None]
    thick = 0.011 * w
    pole = np.clip(thick / 2 + 0.5 - np.abs(x - x0 + thick / 2), 0, 1) * (y > y0 - 0.05 * h)
    shade = 105 + 50 * np.exp(-(((x - x0 + 0.75 * thick) / (0.25 * thick)) ** 2))
    canvas = canvas * (1 - pole[..., None]) + (shade[..., None] * np.array([0.96, 0.95, 0.92])) * pole[..., None]
    return _reduce(canvas)


def draw_curtains() -> U8:
    """RGB uint8 (h, w, 3): a wall, a bright window with hills behind it, and two curtains that hang beside it, open at
    their hems."""
    h, w = 2 * 540, 2 * 960
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    noise = np.random.default_rng(7).normal(0, 1, (h, w)).astype(np.float32)
    grain = np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.5) * 4, np.float32)
    wall = (
        np.stack([150 + 0 * x, 140 + 0 * x, 124 + 0 * x], -1)
        * (0.72 + 0.28 * np.exp(-(((x - w / 2) / 900) ** 2)))[..., None]
    )
    floor = (y > 0.88 * h)[..., None]
    boards = np.stack([112 + 0 * x, 82 + 0 * x, 58 + 0 * x], -1) * (1 + 0.06 * np.sin(x / 37))[..., None]
    canvas = np.where(floor, boards, wall) + grain[..., None]
    view = cv2.resize(_photo("meadow_trees").astype(np.float32), (round(0.4 * w), round(0.62 * h)))
    top, left = round(0.12 * h), round(0.3 * w)
    bright = 255 - (255 - view) * 0.45
    canvas[top : top + view.shape[0], left : left + view.shape[1]] = bright
    for bar in (left, left + view.shape[1] // 2, left + view.shape[1]):
        canvas[top : top + view.shape[0], bar - 9 : bar + 9] = (236, 232, 224)
    for bar in (top, top + view.shape[0] // 2, top + view.shape[0]):
        canvas[bar - 9 : bar + 9, left : left + view.shape[1]] = (236, 232, 224)
    for side, first, last in ((1, 0.17, 0.38), (-1, 0.62, 0.83)):
        canvas = _hang(canvas, x, y, first * w, last * w, side, grain)
    rail = (np.abs(y - 0.075 * h) < 8) & (x > 0.14 * w) & (x < 0.86 * w)
    canvas[rail] = (86, 66, 48)
    return _reduce(canvas)


def _hang(canvas: F32, x: F32, y: F32, first: float, last: float, side: int, grain: F32) -> F32:
    h = canvas.shape[0]
    down = np.clip((y / h - 0.075) / 0.77, 0, 1)
    inner = (last if side > 0 else first) - side * 0.16 * (last - first) * np.sin(np.pi * 0.55 * down)
    outer = first if side > 0 else last
    across = (x - outer) / (inner - outer)
    folds = 2 * np.pi * 6.5 * across + 0.6 * np.sin(3 * across)
    hem = 0.845 * h + 7 * np.cos(folds)
    inside = np.clip(across * 300, 0, 1) * np.clip((1 - across) * 300, 0, 1)
    inside = inside * np.clip(y - 0.075 * h, 0, 1) * np.clip(hem - y, 0, 1)
    light = (0.8 + 0.2 * np.sin(folds) + 0.12 * across) * (1 - 0.1 * down)
    cloth = np.stack([196 + 0 * x, 176 + 0 * x, 142 + 0 * x], -1) * light[..., None] + grain[..., None]
    return np.asarray(canvas * (1 - inside[..., None]) + cloth * inside[..., None], np.float32)


def _photo(name: str) -> F32:
    """A photo of the tests, float32 (h, w, 3), 0..255, at twice the size."""
    rgb = np.asarray(Image.open(PHOTOS / f"{name}.jpg").convert("RGB"))
    size = (TWICE * max(960, rgb.shape[1]), TWICE * round(max(960, rgb.shape[1]) * rgb.shape[0] / rgb.shape[1]))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC), np.float32)


def _reduce(canvas: NDArray[Any]) -> U8:
    h, w = canvas.shape[:2]
    small: Any = cv2.resize(
        np.clip(canvas, 0, 255).astype(np.float32), (w // TWICE, h // TWICE), None, 0, 0, cv2.INTER_AREA
    )
    return np.asarray(np.rint(small), np.uint8)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name, drawn in (("drawn_flag", draw_flag()), ("drawn_curtains", draw_curtains())):
        Image.fromarray(drawn).save(folder / f"{name}.jpg", quality=92)
