"""Loading a dump into an empty database, restoring mode around it, jobs held back until everything was compared."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from flowsctl.dumping import census, checks, tools
from flowsctl.dumping.dump import DATABASE, ROLES, read
from flowsctl.errors import FlowsError
from flowsctl.maintenance.objects import Connection

Tell = Callable[[str], None]
# TimescaleDB moved the table of jobs to its catalog in 2.23; there it is where this server has it.
JOB_TABLE = """
SELECT coalesce(to_regclass('_timescaledb_catalog.bgw_job'), to_regclass('_timescaledb_config.bgw_job'))::text
"""


@dataclass
class Loaded:
    """What a load came to."""

    database: str
    rows: int
    seconds: dict[str, float] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    jobs: int = 0
    jobs_on: bool = True

    def as_json(self) -> dict[str, Any]:
        """The documented form of `load --json`."""
        return {
            "database": self.database,
            "rows": self.rows,
            "seconds": {phase: round(took, 3) for phase, took in self.seconds.items()},
            "differences": self.differences,
            "jobs": self.jobs,
            "jobs_on": self.jobs_on,
        }


def load(folder: Path, conninfo: Mapping[str, Any], tell: Tell, *, jobs_on: bool = True, image: str = "") -> Loaded:
    """The dump in the database that `conninfo` names, which is made if it is not there. If the load does not work, or
    on Ctrl-C, a database that was made for it is dropped; one that was there has left restoring mode.

    A loaded retention policy would drop old rows as soon as workers start, so jobs stay off until the rows are compared
    with the dump's census, and beyond that where they differ or `jobs_on` is false.

    Raises:
        FlowsError: refused (checks.may_be_loaded), no pg_restore of that version, or it failed.
    """
    manifest = read(folder)
    outside = json.loads((folder / ROLES).read_text(encoding="utf-8"))
    programs = tools.find(int(manifest["server"]["major"]), image)
    loaded = Loaded(str(conninfo["dbname"]), 0)
    clock = time.monotonic()

    def phase(name: str) -> None:
        nonlocal clock
        loaded.seconds[name] = time.monotonic() - clock
        clock = time.monotonic()

    with database(conninfo, manifest["server"]) as (connection, found):
        tell("roles")
        run_roles(connection, outside["before"])
        phase("roles")
        tell("pg_restore")
        with restoring(connection, manifest["server"]["timescaledb"]) as held:
            # No -j: see checks.MISUSES. Not in one transaction: thousands of chunks need more locks than a server has.
            source = programs.inside(folder / DATABASE)
            programs.run("pg_restore", ["--exit-on-error", str(source)], conninfo, folder)
            held += hold_jobs(connection)
        phase("restore")
        tell("statistics")
        connection.execute("ANALYZE")
        quoted = sql.Identifier(found.name).as_string(connection)
        for statement in outside["after"]:
            connection.execute(statement.replace("{database}", quoted).encode())
        phase("analyze")
        tell("comparing with the dump")
        counted = census.take(connection)
        loaded.rows = sum(counted["tables"].values())
        loaded.differences = census.differences(manifest["census"], counted)
        phase("compare")
        loaded.jobs, loaded.jobs_on = len(held), jobs_on and not loaded.differences
        if loaded.jobs_on:
            release_jobs(connection, held)
    return loaded


@contextmanager
def database(conninfo: Mapping[str, Any], dumped: dict[str, Any]) -> Iterator[tuple[Connection, checks.Facts]]:
    """A connection to an empty database; made where there is none, and then dropped again if the block fails."""
    name = str(conninfo["dbname"])
    made = False
    try:
        connection = psycopg.connect(**conninfo, autocommit=True, prepare_threshold=None)
    except psycopg.OperationalError as error:
        if f'database "{name}" does not exist' not in str(error):
            raise FlowsError(f"the server does not answer: {' '.join(str(error).split())}", "check --into") from None
        with maintenance(conninfo) as other:
            checks.may_be_loaded(checks.facts(other), dumped, [])
            other.execute(creation(name, dumped["locale"]))
        made = True
        connection = psycopg.connect(**conninfo, autocommit=True, prepare_threshold=None)
    try:
        with connection:
            found = checks.facts(connection)
            checks.may_be_loaded(found, dumped, checks.in_use(connection))
            yield connection, found
    except BaseException:
        if made:
            with contextlib.suppress(psycopg.Error), maintenance(conninfo) as other:
                other.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        raise


def creation(name: str, locale: dict[str, Any]) -> sql.Composed:
    """CREATE DATABASE with the encoding and the sort order of the dump: another one would break indexes on text."""
    own = {"icu": "icu_locale", "builtin": "builtin_locale"}.get(locale["locale_provider"], "")
    options = {key: value for key, value in locale.items() if key != "locale"} | (
        {own: locale["locale"]} if own else {}
    )
    words = [sql.SQL(key.upper() + " = {}").format(sql.Literal(value)) for key, value in options.items()]
    return sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}").format(sql.Identifier(name), sql.SQL(" ").join(words))


@contextmanager
def maintenance(conninfo: Mapping[str, Any]) -> Iterator[Connection]:
    """A connection to the database `postgres` of the same server."""
    with psycopg.connect(**{**conninfo, "dbname": "postgres"}, autocommit=True, prepare_threshold=None) as connection:
        yield connection


@contextmanager
def restoring(connection: Connection, version: str | None) -> Iterator[list[int]]:
    """The extension in the dump's version, in restoring mode for the block, which ends however the block ends."""
    if version is None:
        yield []
        return
    create = sql.SQL("CREATE EXTENSION IF NOT EXISTS timescaledb VERSION {}").format(sql.Literal(version))
    connection.execute(create)
    connection.execute("SELECT timescaledb_pre_restore()")
    try:
        yield []
    finally:
        connection.execute("SELECT timescaledb_post_restore()")


def run_roles(connection: Connection, statements: list[str]) -> None:
    """Makes the roles that are not there; a membership that cannot be given again is there already."""
    for statement in statements:
        connection.execute(statement.encode())


def hold_jobs(connection: Connection) -> list[int]:
    """Takes every job of the user's off the schedule while no worker runs; returns their ids. alter_job would do, but
    it asks the owner's rights and wakes the scheduler; in restoring mode this is a row like those just loaded."""
    row = connection.execute(JOB_TABLE).fetchone()
    if row is None or row[0] is None:
        return []
    query = sql.SQL("UPDATE {} SET scheduled = false WHERE scheduled AND id >= 1000 RETURNING id")
    return [int(each[0]) for each in connection.execute(query.format(sql.SQL(row[0]))).fetchall()]


def release_jobs(connection: Connection, jobs: list[int]) -> None:
    """On the schedule again."""
    for job in jobs:
        connection.execute("SELECT alter_job(%s, scheduled => true)", [job])
