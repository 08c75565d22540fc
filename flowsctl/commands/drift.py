"""Show what was changed in the database behind the program's back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from flowsctl.options import Options

if TYPE_CHECKING:
    from pulumi_timescaledb.connection import Database
    from pulumi_timescaledb.drift import Drift
    from pulumi_timescaledb.inspection.census import Left
    from pulumi_timescaledb.snapshot import Snapshot

app = typer.Typer()


@app.command()
def drift(
    ctx: typer.Context,
    unmanaged: Annotated[
        bool,
        typer.Option(
            "--unmanaged",
            help="Also list what nobody declared in the stack's schemas, and what no declaration can say.",
        ),
    ] = False,
) -> None:
    """Show what was changed in the database behind the program's back. Exit code 0 none, 2 drift, 1 could not tell."""
    from flowsctl.live import ask
    from flowsctl.looking import all_drift
    from flowsctl.session import read_config
    from pulumi_timescaledb.drift import unmanaged as not_declared
    from pulumi_timescaledb.snapshot import take

    options = Options.of(ctx)
    workspace, config = read_config(options)
    owner = workspace.owner

    async def looked(database: Database) -> tuple[Snapshot, list[Left]]:
        snapshot = await take(database)
        if not unmanaged:
            return snapshot, []
        from pulumi_timescaledb.inspection.unseen import unseen

        return snapshot, await unseen(database, snapshot, owner)

    snapshot, hidden = ask(options, looked)
    found = all_drift(snapshot, owner, config)
    strangers = list(not_declared(snapshot, owner, "tsdbadmin")) if unmanaged else []
    if options.json:
        rows = [
            {
                "kind": each.kind,
                "id": each.id,
                "what": each.what,
                "fields": {name: {"applied": a, "found": f} for name, (a, f) in each.fields.items()},
            }
            for each in found
        ]
        report = {
            "drift": rows,
            "unmanaged": [{"kind": kind, "id": key} for kind, key in strangers],
            "unseen": [{"class": each.class_, "name": each.name, "why": each.why} for each in hidden],
        }
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        _tell(found, strangers, len(snapshot.entries))
        for each in hidden:
            print(f"not seen: {each.class_} {each.name}: {each.why}")
    raise typer.Exit(2 if found else 0)


def _tell(found: list[Drift], strangers: list[tuple[str, str]], count: int) -> None:
    if found:
        from rich.console import Console
        from rich.table import Table

        table = Table("kind", "object", "property", "as applied", "as found")
        for each in found:
            if each.what != "changed":
                words = "[red]gone[/red]" if each.what == "missing" else "[red]left half-way by an earlier run[/red]"
                table.add_row(each.kind, each.id, "", "", words)
            for name, (applied, now) in each.fields.items():
                if isinstance(applied, list) and isinstance(now, list):  # only the items that differ
                    applied, now = [x for x in applied if x not in now], [x for x in now if x not in applied]
                table.add_row(each.kind, each.id, name, _short(applied), _short(now))
        Console(soft_wrap=False).print(table)
        print("next:  flowsctl up puts it right (flowsctl plan shows how)")
    else:
        print(f"no drift, {count} objects")
    for kind, key in strangers:
        print(f"not declared: {kind} {key}")


def _short(value: object) -> str:
    from rich.markup import escape

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return escape(text if len(text) <= 60 else f"{text[:57]}...")
