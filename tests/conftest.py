"""What every test may use."""

from __future__ import annotations

import pytest

pytest_plugins = ["support.shared_server"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the service does."""
    return "asyncio"
