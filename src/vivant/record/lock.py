"""One service per data folder and per SQLite file, by a file lock. The operating system releases it when its holder
dies, so the holder knows that no earlier service is running.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from vivant.errors import Misconfigured


class Lock:
    """Holds an exclusive lock on a file until `release`. Raises Misconfigured when another process has it."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = path.open("a+b", buffering=0)
        except OSError as error:
            raise Misconfigured(f"{path} cannot be written: {error.strerror}. Choose another --data.") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read().decode(errors="replace").strip() or "unknown"
            self._file.close()
            raise Misconfigured(
                f"Another service (process {holder}) uses {path.parent}. Stop it, or give this one another --data."
            ) from None
        except OSError as error:
            self._file.close()
            raise Misconfigured(f"{path} cannot be locked: {error.strerror}. Use a local disk.") from error
        with contextlib.suppress(OSError):  # the disk is full; the number only helps whoever is refused
            self._file.truncate(0)
            self._file.write(str(os.getpid()).encode())

    def release(self) -> None:
        self._file.close()
