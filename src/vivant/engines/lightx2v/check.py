"""What `vivant engines check lightx2v` looks at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vivant.engines.generated.server_check import look_at_servers
from vivant.engines.lightx2v.card import make_card
from vivant.engines.lightx2v.jobs import make_backends
from vivant.errors import Misconfigured


def check(options: Mapping[str, Any]) -> Iterator[tuple[bool, str, str]]:
    """(whether it is well, what was looked at, what to do)."""
    try:
        card = make_card(options)
    except Misconfigured as error:
        yield False, str(error), ""
        return
    yield True, card.title, "" if card.last_frame else f"No last picture: {card.why_no_last_frame}."
    yield from look_at_servers(make_backends(options))
