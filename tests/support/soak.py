"""The soak: a real `vivant serve` under load while one thing after another fails, and what must hold all the same.

    PYTHONPATH=src:tests python -m support.soak --minutes 60 --seed 1

The seed decides the order and length of the faults and what the callers do; times of the machine still differ. Needs
Linux, for /proc. As root it mounts two small tmpfs, for the data folder and for the log, and fills them; without that
right it leaves those two faults out and says so. Exit code 1 when something did not hold.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import math
import os
import random
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from support.paths import ROOT
from support.soak_load import Caller
from vivant.cli.options import open_record
from vivant.record import keys

WORKERS: Final = 2
READY_WITHIN: Final = 75.0  # seconds after the end of a fault; a stopped worker is noticed after 30 s and set up again
END_WITHIN: Final = 20.0  # seconds from SIGTERM to the end of the process
SETTLE_WITHIN: Final = 240.0  # seconds for all tasks to end when the load has stopped
DATA_BYTES: Final = 400 * 2**20  # of the tmpfs for the data folder
FEW: Final = 24  # file descriptors by which a service may differ from its first minute
GROWTH: Final = 96 * 2**20  # bytes of resident memory by which it may
HELPERS: Final = ROOT / "tests" / "support"


@dataclass
class Row:
    """What one kind of fault did, over all its times."""

    times: int = 0
    seconds: float = 0.0
    unready: int = 0  # times in which /readyz said no, or nothing, while it lasted
    slowest_ready: float = 0.0  # seconds from the end of the fault until /readyz said yes
    outcomes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Fault:
    """One that lasts from `least` to `most` seconds. `begin` starts it and returns what ends it. After `unready_after`
    seconds /readyz must have said no; with `stays_ready` it must never.
    """

    begin: Callable[[], Callable[[], None]]
    least: float
    most: float
    unready_after: float = math.inf
    stays_ready: bool = False

    @property
    def name(self) -> str:
        return self.begin.__name__


class Soak:
    """One run in an empty folder. `only`: names of faults; empty for all. `pace`: 0.5 makes faults half as long."""

    def __init__(
        self, folder: Path, *, seed: int, minutes: float, only: frozenset[str] = frozenset(), pace: float = 1.0
    ) -> None:
        self.only, self.pace = only, pace
        self.chance = random.Random(seed)
        self.minutes = minutes
        self.folder = folder
        self.data, self.log_disk, self.store = (folder / name for name in ("data", "log", "store"))
        for path in (self.data, self.log_disk, self.store):
            path.mkdir()
        self.mounted = [path for path, size in ((self.data, DATA_BYTES), (self.log_disk, 2**20)) if _mount(path, size)]
        self.offset = folder / "offset"
        self.offset.write_text("0")
        with socket.create_server(("127.0.0.1", 0)) as chosen:
            self.port = chosen.getsockname()[1]
        self.fifo = folder / "log.fifo"
        os.mkfifo(self.fifo)
        self.broken: list[str] = []  # what did not hold
        self.rows: dict[str, Row] = {}
        self.samples: list[list[tuple[int, int]]] = []  # for each life of the service: file descriptors, resident bytes
        self.process: subprocess.Popen[bytes] | None = None
        self.lives = 0
        self.log_is_file = False
        self.reader = _LogReader(self.fifo, folder / "service.log")
        self.storage = subprocess.Popen(
            [sys.executable, str(HELPERS / "s3_server.py"), str(self.store)], stdout=subprocess.PIPE
        )
        assert self.storage.stdout is not None
        self.store_port = int(self.storage.stdout.readline())
        self.callers: list[Caller] = []

    # -- the service --------------------------------------------------------------------------------------------------

    def start_service(self) -> None:
        self.lives += 1
        self.log_is_file = self.log_disk in self.mounted and self.lives % 2 == 0
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("VIVANT_", "AWS_"))}
        environment |= {
            "VIVANT_ENGINES": "testcard", "VIVANT_WORKERS": str(WORKERS), "VIVANT_DATA": str(self.data),
            "VIVANT_STORAGE_URL": "s3://bucket/vivant", "AWS_ENDPOINT": f"http://127.0.0.1:{self.store_port}",
            "AWS_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1",
        }  # fmt: skip
        file = self.log_disk / "service.log"
        stderr = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) if self.log_is_file else self._open_fifo()
        self.process = subprocess.Popen(
            [sys.executable, str(HELPERS / "soak_service.py"), str(self.offset), str(self.port)],
            env=environment, stdout=subprocess.DEVNULL, stderr=stderr,
        )  # fmt: skip
        os.close(stderr)
        self.samples.append([])

    def _open_fifo(self) -> int:
        descriptor = os.open(self.fifo, os.O_WRONLY)
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, 4096)  # so that some dozen lines that nobody reads fill it
        return descriptor

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def children(self, module: str) -> list[int]:
        """Process ids of the service's children that run this module."""
        found = []
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                with contextlib.suppress(OSError):
                    if module.encode() in Path(f"/proc/{child}/cmdline").read_bytes():
                        found.append(int(child))
        return found

    def readiness(self) -> int:
        return Caller(self.port, "", 0).call("GET", "/readyz", within=10)[0]

    def wait_until_ready(self, within: float = READY_WITHIN) -> float:
        """How many seconds it took; -1 when it did not become ready."""
        started = time.monotonic()
        while time.monotonic() - started < within:
            assert self.process is not None
            if self.process.poll() is not None:
                self.broken.append(f"the service ended by itself with {self.process.returncode}: {self.reader.tail()}")
                self.start_service()
            if self.readiness() == 200:
                return time.monotonic() - started
            time.sleep(0.25)
        return -1.0

    def end_service(self) -> float:
        """SIGTERM; the seconds until it ended."""
        assert self.process is not None
        started = time.monotonic()
        self.process.terminate()
        try:
            self.process.wait(END_WITHIN)
        except subprocess.TimeoutExpired:
            self.broken.append(f"SIGTERM did not end the service within {END_WITHIN:.0f} s: {self.reader.tail()}")
            self.process.kill()
            self.process.wait()
        return time.monotonic() - started

    def sample(self) -> None:
        with contextlib.suppress(OSError, IndexError):
            descriptors = len(list(Path(f"/proc/{self.pid}/fd").iterdir()))
            resident = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            self.samples[-1].append((descriptors, resident))

    # -- the faults: each begins when called and ends when what it returned is called ---------------------------------

    def log_reader_stalls(self) -> Callable[[], None]:
        self.reader.reading.clear()
        return self.reader.reading.set

    def log_reader_ends(self) -> Callable[[], None]:
        self.reader.close()
        return self.reader.open

    def log_disk_full(self) -> Callable[[], None]:
        return _fill(self.log_disk)

    def data_disk_full(self) -> Callable[[], None]:
        return _fill(self.data)

    def store_hangs(self) -> Callable[[], None]:
        self.storage.send_signal(signal.SIGSTOP)
        return lambda: self.storage.send_signal(signal.SIGCONT)

    def database_locked(self) -> Callable[[], None]:
        locking = sqlite3.connect(self.data / "vivant.db", timeout=30, isolation_level=None, check_same_thread=False)
        locking.execute("BEGIN IMMEDIATE")

        def unlock() -> None:
            locking.execute("ROLLBACK")
            locking.close()

        return unlock

    def worker_killed(self) -> Callable[[], None]:
        for worker in self._some_worker():
            os.kill(worker, signal.SIGKILL)
        return lambda: None

    def worker_stopped(self) -> Callable[[], None]:
        for worker in self._some_worker():
            os.kill(worker, signal.SIGSTOP)  # nobody lets it go on: it must be found out and replaced
        return lambda: None

    def decoder_killed(self) -> Callable[[], None]:
        for decoder in self.children("vivant.intake.decoder"):
            os.kill(decoder, signal.SIGKILL)
        return lambda: None

    def clock_jumps(self) -> Callable[[], None]:
        self._set_clock(self.chance.choice([3 * 86_400, 3_600, -3_600, -3 * 86_400]))
        return lambda: self._set_clock(0)

    def slow_peers(self) -> Callable[[], None]:
        peers = _SlowPeers(self.port, self.chance)
        peers.start()
        return peers.stop

    def service_killed(self) -> Callable[[], None]:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.start_service()
        return lambda: None

    def service_restarted(self) -> Callable[[], None]:
        took = self.end_service()
        self.rows["service_restarted"].outcomes[f"ended in {took:.0f} s"] += 1
        self.start_service()
        return lambda: None

    def _some_worker(self) -> list[int]:
        workers = self.children("vivant.dispatch.worker")
        return [self.chance.choice(workers)] if workers else []

    def _set_clock(self, seconds: float) -> None:
        new = self.offset.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self.offset)

    # -- the run ------------------------------------------------------------------------------------------------------

    def faults(self) -> dict[str, Fault]:
        """Those that can be made here, by name."""
        every = [
            Fault(self.store_hangs, 5, 25, unready_after=12),
            Fault(self.database_locked, 1, 20, unready_after=12),
            Fault(self.worker_killed, 1, 3),
            Fault(self.worker_stopped, 35, 40),
            Fault(self.decoder_killed, 1, 3),
            Fault(self.clock_jumps, 1.2, 12, stays_ready=True),
            Fault(self.slow_peers, 10, 40, stays_ready=True),
            Fault(self.log_reader_stalls, 10, 30, stays_ready=True),
            Fault(self.log_reader_ends, 5, 20, stays_ready=True),
            Fault(self.service_killed, 0, 1),
            Fault(self.service_restarted, 0, 1),
        ]
        if self.log_disk in self.mounted:
            every.append(Fault(self.log_disk_full, 5, 20, stays_ready=True))
        if self.data in self.mounted:
            every.append(Fault(self.data_disk_full, 5, 20, unready_after=12))
        return {fault.name: fault for fault in every if not self.only or fault.name in self.only}

    def run(self) -> int:
        with open_record(self.data) as connection:
            made = [keys.create(connection, name=f"caller {n}", now=datetime.now(UTC))[1] for n in range(3)]
        self.start_service()
        if self.wait_until_ready() < 0:
            print("the service did not become ready:", self.reader.tail())
            return 1
        self.callers = [Caller(self.port, key, self.chance.randrange(2**32)) for key in made]
        for caller in self.callers:
            caller.start()
        until = time.monotonic() + self.minutes * 60
        faults, waiting = self.faults(), list[str]()
        while time.monotonic() < until:
            now = [name for name in waiting if self._can_begin(name)]
            if not now:  # each once, in a new order, then all again
                waiting = self.chance.sample(sorted(faults), len(faults))
                continue
            self._rest(self.pace * self.chance.uniform(3, 8))
            self._run_fault(faults[now[0]])
            waiting.remove(now[0])
        self._finish()
        return 1 if self.broken else 0

    def _can_begin(self, name: str) -> bool:
        """The log is a file in every second life of the service, and a pipe in the others."""
        return not name.startswith("log_") or (name == "log_disk_full") == self.log_is_file

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(1)
        self.sample()

    def _run_fault(self, fault: Fault) -> None:
        row = self.rows.setdefault(fault.name, Row())
        lasts = self.pace * self.chance.uniform(fault.least, fault.most)
        before = len(self.broken)
        print(f"{datetime.now(UTC):%H:%M:%S} {fault.name} for {lasts:.1f} s", flush=True)
        end = fault.begin()
        started = time.monotonic()
        unready, streak, longest = False, 0, 0  # probes
        try:
            while time.monotonic() - started < lasts:
                streak = 0 if self.readiness() == 200 else streak + 1
                unready, longest = unready or streak > 0, max(longest, streak)
                time.sleep(0.5)
        finally:
            end()
        lasted = time.monotonic() - started
        if fault.stays_ready and longest >= 3:  # once may be a busy machine
            self.broken.append(f"/readyz said no during {fault.name}")
        if not unready and lasted > fault.unready_after:
            self.broken.append(f"/readyz said yes through {lasted:.0f} s of {fault.name}")
        row.times += 1
        row.seconds += lasted
        row.unready += unready
        took = self.wait_until_ready()
        if took < 0:
            self.broken.append(f"not ready {READY_WITHIN:.0f} s after {fault.name}: {self.reader.tail()}")
        row.slowest_ready = max(row.slowest_ready, took)
        for problem in self.broken[before:]:
            print("  DID NOT HOLD:", problem, flush=True)

    def _finish(self) -> None:
        for caller in self.callers:
            caller.stop()
        started = time.monotonic()
        while self._count_unfinished() and time.monotonic() - started < SETTLE_WITHIN:
            time.sleep(1)
        self.sample()
        took = self.end_service()
        print(f"SIGTERM ended the service in {took:.1f} s")
        self._check_record()
        self._check_growth()
        for caller in self.callers:
            self.broken += caller.wrong[:5]
        self._print_table()

    def _rows(self, query: str) -> list[Any]:
        connection = sqlite3.connect(self.data / "vivant.db", timeout=30)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def _count_unfinished(self) -> int:
        return int(self._rows("SELECT count(*) FROM tasks WHERE status IN ('queued', 'running')")[0][0])

    def _check_record(self) -> None:
        tasks = {row[0]: row[1:] for row in self._rows("SELECT id, status, error_code, error_message FROM tasks")}
        accepted = {task_id for caller in self.callers for task_id in caller.accepted}
        cancelled = {task_id for caller in self.callers for task_id, asked in caller.accepted.items() if asked}
        for task_id in accepted - tasks.keys():
            self.broken.append(f"task {task_id} was accepted and is not in the record")
        for task_id, (status, code, message) in tasks.items():
            if status in ("queued", "running"):
                self.broken.append(f"task {task_id} is still {status}")
            if status == "failed" and not (code and message):
                self.broken.append(f"task {task_id} failed without a reason")
            if status == "expired":
                self.broken.append(f"task {task_id} expired, two days early")
            if status == "cancelled" and task_id not in cancelled:
                self.broken.append(f"task {task_id} is cancelled, and nobody asked for that")
        succeeded = sorted(task_id for task_id, (status, *_) in tasks.items() if status == "succeeded")
        billed = sorted(row[0] for row in self._rows("SELECT task_id FROM usage"))
        if billed != succeeded:
            self.broken.append(f"{len(succeeded)} tasks succeeded, and {len(billed)} are billed")
        for task_id, text in self._rows("SELECT id, artifact FROM tasks WHERE status = 'succeeded'"):
            artifact = json.loads(text)
            clip = self.store / "objects" / "vivant" / artifact["path"]
            if not clip.is_file() or hashlib.sha256(clip.read_bytes()).hexdigest() != artifact["sha256"]:
                self.broken.append(f"the clip of task {task_id} is not there, or not as recorded")
        if self._rows("PRAGMA integrity_check") != [("ok",)]:
            self.broken.append("the database is damaged")
        print("tasks:", dict(Counter(f"{status} {code}".strip() for status, code, _ in tasks.values())))
        print("reasons:", dict(Counter(message[:160] for status, _, message in tasks.values() if status == "failed")))
        print("answers:", dict(sum((caller.answers for caller in self.callers), Counter())))

    def _check_growth(self) -> None:
        for life, samples in enumerate(self.samples):
            if len(samples) < 8:
                continue
            quarter = len(samples) // 4
            for what, index, may in (("file descriptors", 0, FEW), ("bytes of memory", 1, GROWTH)):
                first, last = (
                    statistics.median(sample[index] for sample in part)
                    for part in (samples[:quarter], samples[-quarter:])
                )
                if last - first > may:
                    self.broken.append(f"{what} of life {life} grew from {first:.0f} to {last:.0f}")
        every = [sample for samples in self.samples for sample in samples]
        if every:
            descriptors, resident = zip(*every, strict=True)
            print(f"file descriptors {min(descriptors)}..{max(descriptors)}, "
                  f"resident {min(resident) >> 20}..{max(resident) >> 20} MiB, lives {self.lives}")  # fmt: skip

    def _print_table(self) -> None:
        print(f"{'fault':20} {'times':>5} {'seconds':>8} {'unready':>8} {'ready again, s':>15}")
        for name, row in sorted(self.rows.items()):
            print(f"{name:20} {row.times:5} {row.seconds:8.0f} {row.unready:8} {row.slowest_ready:15.1f}"
                  f"  {dict(row.outcomes) or ''}")  # fmt: skip
        missing = {"log_disk_full": self.log_disk, "data_disk_full": self.data}
        for name, path in missing.items():
            if path not in self.mounted:
                print(f"{name:20} not made: this user may not mount a tmpfs")
        print(f"{len(self.broken)} promises did not hold")
        for problem, times in Counter(self.broken).most_common(20):
            print(f"  {times} x {problem}")

    def close(self) -> None:
        for process in (self.process, self.storage):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
        self.reader.close()
        for path in self.mounted:
            subprocess.run(["umount", "--lazy", str(path)], check=False)


