"""`vivant engines`: which engines there are, what each can do, whether one works here, and its settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from vivant.cli.terminal import Terminal

app = typer.Typer(help="Engines: what they can do, and whether they work here.", no_args_is_help=True)


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False) -> None:
    """Every engine, as far as the settings lead to it: model, licence, what it can do."""
    from vivant.engines.registry import ENGINES, make_card
    from vivant.errors import Misconfigured
    from vivant.settings import load_settings

    settings = load_settings()
    rows: list[tuple[str, ...]] = []
    found: list[dict[str, Any]] = []
    for name in ENGINES:
        used = "yes" if name in settings.engines else "no"
        try:
            card = make_card(name, settings.options_of(name))
        except Misconfigured as error:
            rows.append((name, used, "-", "-", "-", "-", "-", str(error)))
            found.append({"engine": name, "used": name in settings.engines, "problem": str(error)})
            continue
        accepted = card.licence or "not known here"
        licence = accepted if card.accepted else f"{accepted} (not accepted)"
        last = "first, last" if card.last_frame else "first"
        rows.append((name, used, card.model or "-", last, card.sound.value, card.progress, card.cancel, licence))
        found.append({"engine": name, "used": name in settings.engines, **card.to_data()})
    if as_json:
        Terminal().print_json(found)
        return
    columns = ("engine", "used", "model", "frames", "sound", "progress", "cancel", "licence, or what is missing")
    Terminal().print_table(columns, rows)


@app.command("check")
def check(
    name: Annotated[str, typer.Argument(help="Which engine.")],
    workflow: Annotated[
        Path | None, typer.Option(help="comfyui: a workflow to look at, instead of the setting's.")
    ] = None,
    workflow_last: Annotated[Path | None, typer.Option(help="comfyui: the one for a last picture.")] = None,
    url: Annotated[str | None, typer.Option(help="The server, instead of the setting's.")] = None,
    generate: Annotated[bool, typer.Option("--generate", help="Then make something small for real.")] = False,
) -> None:
    """Say what an engine needs and has. Exit code 1 if something must be mended."""
    from vivant.engines.registry import find_check, settings_of
    from vivant.settings import load_settings

    terminal = Terminal()
    options = load_settings(engines=name).options_of(name)
    known = {setting.name: setting for setting in settings_of(name)}
    for option, given in (("workflow", workflow), ("workflow_last", workflow_last), ("url", url)):
        if given is not None:
            if option not in known:
                raise typer.BadParameter(f"the engine {name} has no setting {option}.")
            try:
                options[option] = known[option].parse(str(given))
            except ValueError as error:
                raise typer.BadParameter(f"--{option.replace('_', '-')} {error}; it is {str(given)!r}.") from None
    looked = find_check(name)
    faults = 0
    for passed, what, more in looked(options) if looked else _check_card(name, options):
        faults += not passed
        mark, colour = ("✓", "green") if passed else ("✗", "red")
        terminal.print(what, mark=mark, mark_style=colour)
        if more:
            terminal.print(f"    {more}")
    if not faults and generate:
        faults += not _generate(terminal, name, options)
    if faults:
        terminal.print(f"{faults} fault(s) found.")
        raise typer.Exit(1)


@app.command("settings")
def list_settings(name: Annotated[str | None, typer.Argument(help="Of this engine only.")] = None) -> None:
    """The settings that engines have of their own, as the page of settings shows them."""
    from vivant.engines.registry import ENGINES, check_engine

    if name is not None:
        check_engine(name)
    for engine in ENGINES if name is None else (name,):
        for line in write_settings(engine):
            Terminal().print(line)


def write_settings(engine: str) -> Iterator[str]:
    """The settings of an engine as the rows of a Markdown table, with a heading; nothing if it has none."""
    from vivant.engines.registry import settings_of
    from vivant.settings import name_variable

    rows = settings_of(engine)
    if not rows:
        return
    yield f"### `{engine}`"
    yield ""
    yield "| variable | default | what it does |"
    yield "| --- | --- | --- |"
    for row in rows:
        yield f"| `{name_variable(engine, row.name)}` | {_show_default(row.default)} | {row.help} |"
    yield ""


def _show_default(value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list):
        return f"`{', '.join(map(str, value))}`" if value else ""
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`" if value not in ("", {}) else ""


def _check_card(name: str, options: dict[str, Any]) -> Iterator[tuple[bool, str, str]]:
    from vivant.engines.registry import make_card
    from vivant.errors import Misconfigured

    try:
        card = make_card(name, options)
    except Misconfigured as error:
        yield False, str(error), ""
        return
    yield True, card.title, ""
    if not card.accepted:
        yield (
            False,
            f"the licence of {card.model} is not accepted",
            f"`vivant models pull {card.model}` shows it and asks",
        )


def _generate(terminal: Terminal, name: str, options: dict[str, Any]) -> bool:
    """Whether a real, small generation works; its reason is printed if not."""
    import time

    from vivant.engines.base import NullWatch
    from vivant.engines.registry import load_engine
    from vivant.errors import VivantError

    started = time.monotonic()
    try:
        with terminal.status("Setting the engine up, and making something small"):
            engine = load_engine(name, {**options, "probe": True, "worker": 0})
            engine.setup()
            engine.probe(NullWatch())
    except VivantError as error:
        terminal.print(str(error), mark="✗", mark_style="red")
        return False
    terminal.print(f"it generates: {time.monotonic() - started:.1f} s with its setup", mark="✓", mark_style="green")
    return True
