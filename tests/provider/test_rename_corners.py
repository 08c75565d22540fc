"""Renames beyond the plain case: every kind that has RENAME, names that are taken, runs that ended early, losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.adapter.wire import to_struct
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.specs import Spec

from .engine import Engine, Failed, sql
from .test_rename import OLD, RENAMED, run, settled, wire
from .things import a_table, a_view, changed, ledger, manifest, picture

pytestmark = pytest.mark.server
Make = Callable[..., Engine]
SCHEMA, THINGS = specs.Schema(name="app"), a_table()
VIEW = a_view("all_things", "SELECT id FROM app.things", comment="c")


def many(*, new: bool = False) -> list[Spec]:
    """One of each kind that can be renamed in its schema, each used by something else."""

    def name(old: str) -> dict[str, Any]:
        return {"name": f"New {old}", "previously": old} if new else {"name": old}

    def told(old: str) -> str:
        return f'"New {old}"' if new else old

    app = {"schema": "app"}
    column = {"name": "s", "type": f"app.{told('state')}", "default": f"app.{told('first')}()"}
    counted = {"name": "c", "type": f"app.{told('counter')}"}
    role = specs.Role(name="rc_reader")
    rights = [
        {"name": name("low")["name"], "privileges": ["select"]},
        {"name": name("numbers")["name"], "type": "sequence", "privileges": ["usage"]},
        {"name": name("state")["name"], "type": "type", "privileges": ["usage"]},
        {"name": f"{name('first')['name']}()", "type": "function", "privileges": ["execute"]},
    ]
    return [
        SCHEMA,
        role,
        wire("Enum", **app, **name("state"), labels=["on"]),
        wire("Domain", **app, **name("counter"), type="integer", comment="c"),
        wire("Sequence", **app, **name("numbers")),
        wire(
            "Function",
            **app,
            **name("first"),
            returns=f"app.{told('state')}",
            language="sql",
            body=f"RETURN 'on'::app.{told('state')}",
            comment="c",
        ),
        wire(
            "Function", **app, name="of", arguments=[{"type": f"app.{told('state')}"}], returns="void", body="BEGIN END"
        ),
        wire("Table", **app, name="t", columns=[column, counted, {"name": "id", "type": "integer"}]),
        wire("Index", **app, relation="t", **name("by_id"), keys=[{"column": "id"}]),
        wire("View", **app, **name("low"), query="SELECT s FROM app.t", securityBarrier=True),
        wire("MaterializedView", **app, **name("kept"), query=f"SELECT s FROM app.{told('low')}"),
        wire("View", **app, name="high", query=f"SELECT s FROM app.{told('kept')}"),
        wire("Grant", role="rc_reader", schema="app", objects=rights),
    ]


def test_every_kind_that_has_a_rename(make: Make, server: EmbeddedServer) -> None:
    old, new = many(), many(new=True)
    run(make, [], old)
    numbers = "SELECT oid FROM pg_class WHERE relnamespace = 'app'::regnamespace UNION ALL "
    numbers += "SELECT oid FROM pg_type WHERE typnamespace = 'app'::regnamespace UNION ALL "
    numbers += "SELECT oid FROM pg_proc WHERE pronamespace = 'app'::regnamespace ORDER BY 1"
    before = sql(server, numbers)
    run(make, old, new)
    assert sql(server, numbers) == before
    assert sql(server, "SELECT DISTINCT verb FROM pulumi_timescaledb.history ORDER BY 1") == [("create",), ("rename",)]
    settled(make, server, new)


def test_a_name_that_is_taken(make: Make, server: EmbeddedServer) -> None:
    run(make, [], [SCHEMA, THINGS])
    sql(server, "CREATE TABLE app.objects (a integer)")
    new = a_table("objects", previously="things")
    engine = make()
    picture(engine, [SCHEMA, THINGS], [SCHEMA, new])
    with pytest.raises(Failed, match=r"Table app\.things cannot be renamed: app\.objects exists.*choose another name"):
        engine.update(THINGS, new)
    assert ledger(server) == [("Schema", "app"), ("Table", "app.things")]


def test_the_object_of_another_stack_is_not_renamed(make: Make, server: EmbeddedServer) -> None:
    make("other").create(SCHEMA)
    make("other").create(THINGS)
    with pytest.raises(Failed, match='belongs to stack "flows/other"'):
        make().update(THINGS, a_table("objects", previously="things"))
    assert sql(server, "SELECT to_regclass('app.things') IS NOT NULL") == [(True,)]


def test_renamed_by_hand(make: Make, server: EmbeddedServer) -> None:
    old: list[Spec] = [SCHEMA, THINGS, VIEW]
    run(make, [], old)
    sql(server, "ALTER TABLE app.things RENAME TO objects")
    new: list[Spec] = [
        SCHEMA,
        a_table("objects", previously="things"),
        changed(VIEW, query="SELECT id FROM app.objects"),
    ]
    run(make, old, new)
    assert sql(server, "SELECT count(*) FROM pulumi_timescaledb.history") == [(3,)]
    settled(make, server, new)


@pytest.mark.parametrize("died_after", range(6))
def test_a_run_that_ended_early_is_taken_up(make: Make, server: EmbeddedServer, died_after: int) -> None:
    """The state of the Manifest and of what had its turn is new, the rest is old; the engine tries again."""
    old, new = RENAMED["table"]
    run(make, [], old)
    engine = make()
    picture(engine, old, new)
    for number in range(2, 4 + died_after):
        if old[number] != new[number]:
            engine.update(old[number], new[number])
    engine = make()
    picture(engine, new, new)
    for before, after in zip(old, new, strict=True):
        assert not engine.diff(after.KIND, before.to_wire(), after.to_wire()).replaces
        if before != after:
            engine.update(before, after)
    assert sql(server, "SELECT verb, count(*) FROM pulumi_timescaledb.history GROUP BY 1 ORDER BY 1") == [
        ("create", len(old)),
        ("rename", 1),
    ]
    settled(make, server, new)


def test_a_lost_state_renames_too(make: Make, server: EmbeddedServer) -> None:
    run(make, [], [SCHEMA, THINGS])
    sql(server, "INSERT INTO app.things VALUES (1, 'kept')")
    new: list[Spec] = [SCHEMA, a_table("objects", previously="things")]
    engine = make()
    picture(engine, [], new)
    for spec in new:
        engine.create(spec)
    assert sql(server, "SELECT note FROM app.objects") == [("kept",)]
    settled(make, server, new)


def test_what_goes_in_the_same_run(make: Make, server: EmbeddedServer) -> None:
    """A policy that stands under the table's old name in the state only, and under the new one on the server."""
    old, new = RENAMED["table"]
    run(make, [], old)
    gone = next(spec for spec in old if spec.KIND == "RetentionPolicy")
    left = [spec for spec in new if spec.KIND != "RetentionPolicy"]
    engine = run(make, old, left)
    engine.delete(gone)
    assert sql(server, "SELECT count(*) FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'") == [
        (0,)
    ]
    settled(make, server, left)


