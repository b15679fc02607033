"""What is known of the engine `sdcpp` before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vivant.engines.card import Card, EngineSetting
from vivant.engines.generated.server_settings import HEADERS, MODEL_FPS
from vivant.engines.generated.settings import find_sound, shared_settings
from vivant.errors import Misconfigured
from vivant.setting_kinds import choice, json_object, switch, urls

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
    MODEL_FPS,
    EngineSetting(
        name="fields",
        parse=json_object,
        default={},
        help="Further fields of each request, as a JSON object. Steps, guidance and a negative prompt are those of the "
        "server's command line.",
    ),
    HEADERS,
    *shared_settings(),
)


def make_card(options: Mapping[str, Any]) -> Card:
    if not options["url"]:
        raise Misconfigured("The engine sdcpp needs the address of a server: set VIVANT_SDCPP_URL.")
    model, licence, _, sound = FAMILIES[options["family"]]
    return Card(
        engine="sdcpp",
        title=f"{model} on stable-diffusion.cpp's server",
        model=model,
        licence=licence,
        last_frame=options["last_frame"],
        why_no_last_frame="" if options["last_frame"] else "VIVANT_SDCPP_LAST_FRAME says that the model takes none",
        sound=find_sound(options, joint=sound),
        progress="estimated",
        cancel="at once; the card works on",
        seed="as far as the server is deterministic",
        workers=len(options["url"]),
    )
