"""A file beside the record that only takes up space. When the disk is so full that the record cannot be opened (SQLite
must write its log and the memory that processes share), the file is deleted, so that the service can start and its
sweep can delete old files. It is made again when there is room.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import structlog

RESERVE_BYTES: Final = 8 * 2**20  # several times what opening, a migration and the sweep's writes need
ROOM_BYTES: Final = 8 * RESERVE_BYTES  # that must be free before so much is taken

log = structlog.get_logger()


def reserve_path(database: Path) -> Path:
    return database.with_name(database.name + ".reserve")


def fill(database: Path) -> None:
    """Make the file unless it is there or there is little room. Never raises OSError: the next call tries again."""
    path = reserve_path(database)
    try:
        if path.exists() or shutil.disk_usage(database.parent).free < ROOM_BYTES:
            return
        partial = path.with_name(path.name + ".part")
        try:
            partial.write_bytes(os.urandom(RESERVE_BYTES))  # zeros would take no space on a file system that compresses
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        log.warning("no space could be reserved beside the record", reason=error.strerror)


def release(database: Path) -> bool:
    """Delete the file if the disk is full. True: there is room now that was not there before."""
    path = reserve_path(database)
    try:
        if shutil.disk_usage(database.parent).free >= RESERVE_BYTES or not path.exists():
            return False
        path.unlink()
    except OSError:
        return False
    log.warning("the disk is full: the space reserved for the record was released", bytes=RESERVE_BYTES)
    return True
