"""How LTX-2.x is asked: first picture, last picture on the last frame, sound with the picture."""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from typing import Any, Final

import numpy as np
import torch
from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition
from diffusers.pipelines.ltx2.utils import DEFAULT_NEGATIVE_PROMPT, DISTILLED_SIGMA_VALUES
from PIL import Image
from scipy.signal import resample_poly

from vivant.engines.diffusers.recipes import Recipe
from vivant.engines.generated.order import Order
from vivant.errors import EngineFailed
from vivant.media import F32, SAMPLE_RATE
from vivant.request import FPS

OnStep = Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]

STG_BLOCK: Final = 28  # the makers' for 2.3 and 2.5; smaller models have fewer blocks


def make_film(
    pipeline: Any, order: Order, recipe: Recipe, *, frames: int, negative: str, crf: int, on_step: OnStep
) -> tuple[torch.Tensor, F32 | None]:
    """The frames, uint8 (frames, height, width, 3), and the sound if the order wants it: float32 (2, n) at 48 kHz.

    crf: how strongly the pictures are compressed before they are shown to the model; 0: not at all. -1: as in training.
    The sound is made in any case: the model has no switch for it.
    """
    conditions = [_condition(order.first, 0, crf)]
    if order.last is not None:
        conditions.append(_condition(order.last, -1, crf))
    made = pipeline(
        conditions=conditions,
        prompt=order.prompt,
        width=order.canvas.width,
        height=order.canvas.height,
        num_frames=frames,
        frame_rate=float(FPS),
        generator=torch.Generator("cpu").manual_seed(order.seed),  # the same noise on every device
        callback_on_step_end=on_step,
        **_arguments(pipeline, recipe, negative),
    )
    sound = _at_48_khz(made.audio[0], pipeline.vocoder.config.output_sampling_rate) if order.audio else None
    return made.frames[0], sound


def _condition(picture: Any, index: int, crf: int) -> LTX2VideoCondition:
    return LTX2VideoCondition(frames=Image.fromarray(picture), index=index, strength=1.0, crf=None if crf < 0 else crf)


def _arguments(pipeline: Any, recipe: Recipe, negative: str) -> dict[str, Any]:
    """The class's own defaults are the full recipe with four passes a step: for distilled weights all of it is switched
    off by name. A scale of 1, or 0 for the spatio-temporal one and for rescaling, means that it is not computed."""
    if recipe.name == "distilled":
        return {
            "sigmas": list(DISTILLED_SIGMA_VALUES),
            "num_inference_steps": recipe.steps,
            "guidance_scale": 1.0, "audio_guidance_scale": 1.0,
            "stg_scale": 0.0, "audio_stg_scale": 0.0,
            "modality_scale": 1.0, "audio_modality_scale": 1.0,
            "guidance_rescale": 0.0, "audio_guidance_rescale": 0.0,
        }  # fmt: skip
    blocks = pipeline.transformer.config.num_layers
    return {
        "num_inference_steps": recipe.steps,
        "negative_prompt": negative or DEFAULT_NEGATIVE_PROMPT,
        "guidance_scale": recipe.guidance, "audio_guidance_scale": 7.0,
        "stg_scale": 1.0, "audio_stg_scale": 1.0,
        "modality_scale": 3.0, "audio_modality_scale": 3.0,
        "guidance_rescale": 0.7, "audio_guidance_rescale": 0.7,
        "spatio_temporal_guidance_blocks": [min(STG_BLOCK, blocks - 1)],
    }  # fmt: skip


def _at_48_khz(audio: torch.Tensor, rate: int) -> F32:
    """audio: (channels, n) at `rate` Hz. Returns float32 (2, m) at 48 kHz in [-1, 1]. Raises EngineFailed for values
    that are no numbers, and for no samples."""
    samples = audio.float().cpu().numpy()
    if samples.ndim != 2 or not samples.shape[1] or not np.isfinite(samples).all():
        raise EngineFailed(f"The model's sound is none: {samples.shape}, or values that are no numbers.")
    if rate != SAMPLE_RATE:
        common = gcd(SAMPLE_RATE, rate)
        samples = resample_poly(samples, SAMPLE_RATE // common, rate // common, axis=1)
    stereo = np.broadcast_to(samples, (2, samples.shape[1])) if samples.shape[0] == 1 else samples[:2]
    clipped: F32 = np.ascontiguousarray(np.clip(stereo, -1, 1), np.float32)
    return clipped
