"""How Wan 2.2 is asked: A14B takes a last picture, TI2V-5B begins with one only. Neither makes sound."""

from __future__ import annotations

from typing import Any

import torch
from PIL import Image

from vivant.engines.diffusers.ltx2 import OnStep
from vivant.engines.diffusers.recipes import WAN_NEGATIVE, Recipe
from vivant.engines.generated.order import Order


def make_film(
    pipeline: Any, order: Order, recipe: Recipe, *, frames: int, negative: str, on_step: OnStep
) -> torch.Tensor:
    """The frames as the model makes them, uint8 (frames, height, width, 3)."""
    guided = recipe.guidance > 1
    made = pipeline(
        image=Image.fromarray(order.first),
        last_image=None if order.last is None else Image.fromarray(order.last),
        prompt=order.prompt,
        negative_prompt=(negative or WAN_NEGATIVE) if guided else None,
        width=order.canvas.width,
        height=order.canvas.height,
        num_frames=frames,
        num_inference_steps=recipe.steps,
        guidance_scale=recipe.guidance,
        generator=torch.Generator("cpu").manual_seed(order.seed),  # the same noise on every device
        callback_on_step_end=on_step,
    )
    film: torch.Tensor = made.frames[0]
    return film
