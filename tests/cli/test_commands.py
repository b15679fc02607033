"""The command line: real processes on real files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from support.depth_models import write_model
from support.paths import PHOTOS
from vivant.encode.probe import probe
from vivant.record import tasks
from vivant.record.database import Record
from vivant.record.ids import new_id
from vivant.request import Brief
from vivant.settings import load_settings
from vivant.task import Status, Task

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def vivant(tmp_path: Path) -> Run:
    """Run `vivant …` with a data folder, an engine and a HOME of the test's own."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        surroundings = {k: v for k, v in os.environ.items() if not k.startswith("VIVANT_")}
        surroundings |= {"HOME": str(tmp_path), "VIVANT_DATA": str(tmp_path / "data"), "COLUMNS": "200", **environment}
        return subprocess.run(
            [sys.executable, "-m", "vivant", *words],
            capture_output=True,
            text=True,
            env=surroundings,
            cwd=tmp_path,
            timeout=120,
        )

    return run


def test_help_names_every_command(vivant: Run) -> None:
    shown = vivant("--help").stdout
    for command in ("serve", "make", "demo", "keys", "tasks", "doctor", "bench"):
        assert re.search(rf"\b{command}\b", shown)


def test_make_writes_the_clip_and_names_its_seed(vivant: Run, tmp_path: Path) -> None:
    done = vivant(
        "make", str(PHOTOS / "dahlia.jpg"), "-p", "a flower", "-o", "clip.mp4", "--engine", "testcard",
        "--resolution", "480p", "--duration", "4", "--ratio", "1:1", "--seed", "9", "--no-audio", "--explain",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "seed 9" in done.stdout
    assert "Test card" in done.stdout
    facts = probe(tmp_path / "clip.mp4")
    assert (facts.width, facts.height, facts.frames, facts.has_audio) == (640, 640, 97, False)


def test_make_draws_what_was_seen_and_says_where(vivant: Run, tmp_path: Path) -> None:
    done = vivant(
        "make", str(PHOTOS / "mountain_lake.jpg"), "-p", "a lake", "--plan-only", "--explain-picture", "seen.png",
        "--resolution", "480p",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "seen.png" in done.stdout
    with Image.open(tmp_path / "seen.png") as sheet:
        assert sheet.format == "PNG" and sheet.width > 1200
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix in (".png", ".part")) == ["seen.png"]


def test_an_engine_that_looks_for_nothing_draws_no_sheet_and_says_so(vivant: Run, tmp_path: Path) -> None:
    done = vivant(
        "make", str(PHOTOS / "dahlia.jpg"), "-p", "x", "--plan-only", "--explain-picture", "seen.png",
        "--engine", "testcard",
    )  # fmt: skip
    assert done.returncode == 0 and "no sheet" in done.stdout
    assert not (tmp_path / "seen.png").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("make", str(PHOTOS / "LICENCES.md"), "-p", "x"), "jpeg, png, webp, bmp, tiff or gif"),
        (("make", "nowhere.png", "-p", "x"), "nowhere.png"),
        (("make", str(PHOTOS / "dahlia.jpg"), "-p", "x", "--duration", "13"), "duration: must be an integer"),
        (("make", str(PHOTOS / "dahlia.jpg"), "-p", "x", "--resolution", "4k"), "480p, 720p, 1080p"),
        (("make", str(PHOTOS / "dahlia.jpg"), "-p", "x", "--fps", "30"), "must be 24"),
        (("make", str(PHOTOS / "dahlia.jpg"), "-p", "x", "--engine", "magic"), "diorama, lightx2v"),
        (
            ("make", str(PHOTOS / "dahlia.jpg"), "-p", "x", "--plan-only", "--explain-picture", "nowhere/seen.png"),
            "nowhere/seen.png cannot be written: No such file or directory.",
        ),
        (("tasks", "show", "nope"), "nope"),
        (("keys", "revoke", "nope"), "nope"),
        (("serve", "--host", "0.0.0.0", "--port", "0"), "vivant keys create"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_is_allowed(vivant: Run, words: tuple[str, ...], says: str) -> None:
    done = vivant(*words)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("vivant: ") and says in line


def test_a_key_is_shown_once_and_only_its_name_is_listed(vivant: Run) -> None:
    text = vivant("keys", "create", "studio").stdout.strip()
    assert re.fullmatch(r"sk_[0-9a-f]{12}_[0-9a-f]{48}", text)
    listed = vivant("keys", "list").stdout
    assert "studio" in listed
    assert text.split("_")[2] not in listed
    assert vivant("keys", "revoke", text).returncode == 0
    assert "revoked" in vivant("keys", "list").stdout


def test_tasks_are_listed_shown_and_cancelled(vivant: Run, tmp_path: Path) -> None:
    request = Brief(prompt="下雨了", seed=3).resolve(640, 427, has_last_frame=False)
    task = Task(
        id=new_id(), key_id="", status=Status.QUEUED, request=request, engine="testcard", created_at=datetime.now(UTC)
    )
    record = Record(load_settings(data=tmp_path / "data").database)
    with record.transaction() as connection:
        tasks.insert_queued(connection, task)
    record.close()
    assert task.id in vivant("tasks", "list").stdout
    shown = json.loads(vivant("tasks", "show", task.id).stdout)
    assert (shown["status"], shown["request"]["prompt"]) == ("queued", "下雨了")
    assert "cancelled" in vivant("tasks", "cancel", task.id).stdout
    again = vivant("tasks", "cancel", task.id)
    assert again.returncode == 1
    assert "cancelled" in again.stderr


def test_the_doctor_finds_a_healthy_install_healthy(vivant: Run) -> None:
    done = vivant("doctor")
    assert done.returncode == 0, done.stdout
    assert "✗" not in done.stdout


def test_the_doctor_names_files_that_others_can_read_and_the_command_that_ends_it(vivant: Run, tmp_path: Path) -> None:
    vivant("keys", "create", "studio")
    data = tmp_path / "data"
    assert "File modes: readable by you only" in vivant("doctor").stdout
    data.chmod(0o755)
    (data / "vivant.db").chmod(0o644)
    done = vivant("doctor")
    assert done.returncode == 1
    assert f"others can read or change {data}/vivant.db (0644)" in done.stdout
    (command,) = re.findall(r"fix: (chmod .*)", done.stdout)
    subprocess.run(["/bin/sh", "-c", command], check=True)
    assert "File modes: readable by you only" in vivant("doctor").stdout


def test_the_doctor_tries_a_depth_model_where_one_is_named(vivant: Run, tmp_path: Path) -> None:
    model = write_model(tmp_path / "depth.onnx")
    assert "Depth model" not in vivant("doctor").stdout
    assert f"{model} loads and answers" in vivant("doctor", VIVANT_DIORAMA_DEPTH_MODEL=str(model)).stdout
    model.write_text("no model")
    found = vivant("doctor", VIVANT_DIORAMA_DEPTH_MODEL=str(model))
    assert found.returncode == 1 and "cannot be loaded" in found.stdout and "name another file" in found.stdout


def test_the_doctor_says_how_to_fix_each_fault(vivant: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_text("this is no database, and long enough to be read as one " * 20)
    (tmp_path / "broken.db").chmod(0o600)
    done = vivant(
        "doctor",
        VIVANT_DATABASE_URL=f"sqlite:///{tmp_path}/broken.db",
        VIVANT_STORAGE_URL="file:///proc/vivant",  # where nobody can make a folder
    )
    assert done.returncode == 1
    assert done.stdout.count("fix:") == 2
    assert "backup" in done.stdout
    assert "VIVANT_STORAGE_URL" in done.stdout
