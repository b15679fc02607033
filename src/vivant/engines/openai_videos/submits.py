"""The request that each server is sent for an order: form or JSON, and what each of them calls things.

Shapes: SGLang 0.5.23 (multimodal_gen/runtime/entrypoints/openai), vLLM-Omni 0.30.0 (entrypoints/openai) and Rapid-MLX
0.16.10 (routes/video.py), read as source.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from vivant.engines.generated.order import Order
from vivant.engines.generated.picture_files import to_data_uri, to_png
from vivant.engines.generated.server import FilePart
from vivant.engines.openai_videos.families import FAMILIES, H3_MOST_PIXELS, H3_SECONDS, H3_SHORT_EDGE

SAID_FOR_NOTHING: Final = "Natural motion."  # SGLang and Rapid-MLX refuse an empty prompt
LONGEST_PROMPT: Final = 4096  # characters, of Rapid-MLX


@dataclass(frozen=True, slots=True)
class Submit:
    """A multipart form of fields and files, or JSON. Exactly one of them; raises ValueError otherwise."""

    fields: Mapping[str, str] = field(default_factory=dict)
    files: tuple[FilePart, ...] = ()
    body: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if bool(self.fields) == (self.body is not None):
            raise ValueError("A submit is a form or JSON.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What is known of a server when a request is written. model: the name to ask for, or empty. fps: of its films.
    more: the operator's further fields."""

    server: str
    family: str
    model: str = ""
    fps: int = 24
    short_edge: int = 768
    more: Mapping[str, Any] = field(default_factory=dict)


def write_submit(order: Order, served: Served) -> Submit:
    """The request for this order. Raises KeyError for a server that is not known."""
    return _WRITERS[served.server](order, served)


def say_something(prompt: str) -> str:
    """The prompt, or words in its place where servers refuse to be told nothing."""
    return prompt if prompt.strip() else SAID_FOR_NOTHING


def count_frames(order: Order, fps: int) -> int:
    """Frames from the first to the last moment at another rate: 24 * s + 1 and 16 * s + 1 are on the grids of LTX
    (8k + 1) and Wan (4k + 1) for every whole second."""
    return fps * order.seconds + 1


def h3_seconds(order: Order) -> float:
    """The length that MiniMax-H3 is asked for: it rounds 24 times that up to 17k + 5 frames.

    What it makes too much is cut off. With a last picture, on which it ends, nothing can be cut: then its film is
    played a little faster, and the shortest that it makes is asked for.
    """
    wanted = order.seconds if order.last is not None else (24 * order.seconds + 1) / 24
    low, high = H3_SECONDS
    return min(high, max(low, wanted))


def h3_size(width: int, height: int, short_edge: int) -> tuple[int, int]:
    """(width, height) in pixels that MiniMax-H3 makes for a picture of this shape, as SGLang and vLLM-Omni compute it:
    the short edge as asked, not many more pixels than 1344x768, multiples of 32."""
    ratio = width / height
    wide, high = (short_edge * ratio, float(short_edge)) if ratio >= 1 else (float(short_edge), short_edge / ratio)
    scale = min(1.0, (H3_MOST_PIXELS / (wide * high)) ** 0.5)
    return max(32, round(wide * scale / 32) * 32), max(32, round(high * scale / 32) * 32)


def _for_sglang(order: Order, served: Served) -> Submit:
    if served.family == "h3":
        return Submit(body=_sglang_h3(order, served))
    fields = {
        "prompt": say_something(order.prompt),
        "width": str(order.canvas.width),
        "height": str(order.canvas.height),
        "num_frames": str(count_frames(order, served.fps)),
        "fps": str(served.fps),
        "seed": str(order.seed),
        **({"model": served.model} if served.model else {}),
        # LTX-2.5 would choose a length of its own; others do not know the field, which is then left out there.
        **({"extra_body": json.dumps({"auto_duration": False})} if served.family == "ltx" else {}),
        **_as_texts(served.more),
    }
    return Submit(fields, (_reference(order.first, "first", "input_reference"),))


def _sglang_h3(order: Order, served: Served) -> dict[str, Any]:
    """It takes two pictures in JSON only. It refuses fps, num_frames and a negative prompt."""
    pictures = [(order.first, 0), *([(order.last, -1)] if order.last is not None else [])]
    return {
        "task": "fl2va",
        "prompt": say_something(order.prompt),
        "seconds": order.seconds,
        "conditions": [
            {"type": "image", "uri": to_data_uri(to_png(picture)), "role": "keyframe", "frame_index": index}
            for picture, index in pictures
        ],
        "target": {
            "short_edge": served.short_edge, "aspect_ratio": "auto", "duration_seconds": round(h3_seconds(order), 4),
        },
        "seed": order.seed,
        **({"model": served.model} if served.model else {}),
        **served.more,
    }  # fmt: skip


def _for_vllm_omni(order: Order, served: Served) -> Submit:
    fields = {
        "prompt": say_something(order.prompt),
        "seed": str(order.seed),
        **({"model": served.model} if served.model else {}),
    }
    if served.family == "h3":  # the order of its pictures says which is the last one
        if served.short_edge != H3_SHORT_EDGE:  # it takes another one only as a size
            width, height = h3_size(order.canvas.width, order.canvas.height, served.short_edge)
            fields |= {"width": str(width), "height": str(height)}
        fields["extra_params"] = json.dumps({"task": "fl2va", "duration": round(h3_seconds(order), 4)})
        pictures = (order.first,) if order.last is None else (order.first, order.last)
        files = tuple(
            _reference(picture, name, "input_references")
            for picture, name in zip(pictures, ("first", "last"), strict=False)
        )
    else:
        fields |= {
            "width": str(order.canvas.width),
            "height": str(order.canvas.height),
            "num_frames": str(count_frames(order, served.fps)),
            "fps": str(served.fps),
        }
        files = (_reference(order.first, "first", "input_reference"),)
    return Submit({**fields, **_as_texts(served.more)}, files)


def _for_rapid_mlx(order: Order, served: Served) -> Submit:
    fields = {
        "prompt": say_something(order.prompt)[:LONGEST_PROMPT],
        "seconds": str(order.seconds),  # text, also where it is read as a number
        "size": f"{order.canvas.width}x{order.canvas.height}",
        "frames": str(count_frames(order, served.fps)),
        "fps": str(served.fps),
        "seed": str(order.seed),
        **({"model": served.model} if served.model else {}),
        **_as_texts(served.more),
    }
    return Submit(fields, (_reference(order.first, "first", "input_reference"),))


def _reference(picture: Any, name: str, form_field: str) -> FilePart:
    return FilePart(form_field, f"{name}.png", to_png(picture), "image/png")


def _as_texts(more: Mapping[str, Any]) -> dict[str, str]:
    """Fields of a form: what is no text is written as JSON, as these servers read it."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in more.items()}


_WRITERS: Final[dict[str, Callable[[Order, Served], Submit]]] = {
    "sglang": _for_sglang,
    "vllm-omni": _for_vllm_omni,
    "rapid-mlx": _for_rapid_mlx,
}


def usual_fps(family: str) -> int:
    """Frames a second that the family's films have."""
    return FAMILIES[family].fps
