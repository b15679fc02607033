"""A plausible depth from a single picture. Without a model: a ground plane under a horizon, the sky behind it, the
subject where it stands; planar where bent straight lines would make a wrong guess visible. Always smooth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from vivant.engines.diorama.scene.complete import pull_push
from vivant.engines.diorama.scene.guided_filter import refine
from vivant.engines.diorama.scene.matte import CUT_OUT_FROM
from vivant.engines.diorama.scene.open_sky import LINED
from vivant.engines.diorama.scene.scene import Region
from vivant.engines.diorama.scene.scenery import is_scenery
from vivant.engines.diorama.storyboard import SUBJECT_TRUSTED
from vivant.media import F32, U8

SKY: Final = 0.0
BACKDROP: Final = 0.12  # what stands at the horizon
NEAR: Final = 0.68  # the ground at the lower rim of the picture


TOWN: Final = (0.2, 0.62)  # of what stands in a built picture, where the air is thickest and clearest
HAZE: Final = (10.0, 30.0)  # levels by which thick air is brighter than clear, from which it tells nothing, and all
_CARD: Final = 0.035  # widths over which the nearness of what stands side by side changes


@dataclass(frozen=True, slots=True, eq=False)
class Depth:
    """depth: float32 (h, w), 0 far .. 1 near. horizon: row in pixels."""

    depth: F32
    horizon: float


def measure_straightness(lines: F32, shape: tuple[int, int]) -> float:
    """0..1: how much of a picture is built of straight upright lines (houses, halls), by their total length. lines: its
    segments, float32 (n, 4), as `open_sky.detect_lines` gives them; shape: its (h, w)."""
    ends = lines * np.float32(LINED)
    length = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    steep = np.abs(ends[:, 2] - ends[:, 0]) < 0.09 * length  # within 5 degrees of vertical
    high, wide = (round(side * LINED / max(shape)) for side in shape)
    built = length[steep & (length > 14)].sum() / np.hypot(high, wide)
    return float(np.clip((built - 0.5) / 0.6, 0, 1))


def guess_depth(rgb: U8, matte: Region, sky: Region, waterline: float, *, straight: float, portrait: bool) -> Depth:
    """Depth of RGB uint8 (h, w, 3). waterline: share of the height where a surface of water begins, 1 for
    none. straight: see measure_straightness. portrait: one or more large faces."""
    h, w = rgb.shape[:2]
    rows = np.linspace(0, 1, h, dtype=np.float32)[:, None]
    horizon = _horizon(sky, waterline, h)
    # Over a tilted plane vertical lines lean when the camera moves: the more built a picture, the less tilt.
    tilt = 0.6 - 0.45 * straight
    plane = np.repeat(0.45 + tilt * (rows - 0.5), w, axis=1).astype(np.float32)
    ground = SKY + BACKDROP + (NEAR - BACKDROP) * np.clip((rows - horizon) / max(1 - horizon, 0.15), 0, 1)
    ground = np.repeat(ground.astype(np.float32), w, axis=1)
    open_air = float(np.clip(sky.trust * 1.4, 0, 1)) * (1 - straight)
    # A blend of an open scene (sky, horizon, ground) and one tilted plane, which bends no straight line.
    base = open_air * (ground - open_air * BACKDROP * sky.mask) + (1 - open_air) * plane
    if portrait:
        base = np.full((h, w), 0.2, np.float32) + 0.1 * rows
    sigma = 0.03 * max(h, w) * (1 + 2 * straight)
    depth = _blur(base, sigma)
    if not portrait:
        depth = _with_towers(depth, rgb, sky, horizon, straight)
    if matte.trust > SUBJECT_TRUSTED and not is_scenery(matte, sky, horizon * h):
        depth = _with_subject(depth, matte, portrait=portrait)
    return Depth(np.clip(depth, 0, 1).astype(np.float32), horizon * h)


def follow_measured(guess: Depth, measured: F32, rgb: U8, matte: Region, sky: Region) -> Depth:
    """The depth of a model in place of the guess. measured: float32, any size, 0 far .. 1 near.

    It is smoothed as much as the guess is: the picture stays one surface, which a step would tear. Only at the outline
    of a subject that is cut out anyway do both sides keep their own depth.
    """
    near = refine(measured, rgb, radius=0.006) * (1 - sky.mask * min(1.0, 1.5 * sky.trust))
    broad, fine = 0.022 * max(near.shape), 0.012 * max(near.shape)
    if matte.trust <= CUT_OUT_FROM:
        return Depth(_blur(near, broad), guess.horizon)
    inside = np.asarray(matte.mask > 0.5, np.float32)
    body, ground = _blur_within(near, inside, fine), _blur_within(near, 1 - inside, broad)
    soft = _blur(matte.mask, fine)
    return Depth(np.clip(ground + (body - ground) * soft, 0, 1).astype(np.float32), guess.horizon)


def _blur_within(values: F32, where: F32, sigma: float) -> F32:
    """Gaussian blur of those values that `where`, float32 0 or 1, marks; beyond them the nearest ones are continued."""
    h, w = values.shape
    size = (max(w // 4, 1), max(h // 4, 1))
    weight: Any = cv2.resize(where, size, interpolation=cv2.INTER_AREA)
    known = (weight > 0.99).astype(np.float32)
    small: Any = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    filled = pull_push(small, known if known.any() else np.ones_like(known))
    return _blur(np.asarray(cv2.resize(filled, (w, h), interpolation=cv2.INTER_LINEAR), np.float32), sigma)


def _with_towers(depth: F32, rgb: U8, sky: Region, horizon: float, straight: float) -> F32:
    """Of a built picture under a hazy sky: what stands in it as cards side by side, one distance for each column, so
    that towers, masts and spires stay upright. How far each is tells the darkest colour in it, which haze makes
    brighter. horizon: share of the height."""
    share = float(np.clip((sky.trust - 0.5) / 0.3, 0, 1) * np.clip((straight - 0.3) / 0.4, 0, 1))
    if share == 0:
        return depth
    h, w = depth.shape
    size = (320, max(16, round(320 * h / w)))
    small: Any = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    darkest = cv2.erode(small.min(axis=2), np.ones((7, 7), np.uint8)).astype(np.float32)
    open_: Any = cv2.resize(sky.mask, size, interpolation=cv2.INTER_AREA)
    built = (open_ < 0.3).astype(np.float32)
    # What is far stands high in the picture; low down all is near.
    built[: round(horizon * size[1])], built[round((horizon + 0.6 * (1 - horizon)) * size[1]) :] = 0, 0
    count = built.sum(axis=0)
    known = (count > 3).astype(np.float32)
    if float(known.mean()) < 0.5:
        return depth
    haze = (darkest * built).sum(axis=0) / np.maximum(count, 1)
    haze = pull_push(np.repeat(haze[None], 4, axis=0).astype(np.float32), np.repeat(known[None], 4, axis=0))[:1]
    haze = np.asarray(cv2.GaussianBlur(haze, (0, 0), _CARD * size[0], borderType=cv2.BORDER_REPLICATE), np.float32)
    clear, thick = (float(level) for level in np.percentile(haze, (10, 90)))
    share *= float(np.clip((thick - clear - HAZE[0]) / (HAZE[1] - HAZE[0]), 0, 1))
    far = np.clip((haze - clear) / max(thick - clear, 1.0), 0, 1)
    cards: Any = cv2.resize(TOWN[1] + (TOWN[0] - TOWN[1]) * far, (w, 1), interpolation=cv2.INTER_LINEAR)
    # With the slight tilt that it had.
    return np.asarray(np.clip(depth + share * (cards - depth.mean()), 0, 1), np.float32)


def _horizon(sky: Region, waterline: float, h: int) -> float:
    """Share of the height: where water that fills the width begins, else a little below the lower rim of the sky."""
    if waterline < 0.95:
        return waterline
    if sky.trust < 0.3:
        return 0.4
    full = sky.mask.mean(axis=1)
    below = np.flatnonzero(full > 0.25)
    return float(np.clip((below[-1] + 1) / h + 0.02, 0.15, 0.85)) if len(below) else 0.4


def _with_subject(depth: F32, matte: Region, *, portrait: bool) -> F32:
    """Give the subject the nearness of the ground at its feet, rounded off toward its outline."""
    h, w = depth.shape
    solid = matte.mask > 0.5
    if not solid.any():
        return depth
    rows = np.flatnonzero(solid.mean(axis=1) > 0.02 * solid.mean(axis=1).max())
    foot = int(rows[-1])
    feet = depth[foot][solid[foot]] if solid[foot].any() else depth[foot]
    stands = max(float(np.median(feet)), 0.35)
    if portrait or foot >= 0.97 * h:
        stands = max(stands, 0.8)
    # A matte that is trusted is cut out later and may have a sharp edge; another one stays part of a single surface,
    # which a steep edge would tear.
    soft = _blur(matte.mask, (0.012 if matte.trust > CUT_OUT_FROM else 0.045) * max(h, w))
    # Bodies are round: the inside of the outline is nearer than its rim.
    rounded = 0.22 * stands * (_blur(matte.mask, 0.07 * max(h, w)) - 0.6)
    lift = (np.maximum(stands, depth) + rounded - depth) * soft * np.float32(min(1.0, matte.trust * 1.5))
    standing: F32 = (depth + lift).astype(np.float32)
    return standing


def _blur(values: F32, sigma: float) -> F32:
    """Gaussian blur of float32 (h, w), computed on a copy of a quarter of the size."""
    h, w = values.shape
    small = cv2.resize(values, (max(w // 4, 1), max(h // 4, 1)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(sigma / 4, 0.5), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
