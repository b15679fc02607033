"""Log lines, as another process prints them: its format, its care with what callers write, and what never raises."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HOSTILE = "\x1b[2J\n2026-01-01T00:00:00Z [info     ] forged\u202e\x9b31m"


def log(code: str, log_format: str = "json") -> list[str]:
    """The lines on stderr of a program that logs."""
    program = f"""
import logging, os, sys, threading, warnings
import structlog
from vivant.logs import configure_logs
log = structlog.get_logger()
configure_logs({log_format!r})
HOSTILE = {HOSTILE!r}
{code}
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_json_lines_hold_the_event_its_level_time_and_values() -> None:
    (line,) = log('log.info("task queued", task="t1", seconds=1.5, tags=["a", None])')
    event = json.loads(line)
    assert event.pop("timestamp").endswith("Z")
    assert event == {"event": "task queued", "level": "info", "task": "t1", "seconds": 1.5, "tags": ["a", None]}


def test_console_lines_show_the_same() -> None:
    (line,) = log('log.warning("decoder replaced", why="took too long")', "console")
    assert "[warning  ] decoder replaced" in line and "why=" in line and "took too long" in line


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize(
    "code",
    [
        'log.info("refused", why=HOSTILE)',
        "log.info(HOSTILE)",
        'log.info("refused", **{HOSTILE: 1})',
        'log.info("refused", why={"deep": [HOSTILE, {HOSTILE: HOSTILE}]})',
        'log.info("refused", why=ValueError(HOSTILE))',
        'structlog.contextvars.bind_contextvars(request=HOSTILE); log.info("refused")',
        'logging.getLogger("uvicorn.error").warning("bad request %s", HOSTILE)',
        "warnings.warn(HOSTILE)",
    ],
)
def test_a_value_of_a_caller_stays_within_its_line_and_holds_no_control_character(code: str, log_format: str) -> None:
    lines = log(code, log_format)
    assert all(line.isprintable() for line in lines)
    assert len(lines) == 1


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_the_message_of_an_error_forges_no_line_of_its_own(log_format: str) -> None:
    lines = log('try: raise ValueError(HOSTILE)\nexcept ValueError: log.exception("failed")', log_format)
    assert all(line.isprintable() for line in lines)
    assert not [line for line in lines if line.startswith("2026-01-01")]
    assert any("Traceback" in line or "frames" in line for line in lines)


def test_a_traceback_shows_no_local_variables_which_hold_prompts_and_keys() -> None:
    code = """
def work(key): raise ValueError("failed")
try: work("sk_" + "secret")
except ValueError: log.exception("failed")
"""
    for log_format in ("json", "console"):
        assert "sk_secret" not in "\n".join(log(code, log_format))


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize(
    "code",
    [
        'class Odd:\n def __repr__(self): raise RuntimeError("no")\nlog.info("said", value=Odd())',
        'a = []; a.append(a); log.info("said", value=a)',
        'log.info("said", value="x" * 10_000_000)',
        'log.info("said", value=["x" * 2000] * 10_000)',
        'log.info("said", value="\\ud800", number=float("nan"), data=b"\\xff")',
        'log.info("said", exc_info=(1, 2, 3))',
        'logging.getLogger("aiohttp").error("said %d", "no number")',
    ],
)
def test_whatever_is_logged_logging_does_not_raise_and_says_that_it_was_logged(code: str, log_format: str) -> None:
    lines = log(code, log_format)
    assert any("said" in line for line in lines)
    assert sum(map(len, lines)) < 40_000


def test_errors_that_nobody_catches_are_log_lines_too() -> None:
    lines = log(
        """
class Odd:
    def __del__(self): raise ValueError("in a destructor")
def work(): raise ValueError("in a thread")
Odd()
thread = threading.Thread(target=work); thread.start(); thread.join()
print("printed by a library", file=sys.stderr)
"""
    )
    text = "\n".join(lines)
    assert "in a destructor" in text and "in a thread" in text and "printed by a library" in text
    assert json.loads(lines[0])["level"] == json.loads(lines[1])["level"] == "error"
