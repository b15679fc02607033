"""Opens finished files for sending. Of a folder the file is opened once and read from that handle, so that a download
goes on when the sweep deletes the file. An object store has no handles: there the download breaks off.
"""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vivant.blocking import BlockingCalls
from vivant.errors import DamagedFile, NotFound, StorageFailed
from vivant.storage.artifacts import Artifacts
from vivant.task import Artifact

CHUNK: Final = 256 * 1024  # bytes read at a time


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file to be sent. etag: opaque, without quotes, the same for the same bytes.

    `read_range`: the bytes from the first number to the second, exclusive, in one piece.
    """

    path: str
    size: int  # bytes
    etag: str
    mime: str
    read_range: Callable[[int, int], Awaitable[bytes]]

    async def read(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes `start` to `end` (exclusive; None: all the rest), in chunks of at most CHUNK bytes.

        Raises NotFound, StorageFailed, or DamagedFile when the file has become shorter.
        """
        position, end = start, self.size if end is None else min(end, self.size)
        while position < end:
            piece = await self.read_range(position, min(end, position + CHUNK))
            if not piece:
                raise DamagedFile("The file has become shorter while it was sent.")
            yield piece
            position += len(piece)


class Downloads:
    """Opens files of a store. `calls` run what blocks; `within`: seconds for an object store to send one piece."""

    def __init__(self, artifacts: Artifacts, calls: BlockingCalls, *, within: float) -> None:
        self._artifacts = artifacts
        self._calls = calls
        self._within = within

    async def open(self, artifact: Artifact) -> StoredFile:
        """The file of this artifact. Raises NotFound, StorageFailed, or DamagedFile when it has another size."""
        if self._artifacts.folder is not None:
            handle = await self._calls.run(_Handle, self._artifacts.folder / artifact.path)
            size, read_range = handle.size, self._reader(handle)
        else:
            size = await self._calls.run(self._artifacts.size, artifact.path)
            read_range = self._requester(artifact.path)
        if size != artifact.size:
            raise DamagedFile(f"The stored file has {size} bytes; {artifact.size} were recorded.")
        return StoredFile(artifact.path, size, artifact.sha256, artifact.mime, read_range)

    def _reader(self, handle: _Handle) -> Callable[[int, int], Awaitable[bytes]]:
        async def read_range(start: int, end: int) -> bytes:
            return await self._calls.run(handle.read, start, end)

        return read_range

    def _requester(self, path: str) -> Callable[[int, int], Awaitable[bytes]]:
        async def read_range(start: int, end: int) -> bytes:
            try:
                async with asyncio.timeout(self._within):
                    return await self._artifacts.get_range(path, start, end)
            except TimeoutError:
                raise StorageFailed(f"The file store did not answer within {self._within:g} s.") from None

        return read_range


class _Handle:
    """An open file of a folder. It is closed when nobody refers to it any more: a thread that still reads does."""

    def __init__(self, path: Path) -> None:
        """Raises NotFound, StorageFailed."""
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound("The file is no longer there.") from None
        except OSError as error:
            raise _unreadable(error) from error
        weakref.finalize(self, os.close, self._file)
        self.size = os.fstat(self._file).st_size  # bytes

    def read(self, start: int, end: int) -> bytes:
        """Bytes `start` to `end`, exclusive; fewer at the end of the file. Raises StorageFailed."""
        try:
            return os.pread(self._file, end - start, start)
        except OSError as error:
            raise _unreadable(error) from error


def _unreadable(error: OSError) -> StorageFailed:
    return StorageFailed(f"A file could not be read: {os.strerror(error.errno or 0)}.", detail=str(error))
