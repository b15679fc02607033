"""What is known of the engine `lightx2v` before it is loaded."""

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
    "wan": ("Wan 2.x", "Apache-2.0", 16, False),
    "ltx": ("LTX-2.x", "LTX-2 Community", 24, True),
    "h3": ("MiniMax-H3", "MiniMax H3 Community", 24, True),
    "hunyuan": ("HunyuanVideo-1.5", "Tencent Hunyuan Community", 24, False),
}

SETTINGS: Final[tuple[EngineSetting, ...]] = (
    EngineSetting(
        name="url",
        parse=urls("http://127.0.0.1:8100"),
        default=[],
        help="Addresses of the servers, separated by commas. Each makes one clip at a time, "
        "one that is named twice two.",
    ),
    EngineSetting(
        name="family",
        parse=choice(*FAMILIES),
        default="wan",
        help="Which family of models they run: `wan`, `ltx` (LTX-2.x), `h3` (MiniMax-H3) or `hunyuan`.",
    ),
    EngineSetting(
        name="last_frame",
        parse=switch,
        default=False,
        help="Whether the model takes a last picture: MiniMax-H3 and servers started with `--task flf2v` do.",
    ),
    MODEL_FPS,
    EngineSetting(
        name="fields",
        parse=json_object,
        default={},
        help='Further fields of each request, as a JSON object, such as `{"infer_steps": 4}`.',
    ),
    HEADERS,
    *shared_settings(),
)


def make_card(options: Mapping[str, Any]) -> Card:
    if not options["url"]:
        raise Misconfigured("The engine lightx2v needs the address of a server: set VIVANT_LIGHTX2V_URL.")
    model, licence, _, sound = FAMILIES[options["family"]]
    return Card(
        engine="lightx2v",
        title=f"{model} on LightX2V's server",
        model=model,
        licence=licence,
        last_frame=options["last_frame"],
        why_no_last_frame=""
        if options["last_frame"]
        else ("VIVANT_LIGHTX2V_LAST_FRAME says that the model takes none; MiniMax-H3 and `--task flf2v` do"),
        sound=find_sound(options, joint=sound),
        progress="begun and done",
        cancel="at once",
        seed="as far as the server is deterministic",
        workers=len(options["url"]),
    )
