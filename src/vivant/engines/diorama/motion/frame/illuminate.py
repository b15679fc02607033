"""The light of a clip, ready to be laid over its frames: what an output sees of the sky, of windows and of stars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vivant.engines.diorama import filters
from vivant.engines.diorama.motion.fields import STEP, Illumination, Shade, Stars
from vivant.engines.diorama.motion.frame import shade as shading
from vivant.engines.diorama.motion.frame import texels
from vivant.engines.diorama.motion.frame.warp import Grid
from vivant.engines.diorama.scene.complete import pull_push
from vivant.media import F32, U8, Planes


@dataclass(frozen=True, slots=True, eq=False)
class FrameLight:
    """The light of one frame as the output sees it. ground: where the tone of what stands before the sky is read, which
    goes with what moves. sky_share: uint8 (h, w), in 1/255; glow_share likewise."""

    shade: Shade
    view: Grid
    ground: Grid
    noise: F32
    sky_share: U8 | None
    glow_share: U8 | None
    stars: Stars | None

    def lay(self, frame: Planes) -> None:
        """Over `frame`, planes of the whole output, in place."""
        shading.lay_shade(self.shade, self.sky_share, self.view, self.ground, self.noise, frame)
        if self.stars is not None and self.sky_share is not None:
            shading.draw_stars(self.stars, self.sky_share, self.view, frame)
        if self.shade.glow is not None and self.glow_share is not None:
            shading.lay_glow(self.shade.glow, self.glow_share, self.view, frame)


class Illuminator:
    """Made once per clip."""

    def __init__(self, illumination: Illumination, noise: F32, subject: F32 | None = None) -> None:
        """noise: float32 (h, w), 0..1, the dither. subject: float32 (h, w), 0..1, where the renderer lays it over a
        completed background: the sky goes on behind it."""
        self._illumination, self._noise = illumination, noise
        share = illumination.sky_share
        self._sky = None if share is None else np.ascontiguousarray(share)
        self._behind: U8 | None = None
        if share is not None and subject is not None:
            self._behind = np.ascontiguousarray(_continue_behind(share, subject))

    def look(self, n: int, view: Grid, *, ground: Grid | None = None, behind: bool = False) -> FrameLight | None:
        """The light of frame n. view: where the output looks in the picture; ground: the same for the light of what
        stands before the sky, where that moves; behind: past the subject."""
        shade = self._illumination.shade(n)
        if shade is None:
            return None
        sky = self._behind if behind and self._behind is not None else self._sky
        return FrameLight(
            shade,
            view,
            ground or view,
            self._noise,
            None if sky is None else self._read(sky, view),
            None if shade.glow is None else self._read(np.ascontiguousarray(shade.glow.share), view),
            self._illumination.stars(n),
        )

    @staticmethod
    def _read(plane: U8, view: Grid) -> U8:
        x, y = np.ascontiguousarray(view.x), np.ascontiguousarray(view.y)
        return texels.sample(plane, x, y, STEP, 1.0, 0.0, view.rect.height, view.rect.width)


def _continue_behind(share: U8, subject: F32) -> U8:
    """The sky's share with the subject taken away."""
    h, w = share.shape
    known = filters.resize((subject < 0.02).astype(np.float32), w // 4, h // 4)
    part = filters.resize(np.where(subject < 0.02, share, 0), w // 4, h // 4) / np.maximum(known, 1e-6)
    filled = filters.resize(pull_push(part.astype(np.float32), known), w, h)
    return np.where(subject < 0.02, share, np.rint(np.clip(filled, 0, 255))).astype(np.uint8)
