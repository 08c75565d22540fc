"""What the kinds cannot see of a stack's own schemas, and so can neither compare nor put right: told beside drift."""

from __future__ import annotations

from typing import Any

from ..catalog import SESSION
from ..connection import Database
from ..executor import query_all, transaction
from ..render import render
from ..snapshot import Snapshot
from ..specs.table import Table
from ..specs.view import View
from ..sqltext import display
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
    left = left_out(dict.fromkeys(Object.from_row(row) for rows in results for row in rows))
    told = _strange_rules(snapshot, stack)
    return [each for each in left if each.class_ != "rule" or each.name not in told]


def _strange_rules(snapshot: Snapshot, stack: str) -> set[str]:
    """Rewrite rules that are drift, and so no secret."""
    return {
        f"{display(spec.schema_)}.{spec.name}.{rule}"
        for spec in (*snapshot.live["Table"].values(), *snapshot.live["View"].values())
        if isinstance(spec, Table | View) and spec.rewrite_rules
        if (entry := snapshot.entries.get((spec.KIND, spec.import_id()))) is not None and entry.stack == stack
        for rule in spec.rewrite_rules
        if rule not in entry.canonical.get("rewriteRules", ())
    }


def _schema(wire: dict[str, Any]) -> list[str]:
    schema = wire.get("schema")
    return [schema] if isinstance(schema, str) else []
