"""Decoder processes, seen from the service: started early, given one picture at a time, killed and replaced on failure.

A process that dies costs one picture. Each process is fed from a thread, so that the event loop never waits on a pipe.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, Final, cast

import structlog

from vivant.errors import (
    Busy,
    InvalidPicture,
    Misconfigured,
    PictureOutOfBounds,
    PictureTooLarge,
    PictureTooManyBytes,
    UnreadablePicture,
    UnsupportedPicture,
)
from vivant.intake.fetch import too_many_bytes
from vivant.intake.framing import READY, FramingError, read_head, read_part, write_abort, write_head, write_part
from vivant.request import PICTURE_BYTES, PICTURE_SIDE
from vivant.timings import DEFAULT_TIMINGS, Timings

log = structlog.get_logger(__name__)

AT_ONCE: Final = 2  # decoder processes; each may take some 700 MiB for the largest picture
MAX_WAITING: Final = 128  # pictures that may wait for a decoder
DECODER_COMMAND: Final = (sys.executable, "-I", "-m", "vivant.intake.decoder")
LONGEST: Final = PICTURE_SIDE[1]  # pixels, excluded
PNG_BYTES: Final = 192 * 2**20  # no PNG of 6000 x 6000 RGB is longer
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


class Decoders:
    """`count` decoder processes, each started with `command`. `start` before, `stop` after."""

    def __init__(
        self, count: int = AT_ONCE, *, timings: Timings = DEFAULT_TIMINGS, max_waiting: int = MAX_WAITING,
        command: Sequence[str] = DECODER_COMMAND,
    ) -> None:  # fmt: skip
        self._all = [_Decoder(command) for _ in range(count)]
        self._max_waiting = max_waiting
        self._timings = timings
        self._free: asyncio.Queue[_Decoder] = asyncio.Queue()
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="decoder")
        self._waiting = 0

    async def start(self) -> None:
        for decoder in self._all:
            decoder.spawn()
            self._free.put_nowait(decoder)

    async def stop(self) -> None:
        for decoder in self._all:
            decoder.close()
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
        for decoder in self._all:
            decoder.reap()

    @property
    def pids(self) -> list[int]:
        """The living processes."""
        return [decoder.process.pid for decoder in self._all if decoder.process and decoder.process.poll() is None]

    async def clean(self, pieces: Iterable[bytes | bytearray | memoryview], *, ratio: str | None) -> CleanPicture:
        """Decode the picture file that `pieces` add up to; a thread iterates them once, or twice after a crash.

        Raises InvalidPicture, what `pieces` raises, or Busy when too many pictures wait.
        """
        if self._waiting >= self._max_waiting:
            raise Busy("Too many pictures wait to be decoded; send this request again shortly.")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._timings.decoder_free_within):
                decoder = await self._free.get()
        except TimeoutError:
            raise Busy("No decoder became free; send this request again shortly.") from None
        finally:
            self._waiting -= 1
        try:
            return await self._run(decoder, pieces, {"ratio": ratio})
        finally:
            self._free.put_nowait(decoder)

    async def _run(
        self, decoder: _Decoder, pieces: Iterable[bytes | bytearray | memoryview], job: dict[str, str | None]
    ) -> CleanPicture:
        for attempt in (1, 2):
            work = asyncio.get_running_loop().run_in_executor(self._threads, decoder.decode_one, pieces, job)
            try:
                async with asyncio.timeout(self._timings.decode_within):
                    return await asyncio.shield(work)
            except TimeoutError:
                why, final = "took too long", True
            except (FramingError, OSError) as error:
                # Something else may have killed it, such as the system when memory is short: try one new process.
                why, final = "failed", attempt == 2
                log.info("decoder failed", error=f"{type(error).__name__}: {error}")
            finally:
                if not work.done():
                    decoder.kill()  # this closes the pipe, which ends its thread
                    await asyncio.wait({work})
                    work.exception()
            log.warning("decoder replaced", why=why)
            decoder.kill()
            if final:
                raise UnreadablePicture(f"the picture could not be decoded: the decoder {why}.")
        raise AssertionError("two attempts end in an answer or an error")


class _Decoder:
    """One decoder process and its pipes. All methods except `spawn` and `kill` block and belong in a thread."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self.process: subprocess.Popen[bytes] | None = None
        self.jobs = 0
        self.spent = False  # killed, or about to be; must not be used again
        self.closed = False

    def spawn(self) -> None:
        self.reap()
        if self.closed:
            raise Busy("The service is going down.")
        self.jobs, self.spent = 0, False
        self.process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_bare_environment(),
            cwd="/",
            start_new_session=True,  # Ctrl-C is for the service
        )

    def kill(self) -> None:
        self.spent = True
        if self.process is not None:
            self.process.kill()

    def close(self) -> None:
        """End for good: no process is started again."""
        self.closed = True
        self.kill()

    def reap(self) -> None:
        """End the process and close its pipes. Only when no thread uses them."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                with suppress(OSError):  # flushing into a pipe without a reader
                    cast(IO[bytes], pipe).close()
            self.process = None

    def decode_one(self, pieces: Iterable[bytes | bytearray | memoryview], job: dict[str, str | None]) -> CleanPicture:
        """One picture. Raises InvalidPicture, what `pieces` raises, FramingError or OSError when the process failed."""
        if self.process is None or self.spent or self.process.poll() is not None or self.jobs >= JOBS_PER_LIFE:
            self.spawn()
        assert self.process is not None
        self.jobs += 1
        jobs, answers = cast(IO[bytes], self.process.stdin), cast(IO[bytes], self.process.stdout)
        if self.jobs == 1:
            self._await_ready(answers)
        write_head(jobs, job)
        self._send(pieces, jobs)
        head = read_head(answers)
        png = read_part(answers, PNG_BYTES)
        if head is None or png is None:
            raise FramingError("ABORT from a decoder.")
        if head.get("retire"):
            self.kill()
        if "error" in head:
            log.info("picture refused", code=head["error"], why=head.get("why"))
            raise _ERRORS.get(str(head["error"]), UnreadablePicture)(str(head.get("message", ""))[:500])
        return _check_answer(png, head)

    def _await_ready(self, answers: IO[bytes]) -> None:
        """Wait until a new process is ready. Raises Misconfigured when it does not start: no picture can cause that."""
        try:
            hello = read_head(answers)
        except FramingError:
            hello = None
        if hello != READY:
            self.kill()
            raise Misconfigured("Pictures cannot be decoded: a decoder process does not start. Run `vivant doctor`.")

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


def _ihdr(width: int, height: int) -> bytes:
    """Type and content of a PNG's first chunk for 8-bit RGB without interlace (PNG 3rd edition, 11.2.1)."""
    return b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((8, 2, 0, 0, 0))


def _bare_environment() -> dict[str, str]:
    """The environment of a decoder: where libraries are. Keys and addresses of stores are not passed on."""
    wanted = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "LANG", "SYSTEMROOT")
    return {"PATH": os.defpath, **{name: os.environ[name] for name in wanted if name in os.environ}}
