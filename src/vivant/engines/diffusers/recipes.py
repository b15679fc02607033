"""How many steps, and how strongly the prompt guides them: the makers' recipe for distilled or for full weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vivant.engines.diffusers.model_folder import Family
from vivant.errors import Misconfigured

RECIPES: Final = ("auto", "distilled", "full")
LTX2_DISTILLED_STEPS: Final = 8  # the makers' sigmas for it are eight

# Wan's makers publish this list (their default `sample_neg_prompt`); LTX-2's comes with diffusers.
WAN_NEGATIVE: Final = (
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，JPEG压缩残留，丑陋的，"
    "残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，手指融合，静止不动的画面，杂乱的背景，"
    "三条腿，背景人很多，倒着走"
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """name: distilled or full. steps: of denoising. guidance: 1 means that none is computed."""

    name: str
    steps: int
    guidance: float


_DEFAULTS: Final = {
    (Family.LTX2, "distilled"): Recipe("distilled", LTX2_DISTILLED_STEPS, 1.0),
    (Family.LTX2, "full"): Recipe("full", 30, 3.0),
    (Family.WAN_A14B, "distilled"): Recipe("distilled", 4, 1.0),
    (Family.WAN_A14B, "full"): Recipe("full", 40, 3.5),
    (Family.WAN_5B, "distilled"): Recipe("distilled", 4, 1.0),
    (Family.WAN_5B, "full"): Recipe("full", 50, 5.0),
}


def choose_recipe(family: Family, *, name: str, steps: int, guidance: float) -> Recipe:
    """The recipe of this name; auto: distilled for LTX-2, full for Wan. steps, guidance: 0 means the recipe's own.

    Raises Misconfigured, naming the setting, for what a recipe cannot have.
    """
    if name == "auto":
        name = "distilled" if family is Family.LTX2 else "full"
    usual = _DEFAULTS[family, name]
    if family is Family.LTX2 and name == "distilled" and (steps not in (0, usual.steps) or guidance not in (0, 1)):
        raise Misconfigured(
            f"VIVANT_DIFFUSERS_STEPS and VIVANT_DIFFUSERS_GUIDANCE: distilled LTX-2 has its own {usual.steps} steps "
            "and no guidance; leave both at 0, or set VIVANT_DIFFUSERS_RECIPE=full for weights that are not distilled."
        )
    return Recipe(name, steps or usual.steps, guidance or usual.guidance)
