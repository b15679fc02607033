"""What is known of the test card before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vivant.engines.card import Card, EngineSetting, Sound

SETTINGS: Final[tuple[EngineSetting, ...]] = ()


def make_card(options: Mapping[str, Any]) -> Card:
    return Card(
        engine="testcard",
        title="colour bars, a counter and a tone, for tests, load and documents",
        licence="Apache-2.0",
        sound=Sound.JOINT,
    )
