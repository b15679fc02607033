"""The embedded engine, set up once, and a way to make clips with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.clips import Made, Make, photo
from vivant.engines.diorama.engine import Diorama
from vivant.media import Pictures
from vivant.request import Brief


@pytest.fixture(scope="session")
def engine() -> Diorama:
    diorama = Diorama()
    diorama.setup()
    return diorama


@pytest.fixture
def make(engine: Diorama, tmp_path: Path) -> Make:
    def run(name: str, prompt: str, *, last: str | None = None, file: str = "clip.mp4", **fields: Any) -> Made:
        first = photo(name)
        brief = Brief(prompt=prompt, **{"resolution": "480p", "seconds": 4, "seed": 5, **fields})
        request = brief.resolve(first.shape[1], first.shape[0], has_last_frame=last is not None)
        return Made(engine, Pictures(first, photo(last) if last else None), request, tmp_path / file)

    return run
