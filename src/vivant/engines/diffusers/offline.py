"""Nothing is fetched: the libraries that could ask a hub are told not to, before they are imported."""

from __future__ import annotations

import os
import sys
from typing import Final

_VARIABLES: Final = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",  # a worker's threads are its own
}


def go_offline() -> None:
    """Set the switches of this process. A library that is loaded already has read its own: that one is set too."""
    os.environ.update(_VARIABLES)
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is not None:
        constants.HF_HUB_OFFLINE = True  # type: ignore[attr-defined]  # the constant has no type there
