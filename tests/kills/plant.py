"""A small database of its own, quick to build: on a native server with what the embedded one cannot do."""

from __future__ import annotations

from typing import Any

import psycopg

from pulumi_timescaledb.specs import Spec, spec_type

DAILY = """SELECT time_bucket('1 day', at) AS day, machine, avg(celsius) AS celsius, count(*) AS readings
FROM plant.readings GROUP BY 1, 2"""
HOTTEST = DAILY.replace("avg(celsius) AS celsius", "avg(celsius) AS celsius, max(celsius) AS hottest")
MONTHLY = "SELECT time_bucket('30 days', day) AS month, sum(readings) AS readings FROM plant.daily GROUP BY 1"
ROWS = """
INSERT INTO plant.sites SELECT g, 'site ' || g FROM generate_series(1, 20) g;
INSERT INTO plant.machines (id, site, label) SELECT g, g % 20 + 1, 'machine ' || g FROM generate_series(1, 500) g;
INSERT INTO plant.readings SELECT t, g, g + extract(hour FROM t) FROM generate_series(1, 20) g,
  generate_series('2026-01-01 00:00+00'::timestamptz, '2026-02-10 00:00+00', '2 hours') t;
CALL refresh_continuous_aggregate('plant.daily', NULL, NULL);
CALL refresh_continuous_aggregate('plant.monthly', NULL, NULL)
"""


def _spec(kind: str, **wire: Any) -> Spec:
    return spec_type(kind).from_wire(wire)


def _table(name: str, *columns: dict[str, Any], **more: Any) -> Spec:
    return _spec("Table", schema="plant", name=name, columns=list(columns), **more)


def _column(name: str, type: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type, **more}


def _key(name: str, *columns: str) -> dict[str, Any]:
    return {"name": name, "columns": list(columns)}


def _index(relation: str, name: str, column: str, **more: Any) -> Spec:
    return _spec("Index", schema="plant", relation=relation, name=name, keys=[{"column": column}], **more)


def _grant(*objects: str) -> Spec:
    rights = [{"name": name, "privileges": ["select"]} for name in objects]
    return _spec("Grant", role="plant_reader", schema="plant", privileges=["usage"], objects=rights)


def first(native: bool) -> list[Spec]:
    """The plant as it is first declared; settings of the whole server only where it is a native one."""
    system = [_spec("ServerSetting", name="log_min_duration_statement", value="5000", scope="system")]
    return [
        *(system if native else []),
        _spec("Role", name="plant_reader"),
        _spec("Schema", name="plant"),
        _spec("Enum", schema="plant", name="state", labels=["off", "on"]),
        _table(
            "sites",
            _column("id", "integer", notNull=True),
            _column("name", "text"),
            primaryKey=_key("sites_pkey", "id"),
        ),
        _table(
            "machines",
            _column("id", "integer", notNull=True),
            _column("site", "integer"),
            _column("label", "text"),
            _column("state", "plant.state", default="'on'"),
            primaryKey=_key("machines_pkey", "id"),
        ),
        _spec(
            "ForeignKey",
            schema="plant",
            relation="machines",
            name="machines_site_fkey",
            columns=["site"],
            targetSchema="plant",
            target="sites",
            targetColumns=["id"],
        ),
        _table(
            "readings",
            _column("at", "timestamptz", notNull=True),
            _column("machine", "integer", notNull=True),
            _column("celsius", "double precision"),
        ),
        _spec("Hypertable", schema="plant", relation="readings", timeColumn="at", chunkInterval="7 days"),
        _spec(
            "Columnstore",
            schema="plant",
            relation="readings",
            segmentBy=["machine"],
            orderBy=[{"column": "at"}],
            after="300 years",
        ),
        _index("machines", "machines_site", "site"),
        _index("machines", "machines_label", "label"),
        _index("readings", "readings_machine", "machine"),
        _spec("ContinuousAggregate", schema="plant", name="daily", query=DAILY, comment="Per day"),
        _spec("ContinuousAggregate", schema="plant", name="monthly", query=MONTHLY),
        _spec(
            "RefreshPolicy",
            schema="plant",
            relation="daily",
            startOffset="300 years",
            endOffset="1 day",
            scheduleInterval="1000 days",
            enabled=False,
        ),
        _spec("View", schema="plant", name="warm", query="SELECT * FROM plant.daily WHERE celsius > 20"),
        _spec("View", schema="plant", name="warmest", query="SELECT max(celsius) AS celsius FROM plant.warm"),
        _grant("machines", "daily", "warm"),
    ]


def later(native: bool, swap: bool) -> list[Spec]:
    """After a change: indexes come, go and change, system settings, a column, a label, views, an aggregate's options
    and, with `swap`, its query, on which another aggregate, views, a policy and rights stand."""
    kept = [spec for spec in first(native) if f"{spec.KIND} {spec.import_id()}" not in _REPLACED]
    system = [
        _spec("ServerSetting", name="log_min_duration_statement", value="6000", scope="system"),
        _spec("ServerSetting", name="deadlock_timeout", value="2s", scope="system"),
    ]
    return [
        *kept,
        *(system if native else []),
        _spec("Enum", schema="plant", name="state", labels=["off", "idle", "on"]),
        _table(
            "machines",
            _column("id", "integer", notNull=True),
            _column("site", "integer", notNull=True),
            _column("label", "text"),
            _column("state", "plant.state", default="'on'"),
            _column("power", "numeric(10,2)", default="1.5"),
            primaryKey=_key("machines_pkey", "id"),
            checks=[{"name": "machines_power", "expression": "power > 0"}],
        ),
        _index("machines", "machines_site", "site", include=["label"]),
        _index("machines", "machines_power_index", "power"),
        _index("readings", "readings_celsius", "celsius"),
        _spec(
            "ContinuousAggregate",
            schema="plant",
            name="daily",
            query=HOTTEST if swap else DAILY,
            comment="Per day, really",
            materializedOnly=False,
        ),
        _spec("View", schema="plant", name="warm", query="SELECT day, machine FROM plant.daily WHERE celsius > 25"),
        _spec("View", schema="plant", name="warmest", query="SELECT count(*) AS days FROM plant.warm"),
        _grant("machines", "daily", "warm", "warmest"),
    ]


_REPLACED = {
    "Enum plant.state",
    "Table plant.machines",
    "Index plant.machines_site",
    "Index plant.machines_label",
    "ContinuousAggregate plant.daily",
    "View plant.warm",
    "View plant.warmest",
    "Grant plant_reader.plant",
    "ServerSetting system.log_min_duration_statement",
}
"""What `later` declares anew, or no more."""


def load(connection: psycopg.Connection[Any]) -> None:
    """Rows in every table, both aggregates filled."""
    for statement in ROWS.split(";\n"):
        connection.execute(statement.encode())
