"""Doubles of servers that cannot run here: each listens on loopback and answers with exactly the shapes, and the traps,
that were recorded from the real one. A double is never called by the server's own name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from support.doubles import ark, comfyui, lightx2v, novita, programs, sdcpp, sglang


@contextmanager
def nothing_behind() -> Iterator[Mapping[str, Any]]:
    """For an engine that works alone: no options."""
    yield {}


@contextmanager
def tiny_ltx2() -> Iterator[Mapping[str, Any]]:
    """For the engine diffusers no double but its real pipeline, with random weights. Skips the test without torch."""
    import pytest

    torch = pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    torch.set_num_threads(1)  # tests run beside each other
    from support.tiny_models import make_tiny_model

    with TemporaryDirectory() as folder:
        model = make_tiny_model("ltx2", Path(folder))
        yield {"model": str(model), "device": "cpu", "max_pixels": 40_000}


# engine -> what starts the server behind it and yields the options that lead there
BEHIND: Final[dict[str, Callable[[], AbstractContextManager[Mapping[str, Any]]]]] = {
    "ark": ark.behind,
    "comfyui": comfyui.behind,
    "command": programs.behind,
    "diffusers": tiny_ltx2,
    "lightx2v": lightx2v.behind,
    "novita": novita.behind,
    "openai-videos": sglang.behind,
    "sdcpp": sdcpp.behind,
}
