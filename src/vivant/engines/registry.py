"""Which engines exist: one dict to read. Nothing is scanned, and nothing is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

from vivant.errors import Misconfigured

if TYPE_CHECKING:
    from vivant.engines.base import Engine
    from vivant.engines.card import Card, EngineSetting


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """Where an engine is. `card`: a module with SETTINGS and make_card(options). `build`: module:class, called with the
    options. Each is imported on first use, the card without anything heavy."""

    card: str
    build: str
    check: str = ""  # a module whose check(options) yields (passed, what was looked at, what to do)


ENGINES: Final[dict[str, EngineEntry]] = {
    "ark": EngineEntry("vivant.engines.ark.card", "vivant.engines.ark.engine:Ark", "vivant.engines.ark.check"),
    "comfyui": EngineEntry(
        "vivant.engines.comfyui.card", "vivant.engines.comfyui.engine:Comfyui", "vivant.engines.comfyui.check"
    ),
    "command": EngineEntry(
        "vivant.engines.command.card", "vivant.engines.command.engine:CommandEngine", "vivant.engines.command.check"
    ),
    "diffusers": EngineEntry(
        "vivant.engines.diffusers.card", "vivant.engines.diffusers.engine:Diffusers", "vivant.engines.diffusers.check"
    ),
    "diorama": EngineEntry("vivant.engines.diorama.card", "vivant.engines.diorama.engine:Diorama"),
    "lightx2v": EngineEntry(
        "vivant.engines.lightx2v.card", "vivant.engines.lightx2v.engine:LightX2V", "vivant.engines.lightx2v.check"
    ),
    "novita": EngineEntry(
        "vivant.engines.novita.card", "vivant.engines.novita.engine:Novita", "vivant.engines.novita.check"
    ),
    "openai-videos": EngineEntry(
        "vivant.engines.openai_videos.card",
        "vivant.engines.openai_videos.engine:OpenAIVideos",
        "vivant.engines.openai_videos.check",
    ),
    "sdcpp": EngineEntry(
        "vivant.engines.sdcpp.card", "vivant.engines.sdcpp.engine:Sdcpp", "vivant.engines.sdcpp.check"
    ),
    "testcard": EngineEntry("vivant.engines.testcard.card", "vivant.engines.testcard.engine:Testcard"),
}


def check_engine(name: str) -> None:
    """Raise Misconfigured for a name that no engine has. Imports nothing."""
    if name not in ENGINES:
        raise Misconfigured(
            f"There is no engine {name!r}. Set VIVANT_ENGINES to some of: {', '.join(sorted(ENGINES))}."
        )


def settings_of(name: str) -> tuple[EngineSetting, ...]:
    """The settings of an engine of its own. Raises Misconfigured for an unknown engine."""
    check_engine(name)
    return cast("tuple[EngineSetting, ...]", import_module(ENGINES[name].card).SETTINGS)


def make_card(name: str, options: Mapping[str, Any] | None = None) -> Card:
    """The card of an engine with these options; those that are missing have their defaults. Raises Misconfigured for an
    unknown engine, and when the options cannot work."""
    return cast("Card", import_module(ENGINES[name].card).make_card(complete_options(name, options)))


def load_engine(name: str, options: Mapping[str, Any] | None = None) -> Engine:
    """The engine of this name, not yet set up. options: values of its settings by their names; those that are missing
    have their defaults. Raises Misconfigured for an unknown engine, and for a package that it needs and that is not
    installed."""
    given = complete_options(name, options)
    module, _, cls = ENGINES[name].build.partition(":")
    return cast("Engine", getattr(import_module(module), cls)(given))


def find_check(name: str) -> Callable[[Mapping[str, Any]], Iterable[tuple[bool, str, str]]] | None:
    """What looks closely at an engine with these options, without setting it up; None where the card says it all."""
    check_engine(name)
    module = ENGINES[name].check
    return (
        cast("Callable[[Mapping[str, Any]], Iterable[tuple[bool, str, str]]]", import_module(module).check)
        if module
        else None
    )


def complete_options(name: str, options: Mapping[str, Any] | None) -> dict[str, Any]:
    """The options with the defaults of those that are missing."""
    return {setting.name: setting.default for setting in settings_of(name)} | dict(options or {})
