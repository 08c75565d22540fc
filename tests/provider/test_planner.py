"""Plans against a real server: what stands there, how much of it, what a reviewed plan permits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.planner import Planned, plan_database
from pulumi_timescaledb.review import PLAN_DIGEST, PLAN_FILE, Reviewed, document, write
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.whole import Whole

from .engine import Engine, Failed, settings_of, sql
from .things import ALL, INDEX, SCHEMA, TABLE, VIEW, bring_up, changed, manifest

pytestmark = pytest.mark.server
Make = Callable[..., Engine]
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
]


class Planner:
    """Plans for one stack of a server."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.server = server

    def __call__(self, *declared: Spec, stack: str = "flows/dev", allow: tuple[str, ...] = (), **more: Any) -> Planned:
        async def planned() -> Planned:
            database = Database(ConnectionSettings.from_wire(settings_of(self.server, **more)))
            try:
                return await plan_database(database, Whole(declared), stack, allow)
            finally:
                await database.close()

        return asyncio.run(planned())


@pytest.fixture
def plan(server: EmbeddedServer) -> Planner:
    return Planner(server)


def steps(planned: Planned) -> list[str]:
    return [f"{step.verb} {step.subject}" for step in planned.plan.steps]


def refusals(planned: Planned) -> list[str]:
    return [str(refusal) for refusal in planned.plan.refusals]


def test_what_is_as_applied_has_no_step(make: Make, plan: Planner) -> None:
    bring_up(make(), *ALL)
    planned = plan(*ALL)
    assert steps(planned) == refusals(planned) == []
    assert planned.identity is not None
    assert planned.capabilities.background_workers is False


def test_a_password_is_no_change_and_is_never_shown(make: Make, plan: Planner) -> None:
    role = specs.Role.from_wire({"name": "planned", "login": True, "password": "very secret"})
    assert "very secret" not in json.dumps(document(plan(role), Whole([role]), "flows/dev", ()))
    engine = make()
    bring_up(engine, role)
    assert steps(plan(role)) == []
    assert steps(plan(changed(role, password="another"))) == []
    wider = changed(role, connectionLimit=3)
    texts = [statement.sql for _, statement in plan(wider).plan.statements()]
    assert texts == ['ALTER ROLE "planned" WITH CONNECTION LIMIT 3']
    engine.update(role, wider)
    ran = sql(plan.server, "SELECT statements FROM pulumi_timescaledb.history ORDER BY number DESC LIMIT 1")
    assert ran == [(texts,)], "an update that changes something else leaves the password alone"


def test_a_folder_that_is_not_there_is_planned_as_an_empty_server(tmp_path: Path, make: Make, plan: Planner) -> None:
    nowhere = Planner(EmbeddedServer(tmp_path / "nowhere"))
    wanted = [
        specs.Extension(name="timescaledb"),
        *ALL,
        *SERIES,
        specs.Grant.from_wire({"role": "public", "schema": "app"}),
    ]
    fresh = nowhere(*wanted)
    assert not (tmp_path / "nowhere").exists()
    assert fresh.identity is None
    make()
    here = plan(*wanted)
    permitted = {(step.subject, statement.sql) for step, statement in fresh.plan.statements()}
    assert {(step.subject, statement.sql) for step, statement in here.plan.statements()} <= permitted


def test_what_somebody_changed_is_told_and_mended(make: Make, plan: Planner, server: EmbeddedServer) -> None:
    bring_up(make(), *ALL)
    sql(server, "COMMENT ON TABLE app.things IS 'by hand'; DROP VIEW app.all_things; CREATE SCHEMA others")
    planned = plan(*ALL)
    assert planned.standing.drifted == {"Table app.things": ("comment",), "View app.all_things": ()}
    assert sorted(steps(planned)) == ["create View app.all_things", "update Table app.things"]


def test_what_is_not_ours_is_refused(make: Make, plan: Planner, server: EmbeddedServer) -> None:
    sql(server, "CREATE SCHEMA app; CREATE TABLE app.things (id integer)")
    assert [each.split(": ")[0] for each in refusals(plan(SCHEMA, TABLE))] == ["Schema app", "Table app.things"]
    assert 'import_="app.things"' in refusals(plan(SCHEMA, TABLE))[1]
    sql(server, "DROP SCHEMA app CASCADE")
    bring_up(make(), SCHEMA, TABLE)
    (first, _) = refusals(plan(SCHEMA, TABLE, stack="other"))
    assert 'it belongs to stack "flows/dev"' in first
    assert steps(plan(stack="other")) == []


