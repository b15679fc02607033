"""The command line: `vivant serve | make | demo | keys | tasks | bench | doctor`. Each command has a file of its own.

Heavy parts are imported inside the commands that need them, so `vivant --help` stays quick.
"""

from __future__ import annotations

import sys

import typer

from vivant.cli import bench, demo, doctor, keys, make, serve, tasks
from vivant.errors import VivantError

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
app.add_typer(keys.app, name="keys")
app.add_typer(tasks.app, name="tasks")
app.add_typer(bench.app, name="bench")


@app.callback()
def _before_every_command() -> None:
    # Commands print their results themselves, so of the log only warnings are shown. `serve` configures its own log.
    from vivant.api.logs import only_warnings

    only_warnings()


def main() -> None:
    """The entry point: an expected error is one line on stderr and exit code 1, never a traceback."""
    try:
        app()
    except VivantError as error:
        print(f"vivant: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
