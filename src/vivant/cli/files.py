"""`vivant files`: which record the file store belongs to, and clips whose task the record does not know."""

from __future__ import annotations

import typer

from vivant.cli.options import Data
from vivant.cli.terminal import Terminal

app = typer.Typer(help="The file store of this installation.", no_args_is_help=True)


@app.command("adopt")
def adopt_store(data: Data = None) -> None:
    """Make the file store belong to this record, for good: after the record was made anew, or was another's.

    Files of tasks that this record does not know stay; pictures without a task are swept after an hour.
    """
    from vivant.dispatch.store_owner import adopt, read_owner
    from vivant.errors import Misconfigured
    from vivant.record.database import Record
    from vivant.settings import load_settings
    from vivant.storage.artifacts import Artifacts

    settings = load_settings(data=data)
    artifacts, record = Artifacts(settings.storage), Record(settings.database)
    try:
        try:
            before = read_owner(artifacts) or "nobody"
        except Misconfigured:
            before = "unknown: its marker was damaged"
        adopt(artifacts, record.id)
    finally:
        record.close()
    Terminal().print(f"The file store belongs to record {record.id} now (before: {before}).")


@app.command("unknown")
def list_unknown(data: Data = None) -> None:
    """List the tasks that have a clip in the file store and are not in the record. Nothing ever deletes these files."""
    from vivant.dispatch.store_owner import find_unknown_clips
    from vivant.record.database import Record
    from vivant.settings import load_settings
    from vivant.storage.artifacts import Artifacts

    settings = load_settings(data=data)
    record = Record(settings.database)
    try:
        found = find_unknown_clips(Artifacts(settings.storage), record)
    finally:
        record.close()
    terminal = Terminal()
    for task_id in found:
        terminal.print(task_id)
    if not found:
        terminal.print("The record knows the task of every clip.")
