"""The record of what was applied: bind a copy of a database to this stack."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from flowsctl.errors import UsageError
from flowsctl.options import Options

app = typer.Typer(help="The record of what was applied: bind a copy of a database to this stack.")


@app.callback()
def ledger() -> None:
    """The record of what was applied: bind a copy of a database to this stack."""


@app.command()
def rebind(
    ctx: typer.Context,
    previous: Annotated[
        str, typer.Option("--from", help="project/stack that owned them; needed where there are several.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Make this stack the owner of another one's objects: for a renamed stack, a clone or a restored copy."""
    from flowsctl.live import ask
    from flowsctl.session import open_engine
    from pulumi_timescaledb.rebind import rebind as provider_rebind

    options = Options.of(ctx)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("rebinding needs a yes and there is no terminal to ask", "add --yes")
        typer.confirm(f"Make stack {options.stack} the owner of this database's objects?", abort=True)
    engine = open_engine(options)
    resources = (engine.export().get("deployment") or {}).get("resources") or []
    manifest = next((each for each in resources if each["type"] == "timescaledb:index:Manifest"), None)
    known, system = (
        str(manifest["outputs"].get(key) or "") if manifest else "" for key in ("ledger", "systemIdentifier")
    )
    owner = engine.workspace.owner
    found = ask(options, lambda database: provider_rebind(database, owner, known, previous, system))
    if options.json:
        print(json.dumps({"objects": found.objects, "from": found.previous}))
    else:
        print(f"stack {owner} now owns {found.objects} objects more (before: {found.previous or 'nobody'})")
        print("next:  flowsctl refresh, then flowsctl preview")
