"""Clips made with the embedded engine from the test photos, with their requests and storyboards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from support.paths import PHOTOS
from vivant.encode.mp4 import write_mp4
from vivant.engines.base import NullWatch
from vivant.engines.diorama.engine import Diorama
from vivant.engines.diorama.storyboard import Storyboard
from vivant.media import U8, Pictures
from vivant.request import VideoRequest


def photo(name: str) -> U8:
    return np.asarray(Image.open(PHOTOS / f"{name}.jpg").convert("RGB"))


class Made:
    """A clip in a file."""

    def __init__(self, engine: Diorama, pictures: Pictures, request: VideoRequest, path: Path) -> None:
        self.pictures, self.request, self.path = pictures, request, path
        self.board: Storyboard = engine.plan(request, pictures, NullWatch())
        write_mp4(engine.render(self.board, pictures, NullWatch()), path, mark=request.watermark)


Make = Callable[..., Made]
