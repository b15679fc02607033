"""What is known of the engine `sdcpp` before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vivant.engines.card import Card, EngineSetting, Sound
from vivant.engines.generated.settings import shared_settings
from vivant.errors import Misconfigured
from vivant.setting_kinds import choice, headers, json_object, switch, urls, whole_number

# family -> (name of the model, its licence, frames a second, whether it makes sound)
FAMILIES: Final[dict[str, tuple[str, str, int, bool]]] = {
    "ltx": ("LTX-2.3", "LTX-2 Community", 24, True),
    "h3": ("MiniMax-H3", "MiniMax H3 Community", 24, True),
    "wan": ("Wan 2.x", "Apache-2.0", 16, False),
    "hunyuan": ("HunyuanVideo-1.5", "Tencent Hunyuan Community", 24, False),
    "lingbot": ("LingBot-Video", "Apache-2.0", 16, False),
}

SETTINGS: Final[tuple[EngineSetting, ...]] = (
    EngineSetting(
        name="url",
        parse=urls("http://127.0.0.1:1234"),
        default=[],
        help="Addresses of the servers (`sd-server --listen-port 1234 …`), separated by commas. Each makes one clip at "
        "a time.",
    ),
    EngineSetting(
        name="family",
        parse=choice(*FAMILIES),
        default="ltx",
        help="Which family of models they run: `ltx` (LTX-2.3), `h3` (MiniMax-H3), `wan`, `hunyuan` or `lingbot`.",
    ),
    EngineSetting(
        name="last_frame",
        parse=switch,
        default=True,
        help="Whether the model takes a last picture: LTX-2.3, MiniMax-H3 and Wan I2V, FLF2V and TI2V-5B do.",
    ),
    EngineSetting(
        name="fps",
        parse=whole_number(0, 60),
        default=0,
        help="Frames a second that the model makes; other rates are brought to 24. `0`: what the family is made for: "
        "24, and 16 for Wan (Wan 2.2 5B makes 24).",
    ),
    EngineSetting(
        name="fields",
        parse=json_object,
        default={},
        help="Further fields of each request, as a JSON object. Steps, guidance and a negative prompt are those of the "
        "server's command line.",
    ),
    EngineSetting(
        name="headers",
        parse=headers,
        default={},
        help="HTTP headers for a proxy in front of the server, as a JSON object; the server itself wants none.",
        secret=True,
    ),
    *shared_settings(),
)


def make_card(options: Mapping[str, Any]) -> Card:
    if not options["url"]:
        raise Misconfigured("The engine sdcpp needs the address of a server: set VIVANT_SDCPP_URL.")
    model, licence, _, sound = FAMILIES[options["family"]]
    added = Sound.ADDED if options["sound_if_missing"] == "diorama" else Sound.NONE
    return Card(
        engine="sdcpp",
        title=f"{model} on stable-diffusion.cpp's server",
        model=model,
        licence=licence,
        last_frame=options["last_frame"],
        why_no_last_frame="" if options["last_frame"] else "VIVANT_SDCPP_LAST_FRAME says that the model takes none",
        sound=Sound.JOINT if sound else added,
        progress="estimated",
        cancel="at once; the card works on",
        seed="as far as the server is deterministic",
        workers=len(options["url"]),
    )
