"""Fetches a model from the hub into a folder: the commit that is asked for, only files of kinds that hold no program,
each checked against the hash that the hub states, resumable. Nothing calls this but `vivant models pull`.

Needs the package huggingface_hub, which comes with the extra `gpu`; it is imported when it is used. The environment
variables HF_ENDPOINT (another hub), HF_TOKEN (for repositories that ask who fetches) and HTTPS_PROXY are its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final

from vivant.engines.diffusers.weights import KnownModel, Receipt, write_receipt
from vivant.errors import EngineFailed, Misconfigured

# Weights, settings and word lists: none of them can hold code that is run when it is read. A pickle can.
FETCHED: Final = ("*.safetensors", "*.gguf", "*.json", "*.txt", "*.model", "*.md", "LICENSE*", "NOTICE*")
SPARE_BYTES: Final = 2 * 2**30  # that must stay free on the disk
CHUNK: Final = 2**22
MOST_FILES: Final = 5000
DEFAULT_ENDPOINT: Final = "https://huggingface.co"


class PullFailed(EngineFailed):
    """The model could not be fetched."""

    code = "PULL_FAILED"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository. sha256: of a large file; blob: git's id of a small one. One of the two is not empty."""

    path: str  # inside the repository
    size: int  # bytes
    sha256: str
    blob: str

    def __post_init__(self) -> None:
        parts = PurePosixPath(self.path).parts
        if not parts or self.path.startswith("/") or ".." in parts or "\\" in self.path or "\0" in self.path:
            raise ValueError(f"a file of a repository has a relative path, got {self.path!r}.")
        if self.size < 0 or not (self.sha256 or self.blob):
            raise ValueError(f"{self.path}: a file has a size and a hash.")


