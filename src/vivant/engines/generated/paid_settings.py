"""Settings that engines share whose model a provider runs for money. Imports nothing heavy: cards read it."""

from __future__ import annotations

from typing import Any, Final

from vivant.engines.card import EngineSetting
from vivant.engines.generated.settings import shared_settings
from vivant.setting_kinds import number, switch, text, whole_number

_SHARED: Final = (
    EngineSetting(
        name="jobs",
        parse=whole_number(1, 64),
        default=3,
        help="Jobs that this service has at the provider at a time; each takes a worker, which hardly needs a core.",
    ),
    EngineSetting(
        name="price",
        parse=number(0, 10_000),
        default=0.0,
        help="Price of a million tokens of a clip with sound, for the cost that is told with each clip. `0`: not told.",
    ),
    EngineSetting(
        name="price_silent",
        parse=number(0, 10_000),
        default=0.0,
        help="The same for a clip without sound.",
    ),
    EngineSetting(name="currency", parse=text, default="USD", help="The currency of these prices."),
    EngineSetting(
        name="poll",
        parse=number(0.05, 60, of="seconds"),
        default=2.0,
        help="Seconds between two looks at a job.",
    ),
    EngineSetting(
        name="settle",
        parse=number(0, 600, of="seconds"),
        default=20.0,
        help="Seconds after which an order that the provider does not show certainly did not arrive.",
    ),
    EngineSetting(
        name="resubmit_unknown",
        parse=switch,
        default=False,
        help="Order again where the provider gives no way to learn whether an order arrived. The clip may then be "
        "paid for twice; otherwise such a task fails.",
    ),
)


def paid_settings(**defaults: Any) -> tuple[EngineSetting, ...]:
    """The settings of such an engine, with other defaults: name -> default. The model's frames have the contract's
    size and begin on the picture; a probe would cost money. Raises ValueError for an unknown name."""
    own = {setting.name for setting in _SHARED}
    changed = tuple(
        EngineSetting(
            name=setting.name,
            parse=setting.parse,
            default=defaults.get(setting.name, setting.default),
            help=setting.help,
        )
        for setting in _SHARED
    )
    others = {name: value for name, value in defaults.items() if name not in own}
    return (*changed, *shared_settings(**{"grid": 2, "pin": "off", "probe": False, **others}))
