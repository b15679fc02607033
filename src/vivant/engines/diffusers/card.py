"""Settings of the engine `diffusers`, and what its configured model can do. Reads the model's folder, loads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vivant.engines.card import Card, EngineSetting
from vivant.engines.diffusers.model_folder import Family, read_model_folder
from vivant.engines.diffusers.recipes import RECIPES, choose_recipe
from vivant.engines.diffusers.weights import known_models, locate, read_receipt
from vivant.engines.generated.settings import find_sound, shared_settings
from vivant.errors import Misconfigured
from vivant.request import RESOLUTIONS
from vivant.setting_kinds import choice, file, folder_text, number, text, whole_number

SETTINGS: Final = (
    *shared_settings(),
    EngineSetting(
        name="model",
        parse=text,
        default="",
        help="A model that `vivant models pull` fetched, by its name, or the folder of one that diffusers saved.",
    ),
    EngineSetting(
        name="models",
        parse=folder_text,
        default="",
        help="The folder in which models lie by their names. Empty: `models` beside the user's data.",
    ),
    EngineSetting(
        name="cards",
        parse=whole_number(1, 16),
        default=1,
        help="How many cards of this machine are used: each makes one clip at a time, and holds the whole model.",
    ),
    EngineSetting(
        name="device",
        parse=choice("auto", "cuda", "rocm", "xpu", "mps", "cpu"),
        default="auto",
        help="What computes. `auto` takes the first card that torch finds, and never a CPU.",
    ),
    EngineSetting(
        name="dtype",
        parse=choice("auto", "bfloat16", "float16", "float32"),
        default="auto",
        help="Of weights and values. `auto`: bfloat16 where the card has it, float32 on a CPU.",
    ),
    EngineSetting(
        name="memory",
        parse=choice("auto", "resident", "model", "group", "sequential"),
        default="auto",
        help="Where weights wait: all on the card; part by part; a few blocks at a time; layer by layer. `auto` takes "
        "the fastest that fits into what is free ([why](decisions/0075-memory-mode-is-chosen.md)).",
    ),
    EngineSetting(
        name="quantise",
        parse=choice("auto", "none", "fp8", "int8", "int8-torchao", "int8-bnb"),
        default="auto",
        help="Weights of the transformer in 8 bits. `auto`: fp8 if nothing else fits. `int8` needs the package torchao "
        "or bitsandbytes.",
    ),
    EngineSetting(
        name="gguf",
        parse=file,
        default="",
        help="A GGUF file with the transformer's weights, instead of those in the folder.",
    ),
    EngineSetting(
        name="gguf_2",
        parse=file,
        default="",
        help="The same for the second transformer of Wan 2.2 A14B, which makes the last steps.",
    ),
    EngineSetting(
        name="tiling",
        parse=choice("auto", "on", "off"),
        default="auto",
        help="Decode frames in tiles: less memory, a little slower. `auto`: when whole frames would not fit.",
    ),
    EngineSetting(
        name="plan_for",
        parse=choice(*RESOLUTIONS),
        default="720p",
        help="The resolution that must fit when `memory`, `quantise` and `tiling` are chosen.",
    ),
    EngineSetting(
        name="plan_seconds",
        parse=whole_number(4, 12),
        default=5,
        help="The length that must fit, in seconds.",
    ),
    EngineSetting(
        name="recipe",
        parse=choice(*RECIPES),
        default="auto",
        help="`distilled`: few steps, no guidance, for weights that were made for it. `full`: the makers' steps and "
        "guidance. `auto`: distilled for LTX-2, full for Wan.",
    ),
    EngineSetting(
        name="steps",
        parse=whole_number(0, 200),
        default=0,
        help="Steps of denoising. `0`: the recipe's.",
    ),
    EngineSetting(
        name="guidance",
        parse=number(0, 30),
        default=0.0,
        help="How strongly the prompt guides the picture. `0`: as the recipe has it; `1`: not at all, twice as fast.",
    ),
    EngineSetting(
        name="negative_prompt",
        parse=text,
        default="",
        help="What guidance leads away from. Empty: the makers' own words. Not used without guidance.",
    ),
    EngineSetting(
        name="picture_crf",
        parse=whole_number(-1, 51),
        default=0,
        help="LTX-2: compress the pictures (H.264, CRF) before the model sees them. `0`: not at all; `-1`: as strongly "
        "as in its training, which can make still pictures move more.",
    ),
    EngineSetting(
        name="attention",
        parse=text,
        default="",
        help="How attention is computed: a backend of diffusers, such as `flash`, `sage` or `_native_cudnn`. Empty: "
        "torch's own.",
    ),
    EngineSetting(
        name="cache",
        parse=choice("off", "first-block", "pyramid-attention", "taylorseer"),
        default="off",
        help="Keep from one step what changes little in the next: faster, not the same film. Not with few steps, and "
        "with LTX-2 `taylorseer` only.",
    ),
    EngineSetting(
        name="warm_up",
        parse=choice("off", *RESOLUTIONS),
        default="off",
        help="Make a clip of this resolution before the first job: it finds out at start whether memory suffices.",
    ),
)

NO_LAST_FRAME: Final = (
    "Wan 2.2 TI2V 5B begins with a picture only, and diffusers drops a last one without a word. Wan 2.2 I2V A14B and "
    "LTX-2 end on one"
)


def make_card(options: Mapping[str, Any]) -> Card:
    """The card of the model that the options name. Raises Misconfigured, naming the setting, when they cannot work."""
    if not options["model"]:
        names = ", ".join(known_models())
        raise Misconfigured(
            f"VIVANT_DIFFUSERS_MODEL is not set: name the folder of a model, or one of {names} that `vivant models "
            "pull` has fetched."
        )
    given = tuple(name for name, key in (("transformer", "gguf"), ("transformer_2", "gguf_2")) if options[key])
    path, known = locate(options["model"], options["models"])
    folder = read_model_folder(path, recipe=options["recipe"], given=given)
    _check(folder.family, given, options)
    receipt = read_receipt(path)
    accepted = receipt.accepted if receipt else not (known and known.must_be_accepted)
    return Card(
        engine="diffusers",
        title=f"{_TITLES[folder.family]}, in this process",
        model=known.name if known else path.name,
        revision=receipt.revision if receipt else "",
        licence=receipt.licence if receipt else known.licence if known else "",
        accepted=accepted,
        last_frame=folder.family.takes_last,
        why_no_last_frame="" if folder.family.takes_last else NO_LAST_FRAME,
        sound=find_sound(options, joint=folder.family.makes_sound),
        progress="per step",
        cancel="within a step",
        seed="exact on one device",
        workers=options["cards"],
    )


def _check(family: Family, given: tuple[str, ...], options: Mapping[str, Any]) -> None:
    choose_recipe(family, name=options["recipe"], steps=options["steps"], guidance=options["guidance"])
    if given and options["quantise"] not in ("auto", "none"):
        raise Misconfigured(
            "VIVANT_DIFFUSERS_QUANTISE: the weights of a GGUF file are quantised already; set it to auto, or do not "
            "set VIVANT_DIFFUSERS_GGUF."
        )
    if "transformer_2" in given and family is not Family.WAN_A14B:
        raise Misconfigured("VIVANT_DIFFUSERS_GGUF_2: only Wan 2.2 A14B has a second transformer.")
    if options["grid"] % 32:
        raise Misconfigured("VIVANT_DIFFUSERS_GRID must be 32, 64, 96 or 128: these models take no other sizes.")


_TITLES: Final = {
    Family.LTX2: "LTX-2: picture and sound together, first and last picture",
    Family.WAN_A14B: "Wan 2.2 A14B: first and last picture, no sound of its own",
    Family.WAN_5B: "Wan 2.2 5B: first picture, no sound of its own",
}