class _LogReader:
    """Reads the log pipe into a file, unless it stalls (`reading` is clear) or has ended (`close`)."""

    def __init__(self, fifo: Path, target: Path) -> None:
        self._fifo, self._target = fifo, target
        self.reading = threading.Event()
        self.reading.set()
        self._descriptor = -1
        self.open()
        threading.Thread(target=self._read, daemon=True).start()

    def open(self) -> None:
        self._descriptor = os.open(self._fifo, os.O_RDONLY | os.O_NONBLOCK)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def tail(self) -> str:
        return self._target.read_text(errors="replace")[-1500:]

    def _read(self) -> None:
        with self._target.open("ab", buffering=0) as target:
            while True:
                time.sleep(0.05)
                if self.reading.is_set() and self._descriptor >= 0:
                    with contextlib.suppress(OSError):
                        target.write(os.read(self._descriptor, 65_536))


class _SlowPeers(threading.Thread):
    """Connections that hold on: heads and bodies byte by byte, and answers that nobody reads."""

    def __init__(self, port: int, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self._port, self._chance = port, chance
        self._stopping = threading.Event()

    def run(self) -> None:
        body = b"POST /v3/async/seedance-v1.5-pro-i2v HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{"
        starts = [b"GET /healthz HTTP/1.1\r\nX-Slow: ", body, b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 500]
        peers: list[tuple[socket.socket, bool]] = []
        for n in range(60):
            with contextlib.suppress(OSError):
                peer = socket.create_connection(("127.0.0.1", self._port), timeout=2)
                peers.append((peer, n % 3 < 2))
                peer.sendall(starts[n % 3])
        while not self._stopping.wait(1):
            for peer, trickles in peers:
                if trickles:
                    with contextlib.suppress(OSError):
                        peer.send(b"a")
        for peer, _ in peers:
            peer.close()

    def stop(self) -> None:
        self._stopping.set()
        self.join(30)


def _mount(folder: Path, size: int) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "vivant-soak", str(folder)]
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def _fill(folder: Path) -> Callable[[], None]:
    """Leave no byte of this file system free until the returned function is called."""
    junk = folder / "junk"
    with junk.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (2**20, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
    return lambda: junk.unlink(missing_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="leave the folder with the log and the database")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="vivant-soak-"))
    print(f"soak of {options.minutes:g} minutes, seed {options.seed}, in {folder}", flush=True)
    soak = Soak(folder, seed=options.seed, minutes=options.minutes)
    try:
        return soak.run()
    finally:
        soak.close()
        if not options.keep:
            subprocess.run(["rm", "-rf", str(folder)], check=False)


if __name__ == "__main__":
    sys.exit(main())
