"""A look at the servers behind an engine, for `vivant engines check`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vivant.engines.generated.remote_generator import Backend
from vivant.errors import VivantError


def look_at_servers(backends: Sequence[Backend]) -> Iterator[tuple[bool, str, str]]:
    """(whether it is well, what was looked at, what more is to be said) for each server."""
    for backend in backends:
        try:
            facts = backend.reach(lambda: None)
        except VivantError as error:
            yield False, f"{backend.server}: {error}", ""
            continue
        told = ", ".join(f"{name} {value}" for name, value in facts.items() if isinstance(value, str | int | float))
        yield True, f"{backend.server} answers", told
