"""What stands between a plan and the server: ledger, adoption, drift, ripples, rebuilds, losses of data."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.apply import Applier, Caller
from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.errors import Unreachable
from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.whole import Whole

from .engine import Engine, Failed, engines, settings_of, sql, wipe

pytestmark = pytest.mark.server
Make = Callable[..., Engine]


@pytest.fixture
def make(server: EmbeddedServer) -> Iterator[Make]:
    wipe(server)
    sql(server, "CREATE SCHEMA app")
    with engines(server) as made:
        yield made


@pytest.fixture
def engine(make: Make) -> Engine:
    return make()


def _table(name: str = "things", **more: Any) -> specs.Table:
    columns = [{"name": "id", "type": "integer"}, {"name": "note", "type": "text"}]
    return specs.Table.from_wire({"schema": "app", "name": name, "columns": columns, **more})


def _view(name: str, query: str, **more: Any) -> specs.View:
    return specs.View.from_wire({"schema": "app", "name": name, "query": query, **more})


def _changed(spec: Spec, **change: Any) -> Any:
    return type(spec).from_wire({**spec.to_wire(), **change})


def _picture(engine: Engine, old: list[Spec], new: list[Spec]) -> None:
    """The Manifest's check, from which the process knows both pictures."""
    before = {"declarations": Whole(old).pack()}
    assert engine.check("Manifest", {"declarations": Whole(new).pack()}, before)[1] == []


def _ledger(server: EmbeddedServer) -> list[tuple[Any, ...]]:
    return sql(server, "SELECT kind, id FROM pulumi_timescaledb.ledger ORDER BY kind, id")


# The statements and their record commit together


class _Dying(Applier):
    """Loses its connection between the statements and their record."""

    async def _read(self, connection: Any, *arguments: Any) -> Spec | None:
        with socket.socket(fileno=connection.fileno()) as raw:
            raw.shutdown(socket.SHUT_RDWR)
            raw.detach()
        return await super()._read(connection, *arguments)


