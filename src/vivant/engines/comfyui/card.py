"""What is known of the engine `comfyui` from its settings and workflow files, without a server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from vivant.engines.card import Card, EngineSetting
from vivant.engines.comfyui.graph import PREFIX, Graphs
from vivant.engines.generated.settings import SHARED_SETTINGS, find_sound
from vivant.errors import Misconfigured
from vivant.setting_kinds import file, headers, json_object, number, urls

_MOST_BYTES: Final = 2**20  # of a file of slots


def _slots(value: Any) -> dict[str, Any]:
    """A JSON object, or the path of a file that holds one; empty for none."""
    if isinstance(value, str) and value.strip() and not value.lstrip().startswith("{"):
        try:
            with Path(file(value)).open("rb") as opened:
                value = json.loads(opened.read(_MOST_BYTES))
        except (OSError, ValueError, RecursionError):
            raise ValueError("must be a JSON object, or the path of a file that holds one") from None
    return json_object(value)


SETTINGS: Final = (
    EngineSetting(
        name="url",
        parse=urls("http://127.0.0.1:8188"),
        default=["http://127.0.0.1:8188"],
        help="Where ComfyUI listens; several, separated by commas, make as many clips at a time. Core ComfyUI has no "
        "authentication: keep it on this machine or a private network.",
    ),
    EngineSetting(
        name="workflow",
        parse=file,
        default="",
        help="The workflow for a first picture, exported by File > Export (API).",
    ),
    EngineSetting(
        name="workflow_last",
        parse=file,
        default="",
        help="The workflow for a first and a last picture. Without it a request with a last picture is refused.",
    ),
    EngineSetting(
        name="slots",
        parse=_slots,
        default={},
        help="Where values go, if titles in the workflow do not say it: a JSON object or a file with one, such as "
        '`{"prompt": "Prompt.value", "seed": "57.noise_seed"}`; `"seconds": null` for a graph of a fixed length.',
    ),
    EngineSetting(
        name="fps",
        parse=number(1, 120),
        default=24.0,
        help="Frames per second that the graph makes: 24, and 16 for Wan 2.2 A14B. The clip has 24 in any case.",
    ),
    EngineSetting(
        name="headers",
        parse=headers,
        default={},
        help="HTTP headers for ComfyUI, for a proxy that asks who calls: a JSON object. The websocket gets them, too.",
        secret=True,
    ),
    *SHARED_SETTINGS,
)


def make_card(options: Mapping[str, Any]) -> Card:
    """The card for these settings. Reads the workflow files. Raises Misconfigured, naming the setting."""
    if not options["url"]:
        raise Misconfigured(f"The engine comfyui needs a server: set {PREFIX}URL.")
    graphs = Graphs.read(options)
    return Card(
        engine="comfyui",
        title=f"ComfyUI with the workflow {graphs.first.workflow.name}",
        model=graphs.first.weights,
        revision=graphs.first.workflow.sha256[:12],
        last_frame=graphs.last is not None,
        why_no_last_frame=f"its operator can set {PREFIX}WORKFLOW_LAST to a workflow for two pictures",
        sound=find_sound(options, joint=graphs.first.has_sound),
        progress="per step",
        cancel="at the next step",
        seed="as far as the server is deterministic",
        workers=len(options["url"]),
    )
