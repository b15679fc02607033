"""The number of files and connections that this process may have open."""

from __future__ import annotations

import sys
from typing import Final

ENOUGH: Final = 65_536  # more is never used, and some systems refuse to set more


def raise_file_limit() -> int:
    """Raise the limit as far as the system lets us, and return it. Many systems begin with 1024 or 256."""
    if sys.platform == "win32":
        return ENOUGH
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return min(soft, ENOUGH) if soft != resource.RLIM_INFINITY else ENOUGH
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (ValueError, OSError):
        return soft
    return most
