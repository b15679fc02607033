"""What code that has taken over a decoder can still do: attempts, made in a process under the decoder's own limits."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what is tried here is Linux's")

ATTEMPTS = """
import ctypes, json, os, resource, signal, socket, sys, threading
from vivant.intake.confinement import confine

folder, port, user = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
victim = os.fork()
if user:
    os.setgroups([]), os.setgid(user), os.setuid(user)
if victim == 0:
    os.closerange(0, 3)
    signal.alarm(30)
    signal.pause()
inherited = os.open("/etc/hostname", os.O_RDONLY)
libc = ctypes.CDLL(None, use_errno=True)
held = confine()

def call(name, *arguments):
    result = getattr(libc, name)(*arguments)
    if result == -1:
        raise OSError(ctypes.get_errno(), name)

def open_after_close():
    os.close(2)
    os.open(folder + "/secret", os.O_RDONLY)

def fork():
    pid = os.fork()
    if pid == 0:
        os._exit(0)

def thread():
    started = threading.Thread(target=int)
    started.start()

def raise_limits():
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))

def map_code():
    libc.mmap.restype = ctypes.c_void_p
    if libc.mmap(None, 4096, 7, 0x22, -1, 0) == ctypes.c_void_p(-1).value:
        raise OSError("mmap")

attempts = {
    "use an inherited file": lambda: os.read(inherited, 1),
    "open a file": lambda: os.open("/etc/hostname", os.O_RDONLY),
    "open a file after closing one": open_after_close,
    "duplicate a file": lambda: os.dup(1),
    "open a socket": lambda: socket.create_connection(("127.0.0.1", port)),
    "socketpair": socket.socketpair,
    "pipe": os.pipe,
    "memfd": lambda: os.memfd_create("x"),
    "epoll": lambda: __import__("select").epoll(),
    "unlink": lambda: os.unlink(folder + "/secret"),
    "rename": lambda: os.rename(folder + "/secret", folder + "/gone"),
    "make a folder": lambda: os.mkdir(folder + "/made"),
    "link": lambda: os.symlink("/", folder + "/link"),
    "chmod": lambda: os.chmod(folder + "/secret", 0o777),
    "truncate": lambda: os.truncate(folder + "/secret", 0),
    "make a pipe file": lambda: os.mkfifo(folder + "/fifo"),
    "list a folder": lambda: os.listdir(folder),
    "look into a process": lambda: os.open(f"/proc/{victim}/mem", os.O_RDWR),
    "trace a process": lambda: call("ptrace", 16, victim, 0, 0),
    "kill a process": lambda: os.kill(victim, 9),
    "stop a process": lambda: os.kill(victim, signal.SIGSTOP),
    "fork": fork,
    "start a thread": thread,
    "raise limits": raise_limits,
    "limits of another": lambda: resource.prlimit(victim, resource.RLIMIT_CPU, (1, 1)),
    "become root": lambda: os.setuid(0),
    "unshare": lambda: call("unshare", 0x10000000),
    "chroot": lambda: os.chroot(folder),
    "priority of another": lambda: os.setpriority(os.PRIO_PROCESS, victim, 19),
    "map memory that can be executed": map_code,
}
done = []
for name, attempt in attempts.items():
    try:
        attempt()
        done.append(name)
    except Exception:
        pass
sys.stdout.write(json.dumps({"held": held, "done": done}) + "\\n")
sys.stdout.flush()
try:
    os.execv("/bin/echo", ["/bin/echo"])  # it cannot load its libraries without files, but this process is gone
except OSError:
    os.write(1, b"no other program")
os._exit(0)
"""
# What a limit on files, memory and processes leaves to a process of the service's own user; only the filter of system
# calls stops it.
LEFT_WITHOUT_FILTER = {
    "unlink", "rename", "make a folder", "link", "chmod", "truncate", "make a pipe file", "trace a process",
    "kill a process", "stop a process", "limits of another", "unshare", "priority of another",
    "map memory that can be executed", "another program",
}  # fmt: skip


def attempt_all(folder: Path, user: int, before: str = "") -> dict[str, Any]:
    """Make the attempts in a process of this user (0: of this one's), with a file of that user in `folder`."""
    (folder / "secret").write_text("secret")
    if user:
        os.chown(folder, user, user)
        os.chown(folder / "secret", user, user)
    command = [sys.executable, "-c", before + ATTEMPTS, str(folder), "9", str(user)]
    ended = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert ended.stdout, ended.stderr.decode()[-2000:]
    first, _, rest = ended.stdout.partition(b"\n")
    result: dict[str, Any] = json.loads(first)
    if rest != b"no other program":
        result["done"].append("another program")
    return result


def has_libseccomp() -> bool:
    try:
        return bool(ctypes.CDLL("libseccomp.so.2"))
    except OSError:
        return False


@linux_only
def test_under_a_filter_of_system_calls_nothing_is_left_to_do(tmp_path: Path) -> None:
    if not has_libseccomp():
        pytest.skip("this machine has no libseccomp")
    result = attempt_all(tmp_path, 65_534 if os.geteuid() == 0 else 0)
    assert result["held"]["few system calls"] and result["held"]["no files"]
    assert result["done"] == []
    assert (tmp_path / "secret").read_text() == "secret"


@linux_only
@pytest.mark.skipif(sys.platform == "darwin" or os.geteuid() != 0, reason="only root becomes another user")
def test_a_service_that_runs_as_root_decodes_as_nobody(tmp_path: Path) -> None:
    result = attempt_all(tmp_path, 0)
    assert result["held"]["user of its own"] and result["held"]["no files"]
    assert result["done"] == []


@linux_only
def test_without_the_filter_no_file_and_no_connection_can_be_opened(tmp_path: Path) -> None:
    """What holds on machines without libseccomp: hides it from the process, and makes the same attempts."""
    hidden = (
        "import ctypes; real = ctypes.CDLL\nctypes.CDLL = lambda name, **o: real('missing' if name else None, **o)\n"
    )
    result = attempt_all(tmp_path, 65_534 if os.geteuid() == 0 else 0, before=hidden)
    assert not result["held"]["few system calls"] and result["held"]["no files"]
    assert set(result["done"]) <= LEFT_WITHOUT_FILTER


def test_a_job_that_takes_too_much_processor_time_is_ended_by_the_system() -> None:
    program = "from vivant.intake.confinement import allow_cpu\nallow_cpu(1)\nwhile True: pass"
    done = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert done.returncode == -signal.SIGXCPU
