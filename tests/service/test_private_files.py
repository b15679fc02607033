"""Which files other users of the machine can read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vivant.private_files import find_exposed


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "data" / "files").mkdir(parents=True)
    (tmp_path / "data" / "vivant.db").touch()
    (tmp_path / "data" / "files" / "first.png").touch()
    for path in (tmp_path / "data").rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    (tmp_path / "data").chmod(0o755)
    return tmp_path / "data"


def test_private_files_in_a_folder_that_others_can_list_are_not_exposed(tree: Path) -> None:
    assert list(find_exposed(tree)) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_file_that_others_can_read_or_change_is_exposed(tree: Path, mode: int) -> None:
    (tree / "vivant.db").chmod(mode)
    assert list(find_exposed(tree)) == [tree / "vivant.db"]


def test_a_folder_in_which_others_can_replace_files_is_exposed(tree: Path) -> None:
    tree.chmod(0o777)
    assert list(find_exposed(tree)) == [tree]


def test_a_folder_that_others_cannot_enter_hides_what_is_in_it(tree: Path) -> None:
    (tree / "vivant.db").chmod(0o644)
    (tree / "files" / "first.png").chmod(0o644)
    assert list(find_exposed(tree)) == [tree / "vivant.db"]
    tree.chmod(0o700)
    assert list(find_exposed(tree)) == []


def test_links_are_not_followed_and_what_is_gone_is_left_out(tree: Path) -> None:
    (tree / "link").symlink_to("/etc/passwd")
    assert list(find_exposed(tree)) == []
    assert list(find_exposed(tree / "missing")) == []


def test_processes_keep_their_files_private_whatever_their_umask_was(tmp_path: Path) -> None:
    code = """
import os
from vivant.private_files import keep_files_private
keep_files_private()
open("a", "w").close()
os.mkdir("b")
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, umask=0, timeout=60)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {"a": 0o600, "b": 0o700}
