"""Slots are found by the setting, by titles, and by the shape of the graph; two places for one are an error."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from support.comfyui import DOCUMENTED, WORKFLOWS, read
from vivant.engines.comfyui.slots import Slots, find_slots, search_slots
from vivant.engines.comfyui.workflow import Workflow
from vivant.errors import Misconfigured

Graph = dict[str, dict[str, Any]]


def graph_of(name: str) -> Graph:
    graph: Graph = json.loads((WORKFLOWS / f"{name}.json").read_text(encoding="utf-8"))
    return graph


def search(graph: Graph, slots: dict[str, Any] | None = None, *, last: bool = False, fps: float = 24) -> Slots:
    flow = Workflow.parse(json.dumps(graph).encode(), name="flow.json", setting="VIVANT_COMFYUI_WORKFLOW")
    return search_slots(flow, slots or {}, last=last, fps=fps)


def places(slots: Slots) -> dict[str, str]:
    return {slot: " ".join(f"{place.node}.{place.input}" for place in found) for slot, found in slots.places.items()}


def problem(slots: Slots) -> str:
    assert slots.problems
    return " ".join(slots.problems)


# -- the exported templates --------------------------------------------------------------------------------------------

FOUND = {
    "ltx-2.5-first": {
        "image": "395.image", "prompt": "398:376.value", "seed": "398:339.noise_seed", "width": "398:372.value",
        "height": "398:360.value", "seconds": "398:362.value", "fps": "398:361.value", "output": "75.filename_prefix",
    },
    "ltx-2.5-first-and-last": {
        "image": "31.image", "last_image": "39.image", "prompt": "251:252.value", "seed": "251:196.noise_seed",
        "width": "251:215.value", "height": "251:216.value", "seconds": "251:198.value", "fps": "251:205.value",
        "output": "68.filename_prefix",
    },
    "wan-2.2-a14b-first": {
        "image": "97.image", "prompt": "129:93.text", "seed": "129:86.noise_seed", "width": "129:98.width",
        "height": "129:98.height", "seconds": "129:161.value", "fps": "129:162.value", "output": "108.filename_prefix",
    },
    "wan-2.2-a14b-first-and-last": {
        "image": "80.image", "last_image": "89.image", "prompt": "90.text", "seed": "84.noise_seed",
        "width": "81.width", "height": "81.height", "frames": "81.length", "fps": "86.fps",
        "output": "83.filename_prefix",
    },
    "wan-2.2-5b-first": {
        "image": "56.image", "prompt": "6.text", "seed": "3.seed", "width": "55.width", "height": "55.height",
        "frames": "55.length", "fps": "57.fps", "output": "58.filename_prefix",
    },
    "minimax-h3-first": {
        "image": "114.image", "prompt": "105:104.prompt", "seed": "105:15.noise_seed", "width": "105:104.width",
        "height": "105:104.height", "seconds": "105:111.value", "fps": "105:91.fps", "output": "92.filename_prefix",
    },
    "minimax-h3-first-and-last": {
        "image": "114.image", "last_image": "116.image", "prompt": "105:104.prompt", "seed": "105:15.noise_seed",
        "width": "105:104.width", "height": "105:104.height", "seconds": "105:111.value", "fps": "105:91.fps",
        "output": "92.filename_prefix",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(FOUND))
def test_every_slot_of_an_exported_template_is_found_without_a_setting(name: str) -> None:
    slots = search(graph_of(name), last="last" in name)
    assert slots.problems == ()
    assert places(slots) == FOUND[name]


@pytest.mark.parametrize("path", sorted(DOCUMENTED.glob("*.json")), ids=lambda path: str(path.stem))
def test_the_workflows_of_the_documentation_say_every_slot_by_its_title(path: Any) -> None:
    last = "last" in path.stem
    slots = find_slots(read(path.stem, DOCUMENTED), {}, last=last, fps=24, setting="S")
    needed = {"image", "prompt", "seed", "width", "height", "fps", "output"} | ({"last_image"} if last else set())
    assert needed < set(slots.places)
    assert {place.rule for found in slots.places.values() for place in found} == {"title"}


# -- rule 1: the setting -----------------------------------------------------------------------------------------------


def test_the_setting_names_a_node_by_title_or_id_and_an_input_and_goes_before_every_other_rule() -> None:
    slots = search(graph_of("ltx-2.5-first"), {"prompt": "398:373.text", "seconds": "Frame Rate.value", "fps": None})
    assert slots.problems == ()
    found = places(slots)
    assert found["prompt"] == "398:373.text"
    assert found["seconds"] == "398:361.value"
    assert "fps" not in found


def test_titles_and_inputs_with_dots_are_understood() -> None:
    graph = graph_of("wan-2.2-5b-first")
    graph["6"]["_meta"]["title"] = "v1.5 text"
    graph["55"]["inputs"]["resize_type.width"] = 3
    slots = search(graph, {"prompt": "v1.5 text.text", "width": "55.resize_type.width"})
    assert (places(slots)["prompt"], places(slots)["width"]) == ("6.text", "55.resize_type.width")


def test_a_slot_may_have_several_places_if_each_is_named() -> None:
    slots = search(graph_of("ltx-2.5-first"), {"seed": ["398:339.noise_seed", "398:338.noise_seed"]})
    assert places(slots)["seed"] == "398:339.noise_seed 398:338.noise_seed"
    assert slots.values({"seed": 5}) == {("398:339", "noise_seed"): 5, ("398:338", "noise_seed"): 5}


def test_an_output_may_be_named_without_an_input() -> None:
    graph = graph_of("wan-2.2-5b-first")
    graph["99"] = copy.deepcopy(graph["58"])
    assert "2 places for output" in problem(search(graph))
    assert places(search(graph, {"output": "99"}))["output"] == "99.filename_prefix"


@pytest.mark.parametrize(
    ("slots", "said"),
    [
        ({"prompt": "Nobody.text"}, "no node has that title or id"),
        ({"prompt": "6.words"}, "there is no such input: node 6 “CLIP Text Encode (Positive Prompt)” has text, clip"),
        ({"prompt": 6}, 'must be "title or id.input"'),
        ({"prompt": ""}, 'must be "title or id.input"'),
        ({"image": None}, 'must be "title or id.input"'),
        ({"output": ["58", "57"]}, "must name one node"),
        ({"promt": "6.text"}, "slots names promt; it may name image, last_image, prompt"),
        ({"width": "55.height"}, "is width and height"),
        ({"prompt": "CLIP.text"}, "several nodes are called so: text of node 6 “CLIP”, text of node 7 “CLIP”"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused_with_what_is_there(slots: dict[str, Any], said: str) -> None:
    graph = graph_of("wan-2.2-5b-first")
    if "CLIP.text" in slots.values():
        graph["6"]["_meta"]["title"] = graph["7"]["_meta"]["title"] = "CLIP"
    assert said in problem(search(graph, slots))


def test_a_graph_of_fixed_length_and_one_without_words_are_accepted_when_the_setting_says_so() -> None:
    graph = graph_of("built-in-nodes")
    graph["8"]["_meta"]["title"] = graph["3"]["_meta"]["title"] = "Frames"
    said = problem(search(graph))
    assert "no place for prompt" in said and "no place for the length" in said
    slots = search(graph, {"seconds": None, "prompt": None})
    assert slots.problems == () and slots.declared_fixed


def test_a_fixed_length_is_left_even_where_the_shape_would_tell_its_place() -> None:
    assert "frames" not in places(search(graph_of("wan-2.2-5b-first"), {"seconds": None}))


# -- rule 2: titles of one's own ---------------------------------------------------------------------------------------


def titled(graph: Graph, **titles: str) -> Graph:
    for key, title in titles.items():
        graph[key.removeprefix("n")]["_meta"]["title"] = title
    return graph


def test_a_title_may_name_several_slots_of_one_node_in_any_case_and_with_commas() -> None:
    graph = titled(
        graph_of("wan-2.2-5b-first"), n55="Vivant: width, height FRAMES", n56="vivant:image", n6="vivant: prompt"
    )
    assert places(search(graph)) == {
        "image": "56.image", "prompt": "6.text", "width": "55.width", "height": "55.height", "frames": "55.length",
        "output": "58.filename_prefix",
    }  # fmt: skip


def test_one_title_switches_the_guessing_off_for_all_but_the_output() -> None:
    said = problem(search(titled(graph_of("wan-2.2-5b-first"), n6="vivant: prompt")))
    assert "no place for image" in said and "no place for the length" in said and "output" not in said


def test_a_title_on_an_input_that_a_primitive_feeds_means_the_primitive_which_may_feed_others_too() -> None:
    graph = titled(graph_of("ltx-2.5-first-and-last"), n31="vivant: image", n39="vivant: last_image")
    titled(graph, **{"n251:213": "vivant: width", "n251:252": "vivant: prompt", "n251:198": "vivant: seconds"})
    graph["251:213"]["inputs"]["width"] = ["251:215", 0]
    slots = search(graph, last=True)
    assert slots.problems == ()
    assert places(slots)["width"] == "251:215.value"


def test_a_title_on_an_input_that_is_computed_cuts_the_link() -> None:
    graph = titled(
        graph_of("ltx-2.5-first"),
        **{"n398:364": "vivant: prompt", "n395": "vivant: image", "n398:362": "vivant: seconds"},
    )
    slots = search(graph)
    assert slots.problems == ()
    assert places(slots)["prompt"] == "398:364.text"  # behind the node that rewrites prompts


@pytest.mark.parametrize(
    ("titles", "said"),
    [
        ({"n6": "vivant: promt"}, "has 'promt'; a title may name image, last_image, prompt"),
        (
            {"n6": "vivant: prompt", "n7": "vivant: prompt"},
            "2 places for prompt: text of node 6 “vivant: prompt”, text",
        ),
        ({"n8": "vivant: prompt"}, "is titled prompt, and has none of the inputs value, text, prompt; it has samples"),
    ],
)
def test_a_title_that_cannot_be_meant_is_refused(titles: dict[str, str], said: str) -> None:
    assert said in problem(search(titled(graph_of("wan-2.2-5b-first"), **titles)))


def test_a_titled_node_that_the_output_does_not_depend_on_is_refused() -> None:
    graph = titled(graph_of("wan-2.2-5b-first"), n6="vivant: prompt")
    graph["60"] = {"class_type": "LoadImage", "inputs": {"image": "x.png"}, "_meta": {"title": "vivant: image"}}
    assert "the output 58 SaveVideo does not depend on it" in problem(search(graph))


# -- rule 3: titles of templates ---------------------------------------------------------------------------------------


def test_a_title_of_a_template_counts_on_a_primitive_only_and_where_the_output_depends_on_it() -> None:
    graph = graph_of("wan-2.2-5b-first")
    titled(graph, n7="Prompt", n38="Width")  # no Primitives
    graph["60"] = {"class_type": "PrimitiveInt", "inputs": {"value": 5}, "_meta": {"title": "Duration"}}  # for nothing
    assert places(search(graph)) == FOUND["wan-2.2-5b-first"]


def test_two_equal_titles_of_a_template_are_two_places() -> None:
    graph = titled(graph_of("ltx-2.5-first"), **{"n398:360": "Width"})
    assert "2 places for width: value of node 398:360 “Width”, value of node 398:372 “Width”" in problem(search(graph))


# -- rule 4: the shape -------------------------------------------------------------------------------------------------


def test_two_sizes_are_two_places_and_both_are_named() -> None:
    graph = graph_of("wan-2.2-5b-first")
    scale = {"width": 640, "height": 640, "crop": "center", "upscale_method": "lanczos", "image": ["56", 0]}
    graph["60"] = {"class_type": "ImageScale", "inputs": scale}
    graph["55"]["inputs"]["start_image"] = ["60", 0]
    said = problem(search(graph))
    assert "2 places for width: width of node 55 Wan22ImageToVideoLatent, width of node 60 ImageScale" in said
    assert "“vivant: width”" in said


def test_one_primitive_that_feeds_both_is_one_place() -> None:
    graph = graph_of("wan-2.2-5b-first")
    graph["61"] = {"class_type": "PrimitiveInt", "inputs": {"value": 640}}
    graph["60"] = {"class_type": "ImageScale", "inputs": {"width": ["61", 0], "image": ["56", 0]}}
    graph["55"]["inputs"] |= {"start_image": ["60", 0], "width": ["61", 0]}
    assert places(search(graph))["width"] == "61.value"


def test_two_pictures_are_told_apart_by_where_their_links_lead_and_otherwise_not() -> None:
    graph = graph_of("wan-2.2-a14b-first-and-last")
    graph["81"]["inputs"] |= {"start_image": ["89", 0], "end_image": ["80", 0]}
    found = places(search(graph, last=True))
    assert (found["image"], found["last_image"]) == ("89.image", "80.image")
    graph["81"]["inputs"] |= {"first": ["89", 0], "second": ["80", 0]}
    del graph["81"]["inputs"]["start_image"], graph["81"]["inputs"]["end_image"]
    assert "2 places for image: image of node 80 LoadImage, image of node 89 LoadImage" in problem(search(graph))


def test_guides_are_told_apart_by_the_frame_at_which_they_lie() -> None:
    graph = titled(graph_of("ltx-2.5-first-and-last"), n31="one", n39="two")
    found = places(search(graph, last=True))
    assert (found["image"], found["last_image"]) == ("31.image", "39.image")
    graph["251:206"]["inputs"]["frame_idx"], graph["251:204"]["inputs"]["frame_idx"] = -1, 0
    found = places(search(graph, last=True))
    assert (found["image"], found["last_image"]) == ("39.image", "31.image")


def test_the_prompt_is_followed_back_through_conditioning_and_two_encoders_are_two_places() -> None:
    graph = graph_of("wan-2.2-5b-first")
    graph["60"] = {
        "class_type": "ConditioningCombine",
        "inputs": {"conditioning_1": ["6", 0], "conditioning_2": ["7", 0]},
    }
    graph["3"]["inputs"]["positive"] = ["60", 0]
    said = problem(search(graph))
    assert "2 places for prompt: text of node" in said and "6 “CLIP Text Encode" in said and "7 “CLIP Text" in said


def test_a_prompt_that_another_node_computes_is_not_guessed() -> None:
    graph = titled(graph_of("ltx-2.5-first"), **{"n398:376": "The words"})
    assert "no place for prompt" in problem(search(graph))


def test_of_several_seeds_the_first_stages_is_taken_and_two_of_it_are_two_places() -> None:
    assert places(search(graph_of("ltx-2.5-first")))["seed"] == "398:339.noise_seed"  # and not 398:338 of the second
    graph = graph_of("wan-2.2-a14b-first-and-last")
    graph["87"]["inputs"]["add_noise"] = "enable"  # still behind the other
    assert places(search(graph, last=True))["seed"] == "84.noise_seed"
    graph["87"]["inputs"]["latent_image"] = ["81", 2]  # now beside it
    graph["85"]["inputs"]["more"] = ["84", 0]
    assert "2 places for seed: noise_seed of node" in problem(search(graph, last=True))


def test_several_rates_need_no_slot_when_all_are_right_already() -> None:
    graph = titled(graph_of("ltx-2.5-first"), **{"n398:361": "Rate"})
    graph["398:361"]["class_type"] = "SomeNumber"
    graph["398:365"]["inputs"]["frame_rate"] = graph["398:370"]["inputs"]["fps"] = 24
    assert "fps" not in places(search(graph)) and search(graph).problems == ()
    assert "2 places for fps" in problem(search(graph, fps=25))


@pytest.mark.parametrize(
    ("kind", "inputs", "found"),
    [
        ("SaveWEBM", {}, True),
        ("VHS_VideoCombine", {"save_output": True, "frame_rate": 24}, True),
        ("VHS_VideoCombine", {"save_output": False, "frame_rate": 24}, False),
        ("SaveImage", {}, False),
    ],
)
def test_the_output_is_what_saves_a_film(kind: str, inputs: dict[str, Any], found: bool) -> None:
    graph = graph_of("wan-2.2-5b-first")
    graph["58"] = {"class_type": kind, "inputs": {"filename_prefix": "x", "images": ["57", 0], **inputs}}
    if found:
        assert places(search(graph, {"fps": None}))["output"] == "58.filename_prefix"
    else:
        assert "There is no output" in problem(search(graph))


# -- both workflows ----------------------------------------------------------------------------------------------------


def test_a_workflow_for_two_pictures_is_refused_as_the_one_for_a_first_picture() -> None:
    said = problem(search(graph_of("wan-2.2-a14b-first-and-last")))
    assert "image of node 89 LoadImage" in said and "workflow_last" in said


def test_a_workflow_for_one_picture_is_refused_as_the_one_for_two() -> None:
    assert "no place for last_image" in problem(search(graph_of("wan-2.2-5b-first"), last=True))


def test_a_declared_last_picture_is_for_the_other_workflow() -> None:
    assert search(graph_of("wan-2.2-5b-first"), {"last_image": "Load Last Frame.image"}).problems == ()


def test_all_problems_are_told_at_once_with_the_settings_name() -> None:
    with pytest.raises(Misconfigured) as refused:
        find_slots(
            read("built-in-nodes"), {"seed": "1.seed"}, last=True, fps=24, setting="VIVANT_COMFYUI_WORKFLOW_LAST"
        )
    said = str(refused.value)
    assert said.startswith("VIVANT_COMFYUI_WORKFLOW_LAST: built-in-nodes.json: ")
    assert "no such input" in said and "no place for last_image" in said and "no place for prompt" in said
