"""Birds: a few individuals of known species, each at its place, with phrases of its own and rests between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from vivant.engines.diorama.random_streams import rng
from vivant.engines.diorama.sound import space
from vivant.engines.diorama.sound.effects import noise, waves
from vivant.engines.diorama.timing.timeline import Bed, Timeline
from vivant.media import F32, SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Syllable:
    """One unbroken sound of a song. hz: frequencies at even spaces in time, joined smoothly on a log scale."""

    wait: float  # s of silence before it
    lasting: float  # s
    hz: tuple[float, ...]
    loud: float = 1.0  # amplitude
    trill: tuple[float, float] = (0.0, 0.0)  # vibrato: Hz, share of the pitch
    partials: tuple[float, ...] = (1.0, 0.05)  # amplitudes of the harmonics
    rough: float = 0.0  # 0 a clear whistle .. 1 hoarse: how irregular pitch and loudness are
    attack: float = 0.15  # share of its length in which it rises


def make_bed(bed: Bed, timeline: Timeline) -> F32:
    """float32 (2, n). Strength: how many sing, 0 two .. 1 a dawn chorus. By the sea gulls, with crickets an owl."""
    n, chance = timeline.samples, rng(timeline.seed, "birds")
    # The faint noise of open air under the birds.
    air = ((60, -24), (200, -12), (500, -2), (1000, 0), (2000, -5), (5000, -14), (12000, -26))
    sound = np.asarray(
        noise.make_stereo(n, chance, air, 0.8) * np.exp(0.15 * noise.make_drift(n, chance, 0.3)) * np.float32(0.006),
        np.float32,
    )
    singers = _choose_singers(bed, timeline, chance)
    for number, species in enumerate(singers):
        own = rng(timeline.seed, f"birds/{number}/{species}")
        x = float(own.uniform(-0.9, 0.9))
        # The first is near and sings soon; the others are farther off.
        depth = float(np.clip(bed.depth + (-0.12 if number == 0 else own.uniform(-0.05, 0.35)), 0, 1))
        voice, rest = SPECIES[species], _REST[species]
        key = own.uniform(0.94, 1.06)
        at = own.uniform(0.1, 0.7) if number == 0 else own.uniform(0.3, 1.2 * rest)
        while at * SAMPLE_RATE < n:
            call = space.place(sing(voice(own), key, own), x, depth, delayed=False)
            start = int(at * SAMPLE_RATE)
            kept = min(call.shape[1], n - start)
            sound[:, start : start + kept] += call[:, :kept] * np.float32(own.uniform(0.7, 1.1))
            at += call.shape[1] / SAMPLE_RATE + rest * own.uniform(0.5, 1.5)
    return sound


def _choose_singers(bed: Bed, timeline: Timeline, chance: np.random.Generator) -> list[str]:
    kinds = {other.kind for other in timeline.beds}
    if "waves" in kinds and not waves.is_lake(timeline):
        return ["gull"] * (2 + round(2 * bed.strength))
    if "crickets" in kinds:
        return ["owl"]
    woods = ["blackbird", "tit", "robin", "chaffinch", "sparrow", "pigeon", "cuckoo"]
    # The nearest has a song that carries far. A species comes twice only when all others have come.
    front = ["blackbird", "robin", "chaffinch"][chance.integers(3)]
    others = [name for name in chance.permutation(woods).tolist() if name != front]
    return [front, *(others + others)[: 1 + round(5 * bed.strength)]]


def sing(syllables: list[Syllable], key: float, chance: np.random.Generator) -> F32:
    """The sound of syllables: float32 (n,), peak about 0.3. key: pitch of this individual relative to its species."""
    total = sum(syllable.wait + syllable.lasting for syllable in syllables)
    sound = np.zeros(int(total * SAMPLE_RATE) + 2, np.float32)
    at = 0.0
    for syllable in syllables:
        at += syllable.wait
        start, n = int(at * SAMPLE_RATE), int(syllable.lasting * SAMPLE_RATE)
        sound[start : start + n] += _sing_syllable(syllable, key, n, chance)
        at += syllable.lasting
    return sound * np.float32(0.3)


def _sing_syllable(syllable: Syllable, key: float, n: int, chance: np.random.Generator) -> F32:
    t = np.linspace(0, 1, n)
    corners = np.log(np.asarray(syllable.hz) * key * (1 + 0.006 * chance.standard_normal(len(syllable.hz))))
    pitch = np.interp(t, np.linspace(0, 1, len(corners)), corners) if len(corners) > 1 else np.full(n, corners[0])
    smooth = max(int(0.12 * n / max(len(corners) - 1, 1)), 1)
    padded = np.pad(pitch, smooth, mode="edge")
    pitch = np.convolve(padded, np.ones(2 * smooth + 1) / (2 * smooth + 1), "valid")
    if syllable.trill[0]:
        pitch = pitch + syllable.trill[1] * np.sin(
            2 * np.pi * syllable.trill[0] * t * syllable.lasting + chance.uniform(0, 6)
        )
    grit = _roughness(n, chance) if syllable.rough else np.zeros(n)
    hz = np.exp(pitch + 0.10 * syllable.rough * grit)
    phase = 2 * np.pi * np.cumsum(hz) / SAMPLE_RATE
    body = np.zeros(n)
    for number, weight in enumerate(syllable.partials, 1):
        body += np.where(number * hz < 18_000, weight * np.sin(number * phase), 0)
    body *= 1 / sum(syllable.partials)
    body *= 1 + 0.8 * syllable.rough * grit
    # The tone is slightly uneven, with a little noise of breath.
    body *= 1 + 0.05 * _roughness(n, chance)
    body += 0.0015 * chance.standard_normal(n)
    envelope = np.sin(np.pi * np.interp(t, (0, 2 * syllable.attack, 1), (0, 0.5, 1))) ** 0.8
    return (body * envelope * syllable.loud * chance.uniform(0.9, 1.1)).astype(np.float32)


def _roughness(n: int, chance: np.random.Generator) -> np.ndarray:
    """Noise up to about 300 Hz that makes a voice hoarse: float64 (n,), RMS about 1."""
    knots = n // 80 + 3
    return np.interp(np.arange(n), np.arange(knots) * 80.0, chance.standard_normal(knots)) * 1.2


# The songs: pitches, lengths and rhythms as described in Cramp (ed.), Birds of the Western Palearctic.


def _blackbird(c: np.random.Generator) -> list[Syllable]:
    """Slow flute-like notes of 1.6 to 2.8 kHz with slides; the phrase ends in a thin high twitter."""
    syllables = []
    pitch = c.uniform(1750, 2200)
    for _ in range(c.integers(4, 7)):
        to = float(np.clip(pitch * c.choice([0.78, 0.86, 0.92, 1.1, 1.2, 1.32]), 1500, 2900))
        middle = float(np.sqrt(pitch * to)) * c.uniform(0.94, 1.08)
        trill = (c.uniform(14, 22), 0.02) if c.random() < 0.25 else (0.0, 0.0)
        syllables.append(
            Syllable(
                c.uniform(0.03, 0.09),
                c.uniform(0.13, 0.30),
                (pitch, middle, to, to),
                c.uniform(0.7, 1),
                trill,
                (1, 0.10, 0.03),
            )
        )
        pitch = to
    for _ in range(c.integers(3, 8)):
        high = c.uniform(4200, 7200)
        syllables.append(
            Syllable(
                c.uniform(0.012, 0.035),
                c.uniform(0.03, 0.07),
                (high, high * c.uniform(0.75, 1.3), high),
                0.25,
                rough=0.2,
            )
        )
    return syllables


def _tit(c: np.random.Generator) -> list[Syllable]:
    """Great tit ("tea-cher, tea-cher"): a high and a lower note in turn, three to five times."""
    high, low = c.uniform(5200, 6200), c.uniform(3700, 4300)
    syllables = []
    for _ in range(c.integers(3, 6)):
        syllables.append(Syllable(0.045, 0.085, (high * 1.04, high, high * 0.99), 0.8, partials=(1, 0.02)))
        syllables.append(Syllable(0.030, 0.125, (low * 1.03, low, low * 0.98), 1.0, partials=(1, 0.04)))
    return syllables


def _robin(c: np.random.Generator) -> list[Syllable]:
    """Long thin high notes, each followed by a rapid irregular run downwards."""
    syllables = []
    for _ in range(c.integers(2, 4)):
        high = c.uniform(5600, 7600)
        syllables.append(
            Syllable(
                c.uniform(0.04, 0.12),
                c.uniform(0.12, 0.28),
                (high, high * c.uniform(0.93, 1.07)),
                0.55,
                partials=(1, 0.01),
            )
        )
        pitch = c.uniform(4300, 6200)
        for _ in range(c.integers(4, 10)):
            pitch = float(np.clip(pitch * c.uniform(0.80, 1.14), 2300, 6800))
            syllables.append(
                Syllable(
                    c.uniform(0.008, 0.03),
                    c.uniform(0.035, 0.085),
                    (pitch * c.uniform(0.9, 1.25), pitch, pitch * c.uniform(0.85, 1.1)),
                    c.uniform(0.5, 1),
                )
            )
    return syllables


def _chaffinch(c: np.random.Generator) -> list[Syllable]:
    """A falling rattle that accelerates and ends in a flourish."""
    syllables = []
    for pitch, gap, count in ((5200, 0.055, 5), (4300, 0.045, 5), (3400, 0.038, c.integers(3, 6))):
        base = pitch * c.uniform(0.95, 1.05)
        syllables += [
            Syllable(gap, 0.050, (base * 1.35, base, base * 0.82), 0.45 + 0.08 * i, partials=(1, 0.06))
            for i in range(count)
        ]
    syllables.append(Syllable(0.04, 0.10, (2600, 4600, 4200), 1.0))
    syllables.append(Syllable(0.015, 0.16, (5200, 3600, 2500, 3000), 0.9))
    return syllables


def _sparrow(c: np.random.Generator) -> list[Syllable]:
    """Short, broad, slightly hoarse chirps, two to five in a row."""
    base = c.uniform(2900, 3600)
    return [
        Syllable(
            c.uniform(0.12, 0.35),
            c.uniform(0.07, 0.12),
            (base * 1.2, base * c.uniform(1.3, 1.5), base * 0.9, base * 1.1),
            c.uniform(0.6, 1),
            partials=(1, 0.3, 0.12),
            rough=0.25,
        )
        for _ in range(c.integers(2, 6))
    ]


def _pigeon(c: np.random.Generator) -> list[Syllable]:
    """Wood pigeon (hoo HOOO hoo, hoo-hoo): breathy, at about 480 Hz."""
    syllables = []
    for lasting, loud, wait in (
        (0.22, 0.6, 0.0),
        (0.55, 1.0, 0.10),
        (0.38, 0.9, 0.12),
        (0.20, 0.7, 0.22),
        (0.26, 0.7, 0.10),
    ):
        hz = 480 * c.uniform(0.98, 1.02)
        syllables.append(
            Syllable(
                wait,
                lasting,
                (hz * 0.94, hz, hz, hz * 0.95),
                1.3 * loud,
                (26, 0.006),
                (1, 0.12, 0.03),
                0.08,
                attack=0.3,
            )
        )
    return syllables


def _cuckoo(c: np.random.Generator) -> list[Syllable]:
    """A falling third, two or three times."""
    hz = c.uniform(660, 700)
    syllables = []
    for _ in range(c.integers(2, 4)):
        syllables.append(Syllable(0.75, 0.15, (hz * 0.96, hz, hz * 0.99), 1.2, partials=(1, 0.08, 0.02), attack=0.25))
        syllables.append(
            Syllable(0.10, 0.26, (hz * 0.78, hz * 0.795, hz * 0.78), 1.1, partials=(1, 0.08, 0.02), attack=0.25)
        )
    return syllables


def _gull(c: np.random.Generator) -> list[Syllable]:
    """Herring gull: one or two long mews, or a row of short "laughing" calls, rich in harmonics."""
    base = c.uniform(620, 780)
    partials = (0.5, 1.0, 0.9, 0.6, 0.45, 0.3, 0.2, 0.12)
    if c.random() < 0.45:
        return [
            Syllable(
                c.uniform(0.15, 0.4),
                c.uniform(0.5, 0.8),
                (base * 0.9, base * 1.45, base * 1.4, base * 1.05),
                0.9,
                (9, 0.012),
                partials,
                0.16,
            )
            for _ in range(c.integers(1, 3))
        ]
    row = [
        Syllable(
            c.uniform(0.05, 0.08),
            c.uniform(0.17, 0.24),
            (base * 1.1, base * 1.7, base * 1.15),
            0.9 - 0.06 * i,
            (0.0, 0.0),
            partials,
            0.22,
        )
        for i in range(c.integers(4, 8))
    ]
    return [Syllable(0.0, 0.55, (base, base * 1.6, base * 1.5, base * 1.1), 1.0, (9, 0.01), partials, 0.18), *row]


def _owl(c: np.random.Generator) -> list[Syllable]:
    """Tawny owl: a long hoot, a pause, a short one and a long quavering one."""
    hz = c.uniform(690, 780)
    return [
        Syllable(0.0, 0.75, (hz * 0.9, hz * 1.03, hz), 1.0, partials=(1, 0.10, 0.04), attack=0.2),
        Syllable(1.6, 0.16, (hz * 0.95, hz), 0.7, partials=(1, 0.10, 0.04)),
        Syllable(
            0.22,
            1.15,
            (hz * 0.92, hz * 1.02, hz * 1.03, hz * 0.96),
            1.0,
            (14, 0.025),
            (1, 0.10, 0.04),
            0.05,
            attack=0.25,
        ),
    ]


SPECIES: Final[dict[str, Callable[[np.random.Generator], list[Syllable]]]] = {
    "blackbird": _blackbird,
    "tit": _tit,
    "robin": _robin,
    "chaffinch": _chaffinch,
    "sparrow": _sparrow,
    "pigeon": _pigeon,
    "cuckoo": _cuckoo,
    "gull": _gull,
    "owl": _owl,
}
# Seconds between phrases, on average.
_REST: Final = {
    "blackbird": 2.2, "tit": 1.8, "robin": 2.0, "chaffinch": 4.0, "sparrow": 1.2, "pigeon": 4.0, "cuckoo": 3.0,
    "gull": 2.2, "owl": 6.0,
}  # fmt: skip