def test_rules_are_refusals(make: Make, plan: Planner) -> None:
    make()
    key = specs.ForeignKey.from_wire(
        {
            "schema": "app",
            "relation": "series",
            "name": "key",
            "columns": ["id"],
            "targetSchema": "app",
            "target": "series",
            "targetColumns": ["id"],
        }
    )
    (fault,) = refusals(plan(SCHEMA, *SERIES, key))
    assert "leads from Hypertable" in fault


def test_losses_name_rows_bytes_and_chunks(make: Make, plan: Planner, server: EmbeddedServer) -> None:
    bring_up(make(), *ALL, *SERIES)
    assert refusals(plan(SCHEMA)) == []
    sql(
        server,
        "INSERT INTO app.things SELECT generate_series(1, 3); "
        "INSERT INTO app.series SELECT '2026-01-01'::timestamptz + n * interval '1 hour', n "
        "FROM generate_series(0, 47) n; "
        "SELECT compress_chunk(c) FROM show_chunks('app.series') c LIMIT 1",
    )
    planned = plan(SCHEMA)
    by_subject = {fault.split(":")[0]: fault for fault in refusals(planned)}
    assert "all rows of app.things are lost (3 rows, " in by_subject["Table app.things"]
    assert "all rows of app.series are lost (48 rows, " in by_subject["Table app.series"]
    assert "2 chunks, 1 of them compressed)" in by_subject["Table app.series"]
    sizes = {step.subject: step.size for step in planned.plan.steps}
    series = sizes["Table app.series"]
    assert series is not None
    (exact,) = sql(server, "SELECT hypertable_size('app.series')")
    assert (series.rows, series.counted, series.bytes, series.chunks, series.compressed) == (48, True, exact[0], 2, 1)
    assert sizes["View app.all_things"] is None
    assert refusals(plan(SCHEMA, allow=("drop:app.things", "drop:app.series"))) == []
    assert refusals(plan(SCHEMA, disposable=True)) == []
    with pytest.raises(Failed, match=r"all rows of app\.things are lost \(3 rows, "):
        make().delete(TABLE)


def test_sizes_take_the_same_queries_for_any_number_of_relations(make: Make, plan: Planner) -> None:
    tables = [changed(TABLE, name=f"table{number}") for number in range(20)]
    bring_up(make(), SCHEMA, *tables)
    from pulumi_timescaledb import sizes

    asked: list[str] = []
    query = sizes.query

    async def counted(connection: Any, *selects: str) -> Any:
        asked.extend(selects)
        return await query(connection, *selects)

    sizes.query = counted
    try:
        planned = plan(SCHEMA)
    finally:
        sizes.query = query
    assert len(planned.plan.steps) == 20
    assert all(step.size is not None and step.size.rows == 0 for step in planned.plan.steps)
    assert len(asked) == 3  # the search path, the sizes, the counts


