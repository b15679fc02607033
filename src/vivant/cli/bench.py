"""`vivant bench`: what clips cost. measure.py, measure_memory.py, measure_peers.py and bench_gpu.py measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from vivant.cli.terminal import Terminal

app = typer.Typer(help="Measure this machine.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Measure this machine."""


@app.command("clip")
def clip(
    only: Annotated[list[str] | None, typer.Option(help="A typical clip; may be given several times.")] = None,
    resolution: Annotated[str, typer.Option(help="480p | 720p | 1080p")] = "720p",
    duration: Annotated[int, typer.Option(help="Seconds, 4..12.")] = 5,
    picture: Annotated[Path | None, typer.Option(help="Measure this picture instead of the typical clips.")] = None,
    prompt: Annotated[str, typer.Option("-p", "--prompt", help="What to do with the picture.")] = "",
    engine: Annotated[str, typer.Option(help="Which engine.")] = "diorama",
    runs: Annotated[int, typer.Option(min=1, help="Counted runs after one that warms up.")] = 3,
    peers: Annotated[bool, typer.Option("--peers", help="Other programs beside ours, in the same run.")] = False,
    peers_python: Annotated[
        Path | None, typer.Option(help="The Python in which DepthFlow and MoviePy are installed, if not this one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
) -> None:
    """Typical clips: seconds, phases, peak memory, and the ratios to limits that are measured in the same run."""
    from vivant.cli.bench_cases import USUAL_LIFE, Case, find_cases
    from vivant.cli.measure import describe_machine, measure_clip_apart
    from vivant.cli.measure_peers import measure_peers

    cases = (Case("picture", picture, prompt, USUAL_LIFE),) if picture else find_cases(only or [])
    terminal, progress = Terminal(), Terminal(stderr=True)
    reports = []
    for case in () if peers else cases:
        progress.print(f"{case.name}: {case.prompt}", mark="→")
        reports.append(measure_clip_apart(case, resolution=resolution, seconds=duration, engine=engine, runs=runs))
        if not as_json:
            _print_clip(terminal, reports[-1])
    beside = []
    if peers:
        for peer in measure_peers(resolution=resolution, seconds=duration, runs=runs, python=peers_python):
            progress.print(f"{peer['name']}: {peer['told'] or 'measured'}", mark="→")
            beside.append(peer)
    if as_json:
        terminal.print_json({"machine": describe_machine(), "clips": reports, "peers": beside})
        return
    if reports:
        _print_budgets(terminal, reports, describe_machine())
    if beside:
        _print_peers(terminal, beside, describe_machine())


@app.command("gpu")
def gpu(
    engine: Annotated[str, typer.Option(help="Which engine; its settings are those of the service.")] = "diffusers",
    resolution: Annotated[str, typer.Option(help="480p | 720p | 1080p")] = "720p",
    duration: Annotated[int, typer.Option(help="Seconds, 4..12.")] = 5,
    runs: Annotated[int, typer.Option(min=1, help="Counted clips after one that warms up.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a row.")] = False,
) -> None:
    """One clip of an engine that generates: seconds, peak memory, sharpness. A row for docs/engines/hardware.md."""
    from vivant.cli.bench_gpu import COLUMNS, describe_row, measure_engine
    from vivant.cli.measure import describe_machine
    from vivant.settings import load_settings

    terminal = Terminal()
    options = load_settings(engines=engine).options_of(engine)
    with Terminal(stderr=True).status(f"Making {runs + 1} clips"):
        measured = measure_engine(engine, options, resolution=resolution, seconds=duration, runs=runs)
    if as_json:
        terminal.print_json({"machine": describe_machine(), **measured})
        return
    row = describe_row(measured)
    terminal.print_table(COLUMNS, [row], title=describe_machine())
    terminal.print(f"| {' | '.join(row)} |")


@app.command("memory")
def memory(
    clips: Annotated[int, typer.Option(min=1, help="How many clips, no two alike.")] = 50,
    engine: Annotated[str, typer.Option(help="Which engine.")] = "diorama",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """What one worker keeps after many clips, compared with what it loaded."""
    from vivant.cli.measure_memory import KEPT, measure_worker

    terminal, progress = Terminal(), Terminal(stderr=True)
    rows = []
    for row in measure_worker(clips=clips, engine=engine):
        rows.append(row)
        progress.print(", ".join(f"{key.replace('_', ' ')} {value}" for key, value in row.items()))
    loaded, kept = rows[0]["loaded_mib"], rows[-1]["resident_mib"]
    ratio = round(kept / loaded, 2)
    if as_json:
        terminal.print_json({"loaded_mib": loaded, "clips": rows[1:], "kept_ratio": ratio, "budget": KEPT})
        return
    within = "within" if ratio <= KEPT else "over"
    terminal.print(f"After {clips} clips {kept} MiB, {ratio} times the {loaded} MiB loaded: {within} {KEPT}.")


def _print_clip(terminal: Terminal, report: dict[str, Any]) -> None:
    terminal.print_table(
        ("median of the runs", "wall s", "CPU s"),
        [(name, f"{values['wall']:.2f}", f"{values['cpu']:.2f}") for name, values in report["rows"].items()],
        title=f"{report['name']}: {report['clip']}",
    )
    phases = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in report["phases"].items())
    terminal.print(f"  {phases}")


def _print_budgets(terminal: Terminal, reports: list[dict[str, Any]], machine: str) -> None:
    from vivant.cli.bench_cases import MEMORY_MIB

    def row(report: dict[str, Any]) -> tuple[str, ...]:
        clip, warp = report["rows"]["clip"], report["rows"]["encode + warp"]
        within = "yes" if report["within_budgets"] else "no"
        figures = (clip["wall"], clip["cpu"], warp["wall"], report["ratio"], report["cpu_ratio"], report["budget"])
        return (report["name"], *(f"{figure:.2f}" for figure in figures), str(report["peak_mib_above_loaded"]), within)

    terminal.print_table(
        ("clip", "wall s", "CPU s", "limit s", "ratio", "CPU ratio", "budget", "MiB", "within"),
        [row(report) for report in reports],
        title=f"Ratio: clip to limit, which is encode + one warp. MiB: above the loaded worker, at most {MEMORY_MIB}.\n"
        + machine,
    )


def _print_peers(terminal: Terminal, peers: list[dict[str, Any]], machine: str) -> None:
    def row(peer: dict[str, Any]) -> tuple[str, ...]:
        figures = (peer["wall"], peer["cpu"], peer["times"], peer["cpu_times"])
        return (peer["name"], *("" if figure is None else f"{figure:.2f}" for figure in figures), peer["told"])

    terminal.print_table(
        ("program", "wall s", "CPU s", "wall to ours", "CPU to ours", "told"),
        [row(peer) for peer in peers],
        title=f"One picture, one camera move, no sound\n{machine}",
    )
