"""Independent streams of random numbers from one seed, each with a name: code that starts to use a new stream changes
the numbers of no other."""

from __future__ import annotations

import hashlib

import numpy as np


def rng(seed: int, name: str) -> np.random.Generator:
    """An independent stream for (seed, name): Philox, keyed by SHA-256; equal on every machine and run."""
    key = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key[:16], "little")))
