"""Stores the files of tasks in a folder or an object store, through obstore. Knows paths and bytes, not tasks.

    tasks/<id>/in/first.png, last.png        the caller's pictures, decoded and cleaned
    tasks/<id>/<attempt>/clip.mp4            one attempt's clip; no other attempt can overwrite it

A file is always complete (written under another name, then renamed), and in a folder it is on the disk, not in a
cache, when `put` returns.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import LocalStore, from_url

from vivant.errors import Misconfigured, NotFound, StorageFailed
from vivant.timings import DEFAULT_TIMINGS

CLIP: Final = "clip.mp4"
MIN_FREE_BYTES: Final = 64 * 2**20  # about the size of the largest clips
CONNECT_WITHIN: Final = 5.0  # seconds for a connection to an object store
RETRIES: Final = 2  # of one request to an object store
# Scheme of the URL -> how the environment variables begin that configure such a store.
_PREFIXES: Final = {"s3": "AWS", "s3a": "AWS", "gs": "GOOGLE"} | dict.fromkeys(
    ("az", "azure", "abfs", "abfss", "adl"), "AZURE"
)
_OS_ERROR: Final = re.compile(r"\(os error (\d+)\)")  # how obstore ends the message of an error of the system


def picture_path(task_id: str, which: str) -> str:
    """Path of a task's picture; `which` is "first" or "last"."""
    return f"tasks/{task_id}/in/{which}.png"


def clip_path(task_id: str, attempt: int) -> str:
    """Path of the clip that this attempt made."""
    return f"tasks/{task_id}/{attempt}/{CLIP}"


def task_prefix(task_id: str) -> str:
    return f"tasks/{task_id}/"


def attempt_prefix(task_id: str, attempt: int) -> str:
    return f"tasks/{task_id}/{attempt}/"


class Artifacts:
    """The file store at one URL. Every method but `get_range` blocks, and every method raises StorageFailed when the
    store does not work: the message may be told to callers, what the store itself said is in `detail`.

    A request to an object store ends within about `within` seconds. A folder may hang (a network disk whose server is
    gone), so whoever must not wait calls through `vivant.blocking`.
    """

    def __init__(
        self, url: str, *, within: float = DEFAULT_TIMINGS.store_within, min_free_bytes: int = MIN_FREE_BYTES
    ) -> None:
        """Open the store; create a missing folder. Raises Misconfigured."""
        self._min_free_bytes = min_free_bytes
        try:
            if url.startswith("file://"):  # the rest is a plain path and not percent-encoded
                folder = url.removeprefix("file://")
                self._store: Any = LocalStore(folder, mkdir=True)
            elif url.startswith("memory:"):
                self._store = from_url(url)
            else:
                self._store = from_url(url, **_limits(url, within=within))
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
            raise _failed("A file could not be stored", path, error) from error

    def create(self, path: str, data: bytes) -> bool:
        """The same unless there is a file already. False: there is one, and it is unchanged."""
        try:
            obstore.put(self._store, path, data, mode="create")
            if self.folder is not None:
                _sync(self.folder, path)
        except AlreadyExistsError:
            return False
        except (BaseError, OSError) as error:
            raise _failed("A file could not be stored", path, error) from error
        return True

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
            raise _failed("Files could not be deleted", prefix, error) from error

    def task_ids(self) -> list[str]:
        """Ids of the tasks that have files (the folders under tasks/), oldest first."""
        return self._folders("tasks/")

    def has_clip(self, task_id: str) -> bool:
        """Whether any attempt of this task has stored a clip."""
        for attempt in self._folders(task_prefix(task_id)):
            with contextlib.suppress(NotFound):
                self.size(f"{task_prefix(task_id)}{attempt}/{CLIP}")
                return True
        return False

    def _folders(self, prefix: str) -> list[str]:
        """Names of the folders under a prefix that ends with a slash, sorted."""
        try:
            listed = obstore.list_with_delimiter(self._store, prefix)
        except (NotFoundError, FileNotFoundError):
            return []
        except (BaseError, OSError) as error:
            raise _failed("The files could not be listed", prefix, error) from error
        return sorted(found.rstrip("/").rsplit("/", 1)[-1] for found in listed["common_prefixes"])

    def check(self) -> None:
        """Raise StorageFailed unless a small file can be written and deleted and there is room for a clip."""
        self.check_room()
        prefix = f"probe-{secrets.token_hex(8)}/"  # of its own: several processes may check at a time
        self.put(f"{prefix}written", b"vivant")
        self.delete(prefix)

    def check_room(self) -> None:
        """Raise StorageFailed unless the disk of a folder has room for a clip. Object stores do not tell their room."""
        if self.folder is None:
            return
        try:
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise _failed("The folder of the files cannot be used", str(self.folder), error) from error
        if free < self._min_free_bytes:
            raise StorageFailed(
                f"The disk of the files has {free >> 20} MiB free; {self._min_free_bytes >> 20} MiB are needed."
            )


def _limits(url: str, *, within: float) -> dict[str, Any]:
    """How long obstore may take for one request, its retries included: its own defaults retry for three minutes.

    Options of the HTTP client that are given as arguments replace all that obstore would read from the environment,
    so those that an installation may need are read here.
    """
    scheme = url.partition("://")[0]
    prefix = _PREFIXES.get(scheme)
    given: Mapping[str, str] = os.environ if prefix else {}
    options: dict[str, Any] = {
        "timeout": timedelta(seconds=within * 0.9),
        "connect_timeout": timedelta(seconds=min(CONNECT_WITHIN, within * 0.9)),
        "allow_http": scheme == "http" or _is_true(given.get(f"{prefix}_ALLOW_HTTP")),
        "allow_invalid_certificates": _is_true(given.get(f"{prefix}_ALLOW_INVALID_CERTIFICATES")),
    }
    if proxy := given.get(f"{prefix}_PROXY_URL"):
        options["proxy_url"] = proxy
    pauses = {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=2), "base": 2}
    retries = {"max_retries": RETRIES, "retry_timeout": timedelta(seconds=within / 2), "backoff": pauses}
    return {"client_options": options, "retry_config": retries}


def _is_true(text: str | None) -> bool:
    return (text or "").strip().lower() in ("1", "true", "on", "yes", "y")  # as object_store reads them


@contextlib.contextmanager
def _reading(path: str) -> Iterator[None]:
    """Errors of the store while a file is read, as NotFound and StorageFailed."""
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise NotFound(f"There is no file {path}.") from None
    except (BaseError, OSError) as error:
        raise _failed("A file could not be read", path, error) from error


def _delete_folder(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass  # does not exist, or another process deletes it
    except OSError as error:
        raise _failed("Files could not be deleted", str(folder), error) from error


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


def _failed(what: str, path: str, error: Exception) -> StorageFailed:
    """`what` and, if the system said why, its words: they name no address, bucket or path, which are in the detail."""
    line = (str(error).splitlines() or [type(error).__name__])[0]  # obstore appends pages of debug output
    number = error.errno if isinstance(error, OSError) else None
    if found := _OS_ERROR.search(line):
        number = int(found[1])
    why = f": {os.strerror(number)}" if number else ""
    return StorageFailed(f"{what}{why}.", detail=f"{path}: {line}")


def _flush(handle: int) -> None:
    """fsync; on macOS F_FULLFSYNC, since fsync there leaves data in the drive's cache (fsync(2))."""
    if sys.platform == "darwin":
        with contextlib.suppress(OSError):  # not supported by every file system
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
            return
    os.fsync(handle)
