"""Which pixels are the subject: U²-Net (and, where there is a face, a person segmenter), aligned to the edges of the
picture, with a trust. Knows nothing of depth or motion."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from onnxruntime import InferenceSession

from vivant.assets import asset
from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.inference import load_model
from vivant.engines.diorama.scene.guided_filter import refine
from vivant.engines.diorama.scene.scene import Face, Region
from vivant.media import F32, U8

CUT_OUT_FROM: Final = 0.7  # a matte trusted less than this is never cut
# Holes of a matte to fill: share of the subject at most, aspect, share of their ellipse.
PUPIL: Final = (0.006, 0.5, 0.85)
BLACK: Final = 64.0  # mean of R, G and B, 0..255, of such a hole at most
_MEAN: Final = np.array([0.485, 0.456, 0.406], np.float32)
_STD: Final = np.array([0.229, 0.224, 0.225], np.float32)


class Matting:
    """Holds the two models. One per process; one thread at a time may call it."""

    def __init__(self) -> None:
        self._salient = _session("u2netp.onnx")
        self._person = _session("selfie.onnx")

    def matte(self, rgb: U8, faces: tuple[Face, ...] = (), raw: F32 | None = None) -> Region:
        """The subject of RGB uint8 (h, w, 3). Trust is 0 where the model found nothing, everything, or only values
        between. raw: what `look` answered about the picture, if it has been asked."""
        raw = self.look(rgb) if raw is None else raw
        if faces:
            raw = np.maximum(raw, self._people(rgb) * _around(faces, rgb.shape[:2], raw.shape))
        if float(raw.max()) < 0.5:
            return Region(np.zeros(rgb.shape[:2], np.float32), 0.0)
        kept = _main_parts(raw)
        trust = _judge(kept, raw) * measure_edges(kept, rgb) * _not_hanging(kept)
        return Region(fill_eyes(align_to_edges(kept, rgb), rgb), trust)

    def look(self, rgb: U8) -> F32:
        """What stands out in RGB uint8 (h, w, 3): float32 (320, 320), 0..1, as the net gives it: an uncertain answer
        must stay recognisable."""
        small = cv2.resize(rgb, (320, 320), interpolation=cv2.INTER_AREA).astype(np.float32)
        small /= max(float(small.max()), 1.0)
        tensor = ((small - _MEAN) / _STD).transpose(2, 0, 1)[None]
        answer = self._salient.run(None, {"input.1": np.ascontiguousarray(tensor)})[0]
        saliency: F32 = np.clip(np.asarray(answer, np.float32)[0, 0], 0, 1)
        return saliency

    def _people(self, rgb: U8) -> F32:
        small = cv2.resize(rgb, (256, 256), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        answer = np.asarray(self._person.run(None, {"image": small[None]})[0], np.float32)
        return np.clip(cv2.resize(answer.reshape(256, 256), (320, 320), interpolation=cv2.INTER_LINEAR), 0, 1)


def _session(name: str) -> InferenceSession:
    # Without the arena 250 MB go back to the system after each look.
    return load_model(asset(f"models/{name}").read_bytes(), arena=False)


def _around(faces: tuple[Face, ...], size: tuple[int, int], shape: tuple[int, int]) -> F32:
    """Where a body with one of these faces can be: float32, 0 or 1. The person net also fires on dark corners."""
    h, w = size
    near = np.zeros(shape, np.float32)
    for face in faces:
        x, y = face.landmarks[:, 0].mean() / w * shape[1], face.landmarks[:, 1].mean() / h * shape[0]
        reach_x, reach_y = face.size / w * shape[1] * 2.6, face.size / h * shape[0]
        cv2.rectangle(
            near, (int(x - reach_x), int(y - 1.4 * reach_y)), (int(x + reach_x), int(y + 8 * reach_y)), 1.0, -1
        )
    return near


def align_to_edges(coarse: F32, rgb: U8) -> F32:
    """The net's mask at full size, aligned to the edges of the picture: float32 (h, w), 0..1.

    Well inside and well outside its outline the net's answer stands, which removes the halo that the filter leaves
    where colours inside and outside agree.
    """
    fine = refine(coarse, rgb)
    inside = cv2.erode((coarse > 0.6).astype(np.float32), np.ones((7, 7), np.uint8))
    outside = cv2.dilate((coarse > 0.25).astype(np.float32), np.ones((9, 9), np.uint8))
    h, w = rgb.shape[:2]
    at_least, at_most = (
        cv2.resize(cv2.GaussianBlur(a, (0, 0), 1.2), (w, h), interpolation=cv2.INTER_LINEAR) for a in (inside, outside)
    )
    sharp = smoothstep((fine - 0.15) / 0.7)
    sharpened: F32 = np.clip(np.minimum(np.maximum(sharp, at_least), at_most), 0, 1).astype(np.float32)
    return sharpened


def fill_eyes(matte: F32, rgb: U8) -> F32:
    """A matte, float32 (h, w), 0..1, of RGB uint8 (h, w, 3) without small, round, dark holes. Where the background is
    as dark as a pupil the net leaves the pupil out, and a fish's eye showed the water behind it once the fish moved."""
    solid = matte > 0.5
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~solid).astype(np.uint8), connectivity=4)
    most = PUPIL[0] * float(solid.sum())
    filled = np.zeros(matte.shape, np.uint8)
    areas = stats[:count, cv2.CC_STAT_AREA]
    for k in 1 + np.flatnonzero((areas[1:] >= 9) & (areas[1:] <= most)):
        left, top, wide, tall, area = (int(value) for value in stats[k])
        if left == 0 or top == 0 or left + wide == matte.shape[1] or top + tall == matte.shape[0]:
            continue
        hole = labels[top : top + tall, left : left + wide] == k
        points = np.stack(np.nonzero(hole)).astype(np.float64)
        small, large = 2 * np.sqrt(np.maximum(np.linalg.eigvalsh(np.cov(points)), 1e-6))
        dark = float(rgb[top : top + tall, left : left + wide][hole].mean()) < BLACK
        if dark and small >= PUPIL[1] * large and area >= PUPIL[2] * np.pi * small * large:
            filled[top : top + tall, left : left + wide] |= hole
    if not filled.any():
        return matte
    # The matte is soft about a hole, too.
    soft = cv2.GaussianBlur(cv2.dilate(filled, np.ones((13, 13), np.uint8)).astype(np.float32), (0, 0), 1.5)
    within = cv2.morphologyEx((matte > 0.05).astype(np.uint8) | filled, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(np.maximum(matte, soft * within), np.float32)


def _main_parts(raw: F32) -> F32:
    """The largest connected part, and others nearly as large that reach about as low; suns, clouds and fragments go."""
    solid = (raw > 0.5).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    if count <= 2:
        return raw
    areas, bottoms = stats[1:, cv2.CC_STAT_AREA], stats[1:, cv2.CC_STAT_TOP] + stats[1:, cv2.CC_STAT_HEIGHT]
    main = int(areas.argmax())
    keep = (areas >= 0.15 * areas[main]) & (bottoms >= bottoms[main] - 0.12 * raw.shape[0])
    kept = np.isin(labels, 1 + np.flatnonzero(keep)).astype(np.uint8)
    reach = cv2.dilate(kept, np.ones((15, 15), np.uint8)).astype(np.float32)  # keeps the soft rim of what is kept
    dropped = cv2.dilate(((labels > 0) & (kept == 0)).astype(np.uint8), np.ones((5, 5), np.uint8))
    return raw * cv2.GaussianBlur(reach, (0, 0), 2) * (1 - dropped)


def _judge(kept: F32, raw: F32) -> float:
    """0..1: high where few values lie between 0 and 1 and the area is plausible, 0.8 % to 85 % of the picture."""
    area = float((kept > 0.5).mean())
    if area < 0.008 or area > 0.85:
        return 0.0
    uncertain = float(((raw > 0.1) & (raw < 0.9)).mean()) / max(float((raw > 0.5).mean()), 1e-6)
    decided = float(np.clip((0.75 - uncertain) / 0.45, 0, 1))
    sized = float(np.clip((area - 0.008) / 0.02, 0, 1) * np.clip((0.85 - area) / 0.15, 0, 1))
    return decided * sized


def measure_edges(kept: F32, rgb: U8) -> float:
    """0..1: by the share of the outline of a mask, float32 (h, w), 0..1, where RGB uint8 (any size) changes too;
    elsewhere a cut would be visible."""
    h, w = kept.shape
    lab = cv2.cvtColor(cv2.resize(rgb, (w, h), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB).astype(np.float32)
    lab = np.asarray(cv2.GaussianBlur(lab, (0, 0), 1.0), np.float32)
    inner = (kept > 0.5).astype(np.uint8)
    core, wide = cv2.erode(inner, np.ones((5, 5), np.uint8)), cv2.dilate(inner, np.ones((5, 5), np.uint8))
    rim = (cv2.dilate(inner, np.ones((3, 3), np.uint8)) - inner) > 0
    rim[[0, 1, -2, -1]] = rim[:, [0, 1, -2, -1]] = False
    if not rim.any() or not core.any():
        return 0.0
    inside = _local_mean(lab, core.astype(np.float32))
    outside = _local_mean(lab, 1.0 - wide.astype(np.float32))
    change = np.linalg.norm(inside - outside, axis=-1)[rim]
    return float(np.clip(((change > 9).mean() - 0.45) / 0.3, 0, 1))


def _local_mean(colours: F32, where: F32) -> F32:
    """The mean colour, float32 (h, w, 3), of the pixels near each pixel that `where`, float32 (h, w), marks."""
    total: Any = cv2.GaussianBlur(colours * where[..., None], (0, 0), 3)
    weight: Any = cv2.GaussianBlur(where, (0, 0), 3)
    mean: F32 = total / np.maximum(weight, np.float32(1e-4))[..., None]
    return mean


def _not_hanging(kept: F32) -> float:
    """0..1: less than 1 where the mask touches the upper border without reaching the lower one, as a ceiling does."""
    top, bottom = float((kept[:4] > 0.5).mean()), float((kept[-4:] > 0.5).mean())
    return float(np.clip(1 - 4 * (top - 0.1 - bottom), 0, 1))
