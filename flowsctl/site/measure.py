"""Runs the query patterns on a server and counts what their plans read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg

from flowsctl.site.patterns import Measured, Pattern, patterns

SHOWN_ROWS = 5
CHUNK = re.compile(r"_hyper_\d+_\d+_chunk\Z")
CHUNKS = """
select coalesce(a.view_name, c.hypertable_name), c.chunk_name
from timescaledb_information.chunks c
left join timescaledb_information.continuous_aggregates a
    on (a.materialization_hypertable_schema, a.materialization_hypertable_name)
        = (c.hypertable_schema, c.hypertable_name)
"""
"""Every chunk under the name of its table or aggregate."""


def measure_all(reader: psycopg.Connection[Any], admin: psycopg.Connection[Any]) -> dict[str, Measured]:
    """What every pattern does whose result does not move; the others are only run. By slug.

    The embedded server pools by transaction and serves one client at a time, so both connections are in autocommit.

    Raises:
        psycopg.Error: a pattern fails.
    """
    owner, found = owners(admin), {}
    for pattern in patterns():
        made = measure(reader, pattern, owner)
        if not pattern.moves:
            found[pattern.slug] = made
    return found


def owners(admin: psycopg.Connection[Any]) -> dict[str, str]:
    """Every chunk's name, and the table or aggregate it belongs to."""
    return {str(chunk): str(relation) for relation, chunk in admin.execute(CHUNKS).fetchall()}


def measure(reader: psycopg.Connection[Any], pattern: Pattern, owner: dict[str, str]) -> Measured:
    """Run one pattern, in UTC. `owner` says which relation each chunk belongs to."""
    with reader.transaction():
        reader.execute("set local timezone to 'UTC'")
        cursor = reader.execute(pattern.sql.rstrip(";").encode())
        columns = tuple(column.name for column in cursor.description or ())
        rows = cursor.fetchall()
        explained = f"explain (analyze, format json, costs off, timing off) {pattern.sql.rstrip(';')}"
        row = reader.execute(explained.encode()).fetchone()
    assert row is not None
    read = {chunk for node in _nodes(row[0][0]["Plan"]) if (chunk := _chunk_read(node))}
    counts: dict[str, tuple[int, int]] = {}
    for relation in dict.fromkeys((*pattern.relations, *sorted(owner[chunk] for chunk in read))):
        every = [chunk for chunk, name in owner.items() if name == relation]
        if every:
            counts[relation] = (len(read.intersection(every)), len(every))
    sample = tuple(tuple(_shown(value) for value in each) for each in rows[:SHOWN_ROWS])
    return Measured(counts, len(rows), columns, sample)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _chunk_read(node: dict[str, Any]) -> str:
    """The chunk that a node of the plan really scanned: not one that was left out at run time."""
    name = str(node.get("Relation Name", ""))
    return name if CHUNK.match(name) and node.get("Actual Loops", 0) else ""


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if hasattr(value, "tzinfo") and hasattr(value, "year"):
        return f"{value:%Y-%m-%d %H:%M}"
    return f"{value:%H:%M}" if hasattr(value, "hour") else str(value)
