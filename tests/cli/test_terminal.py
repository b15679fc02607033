"""What commands print: text of callers as plain text, on a real terminal, and a stdout that fails."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vivant.cli.options import open_record
from vivant.cli.terminal import escape_json
from vivant.printable import is_printable
from vivant.record import keys, tasks
from vivant.record.ids import new_id
from vivant.request import Brief
from vivant.task import Status, Task

HOSTILE = (
    "\x1b]0;OWNED\x07\x1b[2J",
    "\x9b31mC1\u202e",
    "[link=https://evil.example/x]click[/link]",
    "[bold red]FAILED[/]",
    "a [/closing] tag",
    "one\nforged line\rover",
    ":boom: [red",
)
OnTerminal = Callable[..., tuple[int, str]]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("VIVANT_")}
    return own | {"VIVANT_DATA": str(tmp_path), "TERM": "xterm-256color", "COLUMNS": "250"}


@pytest.fixture
def on_terminal(environment: dict[str, str]) -> OnTerminal:
    """Run `vivant …` on a terminal; its exit code and all that the terminal got."""

    def run(*words: str) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "vivant", *words], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
        ) as process:
            os.close(theirs)
            shown = b""
            try:
                while data := os.read(ours, 65_536):
                    shown += data
            except OSError:  # EIO: the program has closed the terminal
                pass
            os.close(ours)
        return process.returncode, shown.decode()

    return run


def store_task(data: Path, prompt: str) -> str:
    request = Brief(prompt=prompt, seed=3).resolve(640, 427, has_last_frame=False)
    task = Task(
        id=new_id(), key_id="", status=Status.QUEUED, request=request, engine="testcard", created_at=datetime.now(UTC)
    )
    with open_record(data) as connection:
        tasks.insert_queued(connection, task)
    return task.id


def assert_harmless(shown: str) -> None:
    for sign in ("\x1b]0;", "\x1b[2J", "\x9b", "\u202e", "\x07", "\x1b]8;", "💥", "\nforged"):
        assert sign not in shown


@pytest.mark.parametrize("prompt", HOSTILE)
def test_a_prompt_is_plain_text_on_a_terminal(tmp_path: Path, on_terminal: OnTerminal, prompt: str) -> None:
    task_id = store_task(tmp_path, prompt)
    for words in (("list",), ("show", task_id), ("cancel", task_id), ("cancel", task_id)):
        code, shown = on_terminal("tasks", *words)
        assert code == (1 if "already" in shown or ("cancelled" in shown and "vivant:" in shown) else 0), shown
        assert task_id in shown
        assert_harmless(shown)
    if "[" in prompt and prompt.isprintable():
        assert prompt[:40] in on_terminal("tasks", "list")[1]


@pytest.mark.parametrize("columns", [80, 45])
def test_the_ids_of_a_table_are_whole_on_a_narrow_terminal(
    tmp_path: Path, environment: dict[str, str], columns: int
) -> None:
    """An id that is cut is of no use: `vivant tasks show` and `cancel` want all of it."""
    task_id = store_task(tmp_path, "a lake in the evening with a long list of things that happen on it")
    narrow = environment | {"COLUMNS": str(columns)}
    words = [sys.executable, "-m", "vivant", "tasks", "list"]
    done = subprocess.run(words, capture_output=True, text=True, env=narrow, check=True)
    assert task_id in done.stdout


@pytest.mark.parametrize("prompt", HOSTILE)
def test_a_task_is_shown_as_valid_json_of_printable_characters(
    tmp_path: Path, environment: dict[str, str], prompt: str
) -> None:
    task_id = store_task(tmp_path, prompt)
    done = subprocess.run(
        [sys.executable, "-m", "vivant", "tasks", "show", task_id], capture_output=True, text=True, env=environment
    )
    assert json.loads(done.stdout)["request"]["prompt"] == prompt
    assert all(line.isprintable() for line in done.stdout.split("\n"))


def test_json_stays_the_same_value_whatever_characters_are_in_it() -> None:
    value = {"".join(map(chr, range(0x2100))): ["你好", "\U000e0001", "🎬", "\ud800", "\\u0041", "\u2028"]}
    text = escape_json(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(text) == value
    assert "你好" in text and "🎬" in text
    assert all(map(is_printable, text.split("\n")))


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "\x1b[2J", "two\nlines", "\u202egnp"])
def test_a_key_has_a_name_that_can_be_printed(on_terminal: OnTerminal, name: str) -> None:
    code, shown = on_terminal("keys", "create", name)
    assert code == 1
    assert "must be 1 to 100 printable characters" in shown
    assert_harmless(shown)


def test_the_name_of_a_key_is_no_markup(on_terminal: OnTerminal) -> None:
    assert on_terminal("keys", "create", "[/x] 王")[0] == 0
    code, shown = on_terminal("keys", "list")
    assert code == 0 and "[/x] 王" in shown


def test_names_of_files_and_ids_in_errors_are_plain_text(on_terminal: OnTerminal) -> None:
    for words in (
        ("make", "\x1b[2J[/x].png", "-p", "x"),
        ("tasks", "show", "\x1b[2J[/x]\x9b"),
        ("keys", "revoke", "\u202e[/x]"),
        ("doctor", "--data", "/dev/null/\x1b[2J[/x]"),
    ):
        code, shown = on_terminal(*words)
        assert code == 1 and "Traceback" not in shown
        assert_harmless(shown)


@pytest.mark.parametrize("words", [("keys", "list"), ("tasks", "list"), ("--help",)])
def test_a_reader_that_has_ended_ends_a_command_quietly(environment: dict[str, str], words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "vivant", *words], stdout=writing, stderr=subprocess.PIPE, text=True, env=environment
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_results_that_cannot_be_written_are_an_error(environment: dict[str, str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "vivant", "keys", "list"], stdout=full, stderr=subprocess.PIPE, text=True,
            env=environment,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "vivant: The output could not be written: No space left on device.\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_whose_streams_are_closed_does_its_work(
    tmp_path: Path, environment: dict[str, str], closed: str
) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m vivant keys create studio {closed}"], env=environment, check=False
    )
    assert done.returncode == 0
    with open_record(tmp_path) as connection:
        assert [key.name for key in keys.list_keys(connection).values()] == ["studio"]
