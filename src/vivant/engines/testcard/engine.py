"""Colour bars, a moving counter and a tone: an engine for tests, load tests and documents. It ignores the prompt.

Frame 0 is the first picture, as for every engine; colour bars follow. A short beep marks every second, and the frame at
its start shows a white square, so that the synchrony of picture and sound can be measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.base import Watch
from vivant.media import F32, SAMPLE_RATE, SAMPLES_PER_FRAME, U8, Clip, Pictures, Planes, Soundtrack, fit, to_planes
from vivant.request import FPS, Canvas, VideoRequest

# 75 % bars in the order of SMPTE ECR 1: white, yellow, cyan, green, magenta, red, blue.
BARS: Final = ((191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191))
TONE: Final = 440.0  # Hz
BEEP: Final = 1000.0  # Hz, the first 1/12 s of every second


@dataclass(frozen=True, slots=True)
class CardStoryboard:
    """Size in pixels, number of frames, the seed that the card shows, and whether there are sound and a last picture.

    Raises ValueError for a size that no canvas has.
    """

    width: int
    height: int
    frames: int
    seed: int
    audio: bool
    has_last: bool

    def __post_init__(self) -> None:
        Canvas(self.width, self.height, self.frames)  # refuses sizes that no clip has

    def to_data(self) -> dict[str, Any]:
        return {"engine": Testcard.name, "version": Testcard.version, **asdict(self)}


class Testcard:
    """Implements `engines.base.Engine`; see the module's docstring."""

    __test__ = False  # tells pytest that this is no test class
    name = "testcard"
    version = "1"

    def __init__(self, options: Mapping[str, Any] | None = None) -> None: ...

    def setup(self) -> None:
        cv2.setNumThreads(1)

    def probe(self, watch: Watch) -> None:
        """Nothing stands behind it that could be down."""

    def plan(self, request: VideoRequest, pictures: Pictures, watch: Watch) -> CardStoryboard:
        canvas = request.canvas
        return CardStoryboard(
            canvas.width, canvas.height, canvas.frames, request.seed, request.generate_audio, pictures.last is not None
        )

    def draw_seen(self, request: VideoRequest, pictures: Pictures, watch: Watch) -> None:
        """It looks for nothing in the picture."""

    def explain(self, storyboard: CardStoryboard) -> list[str]:
        sound = "a 440 Hz tone with a beep every second" if storyboard.audio else "no sound"
        return [f"Test card, {storyboard.width}x{storyboard.height}, {storyboard.frames} frames, with {sound}."]

    def render(self, storyboard: CardStoryboard, pictures: Pictures, watch: Watch) -> Clip:
        canvas = Canvas(storyboard.width, storyboard.height, storyboard.frames)
        return Clip(
            canvas=canvas,
            frames=_frames(storyboard, pictures, watch),
            soundtrack=(lambda: Soundtrack(_sound(storyboard))) if storyboard.audio else None,
        )


def _frames(board: CardStoryboard, pictures: Pictures, watch: Watch) -> Iterator[Planes]:
    yield to_planes(fit(pictures.first, board.width, board.height))
    card = _card(board.width, board.height)
    size = max(8, board.height // 12)
    for n in range(1, board.frames):
        watch.raise_if_stopping()
        if n == board.frames - 1 and pictures.last is not None:
            yield to_planes(fit(pictures.last, board.width, board.height))
            return
        picture = card.copy()
        left = round((board.width - size) * n / max(1, board.frames - 1))
        picture[-2 * size : -size, left : left + size] = (235, 235, 235)
        if n % FPS == 0:
            picture[size : 2 * size, size : 2 * size] = (255, 255, 255)
        label = f"{n:04d}  seed {board.seed}"
        scale = board.height / 480
        cv2.putText(picture, label, (size, board.height // 2), cv2.FONT_HERSHEY_SIMPLEX, 1.6 * scale, (16, 16, 16), 3)
        yield to_planes(picture)


def _card(width: int, height: int) -> U8:
    """The colour bars: RGB uint8 (height, width, 3)."""
    edges = np.linspace(0, width, len(BARS) + 1).round().astype(int)
    card = np.zeros((height, width, 3), np.uint8)
    for colour, left, right in zip(BARS, edges[:-1], edges[1:], strict=True):
        card[:, left:right] = colour
    return card


def _sound(board: CardStoryboard) -> F32:
    """Tone and beeps: float32 (2, 2000 * frames) at 48 kHz, peak 0.5."""
    time = np.arange(board.frames * SAMPLES_PER_FRAME) / SAMPLE_RATE
    tone = 0.1 * np.sin(2 * np.pi * TONE * time)
    beep = np.where(time % 1 < 1 / 12, 0.4 * np.sin(2 * np.pi * BEEP * time), 0.0)
    beep[: SAMPLE_RATE // 12] = 0.0  # no beep at frame 0, which is the picture
    both: F32 = np.stack([tone + beep, tone + beep]).astype(np.float32)
    return both
