"""What the kinds cannot see of a stack's own schemas, and so can neither compare nor put right: told beside drift."""

from __future__ import annotations

from typing import Any

from ..catalog import SESSION
from ..connection import Database
from ..executor import query_all, transaction
from ..render import render
from ..snapshot import Snapshot
from .census import Left, Object, left_out

_SOURCES = ("relations", "columns", "constraints", "indexes", "triggers")


async def unseen(database: Database, snapshot: Snapshot, stack: str) -> list[Left]:
    """Parts of objects and whole objects that no declaration can say (MATCH FULL, INCLUDE columns of keys, ...), in the
    schemas where the stack has objects. A fixed number of queries, by the catalog and not by the kinds' own.

    Raises:
        Unreachable: the server cannot be reached.
    """
    schemas = sorted(
        {schema for entry in snapshot.entries.values() if entry.stack == stack for schema in _schema(entry.declared)}
    )
    if not schemas:
        return []
    capabilities = await database.capabilities()
    sources = [*_SOURCES, *(["timescaledb"] if capabilities.timescaledb else [])]
    queries = [render(f"inspect/{source}", schemas=schemas, server=capabilities) for source in sources]
    async with transaction(database, SESSION, read_only=True) as connection:
        results = await query_all(connection, *queries)
    return left_out(dict.fromkeys(Object.from_row(row) for rows in results for row in rows))


def _schema(wire: dict[str, Any]) -> list[str]:
    schema = wire.get("schema")
    return [schema] if isinstance(schema, str) else []
