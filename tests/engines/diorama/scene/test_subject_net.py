"""The net that finds subjects, whose graph was rewritten: tools/rewrite_u2netp.py."""

from __future__ import annotations

import onnx

from vivant.assets import asset


def test_the_net_has_one_answer_and_copies_no_maps_side_by_side() -> None:
    graph = onnx.load_from_string(asset("models/u2netp.onnx").read_bytes()).graph
    made_by = {name: node for node in graph.node for name in node.output}
    joined = [
        node.name
        for node in graph.node
        if node.op_type == "Conv"
        and node.input[0] in made_by
        and made_by[node.input[0]].op_type == "Concat"
        and len(made_by[node.input[0]].input) == 2
    ]
    assert [answer.name for answer in graph.output] == ["1959"]
    assert not joined
    assert not [node for node in graph.node if node.op_type == "Shape"]
