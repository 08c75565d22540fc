"""The gRPC edge before a real server: the other traps of research/ecosystem.md part C."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.adapter.wire import to_python, to_struct
from pulumi_timescaledb.local.server import EmbeddedServer

from .engine import Engine, Failed, Secret, engines, settings_of, sql

pytestmark = pytest.mark.server
Make = Callable[..., Engine]
COLUMN = {"name": "id", "type": "integer"}
NOWHERE: dict[str, Any] = {"host": "/nonexistent", "port": 1, "user": "nobody"}


@pytest.fixture(scope="module")
def make(server: EmbeddedServer) -> Iterator[Make]:
    sql(server, "CREATE SCHEMA edge")
    with engines(server) as made:
        yield made


@pytest.fixture(scope="module")
def engine(make: Make) -> Engine:
    return make()


def _table(name: str, **more: Any) -> specs.Table:
    return specs.Table.from_wire({"schema": "edge", "name": name, "columns": [COLUMN], **more})


# C2: types and names


def test_names_with_colons(engine: Engine, server: EmbeddedServer) -> None:
    spec = _table("a::b::c")
    engine.create(spec)
    assert sql(server, "SELECT stack, urn FROM pulumi_timescaledb.ledger WHERE id = 'edge.\"a::b::c\"'") == [
        ("flows/dev", engine.urn(spec))
    ]
    engine.delete(spec)
    assert sql(server, "SELECT to_regclass('edge.\"a::b::c\"') IS NULL") == [(True,)]


# C3: numbers and references


def test_numbers_are_whole(engine: Engine, server: EmbeddedServer) -> None:
    spec = specs.Sequence(schema="edge", name="numbers", start=5, maximum=2**63 - 1, cache=3)
    checked, faults = engine.check("Sequence", {**spec.to_wire(), "start": 5.0})
    assert faults == []
    assert type(checked["start"]) is int
    engine.create(("Sequence", checked))
    assert sql(
        server, "SELECT seqstart, seqmax, seqcache FROM pg_sequence WHERE seqrelid = 'edge.numbers'::regclass"
    ) == [(5, 2**63 - 1, 3)]
    assert engine.read("Sequence", "edge.numbers", spec)[1] == checked


def test_nullable_properties_may_be_left_out(engine: Engine) -> None:
    """The protocol's other ends drop nulls: an open refresh window arrives without its start."""
    inputs = {"schema": "edge", "relation": "x", "endOffset": "1 hour", "scheduleInterval": "1 hour"}
    checked, faults = engine.check("RefreshPolicy", inputs)
    assert faults == []
    assert checked.get("startOffset") is None
    assert not engine.diff("RefreshPolicy", inputs, checked).detailedDiff


# C4: secrets


def test_secrets_stay_secret(make: Make, server: EmbeddedServer) -> None:
    planted = ["planted-pass'word", 'planted-config\n"x"', "planted-comment"]
    engine = make("secrets")
    role = {"name": "edge_secret", "login": True, "password": Secret(planted[0]), "comment": Secret(planted[2])}
    checked, faults = engine.check("Role", role)
    assert (checked, faults) == (role, [])
    assert engine.create(("Role", checked), preview=True) == checked
    assert engine.create(("Role", checked)) == checked
    changed = {**checked, "password": Secret("planted-again"), "comment": Secret("planted-more")}
    old, new = to_struct(checked), to_struct(changed)
    request = {"urn": engine.urn("Role"), "type": "timescaledb:index:Role", "id": "edge_secret"}
    assert set(engine.diff("Role", checked, changed).detailedDiff) == {"password", "comment"}
    engine.call("Update", **request, old_inputs=old, olds=old, news=new, preview=True)
    answer = engine.call("Update", **request, old_inputs=old, olds=old, news=new)
    assert to_python(answer.properties) == changed
    read = engine.call("Read", **request, inputs=new, properties=new)
    assert to_python(read.inputs) == changed

    failing = {"schema": "edge", "name": "f", "returns": "void", "language": "none", "body": Secret(planted[1])}
    with pytest.raises(Failed):
        engine.create(("Function", failing))
    engine.check("Role", {"name": "x", "connectionLimit": Secret("planted-limit")})
    engine.check("RetentionPolicy", {"schema": "a", "relation": "b", "dropAfter": Secret("planted-age")})

    assert "edge_secret" in engine.said()
    assert "planted" not in engine.said()
    assert "planted" not in str(sql(server, "SELECT * FROM pulumi_timescaledb.history"))
    for file in server.folder.glob("*.log"):
        assert "planted" not in file.read_text(encoding="utf-8")


