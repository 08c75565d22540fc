"""A changed continuous aggregate: built beside, filled, swapped with all that stands on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.review import Reviewed, document, write
from pulumi_timescaledb.whole import Whole

from . import aggregates as a
from .aggregates import RICHER, SMALL, SMALL_NEW, changed
from .engine import Engine, Failed
from .engine import sql as run_sql
from .test_planner import Planner
from .things import manifest, picture

pytestmark = pytest.mark.server
Make = Callable[..., Engine]


@pytest.fixture
def sql(server: EmbeddedServer) -> a.Sql:
    return lambda text: run_sql(server, text)


def test_a_hierarchy_is_rebuilt_from_its_lowest(make: Make, sql: a.Sql) -> None:
    old = a.everything()
    a.create(make(), old)
    a.fill(sql)
    sql("REFRESH MATERIALIZED VIEW app.kept")
    sql("SELECT compress_chunk(c, true) FROM show_chunks('app.hourly') c")
    sql("CREATE ROLE app_theirs; GRANT SELECT (kwh) ON app.daily TO app_theirs")  # behind our back, not ours to take
    before = sql("SELECT * FROM app.totals ORDER BY 1")
    new = a.estate(a.hourly(RICHER), a.daily(), a.monthly())

    engine = make()
    a.update(engine, old, new)
    a.assert_recomputed(sql, a.hourly(RICHER), a.daily(), a.monthly())
    assert sql("SELECT * FROM app.totals ORDER BY 1") == before
    assert sql("SELECT hours > 0 FROM app.kept") == [(True,)]
    a.assert_nothing_left(sql)
    a.assert_as_declared(make(), new)
    rights = "SELECT bool_and(has_table_privilege('app_reader', name, 'select')) FROM unnest(ARRAY['app.hourly', "
    assert sql(rights + "'app.monthly', 'app.shown', 'app.totals', 'app.kept']) name") == [(True,)]
    theirs = "has_column_privilege('app_theirs', 'app.daily', 'kwh', 'select')"
    assert sql(f"SELECT {theirs}, has_table_privilege('app_theirs', 'app.daily', 'select')") == [(True, False)]
    assert sql(
        "SELECT bool_and(is_compressed) FROM timescaledb_information.chunks c "
        "JOIN timescaledb_information.continuous_aggregates a ON materialization_hypertable_name = c.hypertable_name "
        "WHERE a.view_name = 'hourly'"
    ) == [(True,)]
    assert sql("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'app.hourly'::regclass") == [("app_owner",)]
    history = sql("SELECT count(*) FROM pulumi_timescaledb.history")
    a.update(make(), new, new)
    assert sql("SELECT count(*) FROM pulumi_timescaledb.history") == history


# Killed anywhere


def test_an_upper_one_changes_alone(make: Make, sql: a.Sql) -> None:
    old = a.everything()
    a.create(make(), old)
    a.fill(sql)
    wanted = a.daily(a.DAILY.replace("sum(kwh) AS kwh", "sum(kwh) AS kwh, count(*) AS hours"), materializedOnly=False)
    new = a.estate(a.hourly(), wanted, a.monthly())
    rows_of = "SELECT materialization_hypertable_name FROM timescaledb_information.continuous_aggregates "
    rows_of += "WHERE view_name = 'hourly'"
    lower = sql(rows_of)
    a.update(make(), old, new)
    assert sql(rows_of) == lower  # what is below was not touched
    a.assert_recomputed(sql, a.hourly(), wanted, a.monthly())
    a.assert_nothing_left(sql)
    a.assert_as_declared(make(), new)


def test_lower_and_upper_change_at_once(make: Make, sql: a.Sql) -> None:
    """The upper one's own turn finds it done, and so does the view's, which uses the new column."""
    old = a.everything()
    a.create(make(), old)
    a.fill(sql)
    upper = a.daily(a.DAILY.replace("sum(kwh) AS kwh", "sum(kwh) AS kwh, max(top) AS top"))
    shown = changed(a.STANDING[0], query="SELECT device, day, kwh, top FROM app.daily")
    store = changed(a.SATELLITES[1], segmentBy=[], after="90 days")
    satellites = [store if spec is a.SATELLITES[1] else spec for spec in a.SATELLITES]
    new = a.estate(a.hourly(RICHER), upper, a.monthly(), satellites=satellites, standing=[shown, *a.STANDING[1:]])
    a.update(make(), old, new)
    a.assert_recomputed(sql, a.hourly(RICHER), upper, a.monthly())
    assert sql("SELECT count(top) > 0 FROM app.shown") == [(True,)]
    a.assert_nothing_left(sql)
    a.assert_as_declared(make(), new)
    assert sql("SELECT DISTINCT id FROM pulumi_timescaledb.history WHERE verb = 'update'") == [("app.hourly",)]


def test_an_upper_one_that_is_no_longer_declared_goes_with_the_swap(make: Make, sql: a.Sql) -> None:
    old = a.everything()
    a.create(make(), old)
    a.fill(sql)
    rights = a.STANDING[3].model_copy(
        update={"objects": tuple(each for each in a.STANDING[3].objects if each.name != "monthly")}  # type: ignore[attr-defined]
    )
    new = a.estate(a.hourly(RICHER), a.daily(), standing=[*a.STANDING[:3], rights])
    engine = make()
    faults = engine.check("Manifest", manifest(*new), manifest(*old))[1]
    assert any("drop:app.monthly" in fault for fault in faults)
    a.update(make(), old, new, allow=["drop:app.monthly"])
    a.assert_recomputed(sql, a.hourly(RICHER), a.daily())
    a.assert_nothing_left(sql)
    a.assert_as_declared(make(), new)


def test_buckets_of_another_width_real_time_and_half_filled(make: Make, sql: a.Sql) -> None:
    old = a.estate(a.hourly(), satellites=a.SATELLITES[:1], standing=[])
    a.create(make(), old)
    a.fill(sql, "2025-06-01 00:10", "hourly")
    wide = a.hourly(a.HOURLY.replace("1 hour", "1 month"), columnComments={}, materializedOnly=False)
    wide_policy = changed(a.SATELLITES[0], startOffset="1 year", endOffset="1 month")
    new = a.estate(wide, satellites=[wide_policy], standing=[])
    a.update(make(), old, new)
    a.assert_recomputed(sql, wide)
    a.assert_as_declared(make(), new)


def test_an_aggregate_that_was_never_filled(make: Make, sql: a.Sql) -> None:
    old, new = (a.estate(a.hourly(query), a.daily(), satellites=[], standing=[]) for query in (a.HOURLY, RICHER))
    a.create(make(), old)
    a.update(make(), old, new)
    a.fill(sql, "2025-02-01", "hourly", "daily")
    a.assert_recomputed(sql, a.hourly(RICHER), a.daily())


def test_rows_that_come_while_it_is_built_are_in_it(make: Make, sql: a.Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    a.create(make(), SMALL)
    a.fill(sql, "2025-06-01", "hourly", "daily")
    engine = make()
    came: list[str] = []

    async def info(urn: str, text: str, *, status: bool = False) -> None:
        if "filled to" in text or "is in columnstore" in text:
            came.append(text)
            sql("INSERT INTO app.raw VALUES ('2025-01-10 12:00+00', 1, 1000), ('2025-06-01', 1, 1)")
            sql("CALL refresh_continuous_aggregate('app.hourly', NULL, NULL)")  # as its policy would
            sql("CALL refresh_continuous_aggregate('app.daily', NULL, NULL)")

    monkeypatch.setattr(engine.service.session.log, "info", info)
    a.update(engine, SMALL, SMALL_NEW)
    assert len(came) > 5
    a.assert_recomputed(sql, a.hourly(RICHER), a.daily())


def test_what_nobody_declared_stands_in_the_way(make: Make, sql: a.Sql) -> None:
    a.create(make(), SMALL)
    a.fill(sql, "2025-02-01", "hourly", "daily")
    engine = make()
    picture(engine, SMALL, SMALL_NEW)
    for what, name, rest in (
        ("VIEW", "theirs", "AS SELECT * FROM app.daily"),
        ("FUNCTION", "rows", "() RETURNS SETOF app.hourly LANGUAGE sql AS 'TABLE app.hourly'"),
        ("TABLE", "box", "(one app.hourly)"),
        ("MATERIALIZED VIEW", "upper", f"WITH (timescaledb.continuous) AS {a.MONTHLY} WITH NO DATA"),
    ):
        sql(f"CREATE {what} app.{name} {rest}")
        with pytest.raises(Failed, match=f"app.{name}, which stands on it, is not declared. Declare or drop it"):
            engine.update(a.hourly(), a.hourly(RICHER))
        sql(f"DROP {what} app.{name}{'()' if what == 'FUNCTION' else ''}")
    a.assert_nothing_left(sql)
    engine.update(a.hourly(), a.hourly(RICHER))
    a.assert_recomputed(sql, a.hourly(RICHER), a.daily())


def test_without_a_manifest_the_ledger_tells_what_stands_on_it(make: Make, sql: a.Sql) -> None:
    a.create(make(), SMALL)
    a.fill(sql, "2025-02-01", "hourly", "daily")
    engine = make()
    engine.update(a.hourly(), a.hourly(RICHER))
    a.assert_recomputed(sql, a.hourly(RICHER), a.daily())
    a.assert_nothing_left(sql)
    a.assert_as_declared(make(), SMALL_NEW)


# Half-way


RENAMED = a.HOURLY.replace("AS kwh", "AS energy")


def test_a_renamed_column_stays_where_it_is(make: Make, sql: a.Sql) -> None:
    """Upper aggregates and views that name it by its new name are as they were; nothing is built, although the raw data
    is gone."""
    old = a.everything()
    a.create(make(), old)
    a.fill(sql)
    sql("SELECT compress_chunk(c, true) FROM show_chunks('app.hourly') c")
    sql("SELECT drop_chunks('app.raw', timestamptz '2025-03-01')")
    lower = a.hourly(RENAMED, renamedColumns={"energy": "kwh"}, columnComments={"energy": "energy"})
    upper = a.daily(a.DAILY.replace("sum(kwh)", "sum(energy)"))
    index = changed(a.SATELLITES[3], keys=[{"column": "energy"}])
    new = a.estate(lower, upper, a.monthly(), satellites=[*a.SATELLITES[:3], index])
    rows = sql("SELECT * FROM app.hourly ORDER BY 1, 2")
    engine = make()
    a.update(engine, old, new)
    assert sql("SELECT device, hour, energy FROM app.hourly ORDER BY 1, 2") == rows
    done = "SELECT unnest(statements) FROM pulumi_timescaledb.history "
    done += "WHERE verb = 'update' AND kind = 'ContinuousAggregate'"
    assert sql(done) == [('ALTER MATERIALIZED VIEW "app"."hourly" RENAME COLUMN "kwh" TO "energy"',)]
    a.assert_as_declared(make(), new)


def test_a_reformatted_query_is_no_change(make: Make, sql: a.Sql) -> None:
    old = a.estate(a.hourly(), satellites=[], standing=[])
    a.create(make(), old)
    a.fill(sql, "2025-02-01", "hourly")
    same = a.hourly(a.HOURLY.replace("SELECT device,", "SELECT\n  device,  -- the device\n "), comment="anew")
    engine = make()
    a.update(engine, old, a.estate(same, satellites=[], standing=[]))
    (statements,) = sql("SELECT statements FROM pulumi_timescaledb.history WHERE verb = 'update'")
    assert statements == (['COMMENT ON VIEW "app"."hourly" IS \'anew\''],)


# Preview


def test_a_preview_shows_every_step(make: Make, sql: a.Sql, offline: Engine) -> None:
    old, new = a.everything(), a.estate(a.hourly(RICHER), a.daily(), a.monthly())
    a.create(make(), old)
    a.fill(sql)
    engine = make()
    picture(engine, old, new)
    engine.update(a.hourly(), a.hourly(RICHER), preview=True)
    (shown,) = engine.logs()
    parts = [
        'CREATE MATERIALIZED VIEW "app"."hourly_v2_',
        'CREATE MATERIALIZED VIEW "app"."monthly_v2_',
        "CALL refresh",
        'DROP VIEW "app"."totals"',
        'ALTER MATERIALIZED VIEW "app"."monthly" RENAME TO "monthly_old_',
        'CREATE VIEW "app"."totals"',
        'DROP MATERIALIZED VIEW "app"."hourly_old_',
    ]
    places = [shown.index(part) for part in parts]
    assert places == sorted(places)
    assert "filled window by window, in 22 windows from 2025-01-03 10:00:00+00 on" in shown
    assert "-- lock: ACCESS EXCLUSIVE" in shown
    assert sql("SELECT count(*) FROM pulumi_timescaledb.ledger WHERE step IS NOT NULL") == [(0,)]
    a.assert_nothing_left(sql)

    offline.service.session.applier.whole, offline.service.session.applier.old_whole = Whole(new), Whole(old)
    offline.update(a.hourly(), a.hourly(RICHER), preview=True)  # what the declarations tell
    (shown,) = offline.logs()
    assert "data loss: buckets of app.monthly whose raw data is gone" in shown
    assert [shown.count(part) for part in ("CALL refresh", "DROP MATERIALIZED VIEW")] == [3, 4]


def test_a_reviewed_plan_holds_while_rows_come(
    make: Make, sql: a.Sql, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a.create(make(), SMALL)
    a.fill(sql, "2025-02-01", "hourly", "daily")
    planned = Planner(server)(*SMALL_NEW, stack="flows/dev")
    assert planned.plan.refusals == []
    assert [step.spec.import_id() for step in planned.plan.steps] == ["app.hourly"]
    path = tmp_path / "plan.json"
    write(path, document(planned, Whole(SMALL_NEW), "flows/dev", ()))
    sql("INSERT INTO app.raw VALUES ('2025-02-01 03:00+00', 1, 1)")
    sql("CALL refresh_continuous_aggregate('app.hourly', NULL, NULL)")
    for key, value in Reviewed(path).environment().items():
        monkeypatch.setenv(key, value)
    a.update(make(), SMALL, SMALL_NEW)
    a.assert_recomputed(sql, a.hourly(RICHER))
    monkeypatch.delenv("PULUMI_TIMESCALEDB_PLAN")
    assert Planner(server)(*SMALL_NEW, stack="flows/dev").plan.steps == []
