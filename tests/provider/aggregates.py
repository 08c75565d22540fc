"""A small estate of continuous aggregates, one on the other, with everything that can stand on them; and how to change
it as the engine does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from pulumi_timescaledb import specs
from pulumi_timescaledb.specs import Spec

from .engine import Engine
from .things import changed, manifest, picture

Sql = Callable[[str], list[tuple[Any, ...]]]
SINCE = "2025-01-03 10:00+00"

HOURLY = "SELECT device, time_bucket('1 hour', at) AS hour, sum(kwh) AS kwh FROM app.raw GROUP BY 1, 2"
RICHER = "SELECT device, time_bucket('1 hour', at) AS hour, sum(kwh) AS kwh, max(kwh) AS top FROM app.raw GROUP BY 1, 2"
DAILY = "SELECT device, time_bucket('1 day', hour) AS day, sum(kwh) AS kwh FROM app.hourly GROUP BY 1, 2"
MONTHLY = "SELECT device, time_bucket('1 month', day) AS month, sum(kwh) AS kwh FROM app.daily GROUP BY 1, 2"


def of(kind: type[Spec], **fields: Any) -> Any:
    return kind.from_wire({"schema": "app", **fields})


RAW = of(
    specs.Table,
    name="raw",
    columns=[
        {"name": "at", "type": "timestamptz", "notNull": True},
        {"name": "device", "type": "integer", "notNull": True},
        {"name": "kwh", "type": "double precision"},
    ],
)
BASE: list[Spec] = [
    specs.Schema(name="app"),
    specs.Role(name="app_reader"),
    RAW,
    of(specs.Hypertable, relation="raw", timeColumn="at", chunkInterval="7 days"),
]
SATELLITES: list[Spec] = [
    of(specs.RefreshPolicy, relation="hourly", startOffset="30 days", endOffset="1 hour", scheduleInterval="1 hour"),
    of(
        specs.Columnstore,
        relation="hourly",
        segmentBy=["device"],
        orderBy=[{"column": "hour", "descending": True}],
        after="60 days",
        scheduleInterval="12:00:00",
    ),
    of(specs.RetentionPolicy, relation="daily", dropAfter="100 years", enabled=False, scheduleInterval="1 day"),
    of(specs.Index, relation="hourly", name="hourly_by_kwh", keys=[{"column": "kwh"}], comment="for the dearest hours"),
]
STANDING: list[Spec] = [
    of(specs.View, name="shown", query="SELECT device, day, kwh FROM app.daily", securityBarrier=True, comment="api"),
    of(specs.View, name="totals", query="SELECT device, sum(kwh) AS kwh FROM app.shown GROUP BY device"),
    of(specs.MaterializedView, name="kept", query="SELECT count(*) AS hours FROM app.hourly"),
    specs.Grant.from_wire(
        {
            "role": "app_reader",
            "schema": "app",
            "privileges": ["usage"],
            "objects": [
                {"name": n, "privileges": ["select"]} for n in ("hourly", "monthly", "shown", "totals", "kept")
            ],
        }
    ),
]


def hourly(query: str = HOURLY, **more: Any) -> Any:
    fields = {"comment": "per hour", "columnComments": {"kwh": "energy"}, "owner": "app_owner", **more}
    return of(specs.ContinuousAggregate, name="hourly", query=query, **fields)


def daily(query: str = DAILY, **more: Any) -> Any:
    return of(specs.ContinuousAggregate, name="daily", query=query, comment="per day", **more)


def monthly(query: str = MONTHLY, **more: Any) -> Any:
    return of(specs.ContinuousAggregate, name="monthly", query=query, **more)


OWNER: list[Spec] = [
    specs.Role(name="app_owner", login=True),
    specs.Grant.from_wire(
        {
            "role": "app_owner",
            "schema": "app",
            "privileges": ["usage", "create"],
            "objects": [{"name": "raw", "privileges": ["select"]}],
        }
    ),
]


def estate(
    *aggregates: Spec, satellites: Sequence[Spec] = SATELLITES, standing: Sequence[Spec] = STANDING
) -> list[Spec]:
    """Everything, in creation order."""
    return [*BASE, *OWNER, *aggregates, *satellites, *standing]


def everything() -> list[Spec]:
    return estate(hourly(), daily(), monthly())


def fill(sql: Sql, until: str = "2025-06-01", *aggregates: str) -> None:
    """Rows every half hour of two devices, and refreshed aggregates."""
    sql(
        f"INSERT INTO app.raw SELECT t, d, extract(hour FROM t) + d FROM generate_series(timestamptz '{SINCE}', "
        f"'{until}', '30 min') t, generate_series(1, 2) d"
    )
    for name in aggregates or ("hourly", "daily", "monthly"):
        refresh(sql, name)


def refresh(sql: Sql, name: str) -> None:
    """By hand, while a policy may be at it."""
    for _ in range(40):
        try:
            sql(f"CALL refresh_continuous_aggregate('app.{name}', NULL, NULL)")
            return
        except psycopg.errors.LockNotAvailable:
            time.sleep(0.5)
    raise AssertionError(name)


def create(engine: Engine, declared: Sequence[Spec]) -> None:
    """A first run."""
    picture(engine, [], list(declared))
    engine.create(("Manifest", manifest(*declared)))
    for spec in declared:
        engine.create(spec)


def update(engine: Engine, old: Sequence[Spec], new: Sequence[Spec], **more: Any) -> None:
    """A run that changes what differs, as the engine calls for it: the Manifest first, deletes last."""
    inputs, faults = engine.check("Manifest", manifest(*new, **more), manifest(*old))
    assert faults == [], faults
    if old != new:
        engine.update(("Manifest", manifest(*old)), ("Manifest", inputs))
    before = {spec.reference(): spec for spec in old}
    for spec in new:
        was = before.pop(spec.reference(), None)
        if was is None:
            engine.create(spec)
        elif was != spec:
            engine.update(was, spec)
    for gone in reversed(list(before.values())):
        engine.delete(gone)
    engine.create(("Seal", {"declarations": "digest"}))


def assert_as_declared(engine: Engine, declared: Sequence[Spec]) -> None:
    """A refresh of a new process finds no difference."""
    for spec in declared:
        assert engine.read(spec.KIND, spec.import_id(), spec)[1] == spec.to_wire(), spec.import_id()


def assert_recomputed(sql: Sql, *aggregates: Any) -> None:
    """Each holds exactly what its query gives."""
    for each in aggregates:
        name = f"app.{each.name}"
        (count,) = sql(f"SELECT count(*) FROM {name}")[0]
        assert count > 0, name
        wrong = f"(TABLE {name} EXCEPT ({each.query})) UNION ALL (({each.query}) EXCEPT TABLE {name})"
        found = sql(f"SELECT * FROM ({wrong}) wrong LIMIT 9")
        assert found == [], (name, found)


def assert_nothing_left(sql: Sql) -> None:
    """No aggregate under another name, no step in the ledger, no policy of a dropped one."""
    names = sql("SELECT view_name::text FROM timescaledb_information.continuous_aggregates WHERE view_schema = 'app'")
    assert {name for (name,) in names} <= {"hourly", "daily", "monthly"}
    assert sql("SELECT kind, id, step FROM pulumi_timescaledb.ledger WHERE step IS NOT NULL") == []


__all__ = ["changed"]


SMALL = estate(hourly(), daily(), satellites=SATELLITES[:1], standing=STANDING[:2])
SMALL_NEW = estate(hourly(RICHER), daily(), satellites=SATELLITES[:1], standing=STANDING[:2])
