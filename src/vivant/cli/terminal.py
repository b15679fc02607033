"""What commands print. The only file of the command line that knows rich: text of callers (prompts, names of keys and
files, error messages that quote them) is never taken for markup and never reaches a terminal with control characters.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from vivant.errors import VivantError
from vivant.printable import escape_unprintable, is_printable

Cell = str | int | float


class OutputFailed(VivantError):
    """What a command prints could not be written."""

    code = "OUTPUT_FAILED"


class Terminal:
    """Prints lines, tables, JSON and progress to stdout, or to stderr with `stderr`. Everything it takes is plain text.

    A line break within a line is shown as \\n, like every character that is not printable; callers print several lines.
    When the reader of stdout has ended (`| head`), the command ends quietly with exit code 1 (rich raises SystemExit).
    Every method raises OutputFailed when the output cannot be written for another reason, such as a full disk.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        self._console = Console(stderr=stderr, markup=False, emoji=False, highlight=False)

    def print(self, line: str = "", *, style: str = "", mark: str = "", mark_style: str = "bold") -> None:
        """One line, never wrapped. `mark` stands before it in a style of its own."""
        text = Text()
        if mark:
            text.append(escape_unprintable(mark), mark_style).append(" ")
        self._write(text.append(escape_unprintable(line), style))

    def print_table(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]], *, title: str = "") -> None:
        """Columns whose every cell is a number written as such ("1.25") are aligned right.

        The first column is never cut, however narrow the terminal is: it names the row for other commands.
        """
        table = Table(title=_as_lines(title) if title else None)
        for n, name in enumerate(columns):
            numbers = bool(rows) and all(re.fullmatch(r"[\d.]+", str(row[n])) for row in rows)
            width = max((len(_as_text(str(row[0]))) for row in rows), default=0) if n == 0 else None
            table.add_column(_as_text(name), justify="right" if numbers else "left", min_width=width)
        for row in rows:
            table.add_row(*(_as_text(str(cell)) for cell in row))
        self._write(table)

    def print_json(self, value: Any) -> None:
        """Valid JSON, indented; characters that are not printable are written as \\uXXXX."""
        text = Text(escape_json(json.dumps(value, ensure_ascii=False, indent=2)))
        if self._console.is_terminal:
            JSONHighlighter().highlight(text)
        self._write(text)

    def _write(self, what: Text | Table) -> None:
        try:
            self._console.print(what, soft_wrap=isinstance(what, Text))
        except OSError as error:
            _drop_stdout()
            raise OutputFailed(f"The output could not be written: {error.strerror}.") from None

    @contextmanager
    def status(self, line: str) -> Iterator[None]:
        """Show the line and that work goes on."""
        with self._console.status(_as_text(line)):
            yield

    @contextmanager
    def progress(self, line: str) -> Iterator[Callable[..., None]]:
        """A progress bar. Call the given function with a fraction of 0..1 and, as `line`, what to show before it."""
        with Progress(
            TextColumn("{task.description}", markup=False), BarColumn(),
            TextColumn("{task.percentage:3.0f} %", markup=False), TimeElapsedColumn(),
            console=self._console,
        ) as bar:  # fmt: skip
            task = bar.add_task(escape_unprintable(line), total=1.0)

            def show(fraction: float, line: str | None = None) -> None:
                shown = None if line is None else escape_unprintable(line)
                bar.update(task, completed=fraction, description=shown)

            yield show


def escape_json(text: str) -> str:
    """JSON text, in which characters that are not printable can stand in strings only, with those as \\uXXXX."""
    return "\n".join("".join(c if is_printable(c) else json.dumps(c)[1:-1] for c in line) for line in text.split("\n"))


def _as_text(line: str) -> Text:
    return Text(escape_unprintable(line))


def _as_lines(lines: str) -> Text:
    return Text("\n".join(map(escape_unprintable, lines.split("\n"))))


def _drop_stdout() -> None:
    """Let what is buffered go nowhere when the program ends, where writing it would fail again."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