def test_a_killed_connection_leaves_neither_object_nor_record(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    engine.create(_table("first"))

    async def die() -> None:
        database = Database(ConnectionSettings.from_wire(settings_of(server)))
        try:
            await _Dying(database).apply(kind_of("Table"), None, _table(), Caller("dev", "urn"))
        finally:
            await database.close()

    with pytest.raises(Unreachable, match="the connection to the embedded server was lost"):
        asyncio.run(die())
    assert sql(server, "SELECT to_regclass('app.things') IS NULL") == [(True,)]
    assert _ledger(server) == [("Table", "app.first")]
    engine.create(_table())
    assert _ledger(server) == [("Table", "app.first"), ("Table", "app.things")]


@pytest.mark.parametrize("record", ["ledger", "history"])
def test_a_refused_record_undoes_the_statements(engine: Engine, server: EmbeddedServer, record: str) -> None:
    engine.create(_table("first"))
    sql(server, f"ALTER TABLE pulumi_timescaledb.{record} ADD CONSTRAINT no CHECK (id <> 'app.things')")
    with pytest.raises(Failed, match='violates check constraint "no"'):
        engine.create(_table())
    assert sql(server, "SELECT to_regclass('app.things') IS NULL") == [(True,)]
    assert _ledger(server) == [("Table", "app.first")]


def test_a_delete_that_fails_keeps_its_record(engine: Engine, server: EmbeddedServer) -> None:
    engine.create(_table())
    sql(server, "CREATE VIEW app.unmanaged AS SELECT * FROM app.things")
    with pytest.raises(Failed, match=r"view app\.unmanaged depends on table app\.things.*declare it, or drop it by hand"):
        engine.delete(_table())
    assert _ledger(server) == [("Table", "app.things")]
    sql(server, "DROP VIEW app.unmanaged")
    engine.delete(_table())
    engine.delete(_table())
    assert _ledger(server) == []
    verbs = sql(server, "SELECT verb FROM pulumi_timescaledb.history ORDER BY number")
    assert verbs == [("create",), ("delete",)]


# Whose object it is


def test_an_own_object_is_adopted_after_a_lost_state(make: Make, server: EmbeddedServer) -> None:
    make().create(_table(comment="first"))
    sql(server, "INSERT INTO app.things VALUES (1, 'kept')")
    make().create(_table(comment="first"))
    make().create(_table(comment="second"))
    assert sql(server, "SELECT note, obj_description('app.things'::regclass) FROM app.things") == [("kept", "second")]
    assert sql(server, "SELECT verb FROM pulumi_timescaledb.history ORDER BY number") == [("create",), ("update",)]


def test_a_foreign_object_is_refused_with_its_import_line(engine: Engine, server: EmbeddedServer) -> None:
    sql(server, 'CREATE TABLE app."Things" (id integer)')
    spec = _table("Things")
    with pytest.raises(Failed, match=r'Table app\."Things" exists and was not made by this provider') as raised:
        engine.create(spec)
    assert f'import_="{spec.import_id()}"' in (raised.value.details() or "")
    assert _ledger(server) == []
    _, imported = engine.read("Table", spec.import_id())
    engine.update(specs.Table.from_wire(imported), spec)
    assert _ledger(server) == [("Table", 'app."Things"')]
    assert sql(server, "SELECT count(*) FROM pg_attribute WHERE attrelid = 'app.\"Things\"'::regclass AND attnum > 0") == [(2,)]


def test_an_object_of_another_stack_is_refused(make: Make, server: EmbeddedServer) -> None:
    make("dev").create(_table())
    other = make("prod")
    for call in (
        lambda: other.create(_table()),
        lambda: other.update(_table(), _table(comment="x")),
        lambda: other.delete(_table()),
    ):
        with pytest.raises(Failed, match=r'Table app\.things belongs to stack "dev".*flowsctl ledger rebind'):
            call()
    assert sql(server, "SELECT stack FROM pulumi_timescaledb.ledger") == [("dev",)]


# Drift


def test_drift_is_refused_with_its_fields(engine: Engine, server: EmbeddedServer) -> None:
    spec = _table(comment="ours")
    engine.create(spec)
    sql(server, "COMMENT ON TABLE app.things IS 'theirs'; ALTER TABLE app.things ADD extra integer")
    with pytest.raises(Failed, match=r"Table app\.things was changed outside of Pulumi \(columns, comment\).*refresh"):
        engine.update(spec, _changed(spec, rowLevelSecurity=True))
    assert sql(server, "SELECT relrowsecurity FROM pg_class WHERE oid = 'app.things'::regclass") == [(False,)]


def test_refresh_then_update_puts_drift_right(make: Make, server: EmbeddedServer) -> None:
    spec = _table(comment="ours")
    make().create(spec)
    sql(server, "COMMENT ON TABLE app.things IS 'theirs'")
    engine = make()
    _, seen = engine.read("Table", "app.things", spec)
    engine.update(specs.Table.from_wire(seen), spec)
    assert sql(server, "SELECT obj_description('app.things'::regclass)") == [("ours",)]
    assert make().read("Table", "app.things", spec)[1] == spec.to_wire()


def test_what_was_dropped_by_hand_is_made_again(make: Make, server: EmbeddedServer) -> None:
    make().create(_table())
    sql(server, "DROP TABLE app.things")
    assert make().read("Table", "app.things", _table()) == ("", {})
    make().create(_table())
    assert sql(server, "SELECT to_regclass('app.things') IS NOT NULL") == [(True,)]


# Ripples: what a change does to the texts of others


def test_a_renamed_column_is_no_drift_of_its_dependents(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    table = _table(checks=[{"name": "short", "expression": "length(note) < 9"}])
    view = _view("notes", "SELECT note FROM app.things")
    index = specs.Index.from_wire(
        {"schema": "app", "relation": "things", "name": "noted", "keys": [{"expression": "lower(note)"}]}
    )
    touched = _view("touched", "SELECT note FROM app.things")
    for spec in (table, view, index, touched):
        engine.create(spec)
    sql(server, "COMMENT ON VIEW app.touched IS 'by hand'")
    columns = [{"name": "id", "type": "integer"}, {"name": "remark", "type": "text", "previously": "note"}]
    renamed = _changed(table, columns=columns, checks=[{"name": "short", "expression": "length(remark) < 9"}])
    engine.update(table, renamed)

    engine = make()
    assert engine.read("View", "app.notes", view)[1] == view.to_wire()
    assert engine.read("Index", "app.noted", index)[1] == index.to_wire()
    assert engine.read("Table", "app.things", renamed)[1] == renamed.to_wire()
    assert engine.read("View", "app.touched", touched)[1]["comment"] == "by hand"
    canonical = sql(server, "SELECT canonical::text FROM pulumi_timescaledb.ledger WHERE kind IN ('View', 'Index')")
    assert sum("remark" in text for (text,) in canonical) >= 2
    engine.update(view, _changed(view, comment="still ours"))


def test_a_renamed_table_moves_its_record(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    engine.create(_table())
    sql(server, "INSERT INTO app.things VALUES (1, 'kept')")
    engine.update(_table(), _table("objects", previously="things"))
    assert _ledger(server) == [("Table", "app.objects")]
    assert sql(server, "SELECT note FROM app.objects") == [("kept",)]


# Rebuilds


def test_a_rebuilt_view_carries_what_stands_on_it(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    reader = specs.Role(name="app_reader")
    table = _table()
    low = _view("low", "SELECT id FROM app.things", comment="low one")
    high = _view("high", "SELECT id FROM app.low", comment="high one", columnComments={"id": "key"})
    rights = [{"name": name, "privileges": ["select"]} for name in ("low", "high")]
    grant = specs.Grant.from_wire({"role": "app_reader", "schema": "app", "objects": rights})
    old: list[Spec] = [reader, table, low, high, grant]
    _picture(engine, [], old)
    for spec in old:
        engine.create(spec)
    new_low = _changed(low, query="SELECT id::bigint AS id, note FROM app.things")
    new_high = _changed(high, query="SELECT id, note FROM app.low")

    engine = make()
    _picture(engine, old, [reader, table, new_low, new_high, grant])
    engine.update(low, new_low, preview=True)
    shown = engine.logs()[-1]
    assert shown.index('DROP VIEW "app"."high"') < shown.index('DROP VIEW "app"."low"')
    engine.update(low, new_low)
    assert sql(
        server,
        "SELECT obj_description('app.low'::regclass), obj_description('app.high'::regclass), "
        "col_description('app.high'::regclass, 1), has_table_privilege('app_reader', 'app.low', 'select'), "
        "has_table_privilege('app_reader', 'app.high', 'select'), has_table_privilege('app_reader', 'app.high', 'insert')",
    ) == [("low one", "high one", "key", True, True, False)]
    assert sql(server, "SELECT count(note) FROM app.high") == [(0,)]
    before = sql(server, "SELECT count(*) FROM pulumi_timescaledb.history")
    engine.update(high, new_high)  # the engine's own turn finds it done
    assert sql(server, "SELECT count(*) FROM pulumi_timescaledb.history") == before
    for spec in (new_low, new_high, grant):
        assert engine.read(spec.KIND, spec.import_id(), spec)[1] == spec.to_wire()


def test_a_rebuild_is_refused_where_something_unmanaged_stands(engine: Engine, server: EmbeddedServer) -> None:
    table, low = _table(), _view("low", "SELECT id FROM app.things")
    _picture(engine, [], [table, low])
    engine.create(table)
    engine.create(low)
    sql(server, "CREATE VIEW app.theirs AS SELECT * FROM app.low")
    with pytest.raises(Failed, match=r"view app\.theirs depends on view app\.low.*declare it"):
        engine.update(low, _changed(low, query="SELECT note FROM app.things"))
    assert sql(server, "SELECT count(id) FROM app.theirs") == [(0,)]


def test_a_rebuild_is_refused_where_data_stands_on_it(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    domain = specs.Domain(schema="app", name="counter", type="integer")
    column = {"name": "n", "type": "app.counter"}
    table = specs.Table.from_wire({"schema": "app", "name": "counted", "columns": [column]})
    for spec in (domain, table):
        engine.create(spec)
    wider = _changed(domain, type="bigint")
    answer = make().check(
        "Manifest", {"declarations": Whole([wider, table]).pack()}, {"declarations": Whole([domain, table]).pack()}
    )
    assert "It must be rebuilt because the underlying type" in answer[1][0]
    assert "Table app.counted, which holds data, depends on it" in answer[1][0]
    with pytest.raises(Failed):  # without the pictures the server refuses
        make().update(domain, wider)
    assert sql(server, "SELECT typbasetype::regtype::text FROM pg_type WHERE typname = 'counter'") == [("integer",)]


# History


def test_history_tells_what_was_run_without_secrets(engine: Engine, server: EmbeddedServer) -> None:
    role = specs.Role(name="app_login", login=True, password="planted")
    engine.create(role)
    engine.update(role, _changed(role, password="planted-again", comment="x"))
    engine.update(role, role)
    rows = sql(server, "SELECT verb, statements FROM pulumi_timescaledb.history ORDER BY number")
    assert [verb for verb, _ in rows] == ["create", "update", "update"]
    assert 'CREATE ROLE "app_login"' in rows[0][1][0]
    assert "PASSWORD '********'" in rows[0][1][1]
    assert "planted" not in str(rows) + str(sql(server, "SELECT * FROM pulumi_timescaledb.ledger"))
    assert "SCRAM" not in str(rows)


# Data is never lost by surprise


def _fill(server: EmbeddedServer) -> None:
    sql(server, "INSERT INTO app.things VALUES (1, 'precious')")


def test_an_empty_table_may_go(engine: Engine, server: EmbeddedServer) -> None:
    engine.create(_table())
    engine.delete(_table())
    assert _ledger(server) == []


def test_a_filled_table_may_not(engine: Engine, server: EmbeddedServer) -> None:
    engine.create(_table())
    _fill(server)
    with pytest.raises(Failed, match=r'all rows of app\.things are lost.*add "drop:app\.things" to `allow`.*disposable'):
        engine.delete(_table())
    assert sql(server, "SELECT note FROM app.things") == [("precious",)]
    assert _ledger(server) == [("Table", "app.things")]


def test_a_filled_table_may_go_by_its_token(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    engine.create(_table())
    _fill(server)
    with pytest.raises(Failed, match="all rows"):
        engine.delete(_table(allow=["drop:app.other"]))
    engine.delete(_table(allow=["drop:app.things"]))
    assert _ledger(server) == []


def test_a_filled_table_may_go_by_the_manifest(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    engine.create(_table())
    _fill(server)
    before = {"declarations": Whole([_table()]).pack()}
    after = {"declarations": Whole().pack(), "allow": ["drop:app.things"]}
    assert engine.check("Manifest", after, before)[1] == []
    engine.delete(_table())
    assert _ledger(server) == []


def test_a_disposable_database_may_lose_all(make: Make, server: EmbeddedServer) -> None:
    engine = make(disposable=True)
    engine.create(_table())
    _fill(server)
    engine.delete(_table())
    assert _ledger(server) == []


def _without_note(**more: Any) -> specs.Table:
    return _table(columns=[{"name": "id", "type": "integer"}], **more)


def test_a_filled_column_may_not_go(engine: Engine, server: EmbeddedServer) -> None:
    engine.create(_table())
    sql(server, "INSERT INTO app.things (id) VALUES (1)")
    engine.update(_table(), _without_note())  # rows, but nothing in that column
    engine.update(_without_note(), _table())
    _fill(server)
    with pytest.raises(Failed, match=r'values of column "note".*drop_column:note'):
        engine.update(_table(), _without_note())
    assert sql(server, "SELECT count(note) FROM app.things") == [(1,)]
    engine.update(_table(), _without_note(allow=["drop_column:note"]))


def test_a_rename_does_not_hide_a_loss(engine: Engine, server: EmbeddedServer) -> None:
    engine.create(_table())
    _fill(server)
    with pytest.raises(Failed, match='values of column "note"'):
        engine.update(_table(), _without_note(name="objects", previously="things"))
    assert sql(server, "SELECT note FROM app.things") == [("precious",)]


def test_a_narrower_column_may_not_cut(engine: Engine, server: EmbeddedServer) -> None:
    engine.create(_table())
    _fill(server)
    narrow = _table(columns=[{"name": "id", "type": "integer"}, {"name": "note", "type": "varchar(3)"}])
    with pytest.raises(Failed, match="do not fit"):
        engine.update(_table(), narrow)
    unread = _table(columns=[{"name": "id", "type": "integer"}, {"name": "note", "type": "integer"}])
    with pytest.raises(Failed, match="do not fit"):
        engine.update(_table(), unread)
    assert sql(server, "SELECT note FROM app.things") == [("precious",)]


def test_retention_may_not_reach_existing_data(engine: Engine, server: EmbeddedServer) -> None:
    columns = [{"name": "at", "type": "timestamptz", "notNull": True}]
    table = specs.Table.from_wire({"schema": "app", "name": "series", "columns": columns})
    hypertable = specs.Hypertable(schema="app", relation="series", time_column="at", chunk_interval="1 day")
    year = specs.RetentionPolicy(schema="app", relation="series", drop_after="1 year")
    week = _changed(year, dropAfter="7 days")
    for spec in (table, hypertable, year):
        engine.create(spec)
    engine.update(year, week)
    engine.update(week, year)
    sql(server, "INSERT INTO app.series VALUES (now() - interval '30 days')")
    with pytest.raises(Failed, match=r"chunks of app\.series older than 7 days.*retention:app\.series"):
        engine.update(year, week)
    engine.update(year, _changed(week, allow=["retention:app.series"]))


def test_satellites_go_with_their_table(engine: Engine, server: EmbeddedServer) -> None:
    index = specs.Index.from_wire({"schema": "app", "relation": "things", "name": "by_id", "keys": [{"column": "id"}]})
    engine.create(_table())
    engine.create(index)
    assert _ledger(server) == [("Index", "app.by_id"), ("Table", "app.things")]
    engine.delete(_table())
    assert _ledger(server) == []
    engine.delete(index)


def test_two_stacks_and_two_processes_do_not_mix_up_locks(make: Make, server: EmbeddedServer) -> None:
    """Many changes of one table and its satellites at once, from two processes."""
    both = (make(), make())
    both[0].create(_table())
    calls = []
    for number in range(10):
        name = f"index_{number}"
        spec = specs.Index.from_wire({"schema": "app", "relation": "things", "name": name, "keys": [{"column": "id"}]})
        calls.append(both[number % 2].begin("Create", **both[number % 2].creation(spec)))
    for call in calls:
        call.result(60)
    assert len(_ledger(server)) == 11
