"""Small files that ship with the package: models, voices, a SoundFont, sample photos.

SOURCES.md says where each is from and under which licence; SHA256SUMS has their checksums. Nothing is downloaded.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

CHECKSUMS: Final = "SHA256SUMS"


def asset(name: str) -> Traversable:
    """The shipped file of that name, e.g. "models/u2netp.onnx"."""
    return files(__name__).joinpath(*name.split("/"))


def checksums() -> dict[str, str]:
    """Name of each file -> its SHA-256, in hexadecimal."""
    lines = asset(CHECKSUMS).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split(maxsplit=1) for line in lines)}


def find_damaged() -> list[str]:
    """The names of files that are missing or whose checksum is wrong."""
    return [name for name, digest in checksums().items() if _digest(name) != digest]


def _digest(name: str) -> str:
    file = asset(name)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
