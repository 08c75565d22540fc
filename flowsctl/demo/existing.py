"""Rows of earlier demo loads: finding them and deleting them, by their ids and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg import sql

from flows.tables import BY_NAME
from flowsctl.demo.bulk import Connection
from flowsctl.demo.ids import all_ids, is_demo_esco, uid
from flowsctl.demo.plain import SYNCERS
from flowsctl.demo.series import VALUES
from flowsctl.errors import EXIT_REFUSED, FlowsError

# Table, its column, the kind of id in it; children first.
BY_ID = (
    ("circuit_register", "register", "register"),
    ("circuits", "id", "circuit"),
    ("properties_service_head", "property", "property"),
    ("properties", "id", "property"),
    ("service_head_meter", "meter", "meter"),
    ("service_head_registry", "id", "head"),
    ("feeder_registry", "id", "feeder"),
    ("meter_event_log", "meter_id", "meter"),
    ("meter_registers", "register_id", "register"),
    ("meter_tophat_registry", "id", "tophat"),
    ("meter_shadows", "id", "meter"),
    ("meter_registry", "id", "meter"),
    ("ev_chargers", "id", "charger"),
    ("sites_new", "id", "site"),
)

CHUNKS = """
select hypertable_name, chunk_schema, chunk_name, range_start, range_end
from timescaledb_information.chunks
where hypertable_schema = 'flows' and hypertable_name = any(%s)
"""


@dataclass
class Found:
    """Demo escos that are there, and codes of demo escos that somebody else's escos have."""

    demo: dict[str, UUID] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)


def find(connection: Connection, wanted: list[str]) -> Found:
    """Every demo esco of the database, and which of the wanted codes are in other hands."""
    found = Found()
    for ident, code in connection.execute("select id, code from flows.escos where code is not null order by code"):
        if is_demo_esco(ident, code):
            found.demo[code] = ident
        elif code in wanted:
            found.taken.append(code)
    return found


def delete(connection: Connection, escos: dict[str, UUID]) -> tuple[datetime, datetime] | None:
    """Delete what demo load made for these escos, in one transaction; returns the span of their half-hours.

    Raises FlowsError, nothing deleted, where rows of somebody else refer to them.
    """
    try:
        with connection.transaction():
            # Rows in the columnstore that have to be decompressed to be deleted count against a limit.
            connection.execute("set local timescaledb.max_tuples_decompressed_per_dml_transaction = 0")
            span = None
            for code in escos:
                span = _joined(span, _delete_esco(connection, code, escos[code]))
            metrics = [uid("metric", name) for name in SYNCERS]
            connection.execute("delete from flows.meter_metrics where id = any(%s)", [metrics])
    except psycopg.errors.IntegrityError as error:
        sentence = (error.diag.message_primary or str(error)).strip()
        raise FlowsError(
            f"rows that demo load did not make refer to demo rows, nothing was deleted: {sentence}",
            f"delete those first: {error.diag.message_detail or 'see the message'}",
            EXIT_REFUSED,
        ) from error
    _drop_empty_chunks(connection)
    return span


def _drop_empty_chunks(connection: Connection) -> None:
    """Chunks without a row are left over from the load. In the columnstore they would slow the next load down."""
    for hypertable, schema, chunk, start, end in connection.execute(CHUNKS, [list(VALUES)]).fetchall():
        name = sql.Identifier(schema, chunk)
        with connection.transaction():
            connection.execute(sql.SQL("lock table {} in access exclusive mode").format(name))
            if connection.execute(sql.SQL("select from {} limit 1").format(name)).fetchone() is None:
                connection.execute(
                    "select drop_chunks(%s::text::regclass, older_than => %s, newer_than => %s)",
                    [f"flows.{hypertable}", end, start],
                )


def _delete_esco(connection: Connection, code: str, esco: UUID) -> tuple[datetime, datetime] | None:
    # The ids that there can be, cut down to those that there are: lists stay as short as the load was.
    ids: dict[str, list[UUID]] = {}
    owners = {"register": ("meter_registers", "register_id"), "meter": ("meter_registry", "id")}
    for kind in {kind for _, _, kind in BY_ID}:
        ids[kind] = list(all_ids(code, kind))
        if kind in owners:
            table, column = owners[kind]
            query = sql.SQL("select {0} from flows.{1} where {0} = any(%s)").format(
                sql.Identifier(column), sql.Identifier(table)
            )
            ids[kind] = [row[0] for row in connection.execute(query, [ids[kind]]).fetchall()]
    row = connection.execute(
        "select min(timestamp), max(timestamp) from flows.register_interval_hh where register_id = any(%s)",
        [ids["register"]],
    ).fetchone()
    for table in VALUES:
        column = BY_NAME[table].columns[0].name
        _delete(connection, table, column, ids["register" if column == "register_id" else "meter"])
    for table, column, kind in BY_ID:
        _delete(connection, table, column, ids[kind])
    connection.execute("delete from flows.escos where id = %s", [esco])
    return (row[0], row[1]) if row and row[0] else None


def _delete(connection: Connection, table: str, column: str, ids: list[UUID]) -> None:
    query = sql.SQL("delete from flows.{} where {} = any(%s)").format(sql.Identifier(table), sql.Identifier(column))
    connection.execute(query, [ids])


def _joined(
    one: tuple[datetime, datetime] | None, other: tuple[datetime, datetime] | None
) -> tuple[datetime, datetime] | None:
    if one is None or other is None:
        return one or other
    return min(one[0], other[0]), max(one[1], other[1])
