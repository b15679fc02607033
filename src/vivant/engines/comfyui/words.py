"""What ComfyUI answers when something is wrong, in a sentence that says what to do. Its answers may be anything."""

from __future__ import annotations

from typing import Any, Final

from vivant.engines.comfyui.graph import PREFIX
from vivant.engines.comfyui.workflow import Workflow
from vivant.engines.generated.answers import clean
from vivant.engines.generated.remote import says_out_of_memory

MOST_PROBLEMS: Final = 5  # that are told; a broken graph has as many as it has nodes
UPDATE: Final = "Update ComfyUI, or install the custom nodes that the workflow uses."


def refusal(answer: Any, workflow: Workflow) -> str:
    """Why a workflow was not accepted: the answer of POST /prompt with status 400."""
    error = answer.get("error") if isinstance(answer, dict) else None
    error = error if isinstance(error, dict) else {}
    told = _node_problems(answer, workflow)
    if told:
        more = f" (and {len(told) - MOST_PROBLEMS} more)" if len(told) > MOST_PROBLEMS else ""
        return f"ComfyUI does not accept the workflow {workflow.name}: {'; '.join(told[:MOST_PROBLEMS])}{more}."
    message = clean(" ".join(str(error.get(name) or "") for name in ("message", "details"))) or "no reason given"
    missing = "missing_node_type" in str(error.get("type")) or "does not exist" in message
    return f"ComfyUI does not accept the workflow {workflow.name}: {message}{f' {UPDATE}' if missing else ''}"


def _node_problems(answer: Any, workflow: Workflow) -> list[str]:
    by_node = answer.get("node_errors") if isinstance(answer, dict) else None
    problems = []
    for key, found in (by_node if isinstance(by_node, dict) else {}).items():
        errors = found.get("errors") if isinstance(found, dict) else None
        for error in errors if isinstance(errors, list) else []:
            if isinstance(error, dict):
                problems.append(f"node {_node(workflow, key)}: {_input_problem(error)}")
    return problems


def _input_problem(error: dict[str, Any]) -> str:
    details = clean(str(error.get("details") or error.get("message") or "no reason given"))
    extra = error.get("extra_info")
    extra = extra if isinstance(extra, dict) else {}
    if error.get("type") == "value_not_in_list":
        name, value = (clean(str(extra.get(part, ""))) for part in ("input_name", "received_value"))
        if name and value:
            return f"{name} is {value!r}, which the server does not have (is the model file in its folder?)"
    return details


def failure(messages: Any, workflow: Workflow) -> str:
    """Why a job failed: the messages of its history."""
    error = find_message(messages, "execution_error")
    if error is None:
        return "ComfyUI says that it failed, and not why."
    kind = clean(str(error.get("node_type") or "a node"))
    said = clean(f"{error.get('exception_type') or 'an error'}: {error.get('exception_message') or ''}")
    key = error.get("node_id")
    where = _node(workflow, key) if isinstance(key, str) and key in workflow.nodes else kind
    text = f"in node {where} ({kind}): {said}"
    if says_out_of_memory(text):
        text += f" (out of memory: set {PREFIX}MAX_PIXELS lower, or use smaller weights)"
    return text


def find_message(messages: Any, event: str) -> dict[str, Any] | None:
    """The data of an event in a history's messages, which are lists [event, data]."""
    for message in messages if isinstance(messages, list) else []:
        if isinstance(message, list) and len(message) == 2 and message[0] == event and isinstance(message[1], dict):
            return message[1]
    return None


def _node(workflow: Workflow, key: Any) -> str:
    node = workflow.nodes.get(key) if isinstance(key, str) else None
    return str(node) if node is not None else clean(str(key)[:80])
