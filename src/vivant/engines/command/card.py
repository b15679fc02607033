"""What is known of the engine `command` before it is loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from vivant.engines.card import Card, EngineSetting
from vivant.engines.command.template import Template
from vivant.engines.generated.settings import find_sound, shared_settings
from vivant.errors import Misconfigured
from vivant.setting_kinds import choice, command, json_object, text, whole_number


def _template(value: Any) -> list[str]:
    parts = command(value)
    if parts:
        Template.parse(parts)
    return parts


def _pattern(value: Any) -> str:
    given = text(value)
    try:
        groups = re.compile(given).groups
    except re.error:
        groups = 0
    if groups < 2 or len(given) > 200:
        raise ValueError("must be a regular expression with two groups: steps done, and of how many")
    return given


def _variables(value: Any) -> dict[str, str]:
    given = json_object(value)
    if not all(isinstance(one, str) and "\0" not in one and "=" not in name for name, one in given.items()):
        raise ValueError('must be a JSON object of texts, such as {"HF_HOME": "/models"}')
    return given


SETTINGS: Final[tuple[EngineSetting, ...]] = (
    EngineSetting(
        name="run",
        parse=_template,
        default=[],
        help="The program and its arguments, without a shell, with placeholders such as `{image}`, `{prompt}` and "
        "`{output}` ([page](engines/command.md)).",
    ),
    EngineSetting(
        name="run_last",
        parse=_template,
        default=[],
        help="Another command for requests with a last picture. Empty: the first one, if it has `{last_image}`.",
    ),
    EngineSetting(
        name="model",
        parse=text,
        default="",
        help="The model that the program runs, for tables and results.",
    ),
    EngineSetting(
        name="licence",
        parse=text,
        default="",
        help="The licence of that model, for tables.",
    ),
    EngineSetting(
        name="sound",
        parse=choice("joint", "none"),
        default="joint",
        help="Whether the program's films have sound: `joint`, or `none`.",
    ),
    EngineSetting(
        name="fps",
        parse=whole_number(1, 60),
        default=24,
        help="Frames a second for `{fps}` and `{frames}`; other rates are brought to 24.",
    ),
    EngineSetting(
        name="progress",
        parse=_pattern,
        default=r"(\d+)\s*/\s*(\d+)",
        help='A regular expression with two groups that finds "3/8" in the program\'s output.',
    ),
    EngineSetting(
        name="environment",
        parse=_variables,
        default={},
        help="Variables for the program, as a JSON object. It sees nothing of Vivant's own settings.",
        secret=True,
    ),
    *shared_settings(),
)


def make_card(options: Mapping[str, Any]) -> Card:
    if not options["run"]:
        raise Misconfigured("The engine command needs a program: set VIVANT_COMMAND_RUN.")
    first = Template.parse(options["run"])
    if first.needs_last_image:
        raise Misconfigured(
            "VIVANT_COMMAND_RUN needs a last picture: put {last_image} into a group, [--end {last_image}], or the "
            "whole command into VIVANT_COMMAND_RUN_LAST."
        )
    last = Template.parse(options["run_last"]) if options["run_last"] else first
    program = options["run"][0].rpartition("/")[2]
    return Card(
        engine="command",
        title=f"one run of {program} for each clip",
        model=options["model"] or program,
        licence=options["licence"],
        last_frame=last.takes_last_image,
        why_no_last_frame=""
        if last.takes_last_image
        else ("its command has no {last_image}; VIVANT_COMMAND_RUN or VIVANT_COMMAND_RUN_LAST could have one"),
        sound=find_sound(options, joint=options["sound"] == "joint"),
        progress="as it prints",
        cancel="at once",
        seed="as far as the program is deterministic",
        workers=1,
    )
