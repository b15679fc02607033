"""The commands of the README and the API page run as they stand there, against a real service."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from novita_client import NovitaClient
from novita_client.exceptions import NovitaResponseError

from support.live_server import LiveServer
from support.paths import ROOT
from vivant.cli.demo import PROMPT
from vivant.encode.probe import probe
from vivant.request import FPS
from vivant.settings import Settings, load_settings

ADDRESS = "127.0.0.1:8000"


def snippets(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def snippet(page: str, language: str, having: str) -> str:
    (found,) = (text for text in snippets(page, language) if having in text)
    return found


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like a checkout, in which files may be made."""
    (tmp_path / "src").symlink_to(ROOT / "src")
    (tmp_path / "photo.jpg").symlink_to(ROOT / "tests/photos/portrait_curie.jpg")
    commands = tmp_path / ".venv/bin"
    commands.mkdir(parents=True)
    (commands / "vivant").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vivant "$@"\n')
    (commands / "vivant").chmod(0o755)
    return tmp_path


def run_in_shell(text: str, folder: Path) -> str:
    """What bash prints when it runs `text` in `folder`."""
    surroundings = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "VIVANT_ENGINES": "testcard"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_curl_of_the_readme_makes_a_task(server: LiveServer, checkout: Path) -> None:
    text = snippet("README.md", "sh", "curl")
    assert ADDRESS in text
    shown = run_in_shell(text.replace(ADDRESS, server.host), checkout)
    task_id = re.search(r'"task_id":"([^"]+)"', shown)
    assert task_id is not None, shown
    assert server.finished(task_id[1])["task"]["status"] == "TASK_STATUS_SUCCEED"


def test_the_curl_of_the_api_page_fetches_a_clip(server: LiveServer, checkout: Path) -> None:
    text = snippet("docs/api.md", "sh", "curl")
    assert ADDRESS in text
    run_in_shell(text.replace(ADDRESS, server.host), checkout)
    assert probe(checkout / "clip.mp4").frames == 5 * FPS + 1


def test_the_command_without_a_server_makes_a_clip(checkout: Path) -> None:
    run_in_shell(snippet("README.md", "sh", "vivant make"), checkout)
    assert probe(checkout / "clip.mp4").has_audio


def test_the_changed_line_of_an_existing_client_is_enough(server: LiveServer) -> None:
    (line,) = re.findall(r"^\+ (.+)$", snippet("README.md", "diff", "NovitaClient"), re.MULTILINE)
    names = {"NovitaClient": NovitaClient, "key": "sk_whatever"}
    exec(line.replace(ADDRESS, server.host), names)
    client = names["client"]
    assert isinstance(client, NovitaClient)
    client.session.trust_env = False
    with pytest.raises(NovitaResponseError, match="404"):
        client.async_task_result("no-such-task")


def test_the_prompt_of_the_readme_is_the_demo_s() -> None:
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert PROMPT in text


def test_every_make_target_that_is_named_exists() -> None:
    pages = "".join((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "CONTRIBUTING.md"))
    named = set(re.findall(r"^make (\w+)", pages, re.MULTILINE))
    assert {"demo", "serve", "test", "check"} <= named
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert named <= set(re.findall(r"^(\w+):", makefile, re.MULTILINE))


def test_the_settings_example_is_read(tmp_path: Path) -> None:
    (tmp_path / "vivant.toml").write_text(snippet("docs/settings.md", "toml", "workers"))
    settings = load_settings({"VIVANT_CONFIG": str(tmp_path / "vivant.toml")})
    assert (settings.workers, settings.engines) == (2, ("diorama",))
    assert settings.egress_allowed == ("minio.internal:9000", "10.20.0.0/16")


@pytest.mark.parametrize("name", ["engines", "workers", "link_seconds", "retention_days", "log_format"])
def test_the_settings_page_gives_the_default(name: str) -> None:
    row = re.search(
        rf"^\| `VIVANT_{name.upper()}` \| `(.+?)` \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE
    )
    assert row is not None
    default = getattr(Settings(), name)
    assert (tuple(row[1].split(", ")) if isinstance(default, tuple) else type(default)(row[1])) == default
