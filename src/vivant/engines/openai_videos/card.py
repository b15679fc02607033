"""What is known of the engine `openai-videos` before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vivant.engines.card import Card, EngineSetting
from vivant.engines.generated.server_settings import HEADERS, MODEL_FPS
from vivant.engines.generated.settings import find_sound, shared_settings
from vivant.engines.openai_videos.families import FAMILIES, H3_SHORT_EDGE, SERVERS
from vivant.errors import Misconfigured
from vivant.setting_kinds import choice, json_object, secret, text, urls, whole_number

SETTINGS: Final[tuple[EngineSetting, ...]] = (
    EngineSetting(
        name="url",
        parse=urls("http://127.0.0.1:30010"),
        default=[],
        help="Addresses of the servers, without /v1, separated by commas. Each makes one clip at a time, "
        "one that is named twice two.",
    ),
    EngineSetting(
        name="server",
        parse=choice(*SERVERS),
        default="sglang",
        help="Which program they are: `sglang` (SGLang Diffusion), `vllm-omni` or `rapid-mlx`.",
    ),
    EngineSetting(
        name="family",
        parse=choice(*FAMILIES),
        default="ltx",
        help="Which family of models they run: `ltx` (LTX-2.x), `wan` (Wan 2.x) or `h3` (MiniMax-H3).",
    ),
    EngineSetting(
        name="model",
        parse=text,
        default="",
        help="The model's name as the server knows it; empty: the one that it serves.",
    ),
    EngineSetting(
        name="key", parse=secret, default="", help="Sent as a bearer token, where the server wants one.", secret=True
    ),
    HEADERS,
    MODEL_FPS,
    EngineSetting(
        name="short_edge",
        parse=whole_number(256, 2048),
        default=H3_SHORT_EDGE,
        help="Pixels of the shorter side that MiniMax-H3 is asked for; it was made for 768.",
    ),
    EngineSetting(
        name="fields",
        parse=json_object,
        default={},
        help='Further fields of each request, as a JSON object, such as `{"num_inference_steps": 8}`.',
    ),
    *shared_settings(),
)

_PROGRESS: Final = {"sglang": "per step", "vllm-omni": "begun and done", "rapid-mlx": "begun and done"}
_CANCEL: Final = {
    "sglang": "at once; the GPU works on",
    "vllm-omni": "at once",
    "rapid-mlx": "at once; the Mac works on",
}


def make_card(options: Mapping[str, Any]) -> Card:
    family, server, urls_given = FAMILIES[options["family"]], options["server"], options["url"]
    if not urls_given:
        raise Misconfigured("The engine openai-videos needs the address of a server: set VIVANT_OPENAI_VIDEOS_URL.")
    if server == "rapid-mlx" and family.name == "h3":
        raise Misconfigured(
            "Rapid-MLX does not run MiniMax-H3: set VIVANT_OPENAI_VIDEOS_FAMILY to ltx or wan, or another "
            "VIVANT_OPENAI_VIDEOS_SERVER."
        )
    return Card(
        engine="openai-videos",
        title=f"{family.model} on {server}, over /v1/videos",
        model=options["model"] or family.model,
        licence=family.licence,
        last_frame=family.last,
        why_no_last_frame=""
        if family.last
        else (
            f"over HTTP {server} takes one picture for {family.model}; MiniMax-H3 takes two "
            "(VIVANT_OPENAI_VIDEOS_FAMILY=h3)"
        ),
        sound=find_sound(options, joint=family.sound),
        progress=_PROGRESS[server],
        cancel=_CANCEL[server],
        seed="as far as the server is deterministic",
        workers=len(urls_given),
    )
