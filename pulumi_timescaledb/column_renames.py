"""Queries that change only by what RENAME COLUMN makes of them: the server rewrites whatever reads the table, so there
is nothing left to do for a view or an aggregate that is declared with the new name.

A preview cannot rename the column to see that, and would have to lock the table. The table's empty likeness is renamed
instead, under the query that stands and beside the one that is wanted; then the server says whether both are one.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from zlib import crc32

import psycopg

from .catalog import SESSION
from .connection import Database
from .executor import query, transaction
from .render import render
from .snapshot import Snapshot
from .specs import Spec
from .specs.table import Table
from .sqltext import renamed
from .whole import Whole

Columns = Mapping[tuple[str, str], Mapping[str, str]]
"""Table -> old name of a column -> its new one."""
_WITH_QUERY = ("View", "MaterializedView", "ContinuousAggregate")


def column_renames(old: Whole, new: Whole) -> Columns:
    """Columns that an update will rename."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for table in new.of_kind("Table"):
        before = old.get("Table", *table.identity())
        if isinstance(table, Table) and isinstance(before, Table):
            there = {column.name for column in before.columns}
            names = {column.previously: column.name for column in table.columns if column.name not in there}
            names = {was: name for was, name in names.items() if was in there}
            if names:
                found[(table.schema_, table.name)] = {str(was): name for was, name in names.items()}
    return found


async def in_renamed_columns(database: Database, snapshot: Snapshot, old: Whole, new: Whole) -> Whole:
    """`old` with the queries of `new` wherever the renames of columns alone make these of those. Where the server
    cannot tell, a query stays as it was."""
    columns = column_renames(old, new)
    if not columns:
        return old
    specs = dict(old.specs)
    async with transaction(database, SESSION) as connection:
        for reference, spec in old.specs.items():
            wanted, live = new.specs.get(reference), snapshot.find(spec.KIND, spec.identity())
            if spec.KIND not in _WITH_QUERY or wanted is None or live is None or _query(spec) == _query(wanted):
                continue
            read = {table: names for table, names in columns.items() if table in wanted.mentions()}
            if read and await _same(connection, live, wanted, read):
                specs[reference] = spec.model_copy(update={"query": _query(wanted)})
    return Whole(specs.values())


def _query(spec: Spec) -> str:
    return str(spec.query)  # type: ignore[attr-defined]


async def _same(connection: psycopg.AsyncConnection, live: Spec, wanted: Spec, columns: Columns) -> bool:
    """Whether the query that stands reads as the wanted one once the columns are renamed."""
    schema = f"pulumi_timescaledb_{crc32(str(wanted.reference()).encode()):08x}"
    texts = []
    for spec in (live, wanted):
        text = _query(spec)
        for table in columns:
            text = renamed(text, table, (schema, table[1]))
        texts.append(text)
    sql = render("catalog/column_renames", schema=schema, columns=columns, before=texts[0], after=texts[1])
    await connection.execute(b"SAVEPOINT trial")
    same = False
    with suppress(psycopg.Error):  # it names what is not there yet, or we may not create a schema
        same = bool((await query(connection, sql))[0]["same"])
    await connection.execute(b"ROLLBACK TO SAVEPOINT trial")
    return same
