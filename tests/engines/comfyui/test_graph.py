"""What is sent to ComfyUI for a request."""

from __future__ import annotations

from typing import Any

import pytest

from support.comfyui import WORKFLOWS, read
from vivant.engines.comfyui.graph import Graph, Graphs
from vivant.engines.comfyui.slots import find_slots
from vivant.engines.registry import complete_options
from vivant.errors import Misconfigured


def graph(name: str, *, fps: float = 24, slots: dict[str, Any] | None = None) -> Graph:
    flow = read(name)
    return Graph(flow, find_slots(flow, slots or {}, last="last" in name, fps=fps, setting="S"))


def fill(graph: Graph, *, seconds: int = 5, fps: float = 24, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "pictures": {"image": "vivant/a.png", "last_image": "vivant/b.png"},
        "prompt": "Waves.",
        "seed": 2**32 - 1,
        "width": 864,
        "height": 512,
        "prefix": "vivant/1f0e",
        **changes,
    }
    return graph.fill(seconds=seconds, fps=fps, **values)


def test_every_value_of_the_request_lies_in_its_place() -> None:
    sent = fill(graph("ltx-2.5-first-and-last"))
    assert sent["31"]["inputs"]["image"] == "vivant/a.png"
    assert sent["39"]["inputs"]["image"] == "vivant/b.png"
    assert sent["251:252"]["inputs"]["value"] == "Waves."
    assert sent["251:196"]["inputs"]["noise_seed"] == 2**32 - 1
    assert sent["251:215"]["inputs"]["value"] == 864 and sent["251:216"]["inputs"]["value"] == 512
    assert sent["251:198"]["inputs"]["value"] == 5 and sent["251:205"]["inputs"]["value"] == 24
    assert sent["68"]["inputs"] == {
        "filename_prefix": "vivant/1f0e", "format": "auto", "codec": "auto", "video": ["251:218", 0],
    }  # fmt: skip


def test_only_what_the_output_depends_on_is_sent_and_no_titles() -> None:
    sent = fill(graph("ltx-2.5-first"))
    assert "398:381" not in sent  # a preview
    assert "403" not in sent  # it chose the size, which is now given
    assert all(set(node) == {"class_type", "inputs"} for node in sent.values())


def test_rates_are_whole_numbers_where_they_can_be() -> None:
    for fps, wanted in ((24.0, 24), (16.0, 16), (23.976, 23.976)):
        value = fill(graph("wan-2.2-a14b-first", fps=fps), fps=fps)["129:162"]["inputs"]["value"]
        assert value == wanted and type(value) is type(wanted)


@pytest.mark.parametrize(
    ("name", "fps", "lengths"),
    [
        ("wan-2.2-5b-first", 24, [97, 121, 145, 169, 193, 217, 241, 265, 289]),
        ("wan-2.2-a14b-first-and-last", 16, [65, 81, 97, 113, 129, 145, 161, 177, 193]),
    ],
)
def test_a_length_in_frames_is_one_more_than_the_seconds_take_at_the_graphs_rate(
    name: str, fps: float, lengths: list[int]
) -> None:
    chosen = graph(name, fps=fps)
    (place,) = chosen.slots.places["frames"]
    sent = [fill(chosen, seconds=n, fps=fps)[place.node]["inputs"]["length"] for n in range(4, 13)]
    assert sent == lengths
    assert all(length % 4 == 1 for length in lengths)


def test_a_length_for_h3_is_rounded_up_to_one_that_it_makes() -> None:
    chosen = graph("minimax-h3-first", slots={"frames": "105:104.length", "seconds": "105:111.value"})
    sent = [fill(chosen, seconds=n)["105:104"]["inputs"]["length"] for n in range(4, 13)]
    assert sent == [107, 124, 158, 175, 209, 226, 243, 277, 294]


def test_samplers_are_the_nodes_that_denoise_and_weights_are_those_of_the_picture() -> None:
    first = graph("ltx-2.5-first")
    assert first.samplers == ["398:344", "398:368"]
    assert first.weights == "ltx-2.5-22b-distilled-transformer-comfy-int8-convrot"
    assert first.has_sound
    wan = graph("wan-2.2-a14b-first", fps=16)
    assert wan.samplers == ["129:86", "129:85"] and not wan.has_sound
    assert wan.weights == "wan2.2_i2v_low_noise_14B_fp8_scaled, wan2.2_i2v_high_noise_14B_fp8_scaled"


def test_both_workflows_are_read_and_a_missing_one_is_told_with_the_setting() -> None:
    files = {
        "workflow": str(WORKFLOWS / "minimax-h3-first.json"),
        "workflow_last": str(WORKFLOWS / "minimax-h3-first-and-last.json"),
    }
    graphs = Graphs.read(complete_options("comfyui", files))
    assert graphs.last is not None and "last_image" in graphs.last.slots.places
    with pytest.raises(Misconfigured, match=r"VIVANT_COMFYUI_WORKFLOW.*vivant engines check comfyui"):
        Graphs.read(complete_options("comfyui", {}))
    with pytest.raises(Misconfigured, match=r"VIVANT_COMFYUI_WORKFLOW_LAST: minimax-h3-first.json: .*no place for"):
        Graphs.read(complete_options("comfyui", {**files, "workflow_last": files["workflow"]}))
