"""Files that are being sent: whole or visibly broken off, also when they are deleted or cut short meanwhile."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.live_service import wait_until
from vivant.blocking import BlockingCalls
from vivant.errors import DamagedFile, NotFound, StorageFailed
from vivant.storage.artifacts import Artifacts
from vivant.storage.downloads import CHUNK, Downloads
from vivant.task import Artifact

PATH = "tasks/a/1/clip.mp4"
DATA = bytes(range(256)) * (CHUNK // 128)


@pytest.fixture
def calls() -> Iterator[BlockingCalls]:
    calls = BlockingCalls("The file store", threads=2, within=30, late=StorageFailed)
    yield calls
    calls.close()


@pytest.fixture(params=["folder", "memory"])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> Artifacts:
    """On a folder and on an object store."""
    artifacts = Artifacts("memory:///" if request.param == "memory" else f"file://{tmp_path}")
    artifacts.put(PATH, DATA)
    return artifacts


def recorded(size: int = len(DATA)) -> Artifact:
    return Artifact(path=PATH, size=size, sha256="0" * 64, width=64, height=64, frames=1, has_audio=False)


async def test_any_range_of_a_file_is_read_in_chunks(artifacts: Artifacts, calls: BlockingCalls) -> None:
    file = await Downloads(artifacts, calls, within=30).open(recorded())
    assert (file.size, file.etag, file.mime) == (len(DATA), "0" * 64, "video/mp4")
    for start, end in ((0, None), (1, 2), (CHUNK - 1, CHUNK + 1), (5, 5), (len(DATA) - 1, None), (0, 10**9)):
        pieces = [piece async for piece in file.read(start, end)]
        assert b"".join(pieces) == DATA[start:end]
        assert max(map(len, pieces), default=0) <= CHUNK


@pytest.mark.parametrize("size", [1, len(DATA) - 1, len(DATA) + 1])
async def test_a_file_of_another_size_than_recorded_is_not_sent(
    artifacts: Artifacts, calls: BlockingCalls, size: int
) -> None:
    with pytest.raises(DamagedFile, match=f"{size} were recorded"):
        await Downloads(artifacts, calls, within=30).open(recorded(size))


async def test_a_file_that_is_gone_is_not_found(artifacts: Artifacts, calls: BlockingCalls) -> None:
    artifacts.delete("tasks/a/")
    with pytest.raises(NotFound):
        await Downloads(artifacts, calls, within=30).open(recorded())


async def test_a_download_from_a_folder_survives_that_its_file_is_deleted(tmp_path: Path, calls: BlockingCalls) -> None:
    artifacts = Artifacts(f"file://{tmp_path}")
    artifacts.put(PATH, DATA)
    file = await Downloads(artifacts, calls, within=30).open(recorded())
    pieces = file.read()
    received = await anext(pieces)
    artifacts.delete("tasks/a/")
    received += b"".join([piece async for piece in pieces])
    assert received == DATA


async def test_a_file_that_is_cut_short_while_it_is_sent_is_an_error(tmp_path: Path, calls: BlockingCalls) -> None:
    artifacts = Artifacts(f"file://{tmp_path}")
    artifacts.put(PATH, DATA)
    file = await Downloads(artifacts, calls, within=30).open(recorded())
    pieces = file.read()
    await anext(pieces)
    os.truncate(tmp_path / PATH, CHUNK + 5)
    with pytest.raises(DamagedFile, match="shorter"):
        [piece async for piece in pieces]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads open files from /proc")
async def test_an_opened_file_is_closed_whether_it_was_read_or_not(tmp_path: Path, calls: BlockingCalls) -> None:
    artifacts = Artifacts(f"file://{tmp_path}")
    artifacts.put(PATH, DATA)
    downloads = Downloads(artifacts, calls, within=30)
    for _ in range(3):
        await downloads.open(recorded())
        file = await downloads.open(recorded())
        _ = [piece async for piece in file.read(0, 10)]
        with pytest.raises(DamagedFile):
            await downloads.open(recorded(5))
    del file

    def is_open() -> bool:
        gc.collect()
        return any(opened.resolve() == tmp_path / PATH for opened in Path("/proc/self/fd").iterdir())

    await wait_until(lambda: not is_open(), within=10)  # the thread of the last call may hold it a moment longer
