"""The curves of light: firelight that flickers, lightning that flashes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.storyboard import Storyboard
from vivant.engines.diorama.timing.envelope import make_envelope
from vivant.engines.diorama.timing.timeline import Event
from vivant.media import F32
from vivant.request import FPS


def make_flicker(board: Storyboard) -> F32:
    """Firelight: float32 (frames,), -1..1, the sum of slow and quick waves; 0 at frame 0 and where nothing burns."""
    time = np.arange(board.frames) / FPS
    fire = next((motion for motion in board.motions if motion.kind == "fire"), None)
    if fire is None or not fire.strength:
        return np.zeros(board.frames, np.float32)
    chance = rng(board.seed, "flicker")
    # Flame puffing falls off with frequency from a few Hz (Hamins et al., 1992); amplitudes as 1/f.
    rates = np.array([0.7, 1.3, 2.2, 3.7, 5.9, 8.3]) * chance.uniform(0.9, 1.1, 6)
    phases = chance.uniform(0, 2 * np.pi, 6)
    waves = np.sin(2 * np.pi * rates * time[:, None] + phases) / np.sqrt(rates)
    curve = waves.sum(axis=1)
    curve = curve - curve[0]
    flicker = np.asarray(fire.strength * curve / max(1e-6, np.abs(curve).max()), np.float32)
    return flicker * make_envelope(fire, board.frames)


def make_light(frames: int, strikes: Sequence[Event], brightness: float) -> F32:
    """Gain of the whole picture: float32 (frames,), 1 without lightning. A stroke flashes twice within a quarter of a
    second and fades; less in a picture that is bright already (brightness: mean luma, 0..1)."""
    gain = np.ones(frames, np.float32)
    flash = 0.9 * (1.2 - brightness)
    for strike in strikes:
        first = math.floor(strike.time * FPS)
        # One frame of full flash, a dark frame, a return stroke, then the glow of the cloud.
        for offset, share in enumerate((1.0, 0.35, 0.8, 0.45, 0.25, 0.14, 0.07, 0.03)):
            if 0 < first + offset < frames:
                gain[first + offset] += flash * strike.strength * share
    return gain
