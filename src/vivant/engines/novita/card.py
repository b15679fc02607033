"""What is known of the engine `novita` before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vivant.engines.card import Card, EngineSetting, Sound
from vivant.engines.generated.paid_settings import paid_settings
from vivant.errors import Misconfigured
from vivant.setting_kinds import choice, secret, switch, url

NOVITA: Final = "https://api.novita.ai"

SETTINGS: Final[tuple[EngineSetting, ...]] = (
    EngineSetting(
        name="url", parse=url(NOVITA), default=NOVITA, help="Address of the API: Novita's, or another Vivant's."
    ),
    EngineSetting(
        name="api_key",
        parse=secret,
        default="",
        help="The key for Novita, `sk_…`. Another Vivant that has no keys needs none.",
        secret=True,
    ),
    EngineSetting(
        name="service_tier",
        parse=choice("default", "flex"),
        default="default",
        help="`flex`: at half the price, when there is time; raise the timeout with it.",
    ),
    EngineSetting(
        name="idempotent",
        parse=switch,
        default=False,
        help="The server answers a repeated `Idempotency-Key` with the first task, as a Vivant does: an order whose "
        "answer was lost is then repeated. Novita does not document it.",
    ),
    *paid_settings(),
)


def make_card(options: Mapping[str, Any]) -> Card:
    if not options["url"]:
        raise Misconfigured("The engine novita needs VIVANT_NOVITA_URL; it has a default.")
    if not options["api_key"] and options["url"] == NOVITA:
        raise Misconfigured("The engine novita needs a key for Novita: set VIVANT_NOVITA_API_KEY.")
    return Card(
        engine="novita",
        title="Seedance 1.5 Pro at Novita, for money",
        model="seedance-v1.5-pro-i2v",
        licence="the provider's terms",
        hosted=True,
        sound=Sound.JOINT,
        progress="as the provider tells",
        cancel="at once here; the provider cannot be told, and what was ordered is paid for",
        seed="similar, as Novita says",
        workers=options["jobs"],
    )
