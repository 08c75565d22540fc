"""What makes a logical copy of a TimescaleDB database come out wrong, refused before anything runs.

Each refusal gives what was measured where it was tried all the same (research: reliability A, TimescaleDB 2.28.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flowsctl.errors import EXIT_REFUSED, FlowsError
from flowsctl.maintenance.objects import OWN, Connection
from pulumi_timescaledb.capabilities import version_tuple

FACTS = """
SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('server_version') AS postgres,
    (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'timescaledb') AS timescaledb,
    current_setting('timescaledb.license', true) AS license,
    current_setting('timescaledb.restoring', true) AS restoring,
    (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS superuser,
    version() ~* 'emscripten|wasm' AS embedded, current_database() AS name,
    (SELECT array_agg(version ORDER BY version) FROM pg_catalog.pg_available_extension_versions
        WHERE name = 'timescaledb') AS available,
    (SELECT jsonb_build_object('encoding', pg_encoding_to_char(encoding),
        'lc_collate', datcollate, 'lc_ctype', datctype,
        'locale_provider', CASE datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
        'locale', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'))
        FROM pg_catalog.pg_database d WHERE datname = current_database()) AS locale
"""
USED = f"""
SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE {OWN} AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1 LIMIT 3
"""
MISUSES = {
    "jobs": (
        "a parallel restore (-j) breaks the catalog of TimescaleDB: 0 rows everywhere, and no error from post_restore",
        "leave -j out; one process restores everything in the right order",
    ),
    "table": (
        "a hypertable cannot be picked from a dump (-t): pg_dump and pg_restore exit 0 with 0 rows, in a plain table",
        "flowsctl restore table brings one table back from the backups; or load the whole dump aside and copy the rows",
    ),
    "data_only": (
        "a dump without its schema cannot be loaded into hypertables: the rows belong to chunks that are not there",
        "load the whole dump into an empty database",
    ),
    "clean": (
        "--clean drops and makes objects anew in a database that is in use; hypertables do not survive that",
        "load into an empty database, compare, then switch",
    ),
    "no_pre_restore": (
        "without timescaledb_pre_restore rows are lost (4 of 868), without post_restore compressed tables read empty",
        "both always run; there is no way around them",
    ),
}


@dataclass(frozen=True)
class Facts:
    """What a server says of itself."""

    major: int
    postgres: str
    timescaledb: str | None
    license: str | None
    restoring: bool
    superuser: bool
    embedded: bool
    name: str
    available: tuple[str, ...]
    locale: dict[str, str | None]
    """encoding, lc_collate, lc_ctype, locale_provider (libc, icu, builtin), locale."""


def facts(connection: Connection) -> Facts:
    """Asks the connected database."""
    row = connection.execute(FACTS).fetchall()[0]
    major, postgres, timescaledb, license_, restoring, superuser, embedded, name, available, locale = row
    return Facts(
        major,
        postgres,
        timescaledb,
        license_,
        restoring == "on",
        superuser,
        embedded,
        name,
        tuple(available or ()),
        locale,
    )


def refuse_misuse(given: dict[str, Any]) -> None:
    """Refuses options that pg_dump and pg_restore have and TimescaleDB does not survive. `given`: option -> value."""
    for option, value in given.items():
        if value:
            raise FlowsError(*MISUSES[option], EXIT_REFUSED)


def may_be_dumped(found: Facts) -> None:
    """Raises FlowsError (refused) where a dump would not hold everything."""
    if found.restoring:
        raise refused(
            f"database {found.name} is in restoring mode: compressed tables read as empty, so a dump would lack them",
            "run SELECT timescaledb_post_restore() there, then dump again",
        )
    if not found.superuser:
        raise refused(
            "only a superuser sees every row (row-level security) and every role's settings",
            "dump as the stack's admin user",
        )


def may_be_loaded(found: Facts, dumped: dict[str, Any], used: list[str]) -> None:
    """Raises FlowsError (refused) where the load would fail or lose something. `dumped`: the dump's `server`."""
    if found.embedded:
        raise refused(
            "the embedded server cannot load a dump: COPY FROM STDIN aborts its WebAssembly instance",
            "load into a real server; flowsctl env create NAME --data clone copies an embedded database",
        )
    if used:
        raise refused(
            f"database {found.name} is not empty: it has {', '.join(used)}",
            "name a database that does not exist yet; it is made",
        )
    if found.restoring:
        raise refused(
            f"database {found.name} was left in restoring mode by an earlier load",
            "drop it, or run SELECT timescaledb_post_restore() there",
        )
    if not found.superuser:
        raise refused(
            "timescaledb_pre_restore sets what only a superuser may set",
            "connect as a superuser; a managed service has a way of its own",
        )
    if found.major < dumped["major"]:
        raise refused(
            f"the dump is of PostgreSQL {dumped['major']}, the server is {found.major}: an older server cannot read it",
            f"load it into PostgreSQL {dumped['major']}",
        )
    _timescaledb_fits(found, dumped)


def _timescaledb_fits(found: Facts, dumped: dict[str, Any]) -> None:
    wanted = dumped["timescaledb"]
    if wanted is None:
        return
    if found.timescaledb not in (None, wanted) or wanted not in found.available:
        have = found.timescaledb or ", ".join(sorted(found.available, key=version_tuple)) or "none"
        raise refused(
            f"the dump is of TimescaleDB {wanted}, the server has {have}: post_restore ends with a catalog version "
            "mismatch",
            f"install TimescaleDB {wanted} there, load, then update the extension",
        )
    if dumped["license"] == "timescale" and found.license not in (None, "timescale"):
        raise refused(
            "the dump is of the Community edition, the server runs the Apache edition (timescaledb.license): "
            "compressed chunks and aggregates cannot be read there",
            "load it into a Community server",
        )


def in_use(connection: Connection) -> list[str]:
    """Up to three relations that a database has already."""
    return [str(row[0]) for row in connection.execute(USED.encode()).fetchall()]


def refused(message: str, hint: str) -> FlowsError:
    """A FlowsError with the code of refusals."""
    return FlowsError(message, hint, EXIT_REFUSED)
