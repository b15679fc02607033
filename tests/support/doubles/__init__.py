"""Doubles of servers that cannot run here: each listens on loopback and answers with exactly the shapes, and the traps,
that were recorded from the real one. A double is never called by the server's own name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from support.doubles import ark, comfyui, lightx2v, novita, programs, sdcpp, sglang


@contextmanager
def nothing_behind() -> Iterator[Mapping[str, Any]]:
    """For an engine that works alone: no options."""
    yield {}


# engine -> what starts the server behind it and yields the options that lead there
BEHIND: Final[dict[str, Callable[[], AbstractContextManager[Mapping[str, Any]]]]] = {
    "ark": ark.behind,
    "comfyui": comfyui.behind,
    "command": programs.behind,
    "lightx2v": lightx2v.behind,
    "novita": novita.behind,
    "openai-videos": sglang.behind,
    "sdcpp": sdcpp.behind,
}
