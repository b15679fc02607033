"""What is known of the engine `ark` before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vivant.engines.card import Card, EngineSetting, Sound
from vivant.engines.generated.paid_settings import paid_settings
from vivant.errors import Misconfigured
from vivant.setting_kinds import choice, secret, text, url

BYTEPLUS: Final = "https://ark.ap-southeast.bytepluses.com/api/v3"
MODEL: Final = "seedance-1-5-pro-251215"

SETTINGS: Final[tuple[EngineSetting, ...]] = (
    EngineSetting(
        name="url",
        parse=url(BYTEPLUS),
        default=BYTEPLUS,
        help="Address of the API up to `/api/v3`: BytePlus's, or Volcengine's `https://ark.cn-beijing.volces.com/api/v3`.",
    ),
    EngineSetting(name="api_key", parse=secret, default="", help="The key for Ark, an `ARK_API_KEY`.", secret=True),
    EngineSetting(
        name="model",
        parse=text,
        default=MODEL,
        help="Name of the model, or an endpoint (`ep-…`). On Volcengine: `doubao-seedance-1-5-pro-251215`.",
    ),
    EngineSetting(
        name="service_tier",
        parse=choice("default", "flex"),
        default="default",
        help="`flex`: at half the price, when Ark has time; raise the timeout with it.",
    ),
    EngineSetting(
        name="parameters",
        parse=choice("fields", "suffix"),
        default="fields",
        help="How resolution, ratio, length, seed and camera go out: as fields, which Ark checks, or as a suffix of "
        "the prompt (`--resolution 720p …`), for endpoints that know only that.",
    ),
    *paid_settings(price=2.4, price_silent=1.2),
)


def make_card(options: Mapping[str, Any]) -> Card:
    if not options["url"] or not options["model"]:
        raise Misconfigured("The engine ark needs VIVANT_ARK_URL and VIVANT_ARK_MODEL; both have defaults.")
    if not options["api_key"]:
        raise Misconfigured("The engine ark needs a key for Ark: set VIVANT_ARK_API_KEY.")
    return Card(
        engine="ark",
        title=f"{options['model']} at Ark, for money",
        model=options["model"],
        licence="the provider's terms",
        hosted=True,
        sound=Sound.JOINT,
        progress="queued, begun and done",
        cancel="at once; at Ark only while it is queued: what has begun is paid for",
        seed="similar, as Ark says",
        workers=options["jobs"],
    )
