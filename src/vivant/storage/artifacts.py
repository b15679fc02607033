"""Stores the files of tasks in a folder or an object store, through obstore. Knows paths and bytes, not tasks.

    tasks/<id>/in/first.png, last.png        the caller's pictures, decoded and cleaned
    tasks/<id>/<attempt>/clip.mp4            one attempt's clip; no other attempt can overwrite it

A file is always complete (written under another name, then renamed), and in a folder it is on the disk, not in a
cache, when `put` returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, from_url

from vivant.errors import Misconfigured, NotFound, StorageFailed

CHUNK: Final = 256 * 1024  # bytes read at a time
MIN_FREE_BYTES: Final = 64 * 2**20  # about the size of the largest clips


def picture_path(task_id: str, which: str) -> str:
    """Path of a task's picture; `which` is "first" or "last"."""
    return f"tasks/{task_id}/in/{which}.png"


def clip_path(task_id: str, attempt: int) -> str:
    """Path of the clip that this attempt made."""
    return f"tasks/{task_id}/{attempt}/clip.mp4"


def task_prefix(task_id: str) -> str:
    return f"tasks/{task_id}/"


def attempt_prefix(task_id: str, attempt: int) -> str:
    return f"tasks/{task_id}/{attempt}/"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file to be sent. etag: opaque, without quotes, the same for the same bytes."""

    path: str
    size: int  # bytes
    etag: str
    mime: str
    artifacts: Artifacts

    async def read(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes `start` to `end` (exclusive; None: all the rest), in chunks. Raises NotFound or StorageFailed."""
        position, end = start, self.size if end is None else min(end, self.size)
        while position < end:
            piece = await self.artifacts.get_range(self.path, position, min(end, position + CHUNK))
            yield piece
            position += len(piece)


class Artifacts:
    """The file store at one URL. Every method raises StorageFailed when the store does not work."""

    def __init__(self, url: str, *, min_free_bytes: int = MIN_FREE_BYTES) -> None:
        """Open the store; create a missing folder. Raises Misconfigured."""
        self._min_free_bytes = min_free_bytes
        try:
            if url.startswith("file://"):  # the rest is a plain path and not percent-encoded
                folder = url.removeprefix("file://")
                self._store: Any = LocalStore(folder, mkdir=True)
            else:
                self._store = from_url(url)
        except (BaseError, ValueError, OSError) as error:
            raise Misconfigured(f"VIVANT_STORAGE_URL {url!r} cannot be opened: {error}.") from error
        self.folder: Path | None = Path(self._store.prefix) if isinstance(self._store, LocalStore) else None

    def put(self, path: str, data: bytes | Path) -> None:
        """Store these bytes, or this file's, at `path`: completely and durably, or not at all."""
        try:
            obstore.put(self._store, path, data)
            if self.folder is not None:
                _sync(self.folder, path)
        except (BaseError, OSError) as error:
            raise StorageFailed(f"{path} could not be stored: {_reason(error)}.") from error

    def get(self, path: str) -> bytes:
        """All bytes of a file. Raises NotFound."""
        with _reading(path):
            return bytes(obstore.get(self._store, path).bytes())

    async def get_range(self, path: str, start: int, end: int) -> bytes:
        """Bytes `start` to `end`, exclusive. Raises NotFound."""
        with _reading(path):
            return bytes(await obstore.get_range_async(self._store, path, start=start, end=end))

    def size(self, path: str) -> int:
        """Size of a file in bytes. Raises NotFound."""
        with _reading(path):
            return int(obstore.head(self._store, path)["size"])

    def delete(self, prefix: str) -> None:
        """Delete all files under a prefix that ends with a slash, if there are any."""
        if self.folder is not None:  # includes partial files of killed writers, which obstore does not list
            _delete_folder(self.folder / prefix)
            return
        try:
            for batch in obstore.list(self._store, prefix):
                obstore.delete(self._store, [meta["path"] for meta in batch])
        except (NotFoundError, FileNotFoundError):
            pass  # another process deletes the same files
        except (BaseError, OSError) as error:
            raise StorageFailed(f"{prefix} could not be deleted: {_reason(error)}.") from error

    def task_ids(self) -> list[str]:
        """Ids of the tasks that have files (the folders under tasks/), oldest first."""
        try:
            listed = obstore.list_with_delimiter(self._store, "tasks/")
        except (NotFoundError, FileNotFoundError):
            return []
        except (BaseError, OSError) as error:
            raise StorageFailed(f"tasks/ could not be listed: {_reason(error)}.") from error
        return sorted(prefix.rstrip("/").rsplit("/", 1)[-1] for prefix in listed["common_prefixes"])

    def check(self) -> None:
        """Raise StorageFailed unless a small file can be written and deleted and a folder has room for a clip."""
        if self.folder is not None and (free := shutil.disk_usage(self.folder).free) < self._min_free_bytes:
            raise StorageFailed(
                f"The disk of the files has {free >> 20} MiB free; {self._min_free_bytes >> 20} MiB are needed."
            )
        path = f"probe/{os.getpid()}"
        self.put(path, b"vivant")
        self.delete("probe/")

    async def open(self, path: str, *, etag: str, mime: str) -> StoredFile:
        """The file at `path`, to be sent. Raises NotFound."""
        size = await asyncio.to_thread(self.size, path)
        return StoredFile(path, size, etag, mime, self)


@contextlib.contextmanager
def _reading(path: str) -> Iterator[None]:
    """Errors of the store while a file is read, as NotFound and StorageFailed."""
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise NotFound(f"There is no file {path}.") from None
    except (BaseError, OSError) as error:
        raise StorageFailed(f"{path} could not be read: {_reason(error)}.") from error


def _delete_folder(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass  # does not exist, or another process deletes it
    except OSError as error:
        raise StorageFailed(f"{folder} could not be deleted: {error.strerror}.") from error


def _sync(folder: Path, path: str) -> None:
    """Flush a renamed file and the folders above it, up to the store's own, to the disk."""
    target = folder / path
    for place in (target, *target.parents):
        handle = os.open(place, os.O_RDONLY)
        try:
            _flush(handle)
        finally:
            os.close(handle)
        if place == folder:
            break


def _reason(error: Exception) -> str:
    """The first line of the error; obstore appends pages of debug output."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")


def _flush(handle: int) -> None:
    """fsync; on macOS F_FULLFSYNC, since fsync there leaves data in the drive's cache (fsync(2))."""
    if sys.platform == "darwin":
        with contextlib.suppress(OSError):  # not supported by every file system
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
            return
    os.fsync(handle)