def test_provider_password_stays_out_of_errors(server: EmbeddedServer) -> None:
    engine = Engine(**{**NOWHERE, "password": Secret("planted-password")})
    try:
        with pytest.raises(Failed, match="cannot connect"):
            engine.create(_table("t"))
        assert "planted" not in engine.said()
        answer = engine.call(
            "CheckConfig", news=to_struct({"password": Secret("planted-password"), "port": Secret("planted-port")})
        )
        assert "provider property port must be a whole number" in answer.failures[0].reason
        assert "planted" not in answer.failures[0].reason
    finally:
        engine.close()


# C6, C13: provider configuration


def test_configuration_as_json_text(make: Make, server: EmbeddedServer) -> None:
    text = {**settings_of(server), "port": str(server.port), "disposable": "true", "lockTimeout": "1500"}
    engine = Engine(**text)
    settings = engine.service.session.settings
    engine.close()
    assert settings is not None
    assert (settings.port, settings.disposable, settings.lock_timeout) == (server.port, True, 1500)


# C8: calls around the objects


def test_a_lost_log_does_not_fail_the_change(make: Make) -> None:
    engine = make()
    engine.call("Handshake", engine_address="127.0.0.1:1")  # nobody listens there
    assert engine.create(_table("unheard"))["name"] == "unheard"


# C14: what the user is told


def test_messages_stand_under_their_resource(make: Make) -> None:
    engine = make()
    engine.create(_table("told"), preview=True)
    engine.create(_table("told"))
    assert {request.urn for request in engine.log.requests} == {engine.urn(_table("told"))}
    (preview,) = engine.logs()
    assert preview == 'CREATE TABLE "edge"."told" (\n  "id" integer\n);'


# C9: partial failure


def test_a_create_that_fails_in_the_middle_leaves_nothing(engine: Engine, server: EmbeddedServer) -> None:
    spec = _table("half", owner="no_such_role")
    with pytest.raises(
        Failed, match=r"Table edge\.half: role \"no_such_role\" does not exist.*Statement: .*OWNER TO \"no_such_role\""
    ):
        engine.create(spec)
    assert sql(server, "SELECT to_regclass('edge.half') IS NULL") == [(True,)]
    assert sql(server, "SELECT count(*) FROM pulumi_timescaledb.ledger WHERE id = 'edge.half'") == [(0,)]
    assert sql(server, "SELECT count(*) FROM pulumi_timescaledb.history WHERE id = 'edge.half'") == [(0,)]
    engine.create(_table("half"))


def test_a_trailing_comment_ends_with_its_statement(engine: Engine, server: EmbeddedServer) -> None:
    engine.create(specs.View(schema="edge", name="noted", query="SELECT 1 AS one -- the end", comment="after it"))
    assert sql(server, "SELECT one, obj_description('edge.noted'::regclass) FROM edge.noted") == [(1, "after it")]


# C11, C12: many calls, cancel, time-outs


