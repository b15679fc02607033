"""The plan of memory for a folder, a device and the operator's settings: gathers what `memory.choose_plan` needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from vivant.engines.diffusers.device import Device
from vivant.engines.diffusers.loading import has_int8
from vivant.engines.diffusers.memory import LargestClip, MemoryPlan, Offload, Precision, Weights, choose_plan
from vivant.engines.diffusers.model_folder import ModelFolder
from vivant.engines.generated.canvas import GenerationCanvas
from vivant.engines.generated.settings import option
from vivant.errors import Misconfigured
from vivant.request import Canvas


def plan_memory(folder: ModelFolder, options: Mapping[str, Any], device: Device, dtype: torch.dtype) -> MemoryPlan:
    """The plan for the clip that shall fit (plan_for, plan_seconds). Raises Misconfigured: nothing fits, or a setting
    that this device or these packages cannot have."""
    gguf = gguf_files(options)
    sizes = folder.sizes(dtype.itemsize) | {name: file.stat().st_size for name, file in gguf.items()}
    weights = Weights(
        transformers={name: sizes.pop(name) for name in folder.transformers},
        others=sizes,
        width=folder.width,
        gguf=bool(gguf),
    )
    canvas = served_canvas(options, options["plan_for"])
    frames = folder.family.frames(options["plan_seconds"])
    clip = LargestClip(
        pixels=canvas.width * canvas.height,
        frames=frames,
        tokens=folder.family.tokens(canvas.width, canvas.height, frames),
        value_bytes=dtype.itemsize,
    )
    placement = None if options["memory"] == "auto" else Offload(options["memory"])
    if placement not in (None, Offload.RESIDENT) and not device.can_offload:
        raise Misconfigured(
            f"VIVANT_DIFFUSERS_MEMORY: {placement} moves weights between a card and main memory, and on {device.kind} "
            "they are the same; set it to auto."
        )
    return choose_plan(
        weights,
        clip,
        device.measure(),
        placement=placement,
        precision=None if gguf else _precision(options["quantise"], device),
        tiling={"auto": None, "on": True, "off": False}[options["tiling"]],
    )


def served_canvas(options: Mapping[str, Any], resolution: str) -> GenerationCanvas:
    """What the model is asked for when a clip of `plan_seconds` at 16:9 is wanted."""
    return GenerationCanvas.of(
        Canvas.of(resolution, "16:9", options["plan_seconds"]),
        grid=option(options, "grid"),
        max_pixels=option(options, "max_pixels"),
    )


def gguf_files(options: Mapping[str, Any]) -> dict[str, Path]:
    """transformer -> the GGUF file that holds it."""
    named = {"transformer": options["gguf"], "transformer_2": options["gguf_2"]}
    return {name: Path(file) for name, file in named.items() if file}


def _precision(quantise: str, device: Device) -> Precision | None:
    """None: to be chosen. Raises Misconfigured for 8-bit integers without a package that has them."""
    match quantise:
        case "auto":
            return None
        case "none":
            return Precision.FULL
        case "int8":
            found = has_int8()
            if found is None:
                raise Misconfigured(
                    "VIVANT_DIFFUSERS_QUANTISE=int8 needs the package torchao or bitsandbytes, and neither is "
                    "installed; fp8 needs none."
                )
            return found
        case "fp8" if device.kind == "mps":
            raise Misconfigured("VIVANT_DIFFUSERS_QUANTISE: Apple's GPUs have no 8-bit floats; use a GGUF file.")
        case _:
            return Precision(quantise)
