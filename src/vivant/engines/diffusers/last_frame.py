"""LTX-2 with its last picture exactly on the last frame.

LTX2ConditionPipeline takes an index of latents, and places a picture at the first frame of that latent: -1 is frame 113
of 121. The model itself is told the place of a picture in seconds, so any frame can be meant: the coordinates of a
picture on the last latent are moved to the last frame. What comes before, the tokens and their noise, stays the same.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import LTX2ConditionPipeline


class ExactLastFramePipeline(LTX2ConditionPipeline):  # type: ignore[misc]  # diffusers has no types
    """LTX2ConditionPipeline in which a single picture with index -1 lies on frame `num_frames - 1`."""

    _last_frame: int | None = None  # of the clip that is being made
    _last_latent_frame: int | None = None  # where upstream would put a picture on the last latent

    def prepare_latents(self, *args: Any, num_frames: int = 121, **kwargs: Any) -> Any:
        ratio = self.vae_temporal_compression_ratio
        self._last_frame = num_frames - 1
        self._last_latent_frame = ((num_frames - 1) // ratio - 1) * ratio + 1
        return super().prepare_latents(*args, num_frames=num_frames, **kwargs)

    def _prepare_keyframe_coords(
        self, *args: Any, pixel_frame_idx: int, num_pixel_frames: int, **kwargs: Any
    ) -> torch.Tensor:
        if num_pixel_frames == 1 and pixel_frame_idx == self._last_latent_frame:
            assert self._last_frame is not None
            pixel_frame_idx = self._last_frame
        return super()._prepare_keyframe_coords(
            *args, pixel_frame_idx=pixel_frame_idx, num_pixel_frames=num_pixel_frames, **kwargs
        )
