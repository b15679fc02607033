"""Independent streams of random numbers from one seed, each with a name, so that a new use never changes an old one."""

from __future__ import annotations

import hashlib

import numpy as np


def rng(seed: int, name: str) -> np.random.Generator:
    """An independent stream for (seed, name): Philox, keyed by SHA-256; equal on every machine and run."""
    key = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key[:16], "little")))