@dataclass(frozen=True, slots=True)
class Listing:
    """What a pull will fetch: the files of one commit."""

    revision: str  # 40 hexadecimal digits
    files: tuple[RemoteFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def list_files(model: KnownModel, *, revision: str = "") -> Listing:
    """The files of the model at this revision, else at the one that is pinned for it, else at the newest commit.

    Raises Misconfigured when huggingface_hub is not installed, PullFailed when the hub does not answer or refuses.
    """
    hub = _import_hub()
    wanted = revision or model.revision or "main"
    api = hub.HfApi(endpoint=_endpoint())
    info = _ask(lambda: api.model_info(model.repo, revision=wanted, files_metadata=True, timeout=30), model)
    commit = str(info.sha or "")
    if len(commit) != 40 or not set(commit) <= set("0123456789abcdef"):
        raise PullFailed(f"The hub gave no commit for {model.repo} at {wanted}.")
    if len(wanted) == 40 and commit != wanted:
        raise PullFailed(f"The hub answered with another commit ({commit}) of {model.repo} than {wanted}.")
    files = tuple(_wanted_files(model, info.siblings or []))
    if not files:
        raise PullFailed(f"{model.repo} holds no file of a kind that is fetched ({', '.join(FETCHED)}).")
    return Listing(commit, files)


def _wanted_files(model: KnownModel, siblings: list[Any]) -> Iterator[RemoteFile]:
    if len(siblings) > MOST_FILES:
        raise PullFailed(f"{model.repo} lists {len(siblings)} files; more than {MOST_FILES} are not taken.")
    for sibling in siblings:
        path = str(sibling.rfilename)
        if not any(fnmatch(PurePosixPath(path).name, kind) for kind in FETCHED):
            continue
        if any(fnmatch(path, pattern) for pattern in model.exclude):
            continue
        lfs = sibling.lfs
        try:
            yield RemoteFile(path, int(sibling.size), str(lfs.sha256) if lfs else "", str(sibling.blob_id or ""))
        except (TypeError, ValueError) as error:
            raise PullFailed(f"The hub lists a file of {model.repo} that cannot be taken: {error}") from None


def fetch(
    model: KnownModel,
    listing: Listing,
    folder: Path,
    *,
    accepted: bool,
    report: Callable[[float, str], None] = lambda fraction, path: None,
) -> Receipt:
    """Bring the files of the listing into the folder, and write the receipt as the last. Files that are there and have
    the right hash are not fetched again, and a file of which a part is there goes on from that part.

    report: called with the fraction of bytes that is done and the file that is next. Raises PullFailed for what cannot
    be fetched, has a wrong hash or finds no room; what is whole stays for the next pull.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [file for file in listing.files if not _is_whole(folder / file.path, file)]
    needed = sum(file.size for file in missing)
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise PullFailed(
            f"{needed / 1e9:.1f} GB are to be fetched, and {free / 1e9:.1f} GB are free on the disk of {folder}; "
            f"{SPARE_BYTES >> 30} GiB must stay free."
        )
    done = listing.size - needed
    for file in missing:
        report(done / max(1, listing.size), file.path)
        _fetch_file(model, listing.revision, file, folder)
        done += file.size
    report(1.0, "")
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # parts and locks of huggingface_hub
    hashes = {file.path: _sha256(folder / file.path) for file in listing.files}
    receipt = Receipt(
        name=model.name,
        repo=model.repo,
        revision=listing.revision,
        licence=model.licence,
        accepted=accepted,
        files=hashes,
    )
    write_receipt(folder, receipt)
    return receipt


def _fetch_file(model: KnownModel, revision: str, file: RemoteFile, folder: Path) -> None:
    hub = _import_hub()
    target = folder / file.path
    if not target.resolve().is_relative_to(folder.resolve()):
        raise PullFailed(f"{file.path} would lie outside {folder}.")
    for again in (False, True):  # a part from an earlier, other file: once more from the beginning
        download = partial(
            hub.hf_hub_download,
            model.repo,
            file.path,
            revision=revision,
            local_dir=folder,
            endpoint=_endpoint(),
            force_download=again,
        )
        _ask(download, model)
        if _is_whole(target, file):
            return
        target.unlink(missing_ok=True)
    raise PullFailed(f"{file.path} of {model.repo} does not have the hash that the hub states; it was deleted.")


def _is_whole(path: Path, file: RemoteFile) -> bool:
    try:
        if path.stat().st_size != file.size:
            return False
    except OSError:
        return False
    return _sha256(path) == file.sha256 if file.sha256 else _git_blob(path, file.size) == file.blob


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _git_blob(path: Path, size: int) -> str:
    """Git's id of a file: SHA-1 over "blob <size>", a null byte and its bytes."""
    found = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as opened:
        while piece := opened.read(CHUNK):
            found.update(piece)
    return found.hexdigest()


def _ask(call: Callable[[], Any], model: KnownModel) -> Any:
    """The answer of the hub. Raises PullFailed in words."""
    hub = _import_hub()
    errors = hub.errors
    try:
        return call()
    except errors.GatedRepoError:
        raise PullFailed(
            f"{model.repo} asks who fetches it: accept its licence on its page there, and set HF_TOKEN to a token of "
            "that account."
        ) from None
    except errors.RevisionNotFoundError:
        raise PullFailed(f"{model.repo} has no such revision.") from None
    except errors.RepositoryNotFoundError:
        raise PullFailed(f"There is no {model.repo} at {_endpoint()}, or it is not shown without HF_TOKEN.") from None
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled) as error:
        raise PullFailed(f"The hub could not be reached at {_endpoint()}: {_in_a_line(error)}") from None
    except OSError as error:
        raise PullFailed(f"It could not be fetched: {_in_a_line(error)}") from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2"):
            raise PullFailed(f"The hub could not be reached at {_endpoint()}: {_in_a_line(error)}") from None
        raise


def _in_a_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or DEFAULT_ENDPOINT


def _import_hub() -> Any:
    try:
        import huggingface_hub
    except ImportError:
        raise Misconfigured(
            "Fetching models needs the package huggingface_hub, which comes with the extra gpu: "
            "pip install 'vivant[gpu]'."
        ) from None
    return huggingface_hub
