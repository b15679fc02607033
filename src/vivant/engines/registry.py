"""Which engines exist: one dict to read. Nothing is scanned, and nothing is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from vivant.errors import Misconfigured

if TYPE_CHECKING:
    from vivant.engines.base import Engine

ENGINES: Final[dict[str, str]] = {
    "diorama": "vivant.engines.diorama.engine:Diorama",
    "testcard": "vivant.engines.testcard:Testcard",
}
TAKE_OPTIONS: Final = frozenset({"diorama"})


def check_engine(name: str) -> None:
    """Raise Misconfigured for a name that no engine has. Imports nothing."""
    if name not in ENGINES:
        raise Misconfigured(f"There is no engine {name!r}. Set VIVANT_ENGINE to one of: {', '.join(sorted(ENGINES))}.")


def load_engine(name: str, options: Mapping[str, str] | None = None) -> Engine:
    """The engine of this name, not yet set up. options: settings that are its own; an engine that has none is built
    without. Raises Misconfigured for an unknown engine."""
    check_engine(name)
    module, _, cls = ENGINES[name].partition(":")
    build = getattr(import_module(module), cls)
    return cast("Engine", build(options) if name in TAKE_OPTIONS else build())
