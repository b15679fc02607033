"""Programs behind the engine `command`: real ones, which run here."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

_FILM: Final = Path(__file__).parents[1] / "programs" / "make_film.py"

MAKE_FILM: Final = [
    sys.executable, str(_FILM), "--prompt={prompt}", "--image", "{image}", "[--end", "{last_image}]", "--width",
    "{width}", "--height", "{height}", "--frames", "{frames}", "--fps", "{fps}", "--seed", "{seed}", "--output",
    "{output}",
]  # fmt: skip


@contextmanager
def behind() -> Iterator[Mapping[str, Any]]:
    """Options of the engine `command` that run a program which makes a film."""
    yield {"run": MAKE_FILM}
