"""What stands between a plan and the server: ledger, adoption, drift, ripples."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.apply import Applier
from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.errors import Unreachable
from pulumi_timescaledb.finding import read
from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.recording import Caller
from pulumi_timescaledb.specs import Spec

from .engine import Engine, Failed, settings_of, sql
from .things import a_table, a_view, changed, ledger

pytestmark = pytest.mark.server
Make = Callable[..., Engine]


@pytest.fixture
def make(make: Make, server: EmbeddedServer) -> Make:
    sql(server, "CREATE SCHEMA app")
    return make


@pytest.fixture
def engine(make: Make) -> Engine:
    return make()


# The statements and their record commit together


async def _read_dying(connection: Any, *arguments: Any) -> Spec | None:
    """Loses its connection between the statements and their record."""
    with socket.socket(fileno=connection.fileno()) as raw:
        raw.shutdown(socket.SHUT_RDWR)
        raw.detach()
    return await read(connection, *arguments)


def test_a_killed_connection_leaves_neither_object_nor_record(
    make: Make, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make()
    engine.create(a_table("first"))

    async def die() -> None:
        database = Database(ConnectionSettings.from_wire(settings_of(server)))
        try:
            await Applier(database).apply(kind_of("Table"), None, a_table(), Caller("dev", "urn"))
        finally:
            await database.close()

    with monkeypatch.context() as patch:
        patch.setattr("pulumi_timescaledb.recording.read", _read_dying)
        with pytest.raises(Unreachable, match="the connection to the embedded server was lost"):
            asyncio.run(die())
    assert sql(server, "SELECT to_regclass('app.things') IS NULL") == [(True,)]
    assert ledger(server) == [("Table", "app.first")]
    engine.create(a_table())
    assert ledger(server) == [("Table", "app.first"), ("Table", "app.things")]


@pytest.mark.parametrize("record", ["ledger", "history"])
def test_a_refused_record_undoes_the_statements(engine: Engine, server: EmbeddedServer, record: str) -> None:
    engine.create(a_table("first"))
    sql(server, f"ALTER TABLE pulumi_timescaledb.{record} ADD CONSTRAINT no CHECK (id <> 'app.things')")
    with pytest.raises(Failed, match='violates check constraint "no"'):
        engine.create(a_table())
    assert sql(server, "SELECT to_regclass('app.things') IS NULL") == [(True,)]
    assert ledger(server) == [("Table", "app.first")]


def test_a_deadlock_is_tried_again(engine: Engine, server: EmbeddedServer) -> None:
    engine.create(a_table("first"))
    sql(
        server,
        "CREATE SEQUENCE app.tries; CREATE FUNCTION app.once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF nextval('app.tries') = 1 THEN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END IF; "
        "RETURN NEW; END $$; "
        "CREATE TRIGGER once BEFORE INSERT ON pulumi_timescaledb.ledger FOR EACH ROW EXECUTE FUNCTION app.once()",
    )
    engine.create(a_table())
    assert ledger(server) == [("Table", "app.first"), ("Table", "app.things")]
    assert sql(server, "SELECT last_value FROM app.tries") == [(2,)]


def test_a_delete_that_fails_keeps_its_record(engine: Engine, server: EmbeddedServer) -> None:
    engine.create(a_table())
    sql(server, "CREATE VIEW app.unmanaged AS SELECT * FROM app.things")
    with pytest.raises(
        Failed, match=r"view app\.unmanaged depends on table app\.things.*declare it, or change or drop"
    ):
        engine.delete(a_table())
    assert ledger(server) == [("Table", "app.things")]
    sql(server, "DROP VIEW app.unmanaged")
    engine.delete(a_table())
    engine.delete(a_table())
    assert ledger(server) == []
    verbs = sql(server, "SELECT verb FROM pulumi_timescaledb.history ORDER BY number")
    assert verbs == [("create",), ("delete",)]


# Whose object it is


def test_an_own_object_is_adopted_after_a_lost_state(make: Make, server: EmbeddedServer) -> None:
    make().create(a_table(comment="first"))
    sql(server, "INSERT INTO app.things VALUES (1, 'kept')")
    make().create(a_table(comment="first"))
    make().create(a_table(comment="second"))
    assert sql(server, "SELECT note, obj_description('app.things'::regclass) FROM app.things") == [("kept", "second")]
    assert sql(server, "SELECT verb FROM pulumi_timescaledb.history ORDER BY number") == [("create",), ("update",)]


def test_a_foreign_object_is_refused_with_its_import_line(engine: Engine, server: EmbeddedServer) -> None:
    sql(server, 'CREATE TABLE app."Things" (id integer)')
    spec = a_table("Things")
    with pytest.raises(Failed, match=r'Table app\."Things" exists and was not made by this provider') as raised:
        engine.create(spec)
    assert f'import_="{spec.import_id()}"' in (raised.value.details() or "")
    assert ledger(server) == []
    _, imported = engine.read("Table", spec.import_id())
    engine.update(specs.Table.from_wire(imported), spec)
    assert ledger(server) == [("Table", 'app."Things"')]
    assert sql(
        server, "SELECT count(*) FROM pg_attribute WHERE attrelid = 'app.\"Things\"'::regclass AND attnum > 0"
    ) == [(2,)]


def test_an_object_of_another_stack_is_refused(make: Make, server: EmbeddedServer) -> None:
    make("dev").create(a_table())
    other = make("prod")
    for call in (
        lambda: other.create(a_table()),
        lambda: other.update(a_table(), a_table(comment="x")),
        lambda: other.delete(a_table()),
    ):
        with pytest.raises(Failed, match=r'Table app\.things belongs to stack "flows/dev".*flowsctl ledger rebind'):
            call()
    assert sql(server, "SELECT stack FROM pulumi_timescaledb.ledger") == [("flows/dev",)]


# Drift


def test_drift_is_refused_with_its_fields(engine: Engine, server: EmbeddedServer) -> None:
    spec = a_table(comment="ours")
    engine.create(spec)
    sql(server, "COMMENT ON TABLE app.things IS 'theirs'; ALTER TABLE app.things ADD extra integer")
    with pytest.raises(Failed, match=r"Table app\.things was changed outside of Pulumi \(columns, comment\).*refresh"):
        engine.update(spec, changed(spec, rowLevelSecurity=True))
    assert sql(server, "SELECT relrowsecurity FROM pg_class WHERE oid = 'app.things'::regclass") == [(False,)]


def test_refresh_then_update_puts_drift_right(make: Make, server: EmbeddedServer) -> None:
    spec = a_table(comment="ours")
    make().create(spec)
    sql(server, "COMMENT ON TABLE app.things IS 'theirs'")
    engine = make()
    _, seen = engine.read("Table", "app.things", spec)
    engine.update(specs.Table.from_wire(seen), spec)
    assert sql(server, "SELECT obj_description('app.things'::regclass)") == [("ours",)]
    assert make().read("Table", "app.things", spec)[1] == spec.to_wire()


def test_what_was_dropped_by_hand_is_made_again(make: Make, server: EmbeddedServer) -> None:
    make().create(a_table())
    sql(server, "DROP TABLE app.things")
    assert make().read("Table", "app.things", a_table()) == ("", {})
    make().create(a_table())
    assert sql(server, "SELECT to_regclass('app.things') IS NOT NULL") == [(True,)]


# Ripples: what a change does to the texts of others


def test_a_renamed_column_is_no_drift_of_its_dependents(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    table = a_table(checks=[{"name": "short", "expression": "length(note) < 9"}])
    view = a_view("notes", "SELECT note FROM app.things")
    index = specs.Index.from_wire(
        {"schema": "app", "relation": "things", "name": "noted", "keys": [{"expression": "lower(note)"}]}
    )
    touched = a_view("touched", "SELECT note FROM app.things")
    for spec in (table, view, index, touched):
        engine.create(spec)
    sql(server, "COMMENT ON VIEW app.touched IS 'by hand'")
    columns = [{"name": "id", "type": "integer"}, {"name": "remark", "type": "text", "previously": "note"}]
    renamed = changed(table, columns=columns, checks=[{"name": "short", "expression": "length(remark) < 9"}])
    engine.update(table, renamed)

    engine = make()
    assert engine.read("View", "app.notes", view)[1] == view.to_wire()
    assert engine.read("Index", "app.noted", index)[1] == index.to_wire()
    assert engine.read("Table", "app.things", renamed)[1] == renamed.to_wire()
    assert engine.read("View", "app.touched", touched)[1]["comment"] == "by hand"
    canonical = sql(server, "SELECT canonical::text FROM pulumi_timescaledb.ledger WHERE kind IN ('View', 'Index')")
    assert sum("remark" in text for (text,) in canonical) >= 2
    engine.update(view, changed(view, comment="still ours"))


def test_a_renamed_table_moves_its_record(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    engine.create(a_table())
    sql(server, "INSERT INTO app.things VALUES (1, 'kept')")
    engine.update(a_table(), a_table("objects", previously="things"))
    assert ledger(server) == [("Table", "app.objects")]
    assert sql(server, "SELECT note FROM app.objects") == [("kept",)]


# History


def test_history_tells_what_was_run_without_secrets(engine: Engine, server: EmbeddedServer) -> None:
    role = specs.Role(name="app_login", login=True, password="planted")
    engine.create(role)
    engine.update(role, changed(role, password="planted-again", comment="x"))
    engine.update(role, role)
    rows = sql(server, "SELECT verb, statements FROM pulumi_timescaledb.history ORDER BY number")
    assert [verb for verb, _ in rows] == ["create", "update", "update"]
    assert 'CREATE ROLE "app_login"' in rows[0][1][0]
    assert "PASSWORD '********'" in rows[0][1][1]
    assert "planted" not in str(rows) + str(sql(server, "SELECT * FROM pulumi_timescaledb.ledger"))
    assert "SCRAM" not in str(rows)


# Data is never lost by surprise


def test_satellites_go_with_their_table(engine: Engine, server: EmbeddedServer) -> None:
    index = specs.Index.from_wire({"schema": "app", "relation": "things", "name": "by_id", "keys": [{"column": "id"}]})
    engine.create(a_table())
    engine.create(index)
    assert ledger(server) == [("Index", "app.by_id"), ("Table", "app.things")]
    engine.delete(a_table())
    assert ledger(server) == []
    engine.delete(index)


def test_two_stacks_and_two_processes_do_not_mix_up_locks(make: Make, server: EmbeddedServer) -> None:
    """Many changes of one table and its satellites at once, from two processes."""
    both = (make(), make())
    both[0].create(a_table())
    calls = []
    for number in range(10):
        name = f"index_{number}"
        spec = specs.Index.from_wire({"schema": "app", "relation": "things", "name": name, "keys": [{"column": "id"}]})
        calls.append(both[number % 2].begin("Create", **both[number % 2].creation(spec)))
    for call in calls:
        call.result(60)
    assert len(ledger(server)) == 11


def test_a_server_that_died_is_started_again(server: EmbeddedServer, make: Make) -> None:
    engine = make()
    engine.create(a_table("first"))
    server.stop()
    with pytest.raises(Failed, match=r"lost|run again"):  # the connection that was open is told so
        engine.create(a_table("second"))
    engine.create(a_table("second"))
    assert ("Table", "app.second") in ledger(server)
