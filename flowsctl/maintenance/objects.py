"""What there is to maintain: tables, hypertables with their chunks, aggregates, materialized views."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import Any

import psycopg

from flowsctl.errors import UsageError

Connection = psycopg.Connection[tuple[Any, ...]]

# Chunks and what TimescaleDB keeps for itself are reached through their hypertable.
OWN = r"n.nspname !~ '^(pg_|_?timescaledb_)' AND n.nspname <> 'information_schema'"
TABLES = f"""
SELECT n.nspname, c.relname, c.relkind::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' AND {OWN}
ORDER BY 1, 2
"""
HAS_TIMESCALEDB = "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'timescaledb')"
# An aggregate's rows are in a hypertable of another name.
HYPERTABLES = """
SELECT h.schema_name, h.table_name, coalesce(a.view_schema, h.schema_name), coalesce(a.view_name, h.table_name),
       a.view_name IS NOT NULL
FROM _timescaledb_catalog.hypertable h
LEFT JOIN timescaledb_information.continuous_aggregates a
    ON (a.materialization_hypertable_schema, a.materialization_hypertable_name) = (h.schema_name, h.table_name)
WHERE NOT EXISTS (SELECT FROM _timescaledb_catalog.hypertable o WHERE o.compressed_hypertable_id = h.id)
ORDER BY 3, 4
"""
# A chunk in the columnstore has a second table, with what was compressed. TimescaleDB 2.29 took that out of
# _timescaledb_catalog.chunk; compression_settings has both in 2.23 and 2.29 (looked up on both).
CHUNKS = """
SELECT n.nspname, r.relname
FROM timescaledb_information.chunks c
CROSS JOIN LATERAL (SELECT pg_catalog.to_regclass(format('%%I.%%I', c.chunk_schema, c.chunk_name))::oid) k(relid)
CROSS JOIN LATERAL (
    SELECT k.relid, 0
    UNION ALL
    SELECT s.compress_relid::oid, 1 FROM _timescaledb_catalog.compression_settings s
    WHERE s.relid = k.relid AND s.compress_relid IS NOT NULL
) p(relid, part)
JOIN pg_catalog.pg_class r ON r.oid = p.relid
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE (c.hypertable_schema, c.hypertable_name) = (%s, %s)
ORDER BY c.range_start, c.chunk_name, p.part
"""
KINDS = {"r": "table", "m": "materialized view", "p": "partitioned table"}


@dataclass(frozen=True)
class Piece:
    """A relation that holds rows."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Thing:
    """An object by the name people know, and the relations that hold its rows."""

    name: str
    kind: str
    """table, partitioned table, materialized view, hypertable, aggregate."""
    root: Piece
    """What statistics are collected on: they span all pieces."""
    pieces: tuple[Piece, ...] = field(default=())

    @property
    def has_chunks(self) -> bool:
        """Whether the rows are in other relations than the root."""
        return self.kind in ("hypertable", "aggregate", "partitioned table")


def things(connection: Connection) -> list[Thing]:
    """Everything in the user's schemas, sorted by name."""
    row = connection.execute(HAS_TIMESCALEDB).fetchone()
    found = _hypertables(connection) if row and row[0] else []
    taken = {thing.root for thing in found}
    for schema, name, kind in connection.execute(TABLES.encode()).fetchall():
        root = Piece(schema, name)
        if root not in taken:  # the partitions of a partitioned table are tables of their own
            pieces = () if kind == "p" else (root,)
            found.append(Thing(str(root), KINDS[kind], root, pieces))
    return sorted(found, key=lambda thing: thing.name)


def _hypertables(connection: Connection) -> list[Thing]:
    found = []
    for schema, name, shown_schema, shown, is_aggregate in connection.execute(HYPERTABLES).fetchall():
        chunks = connection.execute(CHUNKS, [schema, name]).fetchall()
        pieces = tuple(Piece(*chunk) for chunk in chunks)
        kind = "aggregate" if is_aggregate else "hypertable"
        found.append(Thing(f"{shown_schema}.{shown}", kind, Piece(schema, name), pieces))
    return found


def chosen(everything: list[Thing], name: str) -> list[Thing]:
    """All of it, or the one called `name`, with or without its schema.

    Raises UsageError where there is none of that name, or there are several.
    """
    if not name:
        return everything
    found = [thing for thing in everything if thing.name == name or thing.name.split(".", 1)[1] == name]
    if len(found) == 1:
        return found
    if found:
        names = ", ".join(thing.name for thing in found)
        raise UsageError(f"{name} is ambiguous", f"take one of {names}")
    close = difflib.get_close_matches(name, [thing.name for thing in everything], 3)
    hint = f"did you mean {' or '.join(close)}?" if close else "name a table, hypertable, aggregate, materialized view"
    raise UsageError(f"there is nothing called {name} to maintain", hint)
