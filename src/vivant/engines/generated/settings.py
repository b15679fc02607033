"""Settings that all engines that generate share, each under the engine's own prefix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from vivant.engines.card import EngineSetting, Sound
from vivant.setting_kinds import choice, number, switch, whole_number

SHARED_SETTINGS: Final = (
    EngineSetting(
        name="grid",
        parse=whole_number(2, 128),
        default=32,
        help="The model makes sides that are multiples of this many pixels. The picture is padded to them, and every "
        "frame is cut back.",
    ),
    EngineSetting(
        name="max_pixels",
        parse=whole_number(0, 10**8),
        default=0,
        help="The most pixels of a frame that the model is asked for; larger frames are made smaller and scaled up. "
        "`0`: no limit.",
    ),
    EngineSetting(
        name="pin",
        parse=choice("fade", "off"),
        default="fade",
        help="`fade`: the first frame and the last are the pictures exactly, with a short fade beside them. `off`: as "
        "the model made them.",
    ),
    EngineSetting(
        name="sound_if_missing",
        parse=choice("diorama", "silence"),
        default="diorama",
        help="What a clip with sound hears when the model made none: speech, effects and music of the embedded engine "
        "(lips cannot follow them), or silence.",
    ),
    EngineSetting(
        name="expand_prompt",
        parse=switch,
        default=False,
        help="Let the planner (`VIVANT_PLANNER_URL`) write the prompt out at length. Otherwise the model gets it as it "
        "came.",
    ),
    EngineSetting(
        name="timeout",
        parse=number(10, 86_400, of="seconds"),
        default=3600.0,
        help="Seconds that the work on one clip may take; as long again it may wait in a server's queue.",
    ),
    EngineSetting(
        name="probe",
        parse=switch,
        default=True,
        help="Make the smallest clip there is before the first job: a server may answer and yet generate nothing.",
    ),
)


def shared_settings(**defaults: Any) -> tuple[EngineSetting, ...]:
    """The shared settings with other defaults: name -> default. Raises ValueError for an unknown name."""
    unknown = defaults.keys() - {setting.name for setting in SHARED_SETTINGS}
    if unknown:
        raise ValueError(f"no shared settings: {', '.join(sorted(unknown))}.")
    return tuple(replace(setting, default=defaults.get(setting.name, setting.default)) for setting in SHARED_SETTINGS)


def option(options: Mapping[str, Any], name: str) -> Any:
    """The value of a shared setting, or its default."""
    return options.get(name, next(setting.default for setting in SHARED_SETTINGS if setting.name == name))


def find_sound(options: Mapping[str, Any], *, joint: bool) -> Sound:
    """Where the sound of the clips comes from. joint: the model makes it with the picture."""
    if joint:
        return Sound.JOINT
    return Sound.ADDED if option(options, "sound_if_missing") == "diorama" else Sound.NONE
