"""`vivant tasks`: look at tasks and cancel them. Works beside a running service; sees the tasks of every key."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from vivant.cli.options import Data, open_record
from vivant.cli.terminal import Terminal
from vivant.clock import SYSTEM_CLOCK
from vivant.task import Status

app = typer.Typer(help="The tasks of this installation.", no_args_is_help=True)


@app.command("list")
def show_all(
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    data: Data = None,
) -> None:
    """The newest tasks first."""
    from vivant.record import tasks

    with open_record(data) as connection:
        found = tasks.list_newest(connection, status=status, limit=limit)
    rows = []
    for task in found:
        took = f"{(task.ended_at - task.started_at).total_seconds():.1f} s" if task.ended_at and task.started_at else ""
        state = f"{task.status} {task.progress:.0%}" if task.status == Status.RUNNING else str(task.status)
        canvas = task.request.canvas
        rows.append((
            task.id, state, f"{task.created_at:%Y-%m-%d %H:%M:%S}", took,
            f"{canvas.width}x{canvas.height} {task.request.seconds} s", task.request.prompt[:40],
        ))  # fmt: skip
    Terminal().print_table(("id", "status", "made", "took", "picture", "prompt"), rows)


@app.command("show")
def show(task_id: str, data: Data = None) -> None:
    """Everything that is stored about one task, as JSON."""
    from vivant.record import tasks

    with open_record(data) as connection:
        task = tasks.get(connection, task_id)
    plain = {
        "id": task.id,
        "key": task.key_id,
        "status": task.status,
        "progress": round(task.progress, 3),
        "engine": task.engine,
        "attempt": task.attempt,
        "created_at": _iso(task.created_at),
        "started_at": _iso(task.started_at),
        "ended_at": _iso(task.ended_at),
        "error": {"code": task.error_code, "message": task.error_message} if task.error_code else None,
        "artifact": {"path": task.artifact.path, "size": task.artifact.size, "sha256": task.artifact.sha256}
        if task.artifact
        else None,
        "request": task.request.to_data(),
        "storyboard": task.storyboard,
    }
    Terminal().print_json(plain)


@app.command("cancel")
def cancel(task_id: str, data: Data = None) -> None:
    """Cancel a task now. If it runs, its worker is free within three seconds."""
    from vivant.record import tasks

    with open_record(data) as connection:
        task = tasks.cancel(connection, task_id, now=SYSTEM_CLOCK.now())
    Terminal().print(f"Task {task.id} is {task.status}.")


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
