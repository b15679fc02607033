"""What the nodes of a graph do in `ComfyUIDouble`: no model, but the meaning of each node for the film.

A LoadImage reads the uploaded picture, math is computed, conditioning carries pictures and words to a sampler, which
takes its steps; what comes out is a `Film` that has the size, length, rate, pictures and sound that the graph says.
"""

from __future__ import annotations

import ast
import io
import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Final

import numpy as np
from PIL import Image

from support.doubles.comfyui_films import Film, Picture

Inputs = Mapping[str, Any]
STEPS: Final = 4  # of a sampler whose graph does not say
OUTPUTS: Final = frozenset({"SaveVideo", "SaveWEBM", "VHS_VideoCombine", "PreviewAny", "SaveImage"})
FILES: Final = ("unet_name", "vae_name", "clip_name", "lora_name", "ckpt_name", "model_name", "text_encoder")


class NodeFailed(Exception):
    """A node raised: kind is the exception's name on the server."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Server:
    """What nodes need of the double while they run."""

    inputs: dict[str, bytes]

    def step(self, value: int, most: int) -> None:
        """A step of the node that runs: it is told, and an interrupt bites here."""
        raise NotImplementedError


def _value(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    return (inputs["value"],)


_OPERATORS: Final[dict[type, Callable[..., Any]]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Mod: operator.mod, ast.FloorDiv: operator.floordiv, ast.USub: operator.neg,
}  # fmt: skip


_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {"max": max, "min": min, "round": round, "floor": math.floor}


def _math(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    names = {"a": inputs.get("values.a"), "b": inputs.get("values.b")}
    text = inputs["expression"].replace("floor (", "floor(")

    def compute(node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return names[name]
            case ast.BinOp(left=left, op=op, right=right):
                return _OPERATORS[type(op)](compute(left), compute(right))
            case ast.UnaryOp(op=op, operand=operand):
                return _OPERATORS[type(op)](compute(operand))
            case ast.Call(func=ast.Name(id=name), args=args):
                return _FUNCTIONS[name](*map(compute, args))
        raise NodeFailed("ValueError", "unsupported expression")

    result = compute(ast.parse(text, mode="eval").body)
    return float(result), int(result)


def _load_image(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    with Image.open(io.BytesIO(server.inputs[inputs["image"]])) as opened:
        return Picture(np.asarray(opened.convert("RGB"))), None


def _scale(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    picture = inputs["input"] if "input" in inputs else inputs["image"]
    width = inputs.get("width", inputs.get("resize_type.width"))
    height = inputs.get("height", inputs.get("resize_type.height"))
    return (picture.scaled(int(width), int(height)) if width and height else picture,)


def _empty_latent(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    return (Film(int(inputs["width"]), int(inputs["height"]), int(inputs["length"])),)


def _add_guide(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    latent = inputs["latent"]
    guided = {0: "first", -1: "last"}[inputs["frame_idx"]]
    return inputs["positive"], inputs["negative"], latent.with_changes(**{guided: inputs["image"]})


def _in_place(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    return (inputs["latent"].with_changes(first=inputs["image"]),)


def _from_pictures(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    """WanImageToVideo and WanFirstLastFrameToVideo."""
    latent = Film(
        int(inputs["width"]), int(inputs["height"]), int(inputs["length"]),
        first=inputs.get("start_image"), last=inputs.get("end_image"),
    )  # fmt: skip
    return inputs["positive"], inputs["negative"], latent


def _wan_5b(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    length = int(inputs["length"])
    return (Film(int(inputs["width"]), int(inputs["height"]), length, first=inputs.get("start_image")),)


def _h3(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    if (int(inputs["length"]) - 5) % 17:
        raise NodeFailed("ValueError", f"length must be 17k+5, got {inputs['length']}")
    latent = Film(
        int(inputs["width"]), int(inputs["height"]), int(inputs["length"]),
        first=inputs.get("first_frame"), last=inputs.get("last_frame"),
    )  # fmt: skip
    return inputs["prompt"], latent


def _sample(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    """KSampler, KSamplerAdvanced and SamplerCustomAdvanced."""
    latent = inputs.get("latent_image")
    film, sound = latent if isinstance(latent, tuple) else (latent, None)
    words = inputs["positive"] if "positive" in inputs else inputs["guider"]
    seed = inputs.get("seed", inputs.get("noise_seed", inputs.get("noise")))
    steps = inputs.get("steps", STEPS)
    for step in range(1, int(steps) + 1):
        server.step(step, int(steps))
    if inputs.get("add_noise") != "disable" and not film.seed:
        film = film.with_changes(seed=int(seed))
    film = film.with_changes(prompt=str(words))
    result = (film, sound) if isinstance(latent, tuple) else film
    return result, result


def _guider(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    return (inputs["positive"] if "positive" in inputs else inputs["conditioning"],)


def _separate(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    return tuple(inputs["av_latent"])


def _upsample(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    film = inputs["samples"]
    return (film.with_changes(width=2 * film.width, height=2 * film.height),)


def _create_video(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    film: Film = inputs["images"]
    return (film.with_changes(fps=Fraction(inputs["fps"]).limit_denominator(1001), sound=inputs.get("audio")),)


def _repeat(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    picture: Picture = inputs["image"]
    return (Film(*picture.size, count=int(inputs["amount"]), first=picture, still=True),)


def _switch(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    return (inputs["on_true"] if inputs["switch"] else inputs["on_false"],)


def _enhance(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    return (f"(enhanced) {inputs['prompt']}",)


def _nothing(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    return (None, None, None)


def _take(*names: str) -> Callable[[Inputs, Server], tuple[Any, ...]]:
    """A node that hands these inputs on."""
    return lambda inputs, server: tuple(inputs.get(name) for name in names)


def _tone(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    latent = inputs.get("samples")
    film = latent[0] if isinstance(latent, tuple) else latent
    return (440.0 + (film.seed % 5 if isinstance(film, Film) else 0),)


def _silence(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    return (0.0,)


def _decode(inputs: Inputs, server: Server) -> tuple[Any, ...]:
    latent = inputs["samples"]
    return (latent[0] if isinstance(latent, tuple) else latent,)


NODES: Final[dict[str, Callable[[Inputs, Server], tuple[Any, ...]]]] = {
    "PrimitiveInt": _value, "PrimitiveFloat": _value, "PrimitiveString": _value, "PrimitiveBoolean": _value,
    "PrimitiveStringMultiline": _value, "ComfyMathExpression": _math, "ComfySwitchNode": _switch,
    "LoadImage": _load_image, "ImageScale": _scale, "ResizeImageMaskNode": _scale, "LTXVPreprocess": _take("image"),
    "ImageScaleToTotalPixels": _scale, "GetImageSize": lambda inputs, server: inputs["image"].size,
    "RepeatImageBatch": _repeat, "EmptyAudio": _silence,
    "UNETLoader": _nothing, "VAELoader": _nothing, "CLIPLoader": _nothing, "CheckpointLoaderSimple": _nothing,
    "LoraLoaderModelOnly": _nothing, "ModelSamplingSD3": _nothing, "LatentUpscaleModelLoader": _nothing,
    "CLIPTextEncode": _take("text"), "LTXVConditioning": _take("positive", "negative"),
    "EmptyLTXVLatentVideo": _empty_latent, "LTXVAddGuide": _add_guide, "LTXVImgToVideoInplace": _in_place,
    "LTXVEmptyLatentAudio": _nothing, "LTXVConcatAVLatent": lambda inputs, server: ((inputs["video_latent"], True),),
    "LTXVSeparateAVLatent": _separate, "LTXVCropGuides": _take("positive", "negative", "latent"),
    "LTXVLatentUpsampler": _upsample, "LTXVAudioVAEDecode": _tone, "VAEDecodeAudio": _tone,
    "LTXVDualCFGGuider": _guider, "CFGGuider": _guider, "BasicGuider": _guider,
    "RandomNoise": _take("noise_seed"), "ManualSigmas": _nothing, "BasicScheduler": _nothing,
    "KSamplerSelect": _nothing, "SamplerEulerAncestral": _nothing,
    "KSampler": _sample, "KSamplerAdvanced": _sample, "SamplerCustomAdvanced": _sample,
    "WanImageToVideo": _from_pictures, "WanFirstLastFrameToVideo": _from_pictures, "Wan22ImageToVideoLatent": _wan_5b,
    "MiniMaxH3ImageToVideo": _h3, "TextGenerateLTX2Prompt": _enhance,
    "VAEDecode": _decode, "VAEDecodeTiled": _decode, "CreateVideo": _create_video,
    "PreviewAny": _nothing, "SaveVideo": _take("video"), "SaveWEBM": _take("images"),
    "VHS_VideoCombine": lambda inputs, server: _create_video(
        {"images": inputs["images"], "fps": inputs["frame_rate"], "audio": inputs.get("audio")}, server),
    "SaveImage": _nothing, "FailingNode": _nothing,
}  # fmt: skip