def test_fifty_creates_at_once(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    calls = [engine.begin("Create", **engine.creation(_table(f"many_{number}"))) for number in range(50)]
    assert sorted(to_python(call.result(60).properties)["name"] for call in calls) == sorted(
        f"many_{number}" for number in range(50)
    )
    assert sql(server, "SELECT count(*) FROM pg_class WHERE relname ~ '^many_' AND relkind = 'r'") == [(50,)]
    assert sql(server, "SELECT count(*) FROM pulumi_timescaledb.ledger WHERE id ~ '^edge.many_'") == [(50,)]
    assert sql(server, "SELECT count(*) FROM pulumi_timescaledb.identity") == [(1,)]


def test_cancel_may_come_twice_and_is_not_the_end(make: Make) -> None:
    engine = make()
    engine.cancel()
    engine.create(_table("before_cancel"))
    engine.cancel()
    engine.cancel()
    assert engine.read("Table", "edge.before_cancel")[0] == "edge.before_cancel"


SLOW = "SELECT pg_catalog.pg_sleep(2)::text AS x"


def test_timeout_is_an_error_and_leaves_nothing(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    engine.create(_table("warm"))
    slow = specs.MaterializedView(schema="edge", name="slow", query=SLOW, with_data=True)
    with pytest.raises(Failed, match=r"not done after 1 s \(customTimeouts\)"):
        engine.create(slow, timeout=1)
    assert sql(server, "SELECT to_regclass('edge.slow') IS NULL") == [(True,)]
    engine.create(_table("after_timeout"))


# C15: read


def test_read_of_what_is_gone(engine: Engine) -> None:
    assert engine.read("Table", "edge.never") == ("", {})
    assert engine.read("Table", "edge.never", _table("never")) == ("", {})


def test_import_from_the_key_alone(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    sql(
        server,
        "CREATE TABLE edge.found (id integer PRIMARY KEY, note text DEFAULT 'x'); COMMENT ON TABLE edge.found IS 'c'",
    )
    key, inputs = engine.read("Table", "edge.found")
    assert key == "edge.found"
    assert inputs["comment"] == "c"
    assert inputs["primaryKey"] == {"name": "found_pkey", "columns": ["id"]}
    checked, faults = engine.check("Table", inputs)
    assert (checked, faults) == (inputs, [])
    assert not engine.diff("Table", inputs, checked).detailedDiff
    with pytest.raises(Failed, match='Table: "a b" is not an import id'):
        engine.read("Table", "a b")


def test_refresh_shows_drift_by_field(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    spec = _table("drifting", comment="ours", checks=[{"name": "positive", "expression": "id>0"}])
    engine.create(spec)
    assert engine.read("Table", "edge.drifting", spec) == ("edge.drifting", spec.to_wire())
    sql(server, "COMMENT ON TABLE edge.drifting IS 'theirs'")
    engine = make()  # reads of one run share one moment
    _, inputs = engine.read("Table", "edge.drifting", spec)
    assert inputs == {**spec.to_wire(), "comment": "theirs"}
    assert set(engine.diff("Table", inputs, spec.to_wire()).detailedDiff) == {"comment"}


def test_reformatting_is_no_drift(make: Make) -> None:
    engine = make()
    written = specs.View(schema="edge", name="shape", query="select   1 as ONE,\n 'x'  as two where 1=1 -- note")
    engine.create(written)
    assert engine.read("View", "edge.shape", written) == ("edge.shape", written.to_wire())


def test_own_writes_are_seen_by_later_reads(make: Make) -> None:
    engine = make()
    spec = _table("seen")
    assert engine.read("Table", "edge.seen")[0] == ""
    engine.create(spec)
    assert engine.read("Table", "edge.seen")[0] == "edge.seen"
    engine.delete(spec)
    assert engine.read("Table", "edge.seen")[0] == ""


def test_unreachable_is_an_error_and_not_gone() -> None:
    engine = Engine(**NOWHERE)
    try:
        with pytest.raises(Failed, match='cannot connect to database "postgres" at /nonexistent:1 as "nobody"'):
            engine.read("Table", "edge.found", _table("found"))
    finally:
        engine.close()


def test_a_folder_that_cannot_hold_a_server_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    engine = Engine(host="/nonexistent", user="tsdbadmin", embeddedFolder=str(tmp_path / "file" / "sub"))
    try:
        with pytest.raises(Failed) as raised:
            engine.read("Table", "edge.found", _table("found"))
        assert "Traceback" not in (raised.value.details() or "")
    finally:
        engine.close()
