"""Settings that several engines with a server behind them have alike, each under the engine's own prefix."""

from __future__ import annotations

from typing import Final

from vivant.engines.card import EngineSetting
from vivant.setting_kinds import headers, whole_number

MODEL_FPS: Final = EngineSetting(
    name="fps",
    parse=whole_number(0, 60),
    default=0,
    help="Frames a second that the model makes; other rates are brought to 24. `0`: what the family is made for: "
    "24, and 16 for Wan (Wan 2.2 5B makes 24).",
)
HEADERS: Final = EngineSetting(
    name="headers",
    parse=headers,
    default={},
    help="HTTP headers that go with each call, as a JSON object: for a proxy in front of the server, say.",
    secret=True,
)
