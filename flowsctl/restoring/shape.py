"""What a table looks like to whoever copies rows into it: columns, key, time, triggers, foreign keys, sequences."""

from __future__ import annotations

from dataclasses import dataclass

from flowsctl.errors import UsageError
from flowsctl.maintenance.objects import HAS_TIMESCALEDB, Connection

OID = "to_regclass(format('%%I.%%I', %s::text, %s::text))"
KIND = f"SELECT relkind::text FROM pg_catalog.pg_class WHERE oid = {OID}"
COLUMNS = f"""
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attgenerated <> '', a.attidentity = 'a',
    pg_get_serial_sequence(format('%%I.%%I', n.nspname, c.relname), a.attname), a.attnotnull
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE a.attrelid = {OID} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
# The primary key, else the narrowest unique index over whole columns that are never null: what tells two rows apart.
KEY = f"""
SELECT array_agg(a.attname::text ORDER BY k.place)
FROM pg_catalog.pg_index x CROSS JOIN unnest(x.indkey::int2[]) WITH ORDINALITY k(number, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number
WHERE x.indrelid = {OID} AND x.indisunique AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
    AND k.place <= x.indnkeyatts
GROUP BY x.indexrelid, x.indisprimary HAVING bool_and(a.attnotnull)
ORDER BY x.indisprimary DESC, count(*), x.indexrelid LIMIT 1
"""
# TimescaleDB's own triggers stand among the user's.
TRIGGERS = f"""
SELECT tgname FROM pg_catalog.pg_trigger
WHERE tgrelid = {OID} AND NOT tgisinternal AND tgenabled = 'O'
    AND tgname NOT IN ('ts_insert_blocker', 'ts_cagg_invalidation_trigger') ORDER BY 1
"""
FOREIGN_KEYS = f"""
SELECT conname, n.nspname, c.relname,
    (SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(f.conkey) WITH ORDINALITY k(number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.number),
    (SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(f.confkey) WITH ORDINALITY k(number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.number)
FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class c ON c.oid = f.confrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE f.contype = 'f' AND f.conrelid = {OID} ORDER BY 1
"""
TIME = """
SELECT d.column_name FROM _timescaledb_catalog.dimension d
JOIN _timescaledb_catalog.hypertable h ON h.id = d.hypertable_id
WHERE (h.schema_name, h.table_name) = (%s, %s) ORDER BY d.id LIMIT 1
"""
AGGREGATES = """
SELECT a.view_schema || '.' || a.view_name FROM timescaledb_information.continuous_aggregates a
WHERE (a.hypertable_schema, a.hypertable_name) = (%s, %s) ORDER BY 1
"""


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    type: str
    generated: bool
    identity_always: bool
    sequence: str | None
    not_null: bool


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key of the table: its own columns and those it refers to."""

    name: str
    schema: str
    table: str
    own: tuple[str, ...]
    other: tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """A table."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """() where nothing tells two rows apart."""
    triggers: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]
    time: str | None
    """The first dimension of a hypertable."""
    aggregates: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


def shape(connection: Connection, schema: str, name: str) -> Shape | None:
    """The table as it is there; None where it is not."""
    at = [schema, name]
    kind = connection.execute(
        f"SELECT relkind::text FROM pg_catalog.pg_class WHERE oid = {OID}".encode(), at
    ).fetchone()
    if kind is None:
        return None
    if kind[0] not in ("r", "p"):
        raise UsageError(f"{schema}.{name} is not a table", "restore the tables it reads, then refresh it")
    columns = tuple(Column(*row) for row in connection.execute(COLUMNS.encode(), at).fetchall())
    key = connection.execute(KEY.encode(), at).fetchone()
    triggers = tuple(str(row[0]) for row in connection.execute(TRIGGERS.encode(), at).fetchall())
    keys = tuple(
        ForeignKey(row[0], row[1], row[2], tuple(row[3]), tuple(row[4]))
        for row in connection.execute(FOREIGN_KEYS.encode(), at).fetchall()
    )
    time: str | None = None
    aggregates: tuple[str, ...] = ()
    has = connection.execute(HAS_TIMESCALEDB).fetchone()
    if has and has[0]:
        found = connection.execute(TIME, at).fetchone()
        time = str(found[0]) if found else None
        aggregates = tuple(str(row[0]) for row in connection.execute(AGGREGATES, at).fetchall())
    return Shape(schema, name, columns, tuple(key[0]) if key else (), triggers, keys, time, aggregates)
