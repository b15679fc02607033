"""One open-mode service for the whole test run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.live_server import LiveServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One open-mode service for the whole run."""
    with LiveServer(tmp_path_factory.mktemp("server"), egress_allow="127.0.0.1") as running:
        yield running
