"""A model's folder becomes a pipeline, as the plan of memory says. Nothing is fetched, and only safetensors and GGUF
files are read.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import diffusers
import torch
import transformers

from vivant.engines.diffusers.device import Device
from vivant.engines.diffusers.memory import MemoryPlan, Offload, Precision
from vivant.engines.diffusers.model_folder import Family, ModelFolder
from vivant.errors import Misconfigured

# LTX-2's tiles in time, in frames: the makers' own. diffusers would take 16 with an overlap of 8, which is two latents:
# far from what a decoder of the whole film sees.
TILE_FRAMES: Final = 64
TILE_OVERLAP: Final = 24


def load_pipeline(
    folder: ModelFolder, plan: MemoryPlan, device: Device, dtype: torch.dtype, gguf: dict[str, Path]
) -> Any:
    """The pipeline, on its device. gguf: transformer -> file with its weights.

    Raises Misconfigured when a package for the precision is missing. What diffusers raises for damaged files, and
    whatever says that memory ran out, passes.
    """
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    arguments: dict[str, Any] = {"dtype": _dtypes(folder, dtype), **dict.fromkeys(folder.unused)}
    for name in folder.transformers:
        if name in gguf:
            arguments[name] = _load_gguf(folder, name, gguf[name], dtype)
        elif folder.parts[name] != name:
            arguments[name] = _transformer_class(folder).from_pretrained(
                folder.path / folder.parts[name], dtype=dtype, use_safetensors=True, local_files_only=True
            )
    if plan.precision in (Precision.INT8_TORCHAO, Precision.INT8_BNB):
        arguments["quantization_config"] = _int8(folder, plan.precision)
    pipeline = _pipeline_class(folder.family).from_pretrained(
        folder.path, use_safetensors=True, local_files_only=True, **arguments
    )
    pipeline.set_progress_bar_config(disable=True)
    if plan.precision is Precision.FP8:
        for name in folder.transformers:
            getattr(pipeline, name).enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=dtype)
    if plan.tiling and folder.family is Family.LTX2:
        pipeline.vae.enable_tiling(
            tile_sample_min_num_frames=TILE_FRAMES, tile_sample_stride_num_frames=TILE_FRAMES - TILE_OVERLAP
        )
        pipeline.vae.use_framewise_decoding = True
    elif plan.tiling:
        pipeline.vae.enable_tiling()
    place(pipeline, folder.transformers, plan.placement, device.torch)
    return pipeline


def place(pipeline: Any, transformers: tuple[str, ...], placement: Offload, device: torch.device) -> None:
    """Put the parts of the pipeline where the placement wants them."""
    match placement:
        case Offload.RESIDENT:
            pipeline.to(device)
        case Offload.MODEL:
            pipeline.enable_model_cpu_offload(device=device)
        case Offload.SEQUENTIAL:
            pipeline.enable_sequential_cpu_offload(device=device)
        case Offload.GROUP:
            _place_in_groups(pipeline, transformers, device)


def _place_in_groups(pipeline: Any, transformers: tuple[str, ...], device: torch.device) -> None:
    """Blocks of the transformers and layers of the text encoder come and go; what is small stays on the device. The
    blocks of a text encoder lie too deep for diffusers to find them: as a group it would be one piece."""
    from diffusers.hooks import apply_group_offloading

    streams = device.type in ("cuda", "xpu")  # the next group is copied while this one works
    for name, component in pipeline.components.items():
        if not isinstance(component, torch.nn.Module):
            continue
        if name in transformers or name == "text_encoder":
            apply_group_offloading(
                component,
                onload_device=device,
                offload_device=torch.device("cpu"),
                offload_type="block_level" if name in transformers else "leaf_level",
                num_blocks_per_group=1 if name in transformers else None,
                non_blocking=streams,
                use_stream=streams,
                low_cpu_mem_usage=streams,  # pins a group when it is its turn, not all of them
            )
        else:
            component.to(device)


def has_int8() -> Precision | None:
    """The way to 8-bit integers for which a package is installed; None: there is none."""
    if find_spec("torchao") is not None:
        return Precision.INT8_TORCHAO
    return Precision.INT8_BNB if find_spec("bitsandbytes") is not None else None


def _pipeline_class(family: Family) -> Any:
    if family is Family.LTX2:
        from vivant.engines.diffusers.last_frame import ExactLastFramePipeline

        return ExactLastFramePipeline
    return diffusers.WanImageToVideoPipeline


def _transformer_class(folder: ModelFolder) -> Any:
    ltx2 = folder.family is Family.LTX2
    return diffusers.LTX2VideoTransformer3DModel if ltx2 else diffusers.WanTransformer3DModel


def _dtypes(folder: ModelFolder, dtype: torch.dtype) -> Any:
    """Wan's makers keep its VAE in float32."""
    return dtype if folder.family is Family.LTX2 else {"vae": torch.float32, "default": dtype}


def _load_gguf(folder: ModelFolder, name: str, file: Path, dtype: torch.dtype) -> Any:
    with file.open("rb") as opened:
        if opened.read(4) != b"GGUF":
            raise Misconfigured(f"VIVANT_DIFFUSERS_GGUF: {file} is no GGUF file.")
    return _transformer_class(folder).from_single_file(
        str(file),
        config=str(folder.path),
        subfolder=folder.parts[name],
        quantization_config=diffusers.GGUFQuantizationConfig(compute_dtype=dtype),
        dtype=dtype,
        local_files_only=True,
    )


def _int8(folder: ModelFolder, precision: Precision) -> Any:
    if precision is Precision.INT8_TORCHAO:
        if find_spec("torchao") is None:
            raise Misconfigured("VIVANT_DIFFUSERS_QUANTISE=int8-torchao: the package torchao is not installed.")
        from torchao.quantization import Int8WeightOnlyConfig

        config: Any = diffusers.TorchAoConfig(Int8WeightOnlyConfig())
    else:
        if find_spec("bitsandbytes") is None:
            raise Misconfigured("VIVANT_DIFFUSERS_QUANTISE=int8-bnb: the package bitsandbytes is not installed.")
        config = diffusers.BitsAndBytesConfig(load_in_8bit=True)
    return diffusers.PipelineQuantizationConfig(quant_mapping=dict.fromkeys(folder.transformers, config))
