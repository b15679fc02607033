"""What several commands share: the option --data, and a short transaction on the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder that holds everything.", show_default="the platform's user data folder"),
]


@contextmanager
def open_record(data: Path | None) -> Iterator[Any]:
    """A connection in one write transaction, for the functions of vivant.record. Raises Misconfigured, Busy."""
    from vivant.private_files import keep_files_private
    from vivant.record.database import Record
    from vivant.settings import load_settings

    keep_files_private()
    record = Record(load_settings(data=data).database)
    try:
        with record.transaction() as connection:
            yield connection
    finally:
        record.close()
