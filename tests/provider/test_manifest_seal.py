"""The book-ends: what the Manifest refuses and shows before anything is touched, what the Seal checks and guards."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.capabilities import ServerCapabilities
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.specs import Spec

from .engine import UNKNOWN, Engine, Failed, Secret, settings_of, sql
from .things import ALL, MOOD, SCHEMA, TABLE, Inputs, bring_up, manifest

pytestmark = pytest.mark.server
Make = Callable[..., Engine]
# Manifest: check


def test_rules_are_told_at_check(offline: Engine) -> None:
    table = specs.Table.from_wire(
        {**TABLE.to_wire(), "rowLevelSecurity": True, "primaryKey": {"name": "pk", "columns": ["id"]}}
    )
    hypertable = specs.Hypertable(schema="app", relation="things", time_column="at")
    store = specs.Columnstore.from_wire(
        {"schema": "app", "relation": "things", "segmentBy": [], "orderBy": [{"column": "at"}]}
    )
    _, faults = offline.check("Manifest", manifest(SCHEMA, table, hypertable, store))
    assert len(faults) == 2
    assert "row-level security" in faults[0]
    assert 'Unique key "pk"' in faults[1]


def test_policies_are_told_at_check(make: Make, offline: Engine) -> None:
    told = "table-without-primary-key: Table app.things has no primary key"
    _, faults = offline.check("Manifest", manifest(SCHEMA, TABLE))
    assert faults == []
    (warning,) = offline.warnings()
    assert warning.startswith(told)
    assert [each.urn for each in offline.log.requests] == [offline.urn("Manifest")]

    demanding = make()
    chosen = {"levels": {"table-without-primary-key": "mandatory"}}
    _, (fault,) = demanding.check("Manifest", manifest(SCHEMA, TABLE, policies=chosen))
    assert fault.startswith(told)
    assert demanding.warnings() == demanding.logs() == []
    assert demanding.logs(ephemeral=True) == ["refused"]  # what flowsctl takes for its exit code 3
    assert not demanding.connected()

    spared = {**chosen, "exempt": {"table-without-primary-key": {"Table app.things": "a log"}}}
    assert make().check("Manifest", manifest(SCHEMA, TABLE, policies=spared))[1] == []
    _, (fault,) = make().check("Manifest", manifest(SCHEMA, TABLE, policies={"levels": {"grant-public": "off"}}))
    assert "Did you mean grant-to-public?" in fault


def test_other_policies_alone_are_a_change_of_the_manifest(make: Make) -> None:
    engine = make()
    state = bring_up(engine, SCHEMA)
    same, other = manifest(SCHEMA), manifest(SCHEMA, policies={"levels": {"grant-to-public": "off"}})
    assert list(engine.diff("Manifest", same, same, state).diffs) == []
    assert list(engine.diff("Manifest", same, other, state).diffs) == ["policies"]


@pytest.mark.parametrize(
    ("inputs", "fault"),
    [
        ({}, "not in the form this provider writes"),
        ({"declarations": "junk"}, "not in the form this provider writes"),
        ({"declarations": UNKNOWN}, "must be known before the run"),
        ({"declarations": "x", "allow": [UNKNOWN]}, "must be known before the run"),
    ],
)
def test_declarations_that_cannot_be_read(offline: Engine, inputs: Inputs, fault: str) -> None:
    _, faults = offline.check("Manifest", inputs)
    assert len(faults) == 1
    assert fault in faults[0]


def test_every_refusal_is_listed_before_anything_is_touched(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    domain = specs.Domain(schema="app", name="counter", type="integer")
    counted = specs.Table.from_wire(
        {"schema": "app", "name": "counted", "columns": [{"name": "n", "type": "app.counter"}]}
    )
    old = [SCHEMA, MOOD, domain, counted]
    bring_up(engine, *old)
    less = specs.Enum(schema="app", name="mood", labels=("good",))
    wider = specs.Domain(schema="app", name="counter", type="bigint")
    _, faults = make().check("Manifest", manifest(SCHEMA, less, wider, counted), manifest(*old))
    assert len(faults) == 2
    assert any(fault.startswith("Enum app.mood: ") and "remove a label" in fault for fault in faults)
    assert any(fault.startswith("Domain app.counter: ") and "Table app.counted" in fault for fault in faults)
    assert sql(server, "SELECT enum_range(NULL::app.mood)::text") == [("{good,bad}",)]


def test_a_first_run_against_no_server_passes(offline: Engine) -> None:
    inputs, faults = offline.check("Manifest", manifest(*ALL))
    assert faults == []
    assert offline.create(("Manifest", inputs), preview=True) == inputs


# Manifest: losses of data


def _losses(engine: Engine, *left: Spec, **more: Any) -> list[str]:
    return engine.check("Manifest", manifest(*left, **more), manifest(*ALL))[1]


def test_losses_are_refused_at_check(make: Make, server: EmbeddedServer) -> None:
    bring_up(make(), *ALL)
    assert _losses(make(), SCHEMA) == []
    sql(server, "INSERT INTO app.things VALUES (1)")
    (fault,) = _losses(make(), SCHEMA)
    assert "Table app.things: all rows of app.things are lost" in fault
    assert '"drop:app.things"' in fault
    assert _losses(make(), *ALL[:2]) == []
    assert _losses(make(), SCHEMA, allow=["drop:app.others"]) != []
    assert _losses(make(), SCHEMA, allow=["drop:app.things"]) == []
    assert _losses(make(), SCHEMA, allow=Secret(["drop:app.things"])) == []
    assert _losses(make(disposable=True), SCHEMA) == []


def test_losses_cannot_be_told_without_a_server(server_factory: Callable[..., EmbeddedServer]) -> None:
    engine = Engine(**settings_of(server_factory()))  # never started
    (fault,) = _losses(engine, SCHEMA)
    assert "Table app.things: cannot tell whether data would be lost, because the server is not running. Start" in fault
    assert _losses(engine, *ALL[:2]) == []
    assert not engine.connected()
    engine.close()


# Manifest: what disappears


def test_drops_are_shown_under_the_manifest(make: Make) -> None:
    state = bring_up(make(), *ALL)
    engine = make()
    old, new = ("Manifest", manifest(*ALL)), ("Manifest", manifest(SCHEMA))
    assert set(engine.diff("Manifest", old[1], new[1], state).detailedDiff) == {"declarations"}
    engine.update(old, new, state, preview=True)
    assert {request.urn for request in engine.log.requests} == {engine.urn("Manifest")}
    view, table = engine.logs()
    assert view.startswith("-- View app.all_things is no longer declared;")
    assert 'DROP VIEW "app"."all_things"' in view
    assert table.startswith("-- Table app.things is no longer declared;")
    assert "data loss: all rows of app.things are lost" in table
    assert "lock: ACCESS EXCLUSIVE" in table


# Manifest: which database this is


def _told_at_diff(engine: Engine, state: Inputs, *declared: Spec) -> str:
    inputs = manifest(*declared)
    engine.check("Manifest", inputs, inputs)
    with pytest.raises(Failed) as raised:
        engine.diff("Manifest", inputs, inputs, state)
    return raised.value.details() or ""


def test_the_same_database_is_no_change(make: Make) -> None:
    state = bring_up(make(), *ALL)
    assert {"ledger", "systemIdentifier", "capabilities"} <= set(state)
    engine = make()
    assert not engine.diff("Manifest", manifest(*ALL), manifest(*ALL), state).detailedDiff
    assert engine.service.session.capabilities().background_workers is False  # as this server is, not as assumed


def test_another_database_is_an_error(make: Make, server: EmbeddedServer) -> None:
    state = bring_up(make(), *ALL)
    assert "leads to another database" in _told_at_diff(make(), {**state, "systemIdentifier": "1"}, *ALL)
    sql(server, "DROP SCHEMA pulumi_timescaledb CASCADE")
    assert "without the ledger of this stack" in _told_at_diff(make(), state, *ALL)
    make().create(("Manifest", manifest(*ALL)))
    assert "leads to another database" in _told_at_diff(make(), state, *ALL)
    with pytest.raises(Failed, match="leads to another database"):
        make().call(
            "Read",
            urn=make().urn("Manifest"),
            type="timescaledb:index:Manifest",
            id="manifest",
            properties=_struct(state),
        )


def test_a_folder_that_is_gone_is_an_error(make: Make, tmp_path: Path) -> None:
    state = bring_up(make(), *ALL)
    engine = Engine(host=str(tmp_path), user="tsdbadmin", embeddedFolder=str(tmp_path / "gone"))
    assert "without the ledger of this stack" in _told_at_diff(engine, state, *ALL)
    assert not engine.connected()
    assert not (tmp_path / "gone").exists()
    engine.close()


def test_a_stopped_server_is_not_started_by_a_diff(server_factory: Callable[..., EmbeddedServer]) -> None:
    stopped = server_factory()
    engine = Engine(**settings_of(stopped))
    assert not engine.diff("Manifest", manifest(), manifest(), {"ledger": "x"}).detailedDiff
    assert not stopped.is_running()
    engine.close()


def test_the_edition_of_the_server_counts(make: Make, server_factory: Callable[..., EmbeddedServer]) -> None:
    apache = json.dumps(ServerCapabilities(community=False).to_wire())
    engine = Engine(**settings_of(server_factory()))
    hypertable = specs.Hypertable(schema="app", relation="things", time_column="at")
    policy = specs.RetentionPolicy(schema="app", relation="things", drop_after="1 year")
    told = _told_at_diff(engine, {"ledger": "x", "capabilities": apache}, SCHEMA, TABLE, hypertable, policy)
    assert "RetentionPolicy app.things: the server runs the Apache edition" in told
    engine.close()


def _struct(properties: Inputs) -> Any:
    from pulumi_timescaledb.adapter.wire import to_struct

    return to_struct(properties)


def test_read(make: Make, server: EmbeddedServer) -> None:
    request = {"urn": make().urn("Manifest"), "type": "timescaledb:index:Manifest", "id": "manifest"}
    assert make().call("Read", **request).id == ""
    state = bring_up(make(), *ALL)
    inputs = manifest(*ALL)
    answer = make().call("Read", **request, inputs=_struct(inputs), properties=_struct(state))
    assert (answer.id, answer.inputs, answer.properties) == ("manifest", _struct(inputs), _struct(state))
