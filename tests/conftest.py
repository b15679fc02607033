"""What every test may use."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["support.shared_server"]

# How long an example takes to make or to try says how busy the machine is, not whether the code is right.
settings.register_profile("vivant", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("vivant")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the service does."""
    return "asyncio"
