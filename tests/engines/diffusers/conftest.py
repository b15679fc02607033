"""Tiny models of random weights for the tests of this engine. Those that need torch are skipped without it; what they
load, they load as the engine loads a real model.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.clips import photo
from vivant.engines.base import Engine
from vivant.engines.registry import complete_options, load_engine
from vivant.media import U8

SMALL = 40_000  # pixels of a frame: the geometry is real, the size need not be

LoadEngine = Callable[..., Engine]


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """kind, one of tiny_models.KINDS -> its folder."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    torch.set_num_threads(1)  # tests run beside each other
    from support.tiny_models import make_tiny_model

    made: dict[str, Path] = {}

    def model(kind: str) -> Path:
        if kind not in made:
            made[kind] = make_tiny_model(kind, tmp_path_factory.mktemp(kind))
        return made[kind]

    return model


@pytest.fixture(scope="session")
def tiny_options(tiny_models: Callable[[str], Path]) -> Callable[..., dict[str, Any]]:
    """Options for a tiny model on the CPU; few steps where the recipe is not a fixed one."""

    def options(kind: str, **more: Any) -> dict[str, Any]:
        steps = {} if kind == "ltx2" else {"steps": 3}
        given = {"model": str(tiny_models(kind)), "device": "cpu", "max_pixels": SMALL, **steps, **more}
        return complete_options("diffusers", given)

    return options


@pytest.fixture(scope="session")
def load_tiny(tiny_options: Callable[..., dict[str, Any]]) -> LoadEngine:
    """The engine with a tiny model, set up; equal options share one."""
    loaded: dict[tuple[Any, ...], Engine] = {}

    def load(kind: str, **more: Any) -> Engine:
        key = (kind, *sorted(more.items()))
        if key not in loaded:
            loaded[key] = load_engine("diffusers", tiny_options(kind, **more))
            loaded[key].setup()
        return loaded[key]

    return load


@pytest.fixture(scope="session")
def lake() -> U8:
    return photo("mountain_lake")


@pytest.fixture(scope="session")
def falls() -> U8:
    return photo("sea_falls")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever tries to reach another machine fails the test."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1"):
            raise AssertionError(f"something tried to reach {address}")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    yield
