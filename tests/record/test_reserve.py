"""A record on a full disk can be opened, because space was reserved beside it. On a real file system of 100 MiB."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vivant.record import reserve

FULL_DISK = """
import sys
from pathlib import Path
from vivant.errors import Misconfigured
from vivant.record import reserve
from vivant.record.database import Record

folder = Path(sys.argv[1])
url = f"sqlite:///{folder / 'vivant.db'}"

def fill_disk() -> None:
    with (folder / "clip.mp4").open("ab", buffering=0) as clip:
        try:
            while True:
                clip.write(bytes(4096))
        except OSError:
            pass

Record(url, reserve_space=True).close()
assert reserve.reserve_path(folder / "vivant.db").stat().st_size == reserve.RESERVE_BYTES
fill_disk()
try:
    Record(url).close()
    raise SystemExit("a full disk kept nobody from opening the record: this test tests nothing")
except Misconfigured as error:
    print("without:", error)
record = Record(url, reserve_space=True)
with record.transaction() as connection:
    connection.exec_driver_sql("INSERT INTO secrets VALUES ('written', x'00')")
record.close()
assert not reserve.reserve_path(folder / "vivant.db").exists()
(folder / "clip.mp4").unlink()
Record(url, reserve_space=True).close()
assert reserve.reserve_path(folder / "vivant.db").exists()
print("opened")
"""


def test_a_record_on_a_full_disk_is_opened_out_of_its_reserve(tmp_path: Path) -> None:
    inside = 'mount -t tmpfs -o size=100m none "$1" && exec "$2" -c "$3" "$1"'
    command = ["unshare", "-Urm", "sh", "-c", inside, "sh", str(tmp_path), sys.executable, FULL_DISK]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except FileNotFoundError:
        pytest.skip("no unshare: a small file system cannot be mounted here")
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "opened"


def test_the_reserve_is_made_once_and_kept_while_there_is_room(tmp_path: Path) -> None:
    database = tmp_path / "vivant.db"
    assert not reserve.release(database)
    reserve.fill(database)
    made = reserve.reserve_path(database).stat()
    reserve.fill(database)
    assert reserve.reserve_path(database).stat().st_mtime_ns == made.st_mtime_ns
    assert not reserve.release(database)  # the disk is not full
    assert [path.name for path in tmp_path.iterdir()] == ["vivant.db.reserve"]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    reserve.fill(tmp_path / "missing" / "vivant.db")
