from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from support.records import check_invariants, open_record
from vivant.record.database import Record


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    record = open_record(tmp_path)
    yield record
    record.close()


@pytest.fixture
def connection(record: Record) -> Iterator[Connection]:
    """Inside a write transaction; afterwards the invariants of the record must hold."""
    with record.transaction() as connection:
        yield connection
        check_invariants(connection)
