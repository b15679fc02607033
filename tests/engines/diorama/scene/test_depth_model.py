"""Depth from a model that the operator names: what fits, what is refused, and what it changes."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from support.depth_models import write_flat_model, write_model
from vivant.engines.diorama.scene.analysis import SceneAnalyser
from vivant.engines.diorama.scene.depth_model import DepthModel
from vivant.errors import Misconfigured
from vivant.media import U8
from vivant.request import Canvas

CANVAS = Canvas(864, 496, 97)


def red_disc(height: int = 496, width: int = 864) -> U8:
    """A reddish disc, left of the middle, on a blue-grey ground with grain."""
    rows, columns = np.mgrid[:height, :width]
    disc = np.hypot(rows - 0.5 * height, columns - 0.3 * width) < 0.25 * height
    rgb = np.where(disc[..., None], (220, 90, 60), (50, 90, 120)) + np.random.default_rng(1).normal(
        0, 6, (height, width, 3)
    )
    return np.asarray(np.clip(rgb, 0, 255), np.uint8)


@pytest.mark.parametrize("shape", [(1, 3, "h", "w"), ("n", 3, "h", "w"), (1, 3, 252, 252), (1, 3, 256, 384)])
@pytest.mark.parametrize("rank", [3, 4])
def test_models_of_free_and_of_fixed_sizes_answer_nearness(
    tmp_path: Path, shape: tuple[int | str, ...], rank: int
) -> None:
    near = DepthModel(write_model(tmp_path / "m.onnx", shape=shape, rank=rank)).estimate(red_disc())
    assert near is not None
    h, w = near.shape
    assert (h, w) == (shape[2], shape[3]) if isinstance(shape[2], int) else h % 14 == w % 14 == 0
    assert near.min() >= 0 and near.max() <= 1
    assert near[h // 2, round(0.3 * w)] > 0.8 > 0.3 > near[h // 2, round(0.8 * w)]


def refusal_of(path: Path) -> str:
    with pytest.raises(Misconfigured) as refused:
        DepthModel(path)
    return str(refused.value)


def test_what_is_no_model_is_refused_with_a_word_on_what_fits(tmp_path: Path) -> None:
    text = tmp_path / "depth.onnx"
    text.write_text("no model")
    for path in (text, tmp_path / "missing.onnx"):
        refusal = refusal_of(path)
        assert (
            "VIVANT_DIORAMA_DEPTH_MODEL" in refusal
            and "float32 (1, 3, height, width)" in refusal
            and "\n" not in refusal
        )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"inputs": 2}, "2 inputs"),
        ({"shape": (1, 4, 252, 252)}, "[1, 4, 252, 252]"),
        ({"shape": (1, 3, 252)}, "[1, 3, 252]"),
        ({"shape": (8, 3, 252, 252)}, "[8, 3, 252, 252]"),
        ({"shape": (1, 3, 9000, 9000)}, "larger than 2048"),
        ({"kind": TensorProto.DOUBLE}, "tensor(double)"),
        ({"nodes": [helper.make_node("Identity", ["picture"], ["nearness"])]}, "its first output has the shape"),
    ],
)
def test_a_model_of_other_shapes_is_refused_by_what_is_wrong(
    tmp_path: Path, given: dict[str, object], told: str
) -> None:
    assert told in refusal_of(write_model(tmp_path / "m.onnx", **given))  # type: ignore[arg-type]  # all kinds of wrong


def test_the_depth_of_a_scene_follows_the_model(tmp_path: Path) -> None:
    picture = red_disc()
    measured = SceneAnalyser(DepthModel(write_model(tmp_path / "m.onnx"))).analyse(picture, CANVAS)
    guessed = SceneAnalyser().analyse(picture, CANVAS)
    assert measured.depth_measured and not guessed.depth_measured
    disc, beside = measured.depth[248, 259], measured.depth[248, 700]
    assert disc > 0.75 and beside < 0.25
    assert np.abs(guessed.depth - measured.depth).mean() > 0.1
    # Smooth enough for one surface: nowhere does it step.
    steepest = max(float(np.abs(np.diff(measured.depth, axis=axis)).max()) for axis in (0, 1))
    assert steepest < 0.06


def test_an_answer_that_is_no_depth_counts_for_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    picture = red_disc()
    with caplog.at_level(logging.WARNING):
        scene = SceneAnalyser(DepthModel(write_flat_model(tmp_path / "flat.onnx"))).analyse(picture, CANVAS)
    assert not scene.depth_measured and "guessed" in caplog.text
    np.testing.assert_array_equal(scene.depth, SceneAnalyser().analyse(picture, CANVAS).depth)
