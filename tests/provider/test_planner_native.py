"""Scripts and sizes on a server with many processes and a newer TimescaleDB, where one is installed."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from pulumi_timescaledb import specs
from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.kinds.base import shown
from pulumi_timescaledb.planner import Planned, plan_database
from pulumi_timescaledb.script import script
from pulumi_timescaledb.sizes import Size, measure
from pulumi_timescaledb.snapshot import Snapshot, take
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.whole import Whole

from . import native
from .things import INDEX, SCHEMA, TABLE, VIEW

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("native"),
    pytest.mark.skipif(not native.has_timescaledb(), reason=native.WHY_NO_TIMESCALEDB),
]
AGGREGATE = specs.ContinuousAggregate.from_wire(
    {
        "schema": "app",
        "name": "daily",
        "query": "SELECT time_bucket('1 day', at) AS day, count(*) AS n FROM app.series GROUP BY 1",
    }
)
SERIES: list[Spec] = [
    specs.Table.from_wire(
        {
            "schema": "app",
            "name": "series",
            "columns": [{"name": "at", "type": "timestamptz", "notNull": True}, {"name": "id", "type": "integer"}],
        }
    ),
    specs.Hypertable(schema="app", relation="series", time_column="at", chunk_interval="1 day"),
    specs.Columnstore.from_wire(
        {"schema": "app", "relation": "series", "segmentBy": ["id"], "orderBy": [{"column": "at"}]}
    ),
    specs.RetentionPolicy(schema="app", relation="series", drop_after="10 years"),
    specs.Job.from_wire({"schema": "app", "procedure": "tick", "scheduleInterval": "1 day"}),
    specs.Function.from_wire(
        {
            "schema": "app",
            "name": "tick",
            "procedure": True,
            "arguments": [{"name": "job_id", "type": "integer"}, {"name": "config", "type": "jsonb"}],
            "language": "plpgsql",
            "body": "BEGIN -- nothing\nEND",
        }
    ),
    AGGREGATE,
]
DECLARED: list[Spec] = [SCHEMA, TABLE, INDEX, VIEW, *SERIES]


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with native.running(timescaledb=True) as made:
        yield made


def _with(dsn: str, work: Any) -> Any:
    parts = conninfo_to_dict(dsn)

    async def done() -> Any:
        database = Database(
            ConnectionSettings(
                host=str(parts["host"]), port=int(parts["port"] or 5432), user=str(parts["user"]), sslmode="disable"
            )
        )
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(done())


def plan(dsn: str, *declared: Spec) -> Planned:
    found: Planned = _with(dsn, lambda database: plan_database(database, Whole(declared), "flows/dev"))
    return found


def test_the_script_of_a_plan_makes_everything_by_psql(dsn: str) -> None:
    planned = plan(dsn, *DECLARED)
    assert planned.plan.refusals == []
    psql = native.programs()
    assert psql is not None
    done = subprocess.run(
        [psql / "psql", "-X", "-q", "-d", dsn], input=script(planned.plan), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: Snapshot = _with(dsn, take)
    assert [spec.import_id() for spec in DECLARED if found.find(spec.KIND, spec.identity()) is None] == []
    foreign = {refusal.subject for refusal in plan(dsn, *DECLARED).plan.refusals if refusal.foreign}
    assert {shown(spec) for spec in DECLARED} == foreign, "by hand it leaves no record"


def test_sizes(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("INSERT INTO app.things SELECT generate_series(1, 3)")
        connection.execute(
            "INSERT INTO app.series SELECT '2026-01-01'::timestamptz + n * interval '1 hour', n "
            "FROM generate_series(0, 71) n"
        )
        connection.execute("SELECT compress_chunk(c) FROM show_chunks('app.series') c LIMIT 2")
        connection.execute("CALL refresh_continuous_aggregate('app.daily', NULL, NULL)")
        row = connection.execute(
            "SELECT hypertable_size('app.series'), pg_total_relation_size('app.things')"
        ).fetchone()
    assert row is not None
    names = [("app", "series"), ("app", "things"), ("app", "daily"), ("app", "all_things"), ("app", "nowhere")]

    async def sizes(database: Database) -> Any:
        from pulumi_timescaledb.executor import query, transaction

        async with transaction(database) as connection:
            before = await query(connection, "SHOW search_path")
            found = await measure(connection, names, timescaledb=True)
            assert await query(connection, "SHOW search_path") == before
            return found

    found = _with(dsn, sizes)
    assert found.keys() == {("app", "series"), ("app", "things"), ("app", "daily")}
    assert found["app", "series"].as_rows > 0
    assert replace(found["app", "series"], as_rows=0) == Size(72, True, row[0], 3, 2)
    assert found["app", "things"] == Size(3, True, row[1])
    daily = found["app", "daily"]
    assert (daily.rows, daily.counted, daily.chunks) == (3, True, 1)


def test_large_relations_are_estimated(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from pulumi_timescaledb import sizes

    monkeypatch.setattr(sizes, "COUNTED", 0)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("ANALYZE app.things; ANALYZE app.series")

    async def measured(database: Database) -> Any:
        from pulumi_timescaledb.executor import transaction

        async with transaction(database) as connection:
            return await measure(connection, [("app", "series"), ("app", "things")], timescaledb=True)

    found = _with(dsn, measured)
    assert not found["app", "things"].counted
    assert found["app", "things"].rows == 3
    assert found["app", "series"].rows == 72, "rows of compressed chunks are in the estimate"
