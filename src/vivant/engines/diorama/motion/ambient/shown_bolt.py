"""A bolt of lightning that the picture shows: it goes out with its glow, and comes back in the flashes. Between them
its pixels are as bright as what is around them."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.fields import Sheet, average_quarter
from vivant.engines.diorama.scene.complete import pull_push
from vivant.engines.diorama.scene.scene import Scene
from vivant.media import F32, U8

_WIDEST: Final = 0.016  # heights: what is wider is a cloud
_CORE: Final = 70.0  # levels by which the core of a bolt is brighter than the sky around it
_BRANCH: Final = 12.0  # and its branches
_BRIGHT: Final = 170  # luma of a core
_DARK: Final = 175  # luma of the sky behind it, at most
_LONG: Final = 0.16  # heights over which a bolt runs, at least
_APART: Final = 0.06  # heights between a bolt and its farthest branches
_SKY_ABOUT: Final = 0.75  # share of what is about a bolt that is sky
_LEAST: Final = 0.03  # heights over which such a branch runs
_RIM: Final = 0.014  # heights of the blur about a bolt, which goes with it
_REACH: Final = 0.26  # heights: how far its glow reaches
GLOW: Final = 0.42  # share of the sky's light beside a bolt that is its glow


class ShownBolt:
    """Where the bolt is, and how its light is taken away."""

    def __init__(self, scene: Scene, bolt: U8) -> None:
        """bolt: uint8 (h, w), 255 on it, see `find_bolt`."""
        height = bolt.shape[0]
        rim = 2 * max(1, round(_RIM * height)) + 1
        gone = cv2.dilate(bolt, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (rim, rim)))
        rows, columns = np.flatnonzero(gone.any(axis=1)), np.flatnonzero(gone.any(axis=0))
        top, bottom = max(0, int(rows[0]) - rim), int(rows[-1]) + 1 + rim
        left, right = max(0, int(columns[0]) - rim), int(columns[-1]) + 1 + rim
        part = scene.rgb[top:bottom, left:right].astype(np.float32) / np.float32(255)
        known = (gone[top:bottom, left:right] == 0).astype(np.float32)
        filled = pull_push(part, known)
        # In linear light, as sheets work.
        own, around = _brightness(part), _brightness(filled)
        soft = np.minimum(1, filters.blur(1 - known, 1.0) * 1.6)
        self._amount = (np.clip(1 - around / np.maximum(own, 1e-4), 0, 1) * soft).astype(np.float32)
        self._amount[self._amount < 0.01] = 0
        self._left, self._top = float(left), float(top)
        # White as it is, it takes the colour of the sky.
        there = self._amount > 0.3
        tint = np.ones(3)
        if there.any():
            ratio = (filled[there] ** 2).mean(0) / np.maximum((part[there] ** 2).mean(0), 1e-4)
            tint = ratio / max(1e-4, float(ratio @ (0.2126, 0.7152, 0.0722)))
        steps = np.linspace(0, 1, 64)[:, None]
        factor = (1 - steps) * (1 + steps * (tint - 1))
        self._factor = np.clip(factor, 0, 1)
        lit = filters.blur(average_quarter(bolt.astype(np.float32) / np.float32(255)), _REACH * height / 4)
        sky = average_quarter(scene.sky.mask)
        self.glow = (GLOW * np.sqrt(lit / max(1e-6, float(lit.max()))) * np.clip(sky + 0.5, 0, 1)).astype(np.float32)

    def sheet(self, hidden: float) -> Sheet:
        """hidden: 0..1, how far it has gone out."""
        factor = 1 - hidden * (1 - self._factor)
        table = np.concatenate([factor, np.zeros_like(factor)], axis=1).astype(np.float32)
        return Sheet(self._left, self._top, 1.0, self._amount, table)


def find_bolt(luma: U8, sky: F32) -> U8 | None:
    """The bolt that a picture shows in its sky: thin, long, far brighter than what is around it. luma: uint8 (h, w);
    sky: float32 (h, w), 0..1. Returns uint8 (h, w), 255 on it and on its branches; None where there is none."""
    height = luma.shape[0]
    wide = 2 * max(2, round(0.5 * _WIDEST * height)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide))
    behind = cv2.morphologyEx(luma, cv2.MORPH_OPEN, kernel)
    above = luma.astype(np.float32) - behind
    # What is thin and bright may be cut out of the sky.
    closed = cv2.morphologyEx((sky > 0.5).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((2 * wide, 2 * wide), np.uint8))
    in_sky = np.asarray(cv2.dilate(closed, np.ones((3, 3), np.uint8))) > 0
    core = (above > _CORE) & (luma > _BRIGHT) & (behind < _DARK) & in_sky
    near = ((above > _BRANCH) & in_sky).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(near, np.ones((5, 5), np.uint8)), connectivity=8)
    cores = np.bincount(labels[core], minlength=len(stats))
    extent = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    bolts = (extent >= _LONG * height) & (cores > 0.06 * height)
    bolts[0] = False
    box = np.ones((2 * wide + 1, 2 * wide + 1), np.uint8)
    for label in np.flatnonzero(bolts):  # a bright edge of a roof has sky on one side alone
        about = cv2.dilate((labels == label).astype(np.uint8), box) > 0
        bolts[label] = float((sky[about] > 0.5).mean()) > _SKY_ABOUT
    if not bolts.any():
        return None
    # Branches that clouds part from it.
    reach = np.ones((2 * round(_APART * height) + 1,) * 2, np.uint8)
    beside = cv2.dilate(bolts[labels].astype(np.uint8), reach)
    bolts |= (np.bincount(labels[beside > 0], minlength=len(stats)) > 0) & (extent > _LEAST * height)
    bolts[0] = False
    shown = bolts[labels] & (near > 0)
    # Its foot, where it has burnt out the rim of the ground.
    foot = (above > _CORE) & (luma > _BRIGHT) & (cv2.dilate((shown & core).astype(np.uint8), box) > 0)
    return np.where(shown | foot, 255, 0).astype(np.uint8)


def _brightness(rgb: F32) -> F32:
    """Linear light, float32 (h, w), of R', G', B', 0..1."""
    return np.asarray(rgb**2 @ np.array([0.2126, 0.7152, 0.0722], np.float32), np.float32)
