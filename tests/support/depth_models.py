"""Small ONNX files with the inputs and outputs of depth models. They are no depth models: what they answer is a plain
formula of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

Side = int | str


def write_model(
    path: Path, *, shape: Sequence[Side] = (1, 3, "height", "width"), nodes: Sequence[Any] | None = None, rank: int = 3,
    inputs: int = 1, kind: int = TensorProto.FLOAT,
) -> Path:  # fmt: skip
    """A model that answers the red channel, as nearness: (1, height, width), or (1, 1, height, width) for rank 4.

    nodes: what it does instead, from "picture" to "nearness".
    """
    cast = helper.make_node("Cast", ["picture"], ["number"], to=TensorProto.FLOAT)
    red = helper.make_tensor("red", TensorProto.INT64, [1] if rank == 4 else [], [0])
    given = [helper.make_tensor_value_info("picture", kind, list(shape))]
    given += [helper.make_tensor_value_info(f"more{n}", TensorProto.FLOAT, [1]) for n in range(inputs - 1)]
    graph = helper.make_graph(
        list(nodes or [cast, helper.make_node("Gather", ["number", "red"], ["nearness"], axis=1)]),
        "depth",
        given,
        [helper.make_tensor_value_info("nearness", TensorProto.FLOAT, None)],
        [red],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path


def write_flat_model(path: Path) -> Path:
    """A model that answers the same everywhere."""
    zero = [
        helper.make_node("ReduceMean", ["picture"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["mean", "mean"], ["nearness"]),
    ]
    return write_model(path, nodes=zero)
