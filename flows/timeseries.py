"""Hypertables with their columnstore and retention (DOMAIN 4)."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.columnstore import Columnstore, OrderBy
from pulumi_timescaledb.specs.hypertable import Hypertable
from pulumi_timescaledb.specs.retention_policy import RetentionPolicy
from pulumi_timescaledb.specs.table import Table

from .settings import Settings
from .tables import SERIES


def declarations(settings: Settings) -> list[Spec]:
    """Hypertable, columnstore and retention of every time series."""
    return [spec for table in SERIES for spec in _series(table, settings)]


def _series(table: Table, settings: Settings) -> Iterator[Spec]:
    name, key = table.name, table.columns[0].name
    yield Hypertable(
        schema="flows",
        relation=name,
        time_column="timestamp",
        chunk_interval=getattr(settings, f"{name}_chunk_interval"),
    )
    yield Columnstore(
        schema="flows",
        relation=name,
        segment_by=(key,),
        order_by=(OrderBy(column="timestamp", descending=True),),
        after=getattr(settings, f"{name}_compress_after"),
    )
    yield from retention(name, settings)


def retention(name: str, settings: Settings) -> Iterator[Spec]:
    """The retention policy of a relation, unless it is kept for ever."""
    age = getattr(settings, f"{name}_retention")
    if age:
        yield RetentionPolicy(schema="flows", relation=name, drop_after=age)
