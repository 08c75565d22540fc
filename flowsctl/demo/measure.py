"""What the same series rows cost without a demo load around them: the yardstick of `demo load --measure`.

Scratch hypertables with the columns, checks, indexes, chunk intervals and columnstore settings of the real ones, but
no foreign keys, triggers or aggregates. Each batch goes to both, one after the other, so that a busy machine slows both
down alike. Of the bare path only sending counts; of the load everything, making and encoding the rows included, which
a load without --measure does while the server is busy.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from flows.tables import BY_NAME
from flowsctl.demo.bulk import Connection, SeriesWriter
from flowsctl.demo.series import VALUES, Batch

SCHEMA = "flows_demo_measure"

INTERVALS = """
select hypertable_name, time_interval from timescaledb_information.dimensions
where hypertable_schema = 'flows' and dimension_number = 1
"""


@dataclass(frozen=True)
class Measured:
    """Seconds of the load's rows and of the bare path with the same series rows."""

    load_seconds: float
    bare_seconds: float
    bare_path: str

    @property
    def ratio(self) -> float:
        """What the load costs in units of the bare path."""
        return self.load_seconds / self.bare_seconds

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "load_seconds": round(self.load_seconds, 3),
            "bare_seconds": round(self.bare_seconds, 3),
            "bare_path": self.bare_path,
            "ratio": round(self.ratio, 3),
        }


class Bare:
    """The scratch hypertables, and how long sending batches to them has taken."""

    def __init__(self, connection: Connection, *, copy: bool) -> None:
        self.seconds = 0.0
        self._writer = SeriesWriter(connection, SCHEMA, copy=copy)

    def send(self, batch: Batch, prepared: str | list[Any]) -> None:
        """One batch, encoded already."""
        started = time.perf_counter()
        self._writer.send(batch, prepared)
        self.seconds += time.perf_counter() - started


@contextmanager
def scratch(connection: Connection, *, copy: bool) -> Iterator[Bare]:
    """Scratch hypertables in a schema of their own, which is dropped at the end."""
    drop = sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(SCHEMA))
    connection.execute(drop)
    try:
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(SCHEMA)))
        intervals: dict[str, Any] = dict(connection.execute(INTERVALS).fetchall())
        for table in VALUES:
            _create(connection, table, intervals[table])
        yield Bare(connection, copy=copy)
    finally:
        connection.execute(drop)


def _create(connection: Connection, table: str, interval: Any) -> None:
    name = sql.Identifier(SCHEMA, table)
    key = BY_NAME[table].columns[0].name
    connection.execute(sql.SQL("create table {} (like flows.{} including all)").format(name, sql.Identifier(table)))
    connection.execute(
        "select create_hypertable(%s::text::regclass, by_range('timestamp', %s::interval), "
        "create_default_indexes => false)",
        [f"{SCHEMA}.{table}", interval],
    )
    connection.execute(
        sql.SQL(
            "alter table {} set (timescaledb.compress, timescaledb.compress_segmentby = {}, "
            "timescaledb.compress_orderby = 'timestamp desc')"
        ).format(name, sql.Literal(key))
    )
