"""The engine `openai-videos`: clips by SGLang Diffusion, vLLM-Omni or Rapid-MLX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vivant.engines.generated.canvas import GenerationCanvas
from vivant.engines.generated.engine import GeneratingEngine
from vivant.engines.generated.remote_generator import RemoteGenerator
from vivant.engines.openai_videos.card import make_card
from vivant.engines.openai_videos.families import RAPID_MLX_PIXEL_FRAMES
from vivant.engines.openai_videos.jobs import grid_for, make_backends
from vivant.request import VideoRequest


class OpenAIVideos(GeneratingEngine):
    """Implements `engines.base.Engine`. Raises Misconfigured when the options name no server."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        options = {**options, "grid": grid_for(options["server"], options["grid"])}
        card = make_card(options)
        super().__init__(RemoteGenerator("openai-videos", "1", make_backends(options), options), options, card)
        self._rapid_mlx = options["server"] == "rapid-mlx"

    def _canvas_of(self, request: VideoRequest) -> GenerationCanvas:
        """Rapid-MLX takes so many pixels in all frames together: longer clips are made smaller."""
        if not self._rapid_mlx:
            return super()._canvas_of(request)
        most = RAPID_MLX_PIXEL_FRAMES // request.canvas.frames
        limit = min(most, self._options["max_pixels"] or most)
        return GenerationCanvas.of(request.canvas, grid=self._options["grid"], max_pixels=limit)
