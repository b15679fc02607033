"""An order as Ark takes it, and how it is recognised in Ark's list of tasks.

Ark names its tasks itself, and a task shows nothing of the prompt. Of what the client sends, a task shows seed, length,
resolution and the seconds until it expires. The last is ours to choose, so it carries a mark: some of the reference's
bits, above a day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from vivant.engines.generated.contract_orders import size_of
from vivant.engines.generated.order import Order
from vivant.engines.generated.picture_files import to_data_uri, to_png

EXPIRES: Final = (90_000, 259_200)  # seconds, both ends allowed by Ark; the mark lies between them


def mark_of(reference: str) -> int:
    """The seconds until a task expires that carry this reference."""
    low, high = EXPIRES
    return low + int.from_bytes(hashlib.sha256(reference.encode()).digest()[:8], "big") % (high - low + 1)


def write_order(order: Order, reference: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a submit. Raises EngineFailed."""
    resolution, ratio = size_of(order)
    settings: dict[str, Any] = {
        "resolution": resolution,
        "ratio": ratio,
        "duration": order.seconds,
        "seed": order.seed,
        "camera_fixed": order.camera_fixed,
        "watermark": False,  # the mark of this service is drawn here
    }
    text = order.prompt
    if options["parameters"] == "suffix":
        names = {"camera_fixed": "camerafixed"}
        said = [f"--{names.get(name, name)} {_word(value)}" for name, value in settings.items()]
        text = " ".join([text, *said]) if text.strip() else " ".join(said)
        settings = {}
    content: list[dict[str, Any]] = [{"type": "text", "text": text}] if text.strip() else []
    for picture, role in ((order.first, "first_frame"), (order.last, "last_frame")):
        if picture is not None:
            link = {"url": to_data_uri(to_png(picture))}
            content.append({"type": "image_url", "image_url": link, "role": role})
    return {
        "model": options["model"],
        "content": content,
        **settings,
        "generate_audio": order.audio,
        "service_tier": options["service_tier"],
        "execution_expires_after": mark_of(reference),
    }


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_of(task: Mapping[str, Any], order: Order, reference: str) -> bool:
    """Whether a task of Ark's list is this order's. What it does not show is not compared, but the mark must be."""
    resolution, _ = size_of(order)
    shown = {"seed": order.seed, "duration": order.seconds, "resolution": resolution, "generate_audio": order.audio}
    return task.get("execution_expires_after") == mark_of(reference) and all(
        task.get(name) in (None, value) for name, value in shown.items()
    )
