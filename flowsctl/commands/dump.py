"""Write a logical copy of the database into a folder, with its roles and a ledger of what is in it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from flowsctl.options import Options

app = typer.Typer()


@app.command()
def dump(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="Folder to make; it must not exist.")],
    passwords: Annotated[
        bool, typer.Option("--passwords", help="Also the roles' password verifiers (a stack derives them anew).")
    ] = False,
    table: Annotated[list[str] | None, typer.Option("--table", "-t", help="Refused: a dump is whole.")] = None,
    data_only: Annotated[bool, typer.Option("--data-only", "-a", help="Refused: a dump is whole.")] = False,
) -> None:
    """Write a logical copy of the database into a folder. It is for moving and keeping data; for restores to a moment
    there are backups."""
    from flowsctl.dumping.checks import refuse_misuse
    from flowsctl.dumping.dump import dump as write
    from flowsctl.dumping.images import image_of
    from flowsctl.live import reach

    options = Options.of(ctx)
    refuse_misuse({"table": table, "data_only": data_only})

    def tell(text: str) -> None:
        if not options.json:
            print(text, file=sys.stderr, flush=True)

    conninfo, _ = reach(options)
    manifest = write(conninfo, out, tell, passwords=passwords, image=image_of(options))
    if options.json:
        print(json.dumps({"folder": str(out), **manifest}, indent=2, ensure_ascii=False))
        return
    for warning in manifest["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    rows = sum(manifest["census"]["tables"].values())
    server = manifest["server"]
    print(f"{rows} rows in {manifest['seconds']:.1f} s, as of {manifest['made']}")
    print(f"PostgreSQL {server['postgres']}, TimescaleDB {server['timescaledb'] or 'none'}: {out}")
    print(f"next:  flowsctl load {out} --into NEW_DATABASE")