def test_a_loss_is_asked_for_under_the_old_name(make: Make, server: EmbeddedServer) -> None:
    old, new = RENAMED["all of them"]
    run(make, [], old)
    sql(server, "INSERT INTO app.devices VALUES (1, 'on')")
    harsher = [changed(spec, dropAfter="60 days") if spec.KIND == "RetentionPolicy" else spec for spec in new]
    assert make().check("Manifest", manifest(*harsher), manifest(*old))[1] == []
    sql(server, "INSERT INTO app.readings VALUES ('2026-01-01', 1, 5)")
    (fault,) = make().check("Manifest", manifest(*harsher), manifest(*old))[1]
    assert "chunks of data.values older than 60 days are dropped" in fault
    assert make().check("Manifest", manifest(*new), manifest(*old))[1] == []


def test_without_a_manifest_only_the_object_itself_is_known(make: Make, server: EmbeddedServer) -> None:
    old, new = OLD[4], changed(OLD[4], name="values", previously="readings")
    run(make, [], OLD)
    engine = make()
    assert not engine.diff("Table", old.to_wire(), new.to_wire()).replaces
    engine.update(old, new)
    retention = next(spec for spec in OLD if spec.KIND == "RetentionPolicy")
    moved = changed(retention, relation="values")
    assert engine.diff("RetentionPolicy", retention.to_wire(), moved.to_wire()).replaces  # so the engine makes it anew
    before = sql(server, "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'")
    engine.call("Create", **{**engine.creation(moved), "urn": engine.urn(retention)})
    engine.delete(retention)
    assert sql(server, "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'") == before


def test_an_object_whose_resource_gets_another_name_stays(make: Make, server: EmbeddedServer) -> None:
    """Without an alias the engine creates the new resource and deletes the old one, perhaps in another process."""
    run(make, [], [SCHEMA, THINGS])
    engine, other = make(), make()
    engine.call("Create", **{**engine.creation(THINGS), "urn": engine.urn(THINGS, "another-name")})
    other.delete(THINGS)
    assert sql(server, "SELECT to_regclass('app.things') IS NOT NULL") == [(True,)]
    assert ledger(server) == [("Schema", "app"), ("Table", "app.things")]
    last = {"urn": other.urn(THINGS, "another-name"), "type": "timescaledb:index:Table", "id": "app.things"}
    other.call("Delete", **last, old_inputs=to_struct(THINGS.to_wire()), properties=to_struct(THINGS.to_wire()))
    assert sql(server, "SELECT to_regclass('app.things') IS NULL") == [(True,)]
