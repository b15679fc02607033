"""Colour grading by mood: warm, cold, golden, noir, vintage, dreamy, horror, teal and orange. It comes in gently and
stays."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from vivant.engines.diorama.easing import smoothstep
from vivant.engines.diorama.motion.fields import CB, COLOUR, CR
from vivant.engines.diorama.motion.light.stage import Stage
from vivant.engines.diorama.motion.light.tones import FULL, lit_by, towards
from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.storyboard import LightKind
from vivant.media import F32
from vivant.request import FPS


class Grade(NamedTuple):
    """light: linear RGB that lights everything; saturation; contrast: of the middle of the curve, 1 as it is; lift: of
    black, share of white; vignette: share of light that the corners lose; split: how far dark parts go to teal and
    bright ones to orange; breath: share by which exposure wavers, as that of film in a projector does."""

    light: tuple[float, float, float] = (1.0, 1.0, 1.0)
    saturation: float = 1.0
    contrast: float = 1.0
    lift: float = 0.0
    vignette: float = 0.0
    split: float = 0.0
    breath: float = 0.0


# At a strength of 0.5, set by eye.
GRADES: Final[dict[LightKind, Grade]] = {
    "warm": Grade(light=(1.18, 1.0, 0.74), saturation=1.06, contrast=1.03),
    "cold": Grade(light=(0.72, 0.92, 1.22), saturation=0.86, contrast=1.04),
    "golden": Grade(light=(1.30, 1.0, 0.58), saturation=1.12, contrast=1.06, vignette=0.12),
    "noir": Grade(light=(0.66, 0.68, 0.74), saturation=0.08, contrast=1.32, vignette=0.42, breath=0.05),
    "vintage": Grade(light=(1.12, 1.0, 0.78), saturation=0.7, contrast=0.86, lift=0.07, vignette=0.25, breath=0.085),
    "dreamy": Grade(light=(1.10, 1.0, 1.06), saturation=0.9, contrast=0.8, lift=0.08, breath=0.03),
    "horror": Grade(light=(0.60, 0.72, 0.68), saturation=0.45, contrast=1.25, vignette=0.5, breath=0.06),
    "teal": Grade(light=(0.97, 0.97, 1.0), saturation=1.05, contrast=1.12, vignette=0.1, split=9.0),
}

_WAVES: Final = (0.7, 1.9, 4.3)  # Hz, in which exposure wavers: slow drift, and the flicker of a hand-cranked look
_PARTS: Final = (0.45, 0.35, 0.2)


class Grading:
    """One grade over a clip."""

    def __init__(self, stage: Stage, kind: LightKind, strength: float) -> None:
        self._grade = GRADES[kind]
        self._amount = min(2 * strength, 0.55 + 0.9 * strength)
        self._phase = rng(stage.seed, "light/grading").uniform(0, 2 * math.pi, len(_WAVES))
        far = np.hypot((stage.x - 0.5) / 0.72, (stage.y - 0.5) / 0.72)
        self._corners = smoothstep((far - 0.35) / np.float32(0.75)).astype(np.float32)
        self._go = (1 - 0.45 * stage.faces).astype(np.float32)
        self._bright = np.clip((stage.luma - 90) / 70, -1, 1).astype(np.float32)

    def tone(self, n: int, share: float) -> F32:
        """float32 (7, rows, columns) at frame n. share: 0..1 of it."""
        grade, amount = self._grade, self._amount * share
        tone = np.array(towards(lit_by(np.array(grade.light), grade.saturation), np.float32(amount) * self._go))
        tone[COLOUR] = np.maximum(tone[COLOUR], 0)
        dark = np.float32(1) - np.float32(grade.vignette * amount) * self._corners
        tone = tone * dark
        if grade.breath:
            tone[:CB] *= np.float32(1 + grade.breath * amount * self._waver(n))
        if grade.split:
            tone[CB] -= np.float32(grade.split * amount) * self._bright * self._go
            tone[CR] += np.float32(0.8 * grade.split * amount) * self._bright * self._go
        return np.asarray(tone, np.float32)

    def _waver(self, n: int) -> float:
        """-1..1, of exposure at frame n."""
        turns = 2 * math.pi * (np.array(_WAVES) * n / FPS) + self._phase
        return float(np.sin(turns) @ np.array(_PARTS))

    def curve(self, share: float) -> F32:
        """float32 (256,), luma above black for each luma, 0..219."""
        grade, amount = self._grade, self._amount * share
        x = np.clip((np.arange(256) - 16) / FULL, 0, 1)
        contrast = 1 + (grade.contrast - 1) * amount
        # A curve through black, white and the middle with that slope there.
        bent = np.where(x < 0.5, 0.5 * (2 * x) ** contrast, 1 - 0.5 * (2 - 2 * x) ** contrast)
        lift = grade.lift * amount
        return (FULL * (lift + (1 - lift) * bent)).astype(np.float32)
