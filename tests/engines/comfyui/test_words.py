"""What went wrong at the server is told in words, whatever it answers."""

from __future__ import annotations

from typing import Any

import pytest

from support.comfyui import read
from vivant.engines.comfyui.words import failure, find_message, refusal

FLOW = read("wan-2.2-5b-first")


def error(kind: str, message: str, details: str) -> dict[str, Any]:
    return {"type": kind, "message": message, "details": details, "extra_info": {}}


def test_a_missing_node_is_named_with_what_to_do() -> None:
    answer = {
        "error": error("invalid_prompt", "Cannot execute because node VHS_Combine does not exist.", "Node ID '#4'"),
        "node_errors": {},
    }
    said = refusal(answer, FLOW)
    assert "node VHS_Combine does not exist" in said and "Update ComfyUI, or install the custom nodes" in said


def test_a_missing_model_file_is_named_with_its_node() -> None:
    entry = {
        "type": "value_not_in_list",
        "message": "Value not in list",
        "details": "unet_name: 'wan.safetensors' not in []",
        "extra_info": {"input_name": "unet_name", "input_config": [[], {}], "received_value": "wan.safetensors"},
    }
    answer = {
        "error": error("prompt_outputs_failed_validation", "Prompt outputs failed validation", ""),
        "node_errors": {"37": {"errors": [entry], "dependent_outputs": ["58"], "class_type": "UNETLoader"}},
    }
    said = refusal(answer, FLOW)
    assert "wan-2.2-5b-first.json" in said
    assert "node 37 UNETLoader: unet_name is 'wan.safetensors', which the server does not have" in said


def test_of_many_problems_five_are_told() -> None:
    entries = [{"type": "x", "message": "m", "details": f"problem {n}"} for n in range(9)]
    said = refusal({"error": {}, "node_errors": {"3": {"errors": entries}}}, FLOW)
    assert "problem 4 (and 4 more)" in said and "problem 5" not in said


@pytest.mark.parametrize(
    "answer",
    [
        None, "text", 5, [], {}, {"error": "text"}, {"error": {"message": {"a": 1}}}, {"error": {"type": ["x"]}},
        {"node_errors": []}, {"node_errors": {"3": None}}, {"node_errors": {"3": {"errors": {"a": 1}}}},
        {"node_errors": {"3": {"errors": [None, 5, {}]}}},
        {"node_errors": {"3": {"errors": [{"type": "value_not_in_list", "extra_info": [1]}]}}},
        {"node_errors": {"\x1b[31m" * 200: {"errors": [{"details": "\x00\n" * 10_000}]}}},
    ],
)  # fmt: skip
def test_whatever_a_refusal_holds_the_words_are_printable_and_short(answer: Any) -> None:
    said = refusal(answer, FLOW)
    assert said.startswith("ComfyUI does not accept the workflow wan-2.2-5b-first.json: ")
    assert said.isprintable() and len(said) < 2500


def failed(**data: Any) -> list[Any]:
    return [["execution_start", {}], ["execution_error", data]]


def test_a_failed_node_is_told_with_its_title_class_and_error() -> None:
    said = failure(
        failed(node_id="6", node_type="CLIPTextEncode", exception_type="ValueError", exception_message="bad\nshape\n"),
        FLOW,
    )
    assert said == "in node 6 “CLIP Text Encode (Positive Prompt)” (CLIPTextEncode): ValueError: bad shape"


def test_out_of_memory_names_the_setting() -> None:
    said = failure(failed(node_id="3", exception_type="torch.OutOfMemoryError", exception_message="CUDA oom"), FLOW)
    assert "out of memory" in said and "VIVANT_COMFYUI_MAX_PIXELS" in said


@pytest.mark.parametrize(
    "messages",
    [
        None, {}, "x", [], [None], [["execution_error"]], [["execution_error", None]], [["execution_error", []]],
        failed(), failed(node_id=["6"], node_type={}, exception_message=["\x1b"] * 10_000),
    ],
)  # fmt: skip
def test_whatever_a_history_holds_the_words_are_printable_and_short(messages: Any) -> None:
    said = failure(messages, FLOW)
    assert said.isprintable() and 0 < len(said) < 1000


def test_the_first_message_of_its_kind_is_found() -> None:
    assert find_message([["a", {"n": 1}], ["a", {"n": 2}]], "a") == {"n": 1}
    assert find_message([["a", {"n": 1}]], "b") is None
