"""What `vivant engines check novita` looks at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vivant.engines.generated.paid_check import look_at_provider
from vivant.engines.novita.card import make_card
from vivant.engines.novita.tasks import make_tasks


def check(options: Mapping[str, Any]) -> Iterator[tuple[bool, str, str]]:
    """(whether it is well, what was looked at, what more is to be said)."""
    return look_at_provider(options, make_card, make_tasks)
