"""The engine `sdcpp`: clips by stable-diffusion.cpp's server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vivant.engines.generated.engine import GeneratingEngine
from vivant.engines.generated.remote_generator import RemoteGenerator
from vivant.engines.sdcpp.card import make_card
from vivant.engines.sdcpp.jobs import make_backends


class Sdcpp(GeneratingEngine):
    """Implements `engines.base.Engine`. Raises Misconfigured when the options name no server."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        card = make_card(options)
        super().__init__(RemoteGenerator("sdcpp", "1", make_backends(options), options), options, card)
