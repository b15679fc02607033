"""The way from the contract's canvas to a model's grid and back."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivant.engines.generated.canvas import GenerationCanvas
from vivant.media import U8
from vivant.request import SIZES, Canvas

GRIDS: Final = (16, 32, 64)
CANVASES: Final = [Canvas(width, height, 97) for width, height in SIZES.values()]


def noise(width: int, height: int) -> U8:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def smooth(width: int, height: int) -> U8:
    """A picture without fine detail, which survives being made smaller."""
    seeds = np.random.default_rng(2).integers(0, 256, (5, 7, 3), np.uint8)
    return np.asarray(cv2.resize(seeds, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("canvas", CANVASES, ids=lambda canvas: f"{canvas.width}x{canvas.height}")
def test_every_size_of_the_contract_goes_to_the_grid_and_back_to_the_bit(canvas: Canvas, grid: int) -> None:
    generation = GenerationCanvas.of(canvas, grid=grid, max_pixels=0)
    assert generation.width % grid == generation.height % grid == 0
    assert 0 <= generation.width - canvas.width < grid
    assert 0 <= generation.height - canvas.height < grid
    picture = noise(canvas.width, canvas.height)
    padded = generation.pad(picture)
    assert padded.shape == (generation.height, generation.width, 3)
    assert np.array_equal(generation.crop(padded), picture)


@pytest.mark.parametrize(
    ("grid", "most"), [(16, 1.025), (32, 1.051), (64, 1.114)], ids=["grid of 16", "grid of 32", "grid of 64"]
)
def test_the_grid_costs_few_pixels(grid: int, most: float) -> None:
    for canvas in CANVASES:
        generation = GenerationCanvas.of(canvas, grid=grid, max_pixels=0)
        assert generation.width * generation.height <= most * canvas.width * canvas.height


def test_margins_repeat_the_edges_on_both_sides() -> None:
    generation = GenerationCanvas.of(Canvas(834, 1112, 97), grid=32, max_pixels=0)
    assert (generation.width, generation.height) == (864, 1120)
    picture = noise(834, 1112)
    padded = generation.pad(picture)
    assert np.array_equal(padded[4:-4, 15:-15], picture)
    assert np.array_equal(padded[4:-4, 0], picture[:, 0])
    assert np.array_equal(padded[4:-4, -1], picture[:, -1])
    assert np.array_equal(padded[0, 15:-15], picture[0])
    assert np.array_equal(padded[-1, 15:-15], picture[-1])


def test_a_canvas_on_the_grid_is_left_alone() -> None:
    generation = GenerationCanvas.of(Canvas(960, 960, 97), grid=64, max_pixels=0)
    assert (generation.width, generation.height) == (960, 960)


@pytest.mark.parametrize("grid", GRIDS)
@settings(deadline=None, max_examples=60)
@given(
    size=st.sampled_from(sorted(set(SIZES.values()))),
    most=st.integers(64 * 64, 2206 * 1664),
)
def test_a_limit_of_pixels_holds_and_keeps_the_aspect(grid: int, size: tuple[int, int], most: int) -> None:
    canvas = Canvas(*size, 97)
    generation = GenerationCanvas.of(canvas, grid=grid, max_pixels=most)
    assert generation.width * generation.height <= most
    assert generation.width % grid == generation.height % grid == 0
    # Off by no more than the rounding of one side to whole pixels.
    scale = canvas.width / canvas.height
    assert abs(generation.inner_width - generation.inner_height * scale) <= 0.5 + 0.5 * scale
    assert generation.inner_width > generation.width - grid
    assert generation.inner_height > generation.height - grid


@pytest.mark.parametrize("canvas", CANVASES, ids=lambda canvas: f"{canvas.width}x{canvas.height}")
@pytest.mark.parametrize("grid", GRIDS)
def test_most_of_the_pixels_that_are_allowed_are_used(canvas: Canvas, grid: int) -> None:
    generation = GenerationCanvas.of(canvas, grid=grid, max_pixels=400_000)
    inner = generation.inner_width * generation.inner_height
    assert inner >= 0.78 * min(400_000, canvas.width * canvas.height)


@pytest.mark.parametrize("grid", GRIDS)
def test_what_was_generated_smaller_comes_back_in_the_contracts_size_and_place(grid: int) -> None:
    for canvas in CANVASES:
        generation = GenerationCanvas.of(canvas, grid=grid, max_pixels=300_000)
        picture = smooth(canvas.width, canvas.height)
        back = generation.crop(generation.pad(picture))
        assert back.shape == (canvas.height, canvas.width, 3)
        # A shift of half a pixel of the smaller canvas would cost 10 dB and more on this picture.
        assert cv2.PSNR(back, picture) > 42


@pytest.mark.parametrize(("grid", "most"), [(32, 1023), (64, 4095), (16, 1)])
def test_a_limit_below_one_cell_of_the_grid_is_refused_in_words(grid: int, most: int) -> None:
    with pytest.raises(ValueError, match=f"at least {grid * grid} with a grid of {grid}, got {most}"):
        GenerationCanvas.of(Canvas(864, 496, 97), grid=grid, max_pixels=most)


@pytest.mark.parametrize(("grid", "most"), [(0, 0), (-8, 0), (32, -1)])
def test_a_grid_or_a_limit_that_means_nothing_is_refused(grid: int, most: int) -> None:
    with pytest.raises(ValueError, match=r"grid|max_pixels"):
        GenerationCanvas.of(Canvas(864, 496, 97), grid=grid, max_pixels=most)


def test_an_inner_part_that_is_not_inside_cannot_be_built() -> None:
    contract = Canvas(864, 496, 97)
    with pytest.raises(ValueError, match="inner width"):
        GenerationCanvas(contract=contract, width=832, height=512, inner_width=864, inner_height=496)
    with pytest.raises(ValueError, match="inner height"):
        GenerationCanvas(contract=contract, width=864, height=512, inner_width=864, inner_height=500)


def test_pictures_of_another_size_are_refused_in_words() -> None:
    generation = GenerationCanvas.of(Canvas(864, 496, 97), grid=32, max_pixels=0)
    with pytest.raises(ValueError, match=r"uint8 \(496, 864, 3\)"):
        generation.pad(noise(864, 512))
    with pytest.raises(ValueError, match=r"uint8 \(512, 864, 3\)"):
        generation.crop(noise(864, 496))
