"""Show what was run in the database: when, by which stack, which SQL."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from flowsctl.options import Options

app = typer.Typer()


@app.command()
def history(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="[OBJECT]", help="Only this object, for example flows.escos.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most entries, newest last.")] = 50,
) -> None:
    """Show what was run in the database: when, by which stack, which SQL."""
    from flowsctl.live import ask
    from pulumi_timescaledb import ledger
    from pulumi_timescaledb.connection import Database
    from pulumi_timescaledb.executor import query

    async def entries(database: Database) -> list[dict[str, Any]]:
        async with database.connection() as connection:
            if ledger.format_of((await query(connection, ledger.EXISTS))[0]) is None:
                return []
            return await query(connection, ledger.history_select_sql(name, limit))

    options = Options.of(ctx)
    rows = ask(options, entries)
    if options.json:
        print(json.dumps([row | {"at": row["at"].isoformat()} for row in rows], indent=2, ensure_ascii=False))
        return
    for row in rows:
        print(f"{row['at']:%Y-%m-%d %H:%M:%S}  {row['stack']}  {row['verb']} {row['kind']} {row['id']}")
        for statement in row["statements"]:
            print("    " + statement.replace("\n", "\n    ") + ";")
    if not rows:
        print(f"no history of {name}" if name else "no history")
