"""Decoded frames become bytes frame by frame. The processor of diffusers would make a copy of the whole film in
float32: 7 GB for 12 s of 1080p.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from diffusers.video_processor import VideoProcessor

from vivant.errors import EngineFailed

NO_NUMBERS = (
    "The model answered values that are no numbers. The dtype does not suit this card or these weights: set "
    "VIVANT_DIFFUSERS_DTYPE (bfloat16 or float32), and leave VIVANT_DIFFUSERS_QUANTISE=none."
)


class BytesProcessor(VideoProcessor):  # type: ignore[misc]  # diffusers has no types
    """A video processor whose films are tensors uint8 (1, frames, height, width, 3) in main memory. `check` is called
    before each frame: a long film takes longer than a job has to end that is told to stop."""

    check: Callable[[], None] | None = None

    def postprocess_video(self, video: torch.Tensor, output_type: str = "np", **kwargs: Any) -> torch.Tensor:
        """video: (1, 3, frames, height, width), in [-1, 1]. Raises EngineFailed for values that are no numbers."""
        _, _, count, height, width = video.shape
        film = torch.empty((1, count, height, width, 3), dtype=torch.uint8)
        for number in range(count):
            if self.check is not None:
                self.check()
            frame = video[0, :, number].float()
            if not torch.isfinite(frame).all():
                raise EngineFailed(NO_NUMBERS)
            film[0, number] = frame.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).cpu()
        return film


def use_bytes(pipeline: Any, check: Callable[[], None]) -> None:
    """Let the pipeline return films of bytes."""
    pipeline.video_processor = BytesProcessor.from_config(pipeline.video_processor.config)
    pipeline.video_processor.check = check
