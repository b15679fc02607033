"""One open-mode service for the whole run, for test modules that say `pytest_plugins = ["support.shared_server"]`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.live_server import RunningDoor


@pytest.fixture(scope="session")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDoor]:
    """One open-mode service for the whole run."""
    with RunningDoor(tmp_path_factory.mktemp("door"), egress_allow="127.0.0.1") as running:
        yield running