# Reviewed plans


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a plan file and holds the engines made from then on to it."""

    def hold(planned: Planned, *declared: Spec, **more: Any) -> Path:
        path = tmp_path / "plan.json"
        write(path, document(planned, Whole(declared), "flows/dev", ()) | more)
        for key, value in Reviewed(path).environment().items():
            monkeypatch.setenv(key, value)
        return path

    return hold


WITH_NOTE = changed(TABLE, columns=[{"name": "id", "type": "integer"}, {"name": "note", "type": "text"}])


def test_an_update_by_plan_does_what_was_read(make: Make, plan: Planner, held: Any, server: EmbeddedServer) -> None:
    state = bring_up(make(), *ALL)
    after = [SCHEMA, WITH_NOTE, INDEX]
    held(plan(*after), *after)
    engine = make()
    inputs, faults = engine.check("Manifest", manifest(*after), manifest(*ALL))
    assert faults == []
    engine.update(("Manifest", manifest(*ALL)), ("Manifest", inputs), state)
    engine.update(TABLE, WITH_NOTE)
    engine.delete(VIEW)
    assert sql(server, "SELECT to_regclass('app.all_things')") == [(None,)]
    with pytest.raises(Failed, match="not in the reviewed plan"):
        engine.delete(INDEX)
    with pytest.raises(Failed, match="not in the reviewed plan"):
        engine.create(changed(VIEW, name="more"))
    assert sql(server, "SELECT to_regclass('app.by_id') IS NOT NULL, to_regclass('app.more')") == [(True, None)]


def test_a_plan_that_does_not_hold_stops_the_run(make: Make, plan: Planner, held: Any, server: EmbeddedServer) -> None:
    bring_up(make(), *ALL)
    after = [SCHEMA, WITH_NOTE, INDEX]
    planned = plan(*after)

    def told(*declared: Spec) -> str:
        (fault,) = make().check("Manifest", manifest(*declared), manifest(*ALL))[1]
        return fault

    held(planned, *after, database={"ledger": "x", "systemIdentifier": "y"})
    assert "it was made against another database" in told(*after)
    held(planned, *after, stack="other")
    assert "it was made for another stack" in told(*after)
    held(planned, *after)
    assert "the program's declarations have changed" in told(*after, changed(VIEW, name="more"))
    sql(server, "COMMENT ON TABLE app.things IS 'by hand'")
    assert "Table app.things is not as it was then" in told(*after)
    assert "refused" in make_logs(make, after)
    sql(server, "COMMENT ON TABLE app.things IS NULL; INSERT INTO app.things VALUES (1)")
    assert make().check("Manifest", manifest(*after), manifest(*ALL))[1] == [], "more rows are no other plan"


def make_logs(make: Make, declared: list[Spec]) -> list[str]:
    engine = make()
    engine.check("Manifest", manifest(*declared), manifest(*ALL))
    return engine.logs(ephemeral=True)


def test_a_plan_file_that_was_touched_is_not_followed(
    make: Make, plan: Planner, held: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_up(make(), *ALL)
    path = held(plan(*ALL), *ALL)
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(path.read_text() + " ")
    with pytest.raises(Failed, match="changed after it was checked"):
        make()
    monkeypatch.delenv(PLAN_DIGEST)
    for content, fault in (("{", "cannot be read"), ('{"format": 99, "steps": []}', "has format 99"), ("[]", "cannot")):
        path.write_text(content)
        with pytest.raises(Failed, match=fault):
            make()
    monkeypatch.setenv(PLAN_FILE, str(path.with_name("gone")))
    with pytest.raises(Failed, match="cannot be read"):
        make()


# Previews


def test_a_retry_shows_the_drops_that_are_left(make: Make) -> None:
    state = bring_up(make(), *ALL)
    engine = make()
    less = manifest(SCHEMA, TABLE, INDEX)
    engine.check("Manifest", less, manifest(*ALL))
    after = engine.update(("Manifest", manifest(*ALL)), ("Manifest", less), state)  # and then the run ended
    retry = make()
    assert retry.check("Manifest", less, less)[1] == []
    assert set(retry.diff("Manifest", less, less, after).detailedDiff) == {"declarations"}
    retry.update(("Manifest", less), ("Manifest", less), after, preview=True)
    (shown,) = retry.logs()
    assert shown.startswith("-- View app.all_things is no longer declared;")
    assert 'DROP VIEW "app"."all_things"' in shown
    retry.delete(VIEW)
    assert not make().diff("Manifest", less, less, after).detailedDiff


def test_a_retry_rebuilds_with_what_still_stands_there(make: Make, server: EmbeddedServer) -> None:
    """The Manifest of the failed run is in the state already and knows nothing of the view that is to go."""
    upper = specs.View(schema="app", name="upper", query="SELECT id FROM app.all_things")
    bring_up(make(), *ALL, upper)
    other = changed(VIEW, query="SELECT id + 1 AS id FROM app.things")
    after = manifest(SCHEMA, TABLE, INDEX, other)
    retry = make()
    assert retry.check("Manifest", after, after)[1] == []
    retry.update(VIEW, other)
    retry.delete(upper)
    assert sql(server, "SELECT to_regclass('app.upper'), to_regclass('app.all_things') IS NOT NULL") == [(None, True)]


def test_a_preview_shows_what_is_left_to_do(make: Make) -> None:
    """The state may be behind the ledger, as after a crash: what is done is not shown again."""
    bring_up(make(), *ALL)
    make().update(TABLE, WITH_NOTE)
    engine = make()
    after = [SCHEMA, WITH_NOTE, INDEX, VIEW]
    engine.check("Manifest", manifest(*after), manifest(*ALL))
    engine.update(TABLE, WITH_NOTE, preview=True)
    assert engine.logs() == []
