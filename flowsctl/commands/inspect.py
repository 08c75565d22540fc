"""Read a live database into a package of declarations, and what adopts it."""

from __future__ import annotations

import json
import keyword
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowsctl.options import Options

if TYPE_CHECKING:
    from pulumi_timescaledb.connection import ConnectionSettings
    from pulumi_timescaledb.inspection.census import Count, Left
    from pulumi_timescaledb.inspection.look import View

app = typer.Typer()
SHOWN = 40
"""Lines of what is left out on a terminal; --json has them all."""


@app.command()
def inspect(
    ctx: typer.Context,
    dsn: Annotated[str, typer.Argument(help="libpq connection string or URL; PGPASSWORD and a passfile work.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write into; files that differ are never replaced.")],
    schema: Annotated[
        list[str] | None,
        typer.Option("--schema", help="Schema to read; repeatable; all of the users' if absent."),
    ] = None,
    package: Annotated[str, typer.Option("--package", help="Name of the Python package and the project.")] = "declared",
    roles: Annotated[bool, typer.Option("--roles/--no-roles", help="Declare the roles that are named.")] = True,
) -> None:
    """Read a live database into a package of declarations, and what adopts it. Exit code 0 all of it, 2 not all, 1
    failed."""
    from pulumi_timescaledb.inspection import census
    from pulumi_timescaledb.inspection import package as writer
    from pulumi_timescaledb.inspection.select import select

    options = Options.of(ctx)
    _check_name(package)
    settings = _settings(dsn)
    view = _look(settings, schema or [])
    selection = select(view, with_roles=roles)
    made = writer.files(selection.specs, package, settings.shown(), options.stack)
    _write(made, out)
    sums = census.counts(view.objects, selection.specs)
    if options.json:
        print(json.dumps(_report(view, made, sums, selection.left), indent=2, ensure_ascii=False))
    else:
        _tell(out, len(selection.specs), len(made), sums, selection.left)
    raise typer.Exit(2 if selection.left_unsaid() else 0)


def _check_name(name: str) -> None:
    from flowsctl.errors import UsageError

    if not name.isidentifier() or not name.islower() or not name.isascii() or keyword.iskeyword(name):
        raise UsageError(f'"{name}" cannot be the name of a package', "take one in lower case, such as declared")


def _settings(dsn: str) -> ConnectionSettings:
    """Raises UsageError for a connection string that libpq does not understand, or that names no user."""
    import os

    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    from flowsctl.errors import UsageError
    from pulumi_timescaledb.connection import ConnectionSettings

    try:
        given = {key: str(value) for key, value in conninfo_to_dict(dsn).items()}
    except psycopg.ProgrammingError as error:
        raise UsageError(f"the connection string is not understood: {' '.join(str(error).split())}") from error
    user = given.get("user") or os.environ.get("PGUSER", "")
    if not user:
        raise UsageError("the connection string names no user", "write it as postgresql://USER@HOST:PORT/DATABASE")
    return ConnectionSettings(
        host=given.get("host") or os.environ.get("PGHOST", "/var/run/postgresql"),
        port=int(given.get("port") or os.environ.get("PGPORT", "5432")),
        user=user,
        password=given.get("password") or os.environ.get("PGPASSWORD", ""),
        database=given.get("dbname") or os.environ.get("PGDATABASE") or user,
        sslmode=given.get("sslmode") or os.environ.get("PGSSLMODE", "prefer"),
        sslrootcert=given.get("sslrootcert", ""),
        max_connections=1,
    )


def _look(settings: ConnectionSettings, schemas: list[str]) -> View:
    import asyncio

    from flowsctl.errors import FlowsError
    from pulumi_timescaledb.connection import Database
    from pulumi_timescaledb.errors import ProviderError
    from pulumi_timescaledb.inspection.look import look

    async def asked() -> View:
        database = Database(settings)
        try:
            return await look(database, schemas)
        finally:
            await database.close()

    try:
        return asyncio.run(asked())
    except ProviderError as error:
        raise FlowsError(str(error), "correct the connection string or --schema") from error


def _write(made: dict[str, str], out: Path) -> None:
    from flowsctl.errors import FlowsError
    from pulumi_timescaledb.inspection import package as writer

    try:
        writer.write(made, out)
    except OSError as error:
        raise FlowsError(f"nothing was written: {error}", "give another folder with --out") from error


def _report(view: View, made: dict[str, str], sums: list[Count], left: list[Left]) -> dict[str, object]:
    return {
        "schemas": list(view.schemas),
        "files": sorted(made),
        "classes": {
            each.class_: {
                "found": each.found,
                "declared": each.declared,
                "automatic": each.automatic,
                "left": each.left,
            }
            for each in sums
        },
        "left": [{"class": e.class_, "name": e.name, "why": e.why, "partly": e.partly} for e in left],
    }


def _tell(out: Path, declared: int, written: int, sums: list[Count], left: list[Left]) -> None:
    print(f"{declared} declarations in {written} files under {out}")
    for each in sums:
        parts = f"{each.declared:6} declared {each.automatic:6} automatic {each.left:6} left"
        print(f"  {each.class_:24}{each.found:6} found  {parts}")
    for item in left[:SHOWN]:
        print(f"{'not wholly' if item.partly else 'not'} declared: {item.class_} {item.name}: {item.why}")
    if len(left) > SHOWN:
        print(f"... and {len(left) - SHOWN} more: --json lists all")
    print("next:  docs/adopting.md says how to take it over")
