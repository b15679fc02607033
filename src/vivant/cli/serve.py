"""`vivant serve`: the API and the dispatcher in one process."""

from __future__ import annotations

from typing import Annotated

import typer

from vivant.cli.options import Data
from vivant.cli.terminal import Terminal


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on. Anything but loopback needs an API key.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one.")] = 8000,
    data: Data = None,
) -> None:
    """Run the service until Ctrl-C. The first Ctrl-C lets running clips finish, the second stops at once."""
    from vivant.settings import load_settings

    settings = load_settings(data=data)  # first: a wrong value is refused before anything heavy is loaded

    from vivant.api.serve import serve as run

    terminal = Terminal()

    def ready(url: str) -> None:
        terminal.print(f"Vivant serves at {url}", style="bold")
        terminal.print(f"  engines {', '.join(settings.engines)}, data in {settings.data}")
        terminal.print("  Ctrl-C stops; running clips finish first.")

    run(settings, host=host, port=port, on_ready=ready)
