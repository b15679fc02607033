"""A workflow's file is read, or refused with a sentence that says what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.comfyui import read
from vivant.engines.comfyui.workflow import MOST_BYTES, Workflow
from vivant.errors import Misconfigured


def parse(graph: Any) -> Workflow:
    data = graph if isinstance(graph, bytes) else json.dumps(graph).encode()
    return Workflow.parse(data, name="flow.json", setting="VIVANT_COMFYUI_WORKFLOW")


def node(kind: str = "VAEDecode", **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        ({"nodes": [], "links": [], "version": 0.4}, "UI format"),
        ({"id": "x", "nodes": [{"id": 3}], "links": [[1, 2, 0, 3, 0, "IMAGE"]]}, "UI format"),
        ({}, "holds no nodes"),
        ([], "holds a list, not an object"),
        (b"{", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        ({"3": {"inputs": {}}}, "'3' is no node with a class_type"),
        ({"3": "KSampler"}, "'3' is no node with a class_type"),
        ({"3": {"class_type": "KSampler"}}, "node '3' has no inputs"),
        ({"prompt": {"3": node()}}, "'prompt' is no node with a class_type"),
        ({"3": node(samples=["4", 0])}, "samples of node 3 VAEDecode comes from node 4, which is not in it"),
    ],
)
def test_what_is_no_workflow_in_the_api_format_is_refused_with_the_settings_name_and_how_to_export(
    graph: Any, said: str
) -> None:
    with pytest.raises(Misconfigured) as refused:
        parse(graph)
    assert str(refused.value).startswith("VIVANT_COMFYUI_WORKFLOW: flow.json")
    assert said in str(refused.value)
    assert "Export (API)" in str(refused.value) or "incomplete" in str(refused.value)


def test_a_file_that_is_not_there_or_far_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        Workflow.read(tmp_path / "none.json", "VIVANT_COMFYUI_WORKFLOW")
    large = tmp_path / "large.json"
    large.write_bytes(b" " * (MOST_BYTES + 1))
    with pytest.raises(Misconfigured, match="more than 16 MiB"):
        Workflow.read(large, "VIVANT_COMFYUI_WORKFLOW")


def test_a_link_is_a_list_of_a_nodes_id_and_a_number_and_every_other_value_is_a_literal() -> None:
    flow = parse({"1": node(a=["2", 0], b=[1, 2], c=["2", "x"], d="2", e=["2", 0, 0]), "2": node()})
    assert flow.nodes["1"].source("a") == "2"
    assert [flow.nodes["1"].source(name) for name in "bcdef"] == [None] * 5


def test_a_node_without_a_title_is_called_by_its_class() -> None:
    flow = parse({"1": node("KSampler"), "2": {**node("KSampler"), "_meta": {"title": " Mine "}}})
    assert (flow.nodes["1"].title, flow.nodes["2"].title) == ("KSampler", "Mine")
    assert (str(flow.nodes["1"]), str(flow.nodes["2"])) == ("1 KSampler", "2 “Mine”")


def test_ids_of_subgraphs_are_ids_like_others() -> None:
    flow = read("ltx-2.5-first")
    assert flow.nodes["398:344"].kind == "SamplerCustomAdvanced"
    assert flow.nodes["398:344"].source("latent_image") == "398:377"


def test_only_what_the_output_depends_on_is_upstream_and_a_loop_of_links_ends() -> None:
    flow = parse({"1": node(x=["2", 0]), "2": node(x=["3", 0]), "3": node(x=["2", 0]), "4": node(x=["1", 0])})
    assert set(flow.upstream("1")) == {"1", "2", "3"}
    assert set(flow.upstream("1", cut={("1", "x")})) == {"1"}


def test_filling_changes_the_named_inputs_and_neither_the_others_nor_the_workflow() -> None:
    flow = parse({"1": {**node("KSampler", seed=3, steps=[1, 2]), "_meta": {"title": "secret"}}, "2": node()})
    graph = flow.filled({("1", "seed"): 5}, ["1"])
    assert graph == {"1": {"class_type": "KSampler", "inputs": {"seed": 5, "steps": [1, 2]}}}
    graph["1"]["inputs"]["steps"].append(9)
    assert flow.nodes["1"].inputs == {"seed": 3, "steps": [1, 2]}
