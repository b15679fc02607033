"""What memory `auto` would take for a known model on a card, before anything is fetched: for `vivant doctor`, and for
the table in docs/engines/diffusers.md. Light: no torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vivant.engines.diffusers.memory import GIB, LargestClip, Machine, MemoryPlan, Weights, choose_plan
from vivant.engines.diffusers.model_folder import Family
from vivant.engines.diffusers.weights import KnownModel, known_models
from vivant.engines.generated.canvas import GenerationCanvas
from vivant.errors import Misconfigured
from vivant.request import Canvas

WIDTHS: Final = {Family.LTX2: 4096, Family.WAN_A14B: 5120, Family.WAN_5B: 3072}  # of a token
VAES: Final = {Family.LTX2: 2 * GIB, Family.WAN_A14B: GIB // 2, Family.WAN_5B: 3 * GIB}  # roughly
CARDS: Final = (12, 16, 24, 32, 48, 80, 141)  # GiB of cards that people have
FREE: Final = 1  # GiB of a card that its desktop and driver have taken


def plan_known_model(model: KnownModel, machine: Machine, *, resolution: str = "720p", seconds: int = 5) -> MemoryPlan:
    """The plan for bfloat16 weights. Raises Misconfigured, with what is missing, when nothing fits."""
    count = 2 if model.family is Family.WAN_A14B else 1
    vae = VAES[model.family]
    weights = Weights(
        transformers={f"transformer_{number}": model.transformers_bytes // count for number in range(count)},
        others={"text_encoder": model.others_bytes - vae, "vae": vae},
        width=WIDTHS[model.family],
    )
    canvas = GenerationCanvas.of(Canvas.of(resolution, "16:9", seconds), grid=32, max_pixels=0)
    frames = model.family.frames(seconds)
    clip = LargestClip(
        pixels=canvas.width * canvas.height,
        frames=frames,
        tokens=model.family.tokens(canvas.width, canvas.height, frames),
    )
    return choose_plan(weights, clip, machine)


def write_table(*, ram: int = 128) -> Iterator[str]:
    """Rows of a Markdown table: what `auto` takes for 5 s of 720p on each card, with `ram` GiB of main memory free."""
    models = [model for model in known_models().values() if not model.name.endswith("-full")]
    yield f"| card | {' | '.join(f'`{model.name}`' for model in models)} |"
    yield f"| --- |{' --- |' * len(models)}"
    for card in CARDS:
        cells = [_describe(model, Machine(card=(card - FREE) * GIB, ram=ram * GIB)) for model in models]
        yield f"| {card} GB | {' | '.join(cells)} |"


def _describe(model: KnownModel, machine: Machine) -> str:
    try:
        plan = plan_known_model(model, machine)
    except Misconfigured:
        return "does not fit"
    return ", ".join([str(plan.placement), str(plan.precision), *(["tiles"] if plan.tiling else [])])
