"""What fits a machine: one table from no card to several."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vivant.cli.recommend import GIB, recommend
from vivant.hardware import GraphicsCard, find_cards


def a_card(gib: float, maker: str = "nvidia") -> GraphicsCard:
    return GraphicsCard(maker, "a card", int(gib * GIB), int(gib * GIB))


@pytest.mark.parametrize(
    ("cards", "disk", "engine", "model"),
    [
        ([], 500, "diorama", ""),
        ([a_card(6)], 500, "diorama", ""),
        ([a_card(7.8)], 500, "comfyui", "LTX-2.3 distilled as GGUF, or Wan 2.2 5B, at 480p"),
        ([a_card(11.9)], 500, "comfyui", "LTX-2.3 distilled as GGUF, or Wan 2.2 5B, at 480p"),
        ([a_card(15.7)], 500, "comfyui", "LTX-2.5 int8, or Wan 2.2 A14B with 4-step LoRA"),
        ([a_card(23.6)], 500, "diffusers", "wan-2.2-5b"),
        ([a_card(47)], 500, "diffusers", "ltx-2.5"),
        ([a_card(47)], 60, "diffusers", "wan-2.2-5b"),
        ([a_card(79)], 500, "diffusers", "ltx-2.5"),
        ([a_card(79)] * 4, 500, "openai-videos", "LTX-2.5 or MiniMax-H3"),
        ([a_card(8, "amd")], 500, "diorama", ""),
        ([a_card(24, "amd")], 500, "comfyui", "LTX-2.3 or Wan 2.2 5B"),
        ([a_card(12, "apple")], 500, "diorama", ""),
        ([a_card(24, "apple")], 500, "command", "LTX-2.3"),
    ],
)
def test_what_fits(cards: list[GraphicsCard], disk: int, engine: str, model: str) -> None:
    found = recommend(cards, ram=64 * GIB, disk=disk * GIB)
    assert (found.engine, found.model) == (engine, model)
    assert found.why


def program(folder: Path, name: str, prints: str, *, ends_with: int = 0) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\ncat <<'EOF'\n{prints}\nEOF\nexit {ends_with}\n")
    path.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is searched for programs before all others."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def test_cards_are_read_from_the_makers_programs_largest_first(programs: Path) -> None:
    program(programs, "nvidia-smi", "NVIDIA GeForce RTX 4060, 8188, 7000\nNVIDIA RTX 6000, 49140, 48000")
    program(
        programs,
        "rocm-smi",
        '{"card0": {"Card Series": "Radeon 7900", "VRAM Total Memory (B)": "25753026560",'
        ' "VRAM Total Used Memory (B)": "1000000000"}}',
    )
    found = find_cards()
    assert [(card.maker, card.memory >> 20, card.free >> 20) for card in found] == [
        ("nvidia", 49140, 48000), ("amd", 24560, 23606), ("nvidia", 8188, 7000),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "prints", ["", "No devices were found", "a, b, c", "x, 99999999999999999999999, 0", "[1]", "{"]
)
def test_what_a_program_says_otherwise_is_no_card(programs: Path, prints: str) -> None:
    for name in ("nvidia-smi", "rocm-smi"):
        program(programs, name, prints)
    assert [card for card in find_cards() if card.memory < 2**60] == []


def test_a_program_that_fails_is_no_card(programs: Path) -> None:
    for name in ("nvidia-smi", "rocm-smi"):
        program(programs, name, "NVIDIA, 8188, 7000", ends_with=9)
    assert find_cards() == []
