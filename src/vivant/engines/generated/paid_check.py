"""A look at a provider, for `vivant engines check`. It orders nothing and costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vivant.engines.card import Card
from vivant.engines.generated.paid import Provider
from vivant.errors import Misconfigured, VivantError


def look_at_provider(
    options: Mapping[str, Any],
    make_card: Callable[[Mapping[str, Any]], Card],
    make_provider: Callable[[Mapping[str, Any]], Provider],
) -> Iterator[tuple[bool, str, str]]:
    """(whether it is well, what was looked at, what more is to be said)."""
    try:
        card = make_card(options)
    except Misconfigured as error:
        yield False, str(error), ""
        return
    named = (("price", "with sound"), ("price_silent", "without"))
    prices = [f"{options[name]:g} {options['currency']} {kind}" for name, kind in named if options[name]]
    cost = f"a million tokens cost {', '.join(prices)}" if prices else "no price is set: costs are not told"
    yield True, card.title, f"{card.workers} jobs at a time; {cost}"
    try:
        provider = make_provider(options)
        provider.reach(lambda: None)
    except VivantError as error:
        yield False, f"{options['url']}: {error}", ""
        return
    yield True, f"{provider.server} answers and takes the key", ""
