"""What tests of the engine `comfyui` ask for, and the workflows that they fill."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from support.paths import ROOT
from support.watches import RecordingWatch
from vivant.engines.comfyui.engine import ComfyuiGenerator
from vivant.engines.comfyui.workflow import Workflow
from vivant.engines.generated.canvas import GenerationCanvas
from vivant.engines.generated.order import Order
from vivant.engines.generated.remote import JobTimes
from vivant.engines.registry import complete_options
from vivant.errors import Stopped
from vivant.media import U8
from vivant.request import Canvas

WORKFLOWS: Final = ROOT / "tests/engines/comfyui/workflows"
DOCUMENTED: Final = ROOT / "docs/engines/comfyui"


def read(name: str, folder: Path = WORKFLOWS) -> Workflow:
    return Workflow.read(folder / f"{name}.json", "VIVANT_COMFYUI_WORKFLOW")


class StoppableWatch(RecordingWatch):
    """A watch that a test stops when it wants."""

    def __init__(self, remembered: Mapping[str, Any] | None = None) -> None:
        super().__init__(remembered=remembered)
        self.told_to_stop = threading.Event()

    def raise_if_stopping(self) -> None:
        super().raise_if_stopping()
        if self.told_to_stop.is_set():
            raise Stopped


def generator(
    url: str | list[str],
    name: str = "wan-2.2-5b-first",
    *,
    last: str = "",
    times: JobTimes | None = None,
    **options: Any,
) -> ComfyuiGenerator:
    """A generator that is set up, and not very patient."""
    files = {
        "workflow": str(WORKFLOWS / f"{name}.json"),
        "workflow_last": str(WORKFLOWS / f"{last}.json") if last else "",
    }
    urls = [url] if isinstance(url, str) else url
    given = complete_options("comfyui", {"url": urls, **files, **options})
    made = ComfyuiGenerator(given, times=times or JobTimes(poll=0.05, down=2.0))
    made.setup()
    return made


def order(*, seed: int = 7, last: bool = False, seconds: int = 1, side: int = 64, **changes: Any) -> Order:
    """A small order: a red picture, and a blue last one."""
    values: dict[str, Any] = {
        "prompt": "Waves on the lake.",
        "canvas": GenerationCanvas.of(Canvas(side, side, 24 * seconds + 1), grid=32, max_pixels=0),
        "seconds": seconds,
        "frames": 24 * seconds + 1,
        "seed": seed,
        "first": plain(side, (200, 40, 40)),
        "last": plain(side, (40, 40, 200)) if last else None,
        "audio": True,
        "camera_fixed": False,
    }
    return Order(**{**values, **changes})


def plain(side: int, colour: tuple[int, int, int]) -> U8:
    """A picture of one colour with a white square, so that motion can be seen: RGB uint8 (side, side, 3)."""
    picture = np.full((side, side, 3), colour, np.uint8)
    picture[side // 4 : side // 2, side // 4 : side // 2] = 255
    return picture
