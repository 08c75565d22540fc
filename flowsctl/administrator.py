"""What engine external needs of its administrator, asked of the server before anything is made there.

A superuser may do everything. Managed servers give less: a role that makes roles and databases. What such a role lacks
would otherwise show in the middle of an update, as a refusal of some statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import psycopg
from psycopg.rows import DictRow, dict_row

from components.config import StackConfig
from flows import declarations, server_roles
from flowsctl.errors import EXIT_REFUSED, FlowsError
from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.specs.extension import Extension
from pulumi_timescaledb.specs.role_membership import RoleMembership

SELF_GRANT = 160_000
"""PostgreSQL 16: who makes a role may give it away, but not be it, unless createrole_self_grant says so."""
_RIGHTS = """
SELECT r.rolsuper AS superuser, r.rolcreaterole AS creates_roles, r.rolcreatedb AS creates_databases,
       pg_catalog.current_setting('server_version_num')::int AS version,
       coalesce(pg_catalog.current_setting('createrole_self_grant', true), '') AS self_grant,
       pg_catalog.pg_has_role(current_user, d.datdba, 'USAGE') AS owns
FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
WHERE r.rolname = current_user AND d.datname = pg_catalog.current_database()
"""
_NOT_HELD = """
SELECT r.rolname AS role FROM pg_catalog.pg_roles r WHERE r.rolname = ANY (%s)
AND NOT pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER WITH ADMIN OPTION') ORDER BY 1
"""
_UNTRUSTED = """
SELECT DISTINCT v.name FROM pg_catalog.pg_available_extension_versions v
JOIN pg_catalog.pg_available_extensions e ON e.name = v.name AND e.default_version = v.version
WHERE v.name = ANY (%s) AND v.superuser AND NOT v.trusted
AND NOT (%s AND EXISTS (SELECT FROM pg_catalog.pg_extension x WHERE x.extname = v.name)) ORDER BY 1
"""


def demand(
    there: ConnectionSettings, config: StackConfig, existing: str, *, copies: bool = False, must_answer: bool = True
) -> None:
    """`there`: the stack's database, reached as its administrator. `existing`: a database to ask from where it is still
    to come. `copies`: whether it is to be copied.

    Raises:
        FlowsError: the administrator lacks something; each with the statement that gives it. Or the server does not let
            it in, which pulumi-postgresql would say once for every role; passed over unless the server `must_answer`.
    """
    try:
        for database in dict.fromkeys((there.database, existing)):
            try:
                with psycopg.connect(**replace(there, database=database).conninfo(), row_factory=dict_row) as session:
                    is_new = database != there.database
                    missing = [*lacking(session, there.user, config, is_new=is_new, makes_database=is_new or copies)]
                break
            except psycopg.OperationalError:
                if database == existing:
                    raise
    except psycopg.OperationalError as error:
        if not must_answer:
            return
        reason = " ".join(str(error).split())
        raise FlowsError(
            f"cannot connect to {replace(there, database=existing).shown()}: {reason}",
            "check flows:host, flows:port and flows:adminUser, give the password as FLOWS_ADMIN_PASSWORD, "
            "or start the server",
        ) from None
    if missing:
        raise FlowsError(
            f"{there.user} is no superuser of {there.host} and lacks: " + "; ".join(what for what, _ in missing),
            "\n       ".join(["have somebody who may run on that server:", *(way for _, way in missing)]),
            EXIT_REFUSED,
        )


def lacking(
    session: psycopg.Connection[DictRow], user: str, config: StackConfig, *, is_new: bool, makes_database: bool
) -> Iterator[tuple[str, str]]:
    """(what the session's user lacks to make a stack, statement that gives it). `is_new`: nothing is there yet of the
    stack's database, extensions included."""
    rights = session.execute(_RIGHTS).fetchone()
    if rights is None or rights["superuser"]:
        return
    if not rights["creates_roles"]:
        yield "CREATEROLE", f'ALTER ROLE "{user}" CREATEROLE'
    if makes_database and not rights["creates_databases"]:
        yield "CREATEDB", f'ALTER ROLE "{user}" CREATEDB'
    if not is_new and not rights["owns"]:
        name = session.info.dbname
        yield f"being the owner of database {name}", f'ALTER DATABASE "{name}" OWNER TO "{user}"'
    if rights["version"] < SELF_GRANT:
        yield "PostgreSQL 16, with which a role can be made that its maker may act as", f'ALTER ROLE "{user}" SUPERUSER'
    elif not {"set", "inherit"} <= {word.strip() for word in rights["self_grant"].split(",")}:
        statement = f"ALTER ROLE \"{user}\" SET createrole_self_grant TO 'set, inherit'"
        yield "the right to act as the roles it makes", f"{statement}  -- it may do so itself"
    given = [spec.role for spec in server_roles(config.settings) if isinstance(spec, RoleMembership)]
    for row in _asked(session, _NOT_HELD, [name for name in given if name.startswith("pg_")]):
        yield f"ADMIN on {row['role']}", f'GRANT {row["role"]} TO "{user}" WITH ADMIN OPTION'
    names = [spec.name for spec in declarations(config.settings) if isinstance(spec, Extension)]
    for row in _asked(session, _UNTRUSTED, names, not is_new):
        name = row["name"]
        yield (
            f"extension {name}, which only a superuser makes on this server",
            f"CREATE EXTENSION {name}  -- in a database that is given as flows:databaseName and flows:adminDatabase",
        )


def _asked(session: psycopg.Connection[DictRow], query: str, names: Sequence[str], *more: object) -> list[DictRow]:
    return session.execute(query.encode(), [[*names], *more]).fetchall()
