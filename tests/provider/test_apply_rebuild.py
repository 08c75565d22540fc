"""Rebuilds: what the server cannot alter is made again with everything declared that stands on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.whole import Whole

from .engine import Engine, Failed, sql
from .things import a_table, a_view, changed, picture

pytestmark = pytest.mark.server
Make = Callable[..., Engine]


@pytest.fixture
def make(make: Make, server: EmbeddedServer) -> Make:
    sql(server, "CREATE SCHEMA app")
    return make


@pytest.fixture
def engine(make: Make) -> Engine:
    return make()


def test_a_rebuilt_view_carries_what_stands_on_it(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    reader = specs.Role(name="app_reader")
    table = a_table()
    low = a_view("low", "SELECT id FROM app.things", comment="low one")
    high = a_view("high", "SELECT id FROM app.low", comment="high one", columnComments={"id": "key"})
    rights = [{"name": name, "privileges": ["select"]} for name in ("low", "high")]
    grant = specs.Grant.from_wire({"role": "app_reader", "schema": "app", "objects": rights})
    old: list[Spec] = [reader, table, low, high, grant]
    picture(engine, [], old)
    for spec in old:
        engine.create(spec)
    new_low = changed(low, query="SELECT id::bigint AS id, note FROM app.things")
    new_high = changed(high, query="SELECT id, note FROM app.low")

    engine = make()
    picture(engine, old, [reader, table, new_low, new_high, grant])
    engine.update(low, new_low, preview=True)
    shown = engine.logs()[-1]
    assert shown.index('DROP VIEW "app"."high"') < shown.index('DROP VIEW "app"."low"')
    engine.update(low, new_low)
    assert sql(
        server,
        "SELECT obj_description('app.low'::regclass), obj_description('app.high'::regclass), "
        "col_description('app.high'::regclass, 1), has_table_privilege('app_reader', 'app.low', 'select'), "
        "has_table_privilege('app_reader', 'app.high', 'select'), "
        "has_table_privilege('app_reader', 'app.high', 'insert')",
    ) == [("low one", "high one", "key", True, True, False)]
    assert sql(server, "SELECT count(note) FROM app.high") == [(0,)]
    before = sql(server, "SELECT count(*) FROM pulumi_timescaledb.history")
    engine.update(high, new_high)  # the engine's own turn finds it done
    assert sql(server, "SELECT count(*) FROM pulumi_timescaledb.history") == before
    for spec in (new_low, new_high, grant):
        assert engine.read(spec.KIND, spec.import_id(), spec)[1] == spec.to_wire()


def test_a_rebuild_is_refused_where_something_unmanaged_stands(engine: Engine, server: EmbeddedServer) -> None:
    table, low = a_table(), a_view("low", "SELECT id FROM app.things")
    picture(engine, [], [table, low])
    engine.create(table)
    engine.create(low)
    sql(server, "CREATE VIEW app.theirs AS SELECT * FROM app.low")
    with pytest.raises(Failed, match=r"view app\.theirs depends on view app\.low.*declare it"):
        engine.update(low, changed(low, query="SELECT note FROM app.things"))
    assert sql(server, "SELECT count(id) FROM app.theirs") == [(0,)]


def test_a_rebuild_is_refused_where_data_stands_on_it(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    domain = specs.Domain(schema="app", name="counter", type="integer")
    column = {"name": "n", "type": "app.counter"}
    table = specs.Table.from_wire({"schema": "app", "name": "counted", "columns": [column]})
    for spec in (domain, table):
        engine.create(spec)
    wider = changed(domain, type="bigint")
    answer = make().check(
        "Manifest", {"declarations": Whole([wider, table]).pack()}, {"declarations": Whole([domain, table]).pack()}
    )
    assert "It must be rebuilt because the underlying type" in answer[1][0]
    assert "Table app.counted, which holds data, depends on it" in answer[1][0]
    with pytest.raises(Failed):  # without the pictures the server refuses
        make().update(domain, wider)
    assert sql(server, "SELECT typbasetype::regtype::text FROM pg_type WHERE typname = 'counter'") == [("integer",)]


def test_a_grant_that_changes_beside_a_rebuild_is_applied_in_full(make: Make, server: EmbeddedServer) -> None:
    """The rebuild gives back only what went with the view; taking another right away is the Grant's own turn."""
    table, low = a_table(), a_view("low", "SELECT id FROM app.things")
    both = [{"name": name, "privileges": ["select"]} for name in ("low", "things")]
    grant = specs.Grant.from_wire({"role": "app_second_reader", "schema": "app", "objects": both})
    old: list[Spec] = [specs.Role(name="app_second_reader"), table, low, grant]
    engine = make()
    picture(engine, [], old)
    for spec in old:
        engine.create(spec)
    new_low = changed(low, query="SELECT note FROM app.things")
    less = changed(grant, objects=both[:1])

    engine = make()
    picture(engine, old, [old[0], table, new_low, less])
    engine.update(low, new_low)
    engine.update(grant, less)
    rights = "SELECT has_table_privilege('app_second_reader', 'app.low', 'select'), "
    rights += "has_table_privilege('app_second_reader', 'app.things', 'select')"
    assert sql(server, rights) == [(True, False)]
    assert sql(server, "SELECT count(*) FROM pulumi_timescaledb.ledger WHERE step IS NOT NULL") == [(0,)]
