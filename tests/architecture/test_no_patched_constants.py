"""Tests hand in other intervals and limits as arguments; they do not replace constants of Vivant's modules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from support.paths import ROOT

# Calls of monkeypatch and of mock.patch, in whose first argument, or first two, stands what is replaced.
PATCHING = {"setattr", "delattr", "setitem", "delitem", "patch", "object", "dict"}
OF_OTHERS = {
    "novita_client.settings.DEFAULT_POLL_INTERVAL",
    "Image.MAX_IMAGE_PIXELS",
    "huggingface_hub.constants.HF_HUB_OFFLINE",
}  # their packages take no argument
OURS = {"registry.ENGINES"}  # to which a worker process of the tests adds its engine


def find_patches(source: str) -> Iterator[str]:
    """What the source of a test replaces: owner.NAME, by monkeypatch, by mock.patch or by an assignment."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            yield ast.unparse(node)
        if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            yield ast.unparse(node.value)
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).rpartition(".")[2] in PATCHING:
            owner, *rest = (ast.unparse(arg).strip("'") for arg in node.args[:2])
            yield from (owner, *(f"{owner}.{name}" for name in rest))


def constants(source: str) -> set[str]:
    return {name for name in find_patches(source) if re.fullmatch(r"[\w.]*[a-z]\w*\._?[A-Z][A-Z0-9_]*", name)}


def test_no_test_patches_a_constant_of_ours() -> None:
    found = {name for file in (ROOT / "tests").rglob("*.py") for name in constants(file.read_text(encoding="utf-8"))}
    assert found == OF_OTHERS | OURS


@pytest.mark.parametrize(
    "statement",
    [
        'monkeypatch.setattr("settings.PREFIX", "X")',
        'monkeypatch.setattr(settings, "PREFIX", "X")',
        'monkeypatch.setitem(settings.PREFIX, "X", 1)',
        'with patch("settings.PREFIX", "X"): pass',
        'mock.patch.object(settings, "PREFIX", "X")',
        'mock.patch.dict(settings.PREFIX, {"X": 1})',
        'settings.PREFIX = "X"',
        'settings.PREFIX += "X"',
        'settings.PREFIX["X"] = 1',
        "del settings.PREFIX",
    ],
)
def test_a_patched_constant_is_found_however_it_is_patched(statement: str) -> None:
    assert constants(statement) == {"settings.PREFIX"}
