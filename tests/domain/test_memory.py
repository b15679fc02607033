"""What a process frees goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vivant.memory import peak_bytes, reset_peak, resident_bytes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the figures come from /proc")
MIB = 2**20

# 100 MiB in pieces that malloc takes from its heap, of which one in fifty lives on, so that the heap cannot shrink.
FREE_MOST = """
from vivant.memory import resident_bytes, return_free_memory
pieces = [bytearray(50_000) for _ in range(2_000)]
full = resident_bytes()
pieces = pieces[::50]
return_free_memory()
print(full - resident_bytes())
"""


def test_what_is_freed_between_things_that_live_on_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", FREE_MOST], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 80 * MIB


def test_the_peak_starts_again_from_what_is_resident() -> None:
    del_me = bytearray(64 * MIB)
    del_me[::4096] = b"x" * len(del_me[::4096])
    before = peak_bytes()
    del del_me
    assert reset_peak()
    assert peak_bytes() < before - 32 * MIB
    assert peak_bytes() == pytest.approx(resident_bytes(), abs=16 * MIB)


def test_of_a_process_that_is_not_there_nothing_is_resident() -> None:
    assert resident_bytes(2**22 + 1) == peak_bytes(2**22 + 1) == 0
    assert not reset_peak(2**22 + 1)
