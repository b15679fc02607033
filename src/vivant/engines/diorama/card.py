"""What is known of the embedded engine before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vivant.engines.card import Card, EngineSetting, Sound
from vivant.setting_kinds import file

SETTINGS: Final = (
    EngineSetting(
        name="depth_model",
        parse=file,
        default="",
        help="An ONNX file that measures depth; else it is guessed. See [a depth model](engines.md#a-depth-model).",
    ),
)


def make_card(options: Mapping[str, Any]) -> Card:
    return Card(
        engine="diorama",
        title="the embedded engine: moves what is in the picture, speaks, makes effects and music; on the CPU, and "
        "not a diffusion model",
        licence="Apache-2.0; the files it ships have their own, all free for this use",
        sound=Sound.JOINT,
    )
