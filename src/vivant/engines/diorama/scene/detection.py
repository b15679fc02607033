"""What a small net for objects says that a picture shows: NanoDet-g (Lyu, 2020), which knows the 80 kinds of COCO. It
is often wrong about landscapes and drawings; kinds.py says what its word counts for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from onnxruntime import InferenceSession

from vivant.assets import asset
from vivant.engines.diorama.checks import check_number, check_type
from vivant.engines.diorama.inference import load_model
from vivant.media import F32, U8

Box = tuple[float, float, float, float]  # left, top, right, bottom, pixels

FAINTEST: Final = 0.2  # with a lower score nothing is told
_SIDE: Final = 416
_STRIDES: Final = (8, 16, 32)  # of the grids on which the net answers
_REACH: Final = 11  # steps of a stride, from 0, over which it spreads how far each side of a box is
_MEAN: Final = np.array([103.53, 116.28, 123.675], np.float32)  # of B, G and R
_STD: Final = np.array([57.375, 57.12, 58.395], np.float32)
_SAME: Final = 0.6  # boxes of one kind that share more of what either has are one

# The kinds of COCO, in the order of its labels.
NAMES: Final = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant",
    "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard",
    "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli",
    "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet",
    "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Detection:
    """One object. name: of NAMES; score: FAINTEST..1; box in pixels, within the picture."""

    name: str
    score: float
    box: Box

    def __post_init__(self) -> None:
        check_type("Detection.name", self.name, str)
        check_number("Detection.score", self.score, 0, 1)


class ObjectDetector:
    """Holds the net, which is read when it is first asked: most pictures are never looked at so (0.04 s, and 0.05 s for
    each look)."""

    def __init__(self) -> None:
        self._session: InferenceSession | None = None

    def detect(self, rgb: U8) -> tuple[Detection, ...]:
        """What RGB uint8 (h, w, 3) shows, the surest first."""
        if self._session is None:
            self._session = load_model(asset("models/detect_objects.onnx").read_bytes(), arena=False)
        h, w = rgb.shape[:2]
        scale = _SIDE / max(h, w)
        size = max(1, round(w * scale)), max(1, round(h * scale))
        left, top = (_SIDE - size[0]) // 2, (_SIDE - size[1]) // 2
        tensor = np.zeros((_SIDE, _SIDE, 3), np.float32)
        small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        tensor[top : top + size[1], left : left + size[0]] = (small[..., ::-1].astype(np.float32) - _MEAN) / _STD
        answer = self._session.run(None, {"picture": np.ascontiguousarray(tensor.transpose(2, 0, 1)[None])})
        kinds = np.concatenate([np.asarray(one, np.float32)[0] for one in answer[:3]])
        boxes = np.concatenate(
            [_boxes(np.asarray(one, np.float32)[0], s) for one, s in zip(answer[3:], _STRIDES, strict=True)]
        )
        boxes = (boxes - np.array([left, top, left, top], np.float32)) / scale
        boxes = np.clip(boxes, 0, np.array([w, h, w, h], np.float32))
        found: list[Detection] = []
        for kind in np.flatnonzero(kinds.max(axis=0) >= FAINTEST):
            found += _keep_best(NAMES[kind], kinds[:, kind], boxes)
        return tuple(sorted(found, key=lambda one: -one.score))


def _boxes(sides: F32, stride: int) -> F32:
    """float32 (n, 4), pixels of the net's picture, from its answer (n, 4 · _REACH): how likely each side is each number
    of strides away from the middle of its cell."""
    spread = np.exp(sides.reshape(-1, 4, _REACH) - sides.reshape(-1, 4, _REACH).max(axis=-1, keepdims=True))
    away = stride * (spread * np.arange(_REACH)).sum(axis=-1) / spread.sum(axis=-1)
    rows, columns = np.divmod(np.arange(len(away)), _SIDE // stride)
    x, y = (columns + 0.5) * stride, (rows + 0.5) * stride
    return np.stack([x - away[:, 0], y - away[:, 1], x + away[:, 2], y + away[:, 3]], axis=1).astype(np.float32)


def _keep_best(name: str, scores: F32, boxes: F32) -> list[Detection]:
    """One of each cluster of boxes. scores: (n,), of one kind."""
    order = np.flatnonzero(scores >= FAINTEST)
    order = order[np.argsort(-scores[order], kind="stable")]
    kept: list[Detection] = []
    for k in order:
        left, top, right, bottom = (float(side) for side in boxes[k])
        box = (left, top, right, bottom)
        if right > left and bottom > top and all(share_of_boxes(box, one.box) <= _SAME for one in kept):
            kept.append(Detection(name, min(1.0, float(scores[k])), box))
    return kept


def share_of_boxes(a: Box, b: Box) -> float:
    """What two boxes share of what either has, 0..1."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(0.0, wide) * max(0.0, high)
    either = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return both / either if either > 0 else 0.0
