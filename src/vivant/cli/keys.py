"""`vivant keys`: make, list and revoke API keys. Works beside a running service, which obeys within 250 ms."""

from __future__ import annotations

from typing import Annotated

import typer

from vivant.cli.options import Data, open_record
from vivant.cli.terminal import Terminal
from vivant.clock import SYSTEM_CLOCK

app = typer.Typer(help="API keys. The first one ends open mode for good.", no_args_is_help=True)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    model: Annotated[str, typer.Option(help="Which model its tasks get.", show_default="the dialect's")] = "",
    data: Data = None,
) -> None:
    """Make a key and print it. It is shown only now."""
    from vivant.record import keys

    with open_record(data) as connection:
        key, text = keys.create(connection, name=name, model=model, now=SYSTEM_CLOCK.now())
    Terminal(stderr=True).print(f"Key {key.id} for {name}. It is shown only now:")
    Terminal().print(text)  # alone on stdout, so that KEY=$(vivant keys create …) works


@app.command("list")
def show(data: Data = None) -> None:
    """Every key ever made."""
    from vivant.record import keys

    with open_record(data) as connection:
        known = keys.list_keys(connection).values()
    if not known:
        Terminal().print("No key yet: the service listens on loopback only and accepts any bearer token.")
        return
    rows = []
    for key in known:
        used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
        state = f"revoked {key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else "good"
        rows.append((key.id, key.name, key.model or "-", f"{key.created_at:%Y-%m-%d %H:%M}", used, state))
    Terminal().print_table(("id", "name", "model", "made", "last used", "state"), rows)


@app.command("set")
def change(
    key_id: Annotated[str, typer.Argument(help="The id, or the whole key.")],
    model: Annotated[str, typer.Option(help="Which model its tasks get; empty: the dialect's.")],
    data: Data = None,
) -> None:
    """Change which model the key's tasks get from now on."""
    from vivant.record import keys

    plain = _id_of(key_id)
    with open_record(data) as connection:
        keys.set_model(connection, plain, model)
    Terminal().print(f"Tasks of key {plain} get {model or 'the model of the dialect'} from now on.")


@app.command("revoke")
def revoke(key_id: Annotated[str, typer.Argument(help="The id, or the whole key.")], data: Data = None) -> None:
    """Refuse the key from now on. Revoking the last key does not return to open mode."""
    from vivant.record import keys

    plain = _id_of(key_id)
    with open_record(data) as connection:
        keys.revoke(connection, plain, now=SYSTEM_CLOCK.now())
    Terminal().print(f"Key {plain} is revoked.")


def _id_of(text: str) -> str:
    """The id of a key that is given by its id or as a whole."""
    parts = text.split("_")
    return parts[1] if len(parts) == 3 and parts[0] == "sk" else text
