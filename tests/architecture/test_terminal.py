"""One file prints: no other part of the command line can hand a caller's text to a terminal."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from support.imports import FILES
from support.paths import SOURCE

TERMINAL = SOURCE / "cli" / "terminal.py"


def find_printing(source: str) -> set[str]:
    """What in the source prints by itself: rich, `print`, `typer.echo`, or a standard stream's `write`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "rich"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "rich":
            found.add(str(node.module))
        elif isinstance(node, ast.Call) and (
            (name := ast.unparse(node.func)) in {"print", "typer.echo", "typer.secho", "click.echo"}
            or name.startswith(("sys.stdout.write", "sys.stderr.write"))
        ):
            found.add(name)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_only_the_terminal_prints(path: Path) -> None:
    allowed = {SOURCE / "dispatch" / "worker.py": {"sys.stderr.write"}}  # a pipe to the service, which logs it
    if path != TERMINAL:
        assert find_printing(path.read_text(encoding="utf-8")) == allowed.get(path, set())


def test_printing_is_found_however_it_is_done() -> None:
    for line in ("import rich", "from rich.console import Console", "print(1)", "typer.echo(1)", "sys.stderr.write(x)"):
        assert find_printing(line)
    assert not find_printing("terminal.print(line)")
