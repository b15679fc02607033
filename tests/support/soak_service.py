"""`vivant serve` on a machine whose clock a test can set: for tests of a clock that jumps.

    python soak_service.py OFFSET_FILE PORT

The file holds the seconds by which the machine's clock is wrong.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from vivant.api.serve import serve
from vivant.clock import SteadyClock
from vivant.settings import load_settings
from vivant.timings import DEFAULT_TIMINGS

if __name__ == "__main__":
    offset = Path(sys.argv[1])
    clock = SteadyClock(
        settles_after=DEFAULT_TIMINGS.clock_settles_after,
        follows_after=DEFAULT_TIMINGS.clock_followed_after,
        wall=lambda: time.time() + float(offset.read_text()),
    )
    serve(load_settings(), "127.0.0.1", int(sys.argv[2]), clock=clock)
