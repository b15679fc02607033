"""Files that no other user of the machine can read: they hold prompts, pictures, and secrets that sign links."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

UMASK: Final = 0o077  # nothing for the group and for others
MAX_LOOKED_AT: Final = 20_000  # files and folders below one folder


def keep_files_private() -> None:
    """From now on this process, and every process it starts, creates files and folders for its own user only."""
    os.umask(UMASK)


def find_exposed(path: Path) -> Iterator[Path]:
    """Files at or below `path` that other users can read or change, and folders in which they can replace files.

    A folder that others cannot enter hides what is in it. At most MAX_LOOKED_AT entries are looked at, links are not
    followed, and what cannot be looked at is left out.
    """
    waiting, left = [path], MAX_LOOKED_AT
    while waiting and left:
        left -= 1
        found = waiting.pop()
        try:
            mode = found.lstat().st_mode
            if stat.S_ISDIR(mode):
                if mode & 0o011:
                    waiting += found.iterdir()
                exposed = bool(mode & 0o022) and not mode & stat.S_ISVTX
            else:
                exposed = stat.S_ISREG(mode) and bool(mode & 0o077)
        except OSError:
            continue
        if exposed:
            yield found
