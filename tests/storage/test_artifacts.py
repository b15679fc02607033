from __future__ import annotations

from pathlib import Path

import pytest

from vivant.errors import Misconfigured, NotAuthorized, NotFound, StorageFailed
from vivant.storage import links
from vivant.storage.artifacts import Artifacts, clip_path, task_prefix


@pytest.fixture(params=["folder with blanks & %41 #1", "memory"])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> Artifacts:
    """All tests run on a folder and on an object store."""
    return Artifacts("memory:///" if request.param == "memory" else f"file://{tmp_path / request.param}")


def test_stored_files_can_be_read(artifacts: Artifacts, tmp_path: Path) -> None:
    movie = tmp_path / "movie"
    movie.write_bytes(b"from a file")
    artifacts.put("tasks/a/1/clip.mp4", movie)
    artifacts.put("tasks/a/in/first.png", b"from memory")
    assert artifacts.get("tasks/a/1/clip.mp4") == b"from a file"
    assert artifacts.size("tasks/a/in/first.png") == 11


def test_deleting_takes_everything_under_a_prefix_and_nothing_beside_it(artifacts: Artifacts) -> None:
    for path in ("tasks/a/1/clip.mp4", "tasks/a/in/first.png", "tasks/ab/1/clip.mp4"):
        artifacts.put(path, b"x")
    assert artifacts.task_ids() == ["a", "ab"]
    artifacts.delete(task_prefix("a"))
    artifacts.delete(task_prefix("a"))
    assert artifacts.task_ids() == ["ab"]
    assert artifacts.get("tasks/ab/1/clip.mp4") == b"x"


async def test_what_is_not_there_is_not_found(artifacts: Artifacts) -> None:
    assert artifacts.task_ids() == []
    with pytest.raises(NotFound):
        artifacts.get("tasks/a/1/clip.mp4")
    with pytest.raises(NotFound):
        artifacts.size("tasks/a/1/clip.mp4")
    with pytest.raises(NotFound):
        await artifacts.get_range("tasks/a/1/clip.mp4", 0, 1)


def test_checking_leaves_no_file(artifacts: Artifacts) -> None:
    artifacts.check()
    assert artifacts.folder is None or not list(artifacts.folder.rglob("*"))


def test_a_disk_without_room_for_a_clip_does_not_pass_the_check(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="MiB are needed"):
        Artifacts(f"file://{tmp_path}", min_free_bytes=2**62).check()


def test_a_half_written_file_is_never_seen_under_its_name(tmp_path: Path) -> None:
    """A limit on file sizes simulates a disk that fills up."""
    import signal
    import subprocess
    import sys

    code = f"""
import resource, signal
from pathlib import Path
from vivant.errors import StorageFailed
from vivant.storage.artifacts import Artifacts
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
artifacts = Artifacts("file://{tmp_path / "files"}")
artifacts.put("tasks/a/1/clip.mp4", b"old")
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for path in ("tasks/a/1/clip.mp4", "tasks/a/2/clip.mp4"):
    try:
        artifacts.put(path, b"x" * 5000)
    except StorageFailed as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("could not be stored") == 2
    assert signal.Signals.SIGXFSZ.name not in done.stderr
    whole = [p.relative_to(tmp_path / "files") for p in tmp_path.rglob("clip.mp4")]
    assert whole == [Path(clip_path("a", 1))]
    assert (tmp_path / "files" / clip_path("a", 1)).read_bytes() == b"old"


def test_a_store_that_cannot_be_opened_is_refused_at_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for url in (f"file://{tmp_path / 'file' / 'x'}", "gopher://x", "what"):
        with pytest.raises(Misconfigured, match="VIVANT_STORAGE_URL"):
            Artifacts(url)


def test_paths_cannot_leave_the_store(artifacts: Artifacts) -> None:
    with pytest.raises((StorageFailed, ValueError)):
        artifacts.put("../outside", b"x")


def test_a_signature_is_for_one_path_and_one_time() -> None:
    secret = b"k" * 32
    signature = links.sign(secret, "a/1/clip.mp4", 100)
    links.verify(secret, "a/1/clip.mp4", "100", signature, now=100)
    for path, expires, other_secret in (("b/1/clip.mp4", "100", secret), ("a/1/clip.mp4", "101", secret),
                                        ("a/1/clip.mp4", "100", b"K" * 32)):  # fmt: skip
        with pytest.raises(NotAuthorized, match="damaged"):
            links.verify(other_secret, path, expires, signature, now=50)
    with pytest.raises(NotAuthorized, match="expired"):
        links.verify(secret, "a/1/clip.mp4", "100", signature, now=101)
