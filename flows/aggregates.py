"""The three levels of energy per circuit: half-hourly, daily, monthly (DOMAIN 7).

Edition apache has no aggregates: there they are plain views of the same names, columns and results.
"""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.columnstore import Columnstore, OrderBy
from pulumi_timescaledb.specs.continuous_aggregate import ContinuousAggregate
from pulumi_timescaledb.specs.refresh_policy import RefreshPolicy
from pulumi_timescaledb.specs.view import View

from .settings import LEVELS, Settings
from .sql import sql
from .timeseries import retention

BUCKETS = {"hh": "timestamp", "daily": "day", "monthly": "month"}
"""Level -> name of its bucket column."""

COMMENTS = {
    "hh": "Energy per circuit and half hour, in UTC.",
    "daily": "Energy per circuit and day, in UTC.",
    "monthly": "Energy per circuit and month, in UTC.",
}


def column_comments(level: str) -> dict[str, str]:
    """Comments of an aggregate's columns, which its API view shares."""
    return {
        "circuit_id": "Circuit.",
        BUCKETS[level]: "Start of the interval.",
        "total_import_kwh": "Imported energy in kWh, over the registers mapped to the circuit at that time.",
        "total_export_kwh": "Exported energy in kWh, over the registers mapped to the circuit at that time.",
    }


def declarations(settings: Settings) -> list[Spec]:
    """Aggregates with refresh, columnstore and retention policies, the lowest first."""
    return [spec for level, _ in LEVELS for spec in _level(level, settings)]


def plain_view(aggregate: ContinuousAggregate) -> View:
    """What stands in for an aggregate where the server has none. It computes from the readings themselves: over the
    level below the server could not tell which chunks a time range needs."""
    level = aggregate.name.removeprefix("circuit_interval_")
    return View(
        schema="flows",
        name=aggregate.name,
        query=sql("views/circuit_interval", bucket=dict(LEVELS)[level], column=BUCKETS[level]),
        comment=aggregate.comment,
        column_comments=aggregate.column_comments,
    )


def _level(level: str, settings: Settings) -> Iterator[Spec]:
    name = f"circuit_interval_{level}"
    yield ContinuousAggregate(
        schema="flows",
        name=name,
        query=sql(f"aggregates/{name}"),
        materialized_only=settings.materialized_only,
        comment=COMMENTS[level],
        column_comments=column_comments(level),
    )
    yield RefreshPolicy(
        schema="flows",
        relation=name,
        start_offset=getattr(settings, f"{name}_refresh_start"),
        end_offset=getattr(settings, f"{name}_refresh_end"),
        schedule_interval=getattr(settings, f"{name}_refresh_every"),
    )
    yield Columnstore(
        schema="flows",
        relation=name,
        segment_by=("circuit_id",),
        order_by=(OrderBy(column=BUCKETS[level], descending=True),),
        after=getattr(settings, f"{name}_compress_after"),
    )
    yield from retention(name, settings)
