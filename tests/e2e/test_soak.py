"""The soak, short: `make soak` runs it for an hour, with every fault."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.soak import Soak

QUICK = frozenset(
    {
        "store_hangs", "database_locked", "worker_killed", "decoder_killed", "service_killed", "service_restarted",
        "log_reader_stalls", "log_reader_ends", "log_disk_full", "data_disk_full", "slow_peers",
    }
)  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_minute_of_faults_loses_no_task_and_bills_each_clip_once(tmp_path: Path) -> None:
    soak = Soak(tmp_path, seed=6, minutes=1.0, only=QUICK, pace=0.3)
    try:
        soak.run()
        assert soak.broken == []
        assert sum(len(caller.accepted) for caller in soak.callers) > 5
    finally:
        soak.close()
