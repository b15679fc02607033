"""Timelines for tests of sound, and measurements of sound."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from vivant.engines.diorama.storyboard import Line, Speaker
from vivant.engines.diorama.timing.curves import CameraCurves
from vivant.engines.diorama.timing.timeline import Bed, Event, PlacedLine, Spoken, Timeline
from vivant.media import F32

RATE = 48_000
SECONDS = 4
FRAMES = 24 * SECONDS + 1


def timeline(seed: int = 5, frames: int = FRAMES, **fields: Any) -> Timeline:
    """A timeline of four seconds and a frame, with a rising and falling wind and a flicker; `fields` add the rest."""
    n = np.arange(frames)
    wind = (0.45 - 0.4 * np.cos(2 * np.pi * n / frames)).astype(np.float32)
    flicker = np.sin(2 * np.pi * n / 12).astype(np.float32) * np.float32(0.6)
    return replace(still(frames, seed), wind=wind, flicker=flicker, **fields)


def still(frames: int, seed: int = 1) -> Timeline:
    """A clip in which nothing moves and nothing is heard."""
    zero = np.zeros(frames, np.float32)
    return Timeline(
        frames=frames, seed=seed, wind=zero, flicker=zero, light=zero + 1, camera=CameraCurves.at_home(frames)
    )


def bed_of(kind: Any, **fields: Any) -> Bed:
    return replace(Bed(kind=kind), **fields)


def event_of(kind: Any, time: Fraction = Fraction(2), **fields: Any) -> Event:
    return replace(Event(id=f"{kind} at {time}", kind=kind, time=time), **fields)


def make_line(start: float, seconds: float, seed: int = 1, **fields: Any) -> PlacedLine:
    """A placed line of something like speech in loudness and spectrum: a buzz and noise, four syllables a second."""
    n = int(seconds * RATE)
    t = np.arange(n) / RATE
    chance = np.random.default_rng(seed)
    syllables = np.clip(np.sin(2 * np.pi * 4 * t), 0, 1) ** 0.5
    buzz = signal.sosfilt(
        signal.butter(2, (200, 3000), "bandpass", fs=RATE, output="sos"),
        signal.sawtooth(2 * np.pi * 140 * t) + 0.2 * chance.standard_normal(n),
    )
    samples = (0.2 * syllables * buzz).astype(np.float32)
    line = Line(text="(a buzz)", language="en", speaker=Speaker())
    return replace(PlacedLine(line=line, spoken=Spoken(samples=samples, phones=()), start=int(start * RATE)), **fields)


def chords(frames: int = FRAMES) -> F32:
    """A stand-in for music: a chord a second, float32 (2, 2000 · frames)."""
    t = np.arange(2000 * frames) / RATE
    sound = np.zeros((2, len(t)))
    for hz in (220.0, 277.2, 329.6, 440.0):
        sound += np.sin(2 * np.pi * hz * t) * np.exp(-2 * (t % 1.0))
    return np.asarray(0.1 * sound, np.float32)


def band(sound: F32, low: float, high: float) -> F32:
    """The part of a sound between two frequencies (Hz), zero phase."""
    sos = signal.butter(4, (low, high), "bandpass", fs=RATE, output="sos")
    return np.asarray(signal.sosfiltfilt(sos, sound, axis=-1), np.float32)


def decibels(sound: F32) -> float:
    """RMS over all samples and channels, dBFS."""
    return 10 * float(np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-20))


def envelope(sound: F32, seconds: float = 0.02) -> NDArray[np.float64]:
    """RMS of consecutive stretches of that length, both channels together: (stretches,)."""
    size = int(seconds * RATE)
    power = np.atleast_2d(sound).astype(np.float64) ** 2
    count = power.shape[1] // size
    return np.asarray(np.sqrt(power[:, : count * size].reshape(power.shape[0], count, size).mean(axis=(0, 2))))


def brightness(sound: F32) -> float:
    """The centroid of the spectrum in Hz."""
    power = np.abs(np.fft.rfft(np.atleast_2d(sound).mean(axis=0))) ** 2
    hz = np.fft.rfftfreq(np.atleast_2d(sound).shape[1], 1 / RATE)
    return float(np.sum(hz * power) / np.sum(power))


def noise_like(sound: F32, seed: int = 0) -> F32:
    """Noise with the spectrum of a sound but without its changes in time: float32 (n,)."""
    mono = np.atleast_2d(sound).mean(axis=0)
    spectrum = np.abs(np.fft.rfft(mono))
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(spectrum))
    return np.asarray(np.fft.irfft(spectrum * np.exp(1j * phase), len(mono)), np.float32)
