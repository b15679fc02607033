"""What `vivant engines check command` looks at."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from vivant.engines.command.card import make_card
from vivant.engines.command.generator import CommandGenerator
from vivant.errors import Misconfigured


def check(options: Mapping[str, Any]) -> Iterator[tuple[bool, str, str]]:
    """(whether it is well, what was looked at, what to do)."""
    try:
        card = make_card(options)
        CommandGenerator(options).setup()
    except Misconfigured as error:
        yield False, str(error), ""
        return
    yield True, card.title, shlex.join(options["run"])
    if not card.last_frame:
        yield True, "no last picture", card.why_no_last_frame
