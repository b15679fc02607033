"""The engine `command`: clips by a program of the operator's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vivant.engines.command.card import make_card
from vivant.engines.command.generator import CommandGenerator
from vivant.engines.generated.engine import GeneratingEngine


class CommandEngine(GeneratingEngine):
    """Implements `engines.base.Engine`. Raises Misconfigured when the options have no command that can work."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        card = make_card(options)
        super().__init__(CommandGenerator(options), options, card)
