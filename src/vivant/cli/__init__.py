"""The command line: `vivant serve | make | demo | engines | models | keys | tasks | files | bench | doctor`. Each has a
file of its own.

Heavy parts are imported inside the commands that need them, so `vivant --help` stays quick.
"""

from __future__ import annotations

import logging
import os
import sys

import typer

from vivant.cli import bench, demo, doctor, engines, files, keys, make, models, serve, tasks
from vivant.cli.terminal import Terminal
from vivant.errors import VivantError
from vivant.logs import configure_logs

app = typer.Typer(
    help="Vivant turns a picture into a short film with sound.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("serve")(serve.serve)
app.command("make")(make.make)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.add_typer(engines.app, name="engines")
app.add_typer(models.app, name="models")
app.add_typer(keys.app, name="keys")
app.add_typer(tasks.app, name="tasks")
app.add_typer(files.app, name="files")
app.add_typer(bench.app, name="bench")


def main() -> None:
    """The entry point. An expected error is told on stderr, never as a traceback, and ends with exit code 1."""
    _open_missing_streams()
    # Commands print their results themselves, so of the log only warnings are shown. `serve` configures its own log.
    configure_logs(level=logging.WARNING)
    try:
        app()
    except VivantError as error:
        _tell(str(error))
        sys.exit(1)


def _tell(message: str) -> None:
    terminal = Terminal(stderr=True)
    first, *more = message.split("\n")
    terminal.print(f"vivant: {first}")
    for line in more:
        terminal.print(f"  {line}")


def _open_missing_streams() -> None:
    """Open standard streams that are closed, else a database might be opened in the place of stderr."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
