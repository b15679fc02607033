"""`vivant models`: open weights for the engine `diffusers`: which there are, fetch one, remove one. Nothing is fetched
before its licence, size and memory need were shown and accepted.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from vivant.cli.terminal import Terminal
from vivant.errors import Misconfigured

app = typer.Typer(
    help="Weights for the engine diffusers. They are never bundled, and never fetched unasked.", no_args_is_help=True
)


@app.command("list")
def show() -> None:
    """The models that are known, and which of them are here."""
    from vivant.engines.diffusers.weights import known_models, locate, read_receipt

    rows = []
    for model in known_models().values():
        folder, _ = locate(model.name, _models_folder())
        receipt = read_receipt(folder) if folder.is_dir() else None
        here = f"{_size_of(folder) / 1e9:.1f} GB" if receipt else "partly" if folder.is_dir() else "no"
        loaded = f"{model.loaded_bytes / 1e9:.0f} GB"
        rows.append(
            (
                model.name,
                here,
                loaded,
                f"{model.least_card_gib} GiB",
                f"{model.resident_gib} GiB",
                model.licence,
                model.title,
            )
        )
    terminal = Terminal()
    terminal.print_table(("model", "here", "weights", "least card", "best card", "licence", "what it does"), rows)
    terminal.print(
        "Sizes are counted or users' and makers' words; none was measured by us. `vivant models pull NAME` says whose."
    )


@app.command("pull")
def pull(
    name: Annotated[str, typer.Argument(help="Which model; `vivant models list` shows them.")],
    revision: Annotated[
        str, typer.Option(help="A commit of its repository.", show_default="the pinned one, else the newest")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Accept the licence and fetch, without being asked.")] = False,
) -> None:
    """Show a model's licence, size and memory need, ask, and fetch it. A pull that was cut off goes on where it was."""
    from vivant.engines.diffusers.hub import fetch, list_files
    from vivant.engines.diffusers.weights import known_models, locate

    model = known_models().get(name)
    if model is None:
        raise Misconfigured(f"There is no model {name!r}; there are {', '.join(known_models())}.")
    folder, _ = locate(name, _models_folder())
    terminal = Terminal()
    listing = list_files(model, revision=revision)
    terminal.print(model.title, style="bold")
    terminal.print(f"  licence    {model.licence}: {model.licence_says}")
    terminal.print(f"             {model.licence_url}")
    terminal.print(f"  from       {model.repo} at commit {listing.revision}")
    if not (revision or model.revision):
        terminal.print("             no commit is pinned for it: this one is written down, and used from now on")
    terminal.print(f"  download   {listing.size / 1e9:.1f} GB in {len(listing.files)} files, into {folder}")
    terminal.print(f"  weights    {model.transformers_bytes / 1e9:.0f} GB transformer ({model.transformers_source}),")
    terminal.print(f"             {model.others_bytes / 1e9:.0f} GB beside it ({model.others_source})")
    terminal.print(f"  card       at least {model.least_card_gib} GiB ({model.least_source});")
    terminal.print(f"             {model.resident_gib} GiB to hold everything ({model.resident_source})")
    if not yes and not _ask():
        terminal.print("Nothing was fetched.")
        raise typer.Exit(1)
    with terminal.progress("Fetching") as progress:
        receipt = fetch(
            model, listing, folder, accepted=True, report=lambda done, path: progress(done, line=path or "Fetched")
        )
    terminal.print(f"{name} is here: {len(receipt.files)} files, every hash checked. Use it with:")
    terminal.print(f"  VIVANT_ENGINES=diffusers VIVANT_DIFFUSERS_MODEL={name} vivant serve")


@app.command("remove")
def remove(
    name: Annotated[str, typer.Argument(help="Which model.")],
    yes: Annotated[bool, typer.Option("--yes", help="Without being asked.")] = False,
) -> None:
    """Delete a model that was fetched, whole or in part."""
    from vivant.engines.diffusers.weights import known_models, locate

    if name not in known_models():
        raise Misconfigured(f"There is no model {name!r}; there are {', '.join(known_models())}.")
    folder, _ = locate(name, _models_folder())
    terminal = Terminal()
    if not folder.is_dir():
        terminal.print(f"{name} is not here.")
        return
    terminal.print(f"{folder}: {_size_of(folder) / 1e9:.1f} GB")
    if not yes and not _ask("Delete it?"):
        terminal.print("Nothing was deleted.")
        raise typer.Exit(1)
    shutil.rmtree(folder)
    terminal.print(f"{name} was deleted.")


def _ask(question: str = "Accept the licence and fetch it?") -> bool:
    """Nobody is asked who cannot answer: that counts as no."""
    return sys.stdin.isatty() and typer.confirm(question, default=False)


def _models_folder() -> str:
    from vivant.settings import load_settings

    return str(load_settings().options_of("diffusers")["models"])


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
