"""Foreign keys of a series checked once per key and batch instead of once per row, where that is allowed and the same.

A foreign key's trigger locks the parent FOR KEY SHARE once per row; a batch has few parents and thousands of rows, and
on the embedded server those checks cost as much as the insert. So with the right to set session_replication_role the
parents of a batch are locked the same way by one statement in the batch's transaction, and the triggers rest. What
else they would have done is done once: the trigger of continuous aggregates notes the span a transaction has touched,
so the first and last row of the batch are touched again with triggers on.

A table with other keys or triggers of somebody's own is loaded with every trigger on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from flowsctl.demo.bulk import Connection
from flowsctl.demo.series import VALUES, Batch
from flowsctl.errors import FlowsError

FIND = """
select c.relname, min(k.confrelid::regclass::text), min(parent.attname), count(k.oid),
    min(child.attname) = min(d.column_name) and bool_and(cardinality(k.conkey) = 1),
    exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'ts_cagg_invalidation_trigger'),
    exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgname not like 'ts\\_%%')
from pg_class c
join unnest(%s::text[], %s::text[]) d(table_name, column_name) on d.table_name = c.relname
left join pg_constraint k on k.conrelid = c.oid and k.contype = 'f'
left join pg_attribute child on child.attrelid = c.oid and child.attnum = k.conkey[1]
left join pg_attribute parent on parent.attrelid = k.confrelid and parent.attnum = k.confkey[1]
where c.relnamespace = 'flows'::regnamespace
group by c.oid, c.relname
"""


@dataclass(frozen=True)
class Parent:
    """Where the keys of a series have to exist."""

    table: str
    column: str
    aggregated: bool
    """Whether continuous aggregates want to know what changed."""


class Keys:
    """How each series' keys are checked."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.parents = _parents(connection) if _may_rest_triggers(connection) else {}

    @contextmanager
    def checked(self, batch: Batch) -> Iterator[None]:
        """A transaction for one batch. Raises FlowsError where a key's parent is not there."""
        parent = self.parents.get(batch.table)
        with self.connection.transaction():
            if parent is None:
                yield
                return
            self._lock(batch, parent)
            self.connection.execute("set local session_replication_role = replica")
            yield
            if parent.aggregated:
                self.connection.execute("set local session_replication_role = origin")
                self._touch(batch)

    def _lock(self, batch: Batch, parent: Parent) -> None:
        # regclass has quoted the table's name where that is needed.
        query = sql.SQL("select count(*) from (select from {} where {} = any(%s) for key share) found").format(
            sql.SQL(parent.table),
            sql.Identifier(parent.column),
        )
        row = self.connection.execute(query, [list(batch.keys)]).fetchone()
        if row is None or row[0] != len(set(batch.keys)):
            raise FlowsError(
                f"rows that flows.{batch.table} refers to vanished during the load",
                "run flowsctl demo load --replace, and nothing else that deletes meters meanwhile",
            )

    def _touch(self, batch: Batch) -> None:
        column = sql.Identifier(batch.columns[-1])
        query = sql.SQL("update flows.{} set {} = {} where {} = %s and timestamp in (%s, %s)").format(
            sql.Identifier(batch.table), column, column, sql.Identifier(batch.key_column)
        )
        self.connection.execute(query, [batch.keys[0], batch.start, batch.last])


def _may_rest_triggers(connection: Connection) -> bool:
    try:
        with connection.transaction():
            connection.execute("set local session_replication_role = replica")
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def _parents(connection: Connection) -> dict[str, Parent]:
    key_columns = ["register_id" if table.startswith("register_") else "meter_id" for table in VALUES]
    rows = connection.execute(FIND, [list(VALUES), key_columns]).fetchall()
    return {
        str(name): Parent(str(table), str(column), bool(aggregated))
        for name, table, column, keys, on_key, aggregated, own_triggers in rows
        if keys == 1 and on_key and not own_triggers
    }
