"""What all light of a clip shares: the picture on the quarter grid, where sky and ground are, what shines, how large a
pixel is. Knows no time."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import cv2
import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.fields import CB_BY_LUMA, COLOUR, GAIN, STEP, average_quarter, quarter_shape
from vivant.engines.diorama.motion.light.burnt_ridge import find_burnt_ridge
from vivant.engines.diorama.motion.light.tones import Colour
from vivant.engines.diorama.scene.backdrop import make_backdrop
from vivant.engines.diorama.scene.complete import pull_push
from vivant.engines.diorama.scene.lights import ShiningThings, cover_faces, find_shining
from vivant.engines.diorama.scene.scene import Scene
from vivant.engines.diorama.storyboard import TRUSTED
from vivant.media import F32, U8

BEHIND: Final = 0.02  # widths: how far behind outlines the colour of the sky is wanted
SKY_TRUSTED: Final = 0.35  # from which trust on the sky has a light of its own
_TINTED: Final = 0.4  # share of the blue of the evening that does not fall on faces
_SKIN: Final = 1.0  # share of its chroma that skin keeps, of the share that it keeps of its luma
_SOFT: Final = 0.09  # heights: finer differences of the sky are its clouds


class Stage:
    """One per clip; each field is computed at first use. Fields are float32 on the quarter grid, unless said
    otherwise."""

    def __init__(self, scene: Scene, seed: int, sky_share: U8 | None = None) -> None:
        """sky_share: uint8 (h, w), the sky's share of each pixel, where it is known already."""
        self.scene, self.seed, self._given = scene, seed, sky_share
        self.height, self.width = scene.depth.shape
        self.shape = quarter_shape(self.height, self.width)

    @property
    def scale(self) -> float:
        """The canvas's short side against 496."""
        return float(min(self.height, self.width)) / 496

    @cached_property
    def shining(self) -> ShiningThings:
        return find_shining(self.scene)

    @cached_property
    def x(self) -> F32:
        """(1, columns): 0 left .. 1 right."""
        return np.asarray(STEP * np.arange(self.shape[1]) / self.width, np.float32)[None, :]

    @cached_property
    def y(self) -> F32:
        """(rows, 1): 0 top .. 1 bottom."""
        return np.asarray(STEP * np.arange(self.shape[0]) / self.height, np.float32)[:, None]

    @cached_property
    def luma(self) -> F32:
        """Above black, 0..219."""
        return np.maximum(average_quarter(self.scene.source.planes.y.astype(np.float32)) - 16, 0).astype(np.float32)

    @cached_property
    def sky_share(self) -> U8 | None:
        """uint8 (h, w), in 1/255, without a ridge that the sun burns out; None where no sky is trusted."""
        if self._seen_sky is None:
            return None
        return np.asarray(np.rint(self._seen_sky * (1 - self._burnt)), np.uint8)

    @cached_property
    def _seen_sky(self) -> U8 | None:
        scene = self.scene
        if scene.sky.trust < SKY_TRUSTED or float(scene.sky.mask.mean()) < 0.03:
            return None
        subject = scene.matte.mask * min(1.0, 1.5 * scene.matte.trust)
        sky = np.asarray(scene.sky.mask * (1 - subject), np.float32)
        share = self._given
        if share is None and scene.facts.drawn == 0:
            backdrop = make_backdrop(scene.source, scene.rgb, sky, BEHIND * self.width)
            share = None if backdrop is None else backdrop.sky
        if share is None:
            share = np.rint(255 * sky).astype(np.uint8)
        return share

    @cached_property
    def _burnt(self) -> F32:
        sun = self.shining.sun
        if sun is None or self._seen_sky is None:
            return np.zeros((self.height, self.width), np.float32)
        return find_burnt_ridge(self._seen_sky, self.scene.source.planes.y, sun.x, sun.radius)

    @cached_property
    def burnt(self) -> F32:
        """Where the sun burns a ridge out of the picture, 0..1; see `burnt_ridge`."""
        return average_quarter(self._burnt)

    @cached_property
    def ground(self) -> Colour:
        """The ground, soft, with its luma above black; continued into what the sun burns out."""
        rows, columns = self.shape
        chroma = (self.scene.source.planes.u, self.scene.source.planes.v)
        known = ((self.sky < 0.02) & (self.burnt < 0.02)).astype(np.float32)
        cb, cr = (filters.resize(plane.astype(np.float32), columns, rows) - 128 for plane in chroma)
        return Colour(*(pull_push(np.ascontiguousarray(part, np.float32), known) for part in (self.luma, cb, cr)))

    @cached_property
    def sky(self) -> F32:
        """The sky's share, 0..1; 0 where no sky is trusted."""
        if self.sky_share is None:
            return np.zeros(self.shape, np.float32)
        return average_quarter(self.sky_share.astype(np.float32) / np.float32(255))

    @cached_property
    def sky_luma(self) -> F32:
        """Soft luma of the sky above black, continued behind outlines."""
        known = (self.sky > 0.98).astype(np.float32)
        if float(known.mean()) < 0.01:
            return np.zeros(self.shape, np.float32)
        filled = pull_push(self.luma, known)
        return np.maximum(filters.blur(filled, 1.5), 0).astype(np.float32)

    @cached_property
    def sky_tone(self) -> F32:
        """Luma of the sky without its clouds, never under 8."""
        sigma = _SOFT * self.shape[0]
        return np.maximum(filters.blur(self.sky_luma, sigma), 8).astype(np.float32)

    @cached_property
    def faces(self) -> F32:
        """Without what is behind a head, where its outline is trusted: that would be a halo."""
        faces, matte = average_quarter(cover_faces(self.scene)), self.scene.matte
        if not self.scene.faces or matte.trust < TRUSTED:
            return faces
        return np.asarray(faces * np.clip(average_quarter(matte.mask) * 2.2 - 1.2, 0, 1), np.float32)

    def keep_skin(self, tone: F32) -> F32:
        """The tone, float32 (7, rows, columns), with faces no paler than their light is dim, and less blue: dark skin
        is not grey."""
        if not self.scene.faces:
            return tone
        kept = np.array(np.broadcast_to(tone, (7, *self.shape)))
        pale = np.maximum(_SKIN * kept[GAIN] - kept[COLOUR], 0)
        kept[COLOUR] += self.faces * pale
        kept[CB_BY_LUMA] *= 1 - _TINTED * self.faces
        return kept

    @cached_property
    def water(self) -> F32:
        wet = average_quarter(self.scene.water.mask * np.float32(self.scene.water.trust > 0.3))
        return np.asarray(wet * (1 - self.sky), np.float32)

    @cached_property
    def fire(self) -> F32:
        mask = average_quarter(self.scene.fire.mask) * np.float32(self.scene.fire.trust > 0.3)
        return np.asarray(np.clip(filters.blur(mask, 3) * 2, 0, 1), np.float32)

    @cached_property
    def far(self) -> F32:
        """0 near .. 1 at the horizon."""
        return np.asarray(np.clip(1 - average_quarter(self.scene.depth) / 0.35, 0, 1), np.float32)

    @cached_property
    def horizon(self) -> float:
        """Row of the horizon or of the lower rim of the sky, whichever is lower, 0..1."""
        rows = np.flatnonzero((self.sky > 0.5).mean(axis=1) > 0.06)
        rim = float(self.y[rows[-1], 0]) if len(rows) else 0.0
        return float(np.clip(max(rim, 0.12), 0, 1))

    @cached_property
    def brightest_side(self) -> float:
        """Where the light comes from, 0 left .. 1 right: the sun, else the brightest part of the upper half."""
        if self.shining.sun is not None:
            return float(np.clip(self.shining.sun.x / self.width, 0, 1))
        upper = self.luma[: max(1, self.shape[0] // 2)]
        columns = cv2.GaussianBlur(upper.mean(axis=0)[None], (0, 0), 0.08 * self.shape[1])[0]
        return float(np.argmax(columns) / max(1, self.shape[1] - 1))
