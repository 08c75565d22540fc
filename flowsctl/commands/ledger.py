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
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Make this stack the owner of everything the database's ledger holds: for a clone or a restored copy."""
    from flowsctl.live import ask
    from flowsctl.session import open_engine
    from pulumi_timescaledb.rebind import rebind as provider_rebind

    options = Options.of(ctx)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("rebinding needs a yes and there is no terminal to ask", "add --yes")
        typer.confirm(f"Make stack {options.stack} the owner of this database's objects?", abort=True)
    resources = (open_engine(options).export().get("deployment") or {}).get("resources") or []
    manifest = next((each for each in resources if each["type"] == "timescaledb:index:Manifest"), None)
    known = str(manifest["outputs"].get("ledger") or "") if manifest else ""
    found = ask(options, lambda database: provider_rebind(database, options.stack, known))
    if options.json:
        print(json.dumps({"objects": found.objects, "from": list(found.stacks)}))
    else:
        print(f"stack {options.stack} now owns {found.objects} objects (before: {', '.join(found.stacks) or 'nobody'})")
        print("next:  flowsctl refresh, then flowsctl preview")
