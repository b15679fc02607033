"""A double of ComfyUI for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.doubles.comfyui import ComfyUIDouble, comfyui_double


@pytest.fixture
def double() -> Iterator[ComfyUIDouble]:
    with comfyui_double() as made:
        yield made
