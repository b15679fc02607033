"""What people who looked at the gallery said of its clips: docs/gallery/ranks.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from support.paths import ROOT

RANKS: Final = ROOT / "docs/gallery/ranks.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """Would one post it? 1 no, it is broken; 2 no, one sees nothing or the wrong thing; 3 perhaps; 4 yes; 5 gladly.

    before: what the clip was worth when it was first looked at, if it was changed since. weak: what is still wrong.
    """

    now: int
    before: int | None = None
    weak: str = ""

    def __post_init__(self) -> None:
        for rank in (self.now, self.before):
            if rank is not None and rank not in range(1, 6):
                raise ValueError(f"A rank must be a whole number from 1 to 5; it is {rank!r}.")


def load_ranks(path: Path = RANKS) -> dict[str, Rank]:
    """By name of the case. Raises TypeError for a field that no rank has, ValueError for a rank that is not 1..5."""
    table: dict[str, dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: Rank(**fields) for name, fields in table.items()}
