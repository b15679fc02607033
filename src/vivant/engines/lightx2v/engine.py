"""The engine `lightx2v`: clips by LightX2V's server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vivant.engines.generated.engine import GeneratingEngine
from vivant.engines.generated.remote_generator import RemoteGenerator
from vivant.engines.lightx2v.card import make_card
from vivant.engines.lightx2v.jobs import make_backends


class LightX2V(GeneratingEngine):
    """Implements `engines.base.Engine`. Raises Misconfigured when the options name no server."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        card = make_card(options)
        super().__init__(RemoteGenerator("lightx2v", "1", make_backends(options), options), options, card)
