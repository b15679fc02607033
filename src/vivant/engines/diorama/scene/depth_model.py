"""Depth from a model that the operator supplies (`VIVANT_DIORAMA_DEPTH_MODEL`): any ONNX file with the inputs and
outputs of Depth Anything or MiDaS. Nothing is shipped or downloaded; without a model `depth.py` guesses."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnxruntime

from vivant.engines.diorama.inference import load_model
from vivant.errors import Misconfigured
from vivant.media import F32, U8

# Mean and standard deviation of ImageNet, RGB 0..1: what Depth Anything and MiDaS v2.1 were trained with.
_MEAN: Final = np.array([0.485, 0.456, 0.406], np.float32)
_STD: Final = np.array([0.229, 0.224, 0.225], np.float32)
_LONG_SIDE: Final = 518  # pixels that a model with a free size is given; Depth Anything was trained at 518
_PATCH: Final = (
    14  # pixels; both sides must be multiples, as the transformer of Depth Anything cuts patches of this size
)
_LARGEST: Final = 2048  # pixels; a model with a larger fixed side would take minutes on a CPU
_FLAT: Final = 1e-4  # spread of an answer, as a share of its largest value, under which it says nothing
_PERCENTILES: Final = (1.0, 99.0)  # of the answer, which become 0 and 1: a single outlier must not flatten the rest
_WANTED: Final = (
    "an ONNX file with one input, float32 (1, 3, height, width) in RGB, and as its first output the nearness of each "
    "pixel (larger is nearer), float32 (1, height, width) or (1, 1, height, width), as relative Depth Anything and "
    "MiDaS models have"
)


class DepthModel:
    """One per process. `estimate` may be called from one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Load the file. Raises Misconfigured, saying what is allowed, for one that cannot be read or does not fit."""
        try:
            # Weights beside the file ("external data") are found only if the runtime is told where the file lies.
            self._session = load_model(str(path), arena=False)
        except Exception as error:
            raise Misconfigured(
                f"VIVANT_DIORAMA_DEPTH_MODEL={path} cannot be loaded ({_first_line(error)}). {_ask()}"
            ) from error
        try:
            self._input, self._height, self._width = _read_input(self._session)
            self._check_answer()
        except ValueError as error:
            raise Misconfigured(f"VIVANT_DIORAMA_DEPTH_MODEL={path} does not fit: {error}. {_ask()}") from error

    def estimate(self, rgb: U8) -> F32 | None:
        """Nearness of RGB uint8 (h, w, 3): float32 at the size of the model's answer, 0 far .. 1 near, not smoothed.
        None where the answer is no depth: not finite, or the same everywhere."""
        answer = self._run(rgb)
        if not np.isfinite(answer).all():
            return None
        low, high = np.percentile(answer, _PERCENTILES)
        if high - low <= _FLAT * max(float(np.abs(answer).max()), 1e-6):
            return None
        nearness: F32 = np.clip((answer - low) / (high - low), 0, 1).astype(np.float32)
        return nearness

    def _run(self, rgb: U8) -> F32:
        h, w = rgb.shape[:2]
        scale = _LONG_SIDE / max(h, w)
        rows = self._height or max(_PATCH, round(h * scale / _PATCH) * _PATCH)
        columns = self._width or max(_PATCH, round(w * scale / _PATCH) * _PATCH)
        small = cv2.resize(rgb, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        tensor = np.ascontiguousarray(((small - _MEAN) / _STD).transpose(2, 0, 1)[None], np.float32)
        answer = np.asarray(self._session.run(None, {self._input: tensor})[0], np.float32)
        if (
            answer.ndim not in (3, 4)
            or answer.size != answer.shape[-2] * answer.shape[-1]
            or min(answer.shape[-2:]) < 2
        ):
            raise ValueError(f"its first output has the shape {answer.shape}")
        return answer.reshape(answer.shape[-2:])

    def _check_answer(self) -> None:
        """One run on noise: a model whose shapes are free is only known by what it answers."""
        noise = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
        try:
            self._run(noise)
        except ValueError:
            raise
        except Exception as error:
            raise ValueError(f"it fails on a picture ({_first_line(error)})") from error


def _read_input(session: onnxruntime.InferenceSession) -> tuple[str, int, int]:
    """(name, height, width) of the only input; 0 where the model takes any."""
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise ValueError(f"it has {len(inputs)} inputs")
    shape: list[Any] = list(inputs[0].shape)
    fixed = [side if isinstance(side, int) else 0 for side in shape]
    if inputs[0].type != "tensor(float)" or len(fixed) != 4 or fixed[0] not in (0, 1) or fixed[1] not in (0, 3):
        raise ValueError(f"its input is {inputs[0].type} {shape}")
    if max(fixed[2:]) > _LARGEST:
        raise ValueError(f"its input is larger than {_LARGEST} pixels: {shape}")
    return inputs[0].name, fixed[2], fixed[3]


def _ask() -> str:
    return f"Name {_WANTED}; or leave the setting empty: it is never needed."


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
