"""What is in a database, counted in one transaction: rows of every table, of hypertables by day, jobs, objects."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from flowsctl.maintenance.objects import HAS_TIMESCALEDB, HYPERTABLES, OWN, Connection, Thing, things

Census = dict[str, Any]
DIMENSION = """
SELECT d.column_name, d.column_type IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
FROM _timescaledb_catalog.dimension d JOIN _timescaledb_catalog.hypertable h ON h.id = d.hypertable_id
WHERE (h.schema_name, h.table_name) = (%s, %s) ORDER BY d.id LIMIT 1
"""
POPULATED = (
    "SELECT relispopulated FROM pg_catalog.pg_class WHERE oid = to_regclass(format('%%I.%%I', %s::text, %s::text))"
)
OBJECTS = f"""
SELECT what, count(*) FROM (
    SELECT CASE c.relkind WHEN 'i' THEN 'indexes' WHEN 'I' THEN 'indexes' WHEN 'S' THEN 'sequences'
        WHEN 'v' THEN 'views' ELSE 'tables' END AS what
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {OWN} AND c.relkind <> 't'
    UNION ALL SELECT 'functions' FROM pg_catalog.pg_proc c JOIN pg_catalog.pg_namespace n ON n.oid = c.pronamespace
        WHERE {OWN} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    UNION ALL SELECT 'types' FROM pg_catalog.pg_type c JOIN pg_catalog.pg_namespace n ON n.oid = c.typnamespace
        WHERE {OWN} AND c.typtype IN ('e', 'd')
    UNION ALL SELECT 'constraints' FROM pg_catalog.pg_constraint c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace WHERE {OWN}
    UNION ALL SELECT 'triggers' FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {OWN} AND NOT t.tgisinternal
    UNION ALL SELECT 'row policies' FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {OWN}
    UNION ALL SELECT 'rights' FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
        aclexplode(c.relacl) WHERE {OWN}
) counted GROUP BY 1 ORDER BY 1
"""
# The server's own jobs have ids below 1000 and come with the extension.
JOBS = """
SELECT proc_schema || '.' || proc_name || ' ' || coalesce(hypertable_schema || '.' || hypertable_name, '') AS job,
       schedule_interval::text, coalesce(config - 'hypertable_id' - 'mat_hypertable_id', '{}')::text
FROM timescaledb_information.jobs WHERE job_id >= 1000 ORDER BY 1, 2, 3
"""


def take(connection: Connection) -> Census:
    """Counts everything; in a transaction of the caller's, so that it is one moment's.

    {"tables": {name: rows}, "days": {hypertable: {"2026-01-31": rows}}, "objects": {what: count}, "jobs": [text]}
    """
    found: Census = {"tables": {}, "days": {}, "objects": {}, "jobs": []}
    for thing in things(connection):
        if thing.kind == "materialized view" and not _value(connection, POPULATED, thing.root.schema, thing.root.name):
            continue
        found["tables"][thing.name] = _rows(connection, thing)
        if thing.kind in ("hypertable", "aggregate") and (days := _days(connection, thing)) is not None:
            found["days"][thing.name] = days
    found["objects"] = {str(what): int(count) for what, count in connection.execute(OBJECTS.encode()).fetchall()}
    if _value(connection, HAS_TIMESCALEDB):
        found["jobs"] = [" ".join(row) for row in connection.execute(JOBS).fetchall()]
        found["objects"]["hypertables"] = len(connection.execute(HYPERTABLES).fetchall())
    return found


def differences(before: Census, after: Census) -> list[str]:
    """What is not the same, one sentence each."""
    told = []
    for part in ("tables", "objects"):
        for name in sorted({*before[part], *after[part]}):
            was, now = before[part].get(name), after[part].get(name)
            if was != now:
                told.append(f"{name}: {_shown(was)} in the dump, {_shown(now)} now")
    for name in sorted({*before["days"], *after["days"]}):
        was, now = before["days"].get(name, {}), after["days"].get(name, {})
        told += [
            f"{name} on {day}: {was.get(day, 0)} rows in the dump, {now.get(day, 0)} now"
            for day in sorted({*was, *now})
            if was.get(day) != now.get(day)
        ]
    gone, new = set(before["jobs"]) - set(after["jobs"]), set(after["jobs"]) - set(before["jobs"])
    return told + [f"job missing: {job}" for job in sorted(gone)] + [f"job added: {job}" for job in sorted(new)]


def _rows(connection: Connection, thing: Thing) -> int:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(thing.root.schema, thing.root.name))
    return int(connection.execute(query).fetchall()[0][0])


def _days(connection: Connection, thing: Thing) -> dict[str, int] | None:
    """Rows of a hypertable by day (UTC); None where its dimension is no time."""
    row = connection.execute(DIMENSION, [thing.root.schema, thing.root.name]).fetchone()
    if row is None or not row[1]:
        return None
    query = sql.SQL(
        "SELECT to_char({time} AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, count(*) FROM {table} GROUP BY 1 ORDER BY 1"
    ).format(time=sql.Identifier(row[0]), table=sql.Identifier(thing.root.schema, thing.root.name))
    return {str(day): int(count) for day, count in connection.execute(query).fetchall()}


def _value(connection: Connection, query: str, *parameters: object) -> Any:
    row = connection.execute(query.encode(), parameters or None).fetchone()
    return row[0] if row else None


def _shown(count: int | None) -> str:
    return "not there" if count is None else str(count)
