"""A changed continuous aggregate whose raw data is gone: refused, told, allowed, or nothing to lose."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_timescaledb.local.server import EmbeddedServer

from . import aggregates as a
from .aggregates import RICHER, SMALL, SMALL_NEW
from .engine import Engine, Failed
from .engine import sql as run_sql
from .things import manifest

pytestmark = pytest.mark.server
Make = Callable[..., Engine]


@pytest.fixture
def sql(server: EmbeddedServer) -> a.Sql:
    return lambda text: run_sql(server, text)


def test_refused_where_raw_data_is_gone(make: Make, sql: a.Sql) -> None:
    a.create(make(), SMALL)
    a.fill(sql, "2025-06-01", "hourly", "daily")
    sql("SELECT drop_chunks('app.raw', timestamptz '2025-03-01')")
    faults = make().check("Manifest", manifest(*SMALL_NEW), manifest(*SMALL))[1]
    kept = sql("SELECT min(range_start) FROM timescaledb_information.chunks WHERE hypertable_name = 'raw'")[0][0]
    gone = sql(f"SELECT count(DISTINCT hour) FROM app.hourly WHERE hour < '{kept}'")[0][0]
    days = sql(f"SELECT count(DISTINCT day) FROM app.daily WHERE day < '{kept}'")[0][0]
    assert f"{gone} buckets (2025-01-03 10:00:00+00 to " in faults[0]
    assert "of app.hourly whose raw data is gone cannot be built again and are lost" in faults[0]
    assert '"rebuild:app.hourly"' in faults[0]
    engine = make()
    applier = engine.service.session.applier
    applier.whole = applier.old_whole = None
    with pytest.raises(Failed, match=f"{gone} buckets .*rebuild:app.hourly"):
        engine.update(a.hourly(), a.hourly(RICHER))
    with pytest.raises(Failed, match=f"{days} buckets .*rebuild:app.daily"):
        engine.update(a.hourly(), a.hourly(RICHER, allow=["rebuild:app.hourly"]))
    a.assert_nothing_left(sql)
    a.update(make(), SMALL, SMALL_NEW, allow=["rebuild:app.hourly", "rebuild:app.daily"])
    a.assert_recomputed(sql, a.hourly(RICHER), a.daily())


def test_an_upper_one_outlives_its_raw_data_but_not_its_source(make: Make, sql: a.Sql) -> None:
    """A daily aggregate is made from the hourly one: that reaches back further than the raw data."""
    a.create(make(), SMALL)
    a.fill(sql, "2025-06-01", "hourly", "daily")
    sql("SELECT drop_chunks('app.raw', timestamptz '2025-03-01')")
    upper = a.daily(a.DAILY.replace("sum(kwh) AS kwh", "sum(kwh) AS kwh, count(*) AS hours"))
    new = [upper if spec.reference() == upper.reference() else spec for spec in SMALL]
    count = sql("SELECT count(*) FROM app.daily")
    a.update(make(), SMALL, new)
    assert sql("SELECT count(*) FROM app.daily") == count


def test_data_that_simply_begins_there_loses_nothing(make: Make, sql: a.Sql) -> None:
    """A month that began before the first chunk is whole, unless retention may have cut it."""
    old = a.everything()
    a.create(make(), old)
    a.fill(sql)
    begun = sql("SELECT min(range_start) FROM timescaledb_information.chunks WHERE hypertable_name = 'raw'")[0][0]
    assert begun.isoformat() > "2025-01-01T"
    new = a.estate(a.hourly(RICHER), a.daily(), a.monthly())
    assert make().check("Manifest", manifest(*new), manifest(*old))[1] == []
    sql("SELECT add_retention_policy('app.raw', INTERVAL '10 days')")
    (fault,) = make().check("Manifest", manifest(*new), manifest(*old))[1]
    assert "1 bucket (2025-01-01 00:00:00+00 to" in fault
    assert "rebuild:app.monthly" in fault


def test_a_disposable_database_may_lose_them(make: Make, sql: a.Sql) -> None:
    a.create(make(), SMALL)
    a.fill(sql, "2025-06-01", "hourly", "daily")
    sql("SELECT drop_chunks('app.raw', timestamptz '2025-03-01')")
    a.update(make(disposable=True), SMALL, SMALL_NEW)
    a.assert_recomputed(sql, a.hourly(RICHER), a.daily())


def test_raw_data_dropped_under_the_filling(make: Make, sql: a.Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    a.create(make(), SMALL)
    a.fill(sql, "2025-06-01", "hourly", "daily")
    engine = make()

    async def info(urn: str, text: str, *, status: bool = False) -> None:
        if "window 1" in text:
            sql("SELECT drop_chunks('app.raw', timestamptz '2025-03-01')")

    monkeypatch.setattr(engine.service.session.log, "info", info)
    count = sql("SELECT count(*) FROM app.hourly")
    with pytest.raises(Failed, match=r"buckets .*rebuild:app.hourly"):
        a.update(engine, SMALL, SMALL_NEW)
    assert sql("SELECT count(*) FROM app.hourly") == count


# In place
