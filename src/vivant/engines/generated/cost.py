"""What a clip cost at a provider, in figures that a person can check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vivant.engines.generated.order import Order


def tell_cost(order: Order, facts: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """{"cost": {"amount", "currency", "basis"}} at the operator's prices; {} without a price.

    facts: what the provider told; its "tokens" count, else the contract's formula does. The tier `flex` costs half.
    """
    price = float(options["price"] if order.audio else options["price_silent"])
    if price <= 0:
        return {}
    tokens, told = facts.get("tokens"), "as the provider counted"
    if not isinstance(tokens, int):
        tokens, told = order.canvas.contract.tokens, "by the contract's formula"
    half = options["service_tier"] == "flex"
    basis = f"{tokens} tokens, {told}, at {price:g} {options['currency']} per million"
    return {
        "cost": {
            "amount": round(tokens * price / 1_000_000 * (0.5 if half else 1), 6),
            "currency": options["currency"],
            "basis": f"{basis}, half of it for flex" if half else basis,
        }
    }
