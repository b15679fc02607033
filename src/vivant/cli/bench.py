"""`vivant bench`: how long a clip takes, beside the least that it could take. measure.py does the measuring."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from vivant.cli.terminal import Terminal

app = typer.Typer(help="Measure this machine.", no_args_is_help=True)

LANDSCAPE_PROMPT = "The camera pans slowly to the right across the lake."


@app.callback()
def _group() -> None:
    """Measure this machine."""


@app.command("clip")
def clip(
    resolution: Annotated[str, typer.Option(help="480p | 720p | 1080p")] = "720p",
    duration: Annotated[int, typer.Option(help="Seconds, 4..12.")] = 5,
    prompt: Annotated[str, typer.Option("-p", "--prompt")] = LANDSCAPE_PROMPT,
    picture: Annotated[Path | None, typer.Option(help="Another picture than the sample landscape.")] = None,
    engine: Annotated[str, typer.Option(help="Which engine.")] = "diorama",
    runs: Annotated[int, typer.Option(min=1, help="Counted runs after one that warms up.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Wall and CPU seconds, peak memory, and the ratios to limits that are measured in the same run."""
    from vivant.cli.measure import measure_clip
    from vivant.request import Brief

    brief = Brief(prompt=prompt, resolution=resolution, ratio="16:9", seconds=duration, seed=1)
    report = measure_clip(brief, picture, engine_name=engine, runs=runs)
    if as_json:
        Terminal().print_json(report)
    else:
        _print(report)


def _print(report: dict[str, Any]) -> None:
    terminal = Terminal()
    terminal.print_table(
        ("median of the runs", "wall s", "CPU s"),
        [(name, f"{values['wall']:.2f}", f"{values['cpu']:.2f}") for name, values in report["rows"].items()],
        title=f"{report['clip']}\n{report['machine']}",
    )
    for key, value in report.items():
        if isinstance(value, int | float):
            terminal.print(f"  {key.replace('_', ' ')}: {value}")
