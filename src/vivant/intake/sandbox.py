"""Decoder processes, seen from the service: started early, given one picture at a time, killed and replaced on failure.

A process that dies costs one picture. Each process is fed from a thread, so that the event loop never waits on a pipe.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, Final, cast

import structlog

from vivant.blocking import BlockingCalls
from vivant.errors import (
    Busy,
    InvalidPicture,
    Misconfigured,
    PictureOutOfBounds,
    PictureTooLarge,
    PictureTooManyBytes,
    UnreadablePicture,
    UnsupportedPicture,
    VivantError,
)
from vivant.intake.confinement import CPU_SECONDS
from vivant.intake.fetch import too_many_bytes
from vivant.intake.framing import READY, FramingError, read_head, read_part, write_abort, write_head, write_part
from vivant.request import PICTURE_BYTES, PICTURE_SIDE
from vivant.shares import Shares
from vivant.timings import DEFAULT_TIMINGS, Timings
from vivant.turns import Turns

log = structlog.get_logger(__name__)

AT_ONCE: Final = 2  # decoder processes; each may take some 700 MiB for the largest picture
WAITING: Final = 128  # pictures that may wait for a decoder
WAITING_EACH: Final = 32  # of one key
DECODER_COMMAND: Final = (sys.executable, "-I", "-m", "vivant.intake.decoder")
LONGEST: Final = PICTURE_SIDE[1]  # pixels, excluded
PNG_BYTES: Final = 64 * 2**20  # the largest clean picture has 3150 x 5999 pixels of 3 bytes: 1.25 canvases of 21:9 wide
JOBS_PER_LIFE: Final = 1000  # then a new process, in case a codec leaks memory
# Errors that a decoder may answer, by code; every other code means UnreadablePicture.
_ERRORS: Final[dict[str, type[InvalidPicture]]] = {
    kind.code: kind
    for kind in (InvalidPicture, UnsupportedPicture, PictureTooManyBytes, PictureOutOfBounds, PictureTooLarge)
}


@dataclass(frozen=True, slots=True)
class CleanPicture:
    """A picture that an engine may see. png: 8-bit RGB, sRGB, upright, no metadata; width and height are the PNG's.

    Raises ValueError unless the header of the PNG says the same.
    """

    png: bytes
    width: int
    height: int

    def __post_init__(self) -> None:
        sides = (self.width, self.height)
        right = all(type(side) is int and 0 < side < LONGEST for side in sides)
        if not right or self.png[:8] != b"\x89PNG\r\n\x1a\n" or self.png[12:29] != _ihdr(*sides):
            raise ValueError(f"A clean picture is an 8-bit RGB PNG of its width and height, got {sides}.")


class DecoderFailed(Exception):
    """The process died or answered nonsense. `exit_code`: as subprocess gives it; None when the process still ran."""

    def __init__(self, problem: str, exit_code: int | None) -> None:
        super().__init__(f"{problem} (exit code {exit_code})")
        self.exit_code = exit_code


class _NotInTime(VivantError):
    """A decoder process did not answer within its time."""


class Decoders:
    """`count` decoder processes, each started with `command`. `start` before, `stop` after.

    One key never holds all of them, so that the pictures of others find a decoder whatever its own pictures take.
    """

    def __init__(
        self, count: int = AT_ONCE, *, timings: Timings = DEFAULT_TIMINGS, waiting: int = WAITING,
        waiting_each: int = WAITING_EACH, command: Sequence[str] = DECODER_COMMAND,
    ) -> None:  # fmt: skip
        self._count = count
        self._command = command
        self._turns = Turns(
            count,
            each=max(1, count - 1),
            waiting=Shares(
                waiting,
                each=min(waiting, waiting_each),
                full="Too many pictures wait to be decoded; send this request again shortly.",
                share_full="Too many pictures of this key wait to be decoded; send this request again shortly.",
            ),
            within=timings.decoder_free_within,
            late="No decoder became free; send this request again shortly.",
        )
        # A thread that still feeds a process which was just killed must not keep the next picture waiting.
        self._calls = BlockingCalls(
            "A picture decoder", threads=2 * count, within=timings.decode_within, late=_NotInTime
        )
        self._idle: list[_Decoder] = []
        self._living: set[_Decoder] = set()
        self._stopped = False

    @property
    def confinement(self) -> dict[str, bool]:
        """Which limits hold in the processes, as the last one that became ready said; empty before."""
        return next((decoder.confinement for decoder in self._living if decoder.confinement), {})

    async def start(self) -> None:
        """Start the processes; returns before they are ready."""
        self._idle = [self._make() for _ in range(self._count)]
        for decoder in self._idle:
            await self._calls.run(decoder.spawn)

    async def stop(self) -> None:
        """End all processes, also those at work."""
        self._stopped = True
        with suppress(VivantError):  # a process that cannot be ended is the system's
            await self._calls.run(self._end_all)
        self._calls.close()

    @property
    def pids(self) -> list[int]:
        """The living processes."""
        return [pid for decoder in self._living if (pid := decoder.pid) is not None]

    async def clean(
        self, pieces: Iterable[bytes | bytearray | memoryview], *, ratio: str | None, owner: str = ""
    ) -> CleanPicture:
        """Decode the picture file that `pieces` add up to; a thread iterates them once, or twice after a retry.

        `owner` is the key whose turn it is. Raises InvalidPicture, what `pieces` raises, or Busy when too many wait.
        """
        async with self._turns.take(owner):
            try:
                return await self._decode(pieces, ratio)
            except DecoderFailed as failure:
                if failure.exit_code not in (-signal.SIGKILL, -signal.SIGTERM):
                    raise _blame_picture(failure) from None
            # The system, short of memory, or somebody else has ended the process: that may not be the picture's doing.
            try:
                return await self._decode(pieces, ratio)
            except DecoderFailed as failure:
                raise _blame_picture(failure) from None

    async def _decode(self, pieces: Iterable[bytes | bytearray | memoryview], ratio: str | None) -> CleanPicture:
        """One try, in an idle process or a new one. Raises DecoderFailed besides what `clean` raises."""
        if self._stopped:
            raise Busy("The service is going down.")
        decoder = self._idle.pop() if self._idle else self._make()
        try:
            picture = await self._calls.run(decoder.decode_one, pieces, {"ratio": ratio})
        except (_NotInTime, asyncio.CancelledError) as error:
            self._discard(decoder)  # its thread may still be at work, or only about to begin
            if isinstance(error, _NotInTime):
                log.warning("decoder ended", why="took too long")
                raise UnreadablePicture("the picture could not be decoded: the decoder took too long.") from None
            raise
        except Exception as error:
            if isinstance(error, DecoderFailed):
                log.warning("decoder ended", why=str(error))
            self._put_back(decoder)
            raise
        self._put_back(decoder)
        return picture

    def _put_back(self, decoder: _Decoder) -> None:
        if decoder.usable and not self._stopped:
            self._idle.append(decoder)
        else:
            self._discard(decoder)

    def _discard(self, decoder: _Decoder) -> None:
        decoder.end()
        self._living.discard(decoder)

    def _make(self) -> _Decoder:
        decoder = _Decoder(self._command)
        self._living.add(decoder)
        return decoder

    def _end_all(self) -> None:
        for decoder in tuple(self._living):
            decoder.end()
        self._idle.clear()
        self._living.clear()


def _blame_picture(failure: DecoderFailed) -> UnreadablePicture:
    if failure.exit_code == -signal.SIGXCPU:
        why = f"it takes more than {CPU_SECONDS} s of processor time"
    else:
        why = "the decoder failed"
    return UnreadablePicture(f"the picture could not be decoded: {why}.")


class _Decoder:
    """One decoder process and its pipes, from its start to its end. `spawn` and `decode_one` block: for threads."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._jobs = 0
        self.confinement: dict[str, bool] = {}
        self._lock = threading.Lock()
        self._at_work = False  # a thread uses the pipes
        self._ended = False
        self._in_step = True  # no half of a job or an answer is in the pipes

    @property
    def usable(self) -> bool:
        """Whether another picture can be given to it; a process that died meanwhile is noticed then."""
        return self._in_step and not self._ended and self._jobs < JOBS_PER_LIFE

    @property
    def pid(self) -> int | None:
        """Of the living process."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def spawn(self) -> None:
        with self._lock:
            if self._ended or self._process is not None:
                return
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_bare_environment(),
                cwd="/",
                start_new_session=True,  # Ctrl-C is for the service
            )

    def end(self) -> None:
        """Kill the process for good. If a thread is at work with it, that thread sees the pipe closed and tidies up."""
        with self._lock:
            self._ended = True
            if self._process is not None:
                self._process.kill()
            idle = None if self._at_work else self._take_process()
        _reap(idle)

    def decode_one(self, pieces: Iterable[bytes | bytearray | memoryview], job: dict[str, str | None]) -> CleanPicture:
        """One picture. Raises InvalidPicture, what `pieces` raises, or DecoderFailed."""
        self._replace_dead()
        self.spawn()
        with self._lock:
            if self._ended or self._process is None:
                raise DecoderFailed("The decoder was stopped.", None)
            self._at_work = True
            process = self._process
        try:
            return self._exchange(process, pieces, job)
        finally:
            self._leave()

    def _exchange(
        self,
        process: subprocess.Popen[bytes],
        pieces: Iterable[bytes | bytearray | memoryview],
        job: dict[str, str | None],
    ) -> CleanPicture:
        jobs, answers = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
        self._in_step = False
        try:
            if not self._jobs:
                self._await_ready(answers)
            self._jobs += 1
            write_head(jobs, job)
            try:
                self._send(pieces, jobs)
            except OSError:
                raise
            except Exception:
                self._in_step = True  # something is wrong with the pieces, and the decoder was told to forget the job
                raise
            head = read_head(answers)
            png = read_part(answers, PNG_BYTES)
            if head is None or png is None:
                raise FramingError("ABORT from a decoder.")
            if "error" not in head:
                picture = _check_answer(png, head)
        except (FramingError, OSError) as error:
            raise DecoderFailed(f"{type(error).__name__}: {error}", _exit_code(process)) from None
        self._in_step = not head.get("retire")
        if "error" in head:
            log.info("picture refused", code=str(head["error"])[:40], why=str(head.get("why"))[:300])
            raise _ERRORS.get(str(head["error"]), UnreadablePicture)(str(head.get("message", ""))[:500])
        return picture

    def _await_ready(self, answers: IO[bytes]) -> None:
        """Wait until a new process is ready. Raises Misconfigured when it does not start: no picture can cause that."""
        try:
            hello = read_head(answers) or {}
        except FramingError:
            hello = {}
        if {key: hello.get(key) for key in READY} != READY:
            raise Misconfigured("Pictures cannot be decoded: a decoder process does not start. Run `vivant doctor`.")
        self.confinement = hello.get("confinement") or {}

    def _leave(self) -> None:
        with self._lock:
            self._at_work = False
            useless = self._take_process() if self._ended or not self._in_step else None
        _reap(useless)

    def _replace_dead(self) -> None:
        """Forget a process that ended while it was idle."""
        with self._lock:
            dead = self._take_process() if self._process is not None and self._process.poll() is not None else None
        _reap(dead)

    def _take_process(self) -> subprocess.Popen[bytes] | None:
        """The process, for the caller to reap outside the lock."""
        process, self._process, self._jobs = self._process, None, 0
        return process

    @staticmethod
    def _send(pieces: Iterable[bytes | bytearray | memoryview], jobs: IO[bytes]) -> None:
        size, whole = 0, False
        try:
            for piece in pieces:
                size += len(piece)
                if size > PICTURE_BYTES:
                    raise too_many_bytes()
                if piece:
                    write_part(jobs, piece)
            whole = True
        finally:
            if whole:
                write_part(jobs, b"")
                jobs.flush()
            else:
                write_abort(jobs)


def _check_answer(png: bytes, head: dict[str, Any]) -> CleanPicture:
    """The picture of an answer. A file may have taken over the decoder, so its answer is not trusted.

    Checks the PNG's signature, header, chunk checksums and end, not its pixels. Raises FramingError.
    """
    width, height = head.get("width"), head.get("height")
    if type(width) is not int or type(height) is not int:
        raise FramingError("An answer without a size.")
    try:
        picture = CleanPicture(png, width, height)
    except ValueError as error:
        raise FramingError(str(error)) from None
    view, at, kinds = memoryview(png), 8, set()
    while at + 12 <= len(png):
        end = at + 8 + int.from_bytes(view[at : at + 4], "big")
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise FramingError("An answer with a damaged part.")
        kind = bytes(view[at + 4 : at + 8])
        kinds.add(kind)
        at = end + 4
    if at != len(png) or kinds != {b"IHDR", b"IDAT", b"IEND"} or kind != b"IEND":
        raise FramingError("An answer with parts that do not belong.")
    return picture


def _reap(process: subprocess.Popen[bytes] | None) -> None:
    """End a process and close its pipes. Only when no thread uses them."""
    if process is None:
        return
    process.kill()
    with suppress(subprocess.TimeoutExpired):  # the system cannot end it now; nobody waits for that
        process.wait(timeout=1.0)
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):  # flushing into a pipe without a reader
            cast(IO[bytes], pipe).close()


def _exit_code(process: subprocess.Popen[bytes]) -> int | None:
    """The exit code of a process whose pipe broke; None when it still runs, and only talks nonsense."""
    try:
        return process.wait(timeout=0.5)
    except subprocess.TimeoutExpired:
        return None


def _ihdr(width: int, height: int) -> bytes:
    """Type and content of a PNG's first chunk for 8-bit RGB without interlace (PNG 3rd edition, 11.2.1)."""
    return b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((8, 2, 0, 0, 0))


def _bare_environment() -> dict[str, str]:
    """The environment of a decoder: where libraries are. Keys and addresses of stores are not passed on."""
    wanted = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "LANG", "SYSTEMROOT")
    return {"PATH": os.defpath, **{name: os.environ[name] for name in wanted if name in os.environ}}
