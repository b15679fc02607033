"""Tests hand in other intervals and limits as arguments; they do not replace constants of Vivant's modules."""

from __future__ import annotations

import re
from pathlib import Path

from support.paths import ROOT

PATCH = re.compile(r"setattr\(\s*(?:\"(?P<path>[\w.]+)\"|(?P<owner>[\w.]+),\s*\"(?P<name>\w+)\")")
OF_OTHERS = {
    "novita_client.settings.DEFAULT_POLL_INTERVAL",
    "Image.MAX_IMAGE_PIXELS",
}  # their packages take no argument


def patched(file: Path) -> set[str]:
    """What a test file replaces with monkeypatch: module.NAME."""
    found = PATCH.finditer(file.read_text(encoding="utf-8"))
    return {match["path"] or f"{match['owner']}.{match['name']}" for match in found}


def test_no_test_patches_a_constant_of_ours() -> None:
    names = {name for file in sorted((ROOT / "tests").rglob("test_*.py")) for name in patched(file)}
    assert {"server.service.submit", *OF_OTHERS} <= names  # the pattern finds them
    constants = {name for name in names if re.fullmatch(r"_?[A-Z][A-Z0-9_]*", name.rpartition(".")[2])}
    assert constants == OF_OTHERS
