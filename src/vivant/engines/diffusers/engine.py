"""The engine `diffusers`: a generating engine around a model in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vivant.engines.diffusers.card import make_card
from vivant.engines.diffusers.offline import go_offline
from vivant.engines.generated.engine import GeneratingEngine
from vivant.errors import Misconfigured


class Diffusers(GeneratingEngine):
    """Implements `engines.base.Engine`. Raises Misconfigured when the options cannot work, or when torch or diffusers
    are not installed."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        card = make_card(options)
        go_offline()
        try:
            from vivant.engines.diffusers.generator import DiffusersGenerator
        except ImportError as error:
            raise Misconfigured(
                f"The engine diffusers needs packages that are not installed ({error}). Install torch for your card, "
                "then Vivant's extra: docs/engines/diffusers.md says how."
            ) from error
        super().__init__(DiffusersGenerator(options), options, card)
