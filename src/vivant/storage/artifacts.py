"""Files of tasks, in a folder or an object store; obstore makes the two look alike. Knows paths and bytes, not tasks.

    tasks/<id>/in/first.png, last.png        what the caller sent, cleaned
    tasks/<id>/<attempt>/clip.mp4            what one attempt made; no other attempt can overwrite it

A file with its name is always whole (written beside and renamed), and in a folder it is on the disk, not in a cache,
when `put` returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, from_url

from vivant.errors import Misconfigured, NotFound, StorageFailed

CHUNK: Final = 256 * 1024  # bytes read at a time
MIN_FREE_BYTES: Final = 64 * 2**20  # bytes; the largest clips take about so much


def picture_path(task_id: str, which: str) -> str:
    """Where a task's first or last picture is kept."""
    return f"tasks/{task_id}/in/{which}.png"


def clip_path(task_id: str, attempt: int) -> str:
    """Where this attempt's clip is kept."""
    return f"tasks/{task_id}/{attempt}/clip.mp4"


def task_prefix(task_id: str) -> str:
    return f"tasks/{task_id}/"


def attempt_prefix(task_id: str, attempt: int) -> str:
    return f"tasks/{task_id}/{attempt}/"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file ready to be sent. `etag` is opaque and without quotes: the same bytes, the same etag."""

    path: str
    size: int  # bytes
    etag: str
    mime: str
    artifacts: Artifacts

    async def read(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, without, `end`, a piece at a time. Raises NotFound or StorageFailed."""
        position, end = start, self.size if end is None else min(end, self.size)
        while position < end:
            piece = await self.artifacts.get_range(self.path, position, min(end, position + CHUNK))
            yield piece
            position += len(piece)


class Artifacts:
    """The store behind one URL. Every method raises StorageFailed when the store does not work."""

    def __init__(self, url: str, *, min_free_bytes: int = MIN_FREE_BYTES) -> None:
        """Open it; a folder is made when it is not there. Raises Misconfigured."""
        self._min_free_bytes = min_free_bytes
        try:
            if url.startswith("file://"):  # what follows is a path as it stands, blanks and all
                folder = url.removeprefix("file://")
                self._store: Any = LocalStore(folder, mkdir=True)
            else:
                self._store = from_url(url)
        except (BaseError, ValueError, OSError) as error:
            raise Misconfigured(f"VIVANT_STORAGE_URL {url!r} cannot be opened: {error}.") from error
        self.folder: Path | None = Path(self._store.prefix) if isinstance(self._store, LocalStore) else None

    def put(self, path: str, data: bytes | Path) -> None:
        """Keep these bytes, or the bytes of this file, under `path`: whole and durable, or not at all."""
        try:
            obstore.put(self._store, path, data)
            if self.folder is not None:
                _sync(self.folder, path)
        except (BaseError, OSError) as error:
            raise StorageFailed(f"{path} could not be kept: {_reason(error)}.") from error

    def get(self, path: str) -> bytes:
        """All bytes of a file. Raises NotFound."""
        try:
            return bytes(obstore.get(self._store, path).bytes())
        except (NotFoundError, FileNotFoundError):
            raise NotFound(f"There is no file {path}.") from None
        except (BaseError, OSError) as error:
            raise StorageFailed(f"{path} could not be read: {_reason(error)}.") from error

    async def get_range(self, path: str, start: int, end: int) -> bytes:
        """The bytes from `start` up to, without, `end`. Raises NotFound."""
        try:
            return bytes(await obstore.get_range_async(self._store, path, start=start, end=end))
        except (NotFoundError, FileNotFoundError):
            raise NotFound(f"There is no file {path}.") from None
        except (BaseError, OSError) as error:
            raise StorageFailed(f"{path} could not be read: {_reason(error)}.") from error

    def size(self, path: str) -> int:
        """Bytes of a file. Raises NotFound."""
        try:
            return int(obstore.head(self._store, path)["size"])
        except (NotFoundError, FileNotFoundError):
            raise NotFound(f"There is no file {path}.") from None
        except (BaseError, OSError) as error:
            raise StorageFailed(f"{path} could not be read: {_reason(error)}.") from error

    def delete(self, prefix: str) -> None:
        """Delete everything under a prefix that ends with a slash; nothing there is no error."""
        if self.folder is not None:  # also what a writer that was killed left half written, which obstore hides
            _delete_folder(self.folder / prefix)
            return
        try:
            for batch in obstore.list(self._store, prefix):
                obstore.delete(self._store, [meta["path"] for meta in batch])
        except (NotFoundError, FileNotFoundError):
            pass  # somebody else deletes the same files, which is as good
        except (BaseError, OSError) as error:
            raise StorageFailed(f"{prefix} could not be deleted: {_reason(error)}.") from error

    def task_ids(self) -> list[str]:
        """Names of all folders under tasks/: the ids of tasks that have files, oldest first."""
        try:
            listed = obstore.list_with_delimiter(self._store, "tasks/")
        except (NotFoundError, FileNotFoundError):
            return []
        except (BaseError, OSError) as error:
            raise StorageFailed(f"tasks/ could not be listed: {_reason(error)}.") from error
        return sorted(prefix.rstrip("/").rsplit("/", 1)[-1] for prefix in listed["common_prefixes"])

    def check(self) -> None:
        """Raise StorageFailed unless a small file can be written and deleted now, and a folder has room for a clip."""
        if self.folder is not None and (free := shutil.disk_usage(self.folder).free) < self._min_free_bytes:
            raise StorageFailed(
                f"The disk of the files has {free >> 20} MiB free; {self._min_free_bytes >> 20} MiB are needed."
            )
        path = f"probe/{os.getpid()}"
        self.put(path, b"vivant")
        self.delete("probe/")

    async def open(self, path: str, *, etag: str, mime: str) -> StoredFile:
        """A file for sending. Raises NotFound."""
        size = await asyncio.to_thread(self.size, path)
        return StoredFile(path, size, etag, mime, self)


def _delete_folder(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass  # nothing there, or somebody else deletes it as well
    except OSError as error:
        raise StorageFailed(f"{folder} could not be deleted: {error.strerror}.") from error


def _sync(folder: Path, path: str) -> None:
    """Bring a renamed file and every folder above it, as far as the store's own, to the disk."""
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
    """The first line of what went wrong; obstore appends pages of debugging."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")


def _flush(handle: int) -> None:
    """Not into the disk's own cache, where macOS leaves it unless asked for more than fsync (fsync(2) there)."""
    if sys.platform == "darwin":
        with contextlib.suppress(OSError):  # file systems that do not know it
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
            return
    os.fsync(handle)
