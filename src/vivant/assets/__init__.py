"""Small files that ship with the package: models, voices, a SoundFont, two sample photos. SOURCES.md says where each is
from and under which licence; SHA256SUMS what its bytes are. Nothing here is ever downloaded.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

CHECKSUMS: Final = "SHA256SUMS"


def asset(name: str) -> Traversable:
    """The file `name`, e.g. "models/u2netp.onnx"."""
    return files(__name__).joinpath(*name.split("/"))


def checksums() -> dict[str, str]:
    """File name -> the SHA-256 it must have."""
    lines = asset(CHECKSUMS).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split(maxsplit=1) for line in lines)}


def damaged() -> list[str]:
    """Names of the files that are missing or whose bytes are not what they should be."""
    return [name for name, digest in checksums().items() if _digest(name) != digest]


def _digest(name: str) -> str:
    file = asset(name)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
