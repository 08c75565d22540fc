"""Load a logical copy into an empty database and compare it with what was dumped."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from flowsctl.options import Options

app = typer.Typer()


@app.command()
def load(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder of flowsctl dump.", show_default=False)],
    into: Annotated[
        str,
        typer.Option("--into", help="A new database on the stack's server, or a connection string without password."),
    ],
    keep_jobs_off: Annotated[
        bool, typer.Option("--keep-jobs-off", help="Leave TimescaleDB's jobs off, retention among them.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="Refused: one process restores TimescaleDB right.")] = 0,
    table: Annotated[list[str] | None, typer.Option("--table", "-t", help="Refused: a dump is whole.")] = None,
    data_only: Annotated[bool, typer.Option("--data-only", "-a", help="Refused: a dump is whole.")] = False,
    clean: Annotated[bool, typer.Option("--clean", "-c", help="Refused: it goes into an empty database.")] = False,
    no_pre_restore: Annotated[bool, typer.Option("--no-pre-restore", help="Refused: rows would be lost.")] = False,
) -> None:
    """Load a logical copy into an empty database. Exit code 0 the same as what was dumped, 2 it differs."""
    from flowsctl.dumping.checks import refuse_misuse
    from flowsctl.dumping.images import image_of
    from flowsctl.dumping.load import load as put_in

    options = Options.of(ctx)
    given = {"jobs": jobs, "table": table, "data_only": data_only, "clean": clean, "no_pre_restore": no_pre_restore}
    refuse_misuse(given)

    def tell(text: str) -> None:
        if not options.json:
            print(text, file=sys.stderr, flush=True)

    loaded = put_in(folder, destination(options, into), tell, jobs_on=not keep_jobs_off, image=image_of(options))
    if options.json:
        print(json.dumps(loaded.as_json(), indent=2, ensure_ascii=False))
    else:
        for difference in loaded.differences:
            print(f"differs: {difference}")
        phases = ", ".join(f"{phase} {took:.1f} s" for phase, took in loaded.seconds.items())
        print(f"{loaded.rows} rows in database {loaded.database}, {len(loaded.differences)} differences ({phases})")
        print(f"{loaded.jobs} jobs {'on' if loaded.jobs_on else 'held back'}")
    raise typer.Exit(2 if loaded.differences else 0)


def destination(options: Options, into: str) -> dict[str, Any]:
    """Arguments for psycopg. Raises UsageError for a connection string with a password: everybody sees arguments."""
    from psycopg.conninfo import conninfo_to_dict

    from flowsctl.errors import UsageError
    from flowsctl.live import reach

    if "=" not in into and "://" not in into:
        return reach(options)[0] | {"dbname": into}
    found: dict[str, Any] = dict(conninfo_to_dict(into))
    if found.get("password"):
        raise UsageError("--into shows a password to everybody on this machine", "put it in PGPASSWORD or ~/.pgpass")
    if not found.get("dbname"):
        raise UsageError("--into names no database", "add dbname=NAME")
    return found
