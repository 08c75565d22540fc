"""Drift and rebinding, seen without the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.drift import drifted, unmanaged
from pulumi_timescaledb.errors import ProviderError
from pulumi_timescaledb.inspection.unseen import unseen
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.planner import identity_of
from pulumi_timescaledb.rebind import rebind
from pulumi_timescaledb.snapshot import take
from pulumi_timescaledb.specs import kind_names
from pulumi_timescaledb.specs.schema import Schema

from .engine import Engine, engines, settings_of, sql, wipe
from .things import a_table, a_view

pytestmark = pytest.mark.server
T = TypeVar("T")


@pytest.fixture
def engine(server: EmbeddedServer) -> Iterator[Engine]:
    wipe(server)
    with engines(server) as make:
        made = make()
        for spec in (Schema(name="app"), a_table(comment="first"), a_view("v", "SELECT id FROM app.things")):
            made.create(spec)
        yield made


def ask(server: EmbeddedServer, question: Callable[[Database], Awaitable[T]]) -> T:
    async def asked() -> T:
        database = Database(ConnectionSettings.from_wire(settings_of(server)))
        try:
            return await question(database)
        finally:
            await database.close()

    return asyncio.run(asked())


def found(server: EmbeddedServer, stack: str = "flows/dev") -> list[tuple[Any, ...]]:
    return [(each.kind, each.id, each.what, each.fields) for each in drifted(ask(server, take), stack)]


def test_nothing_drifts_by_itself(engine: Engine, server: EmbeddedServer) -> None:
    assert found(server) == []


def test_changed_and_missing_objects_are_named_field_by_field(engine: Engine, server: EmbeddedServer) -> None:
    sql(server, "COMMENT ON TABLE app.things IS 'second'")
    sql(server, "DROP VIEW app.v")
    assert found(server) == [
        ("Table", "app.things", "changed", {"comment": ("first", "second")}),
        ("View", "app.v", "missing", {}),
    ]
    assert found(server, "another stack") == []


def test_strangers_are_listed_in_declared_schemas_only(engine: Engine, server: EmbeddedServer) -> None:
    sql(server, "CREATE TABLE app.stranger (a integer)")
    sql(server, "CREATE SCHEMA elsewhere")
    sql(server, "CREATE TABLE elsewhere.theirs (a integer)")
    assert list(unmanaged(ask(server, take), "flows/dev", "tsdbadmin")) == [("Table", "app.stranger")]


def test_a_changed_owner_is_put_back_where_the_program_names_none(engine: Engine, server: EmbeddedServer) -> None:
    sql(server, "CREATE ROLE other; ALTER TABLE app.things OWNER TO other; ALTER VIEW app.v OWNER TO other")
    assert [each[3] for each in found(server)] == [{"owner": ("tsdbadmin", "other")}] * 2
    for wanted in (a_table(comment="first"), a_view("v", "SELECT id FROM app.things")):
        seen = type(wanted).from_wire(engine.read(wanted.KIND, wanted.import_id(), wanted)[1])
        engine.update(seen, wanted)
    assert found(server) == []
    owners = "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace = 'app'::regnamespace"
    assert sql(server, owners) == [("tsdbadmin",)]
    sql(server, "DROP ROLE other")


BEHIND = """
ALTER TABLE app.things SET (fillfactor = 70, autovacuum_enabled = false, toast.vacuum_truncate = off);
ALTER TABLE app.things SET UNLOGGED;
ALTER TABLE app.things ADD CONSTRAINT apart EXCLUDE (id WITH =) WHERE (note IS NULL);
CREATE RULE quiet AS ON DELETE TO app.things DO INSTEAD NOTHING;
CREATE RULE writable AS ON INSERT TO app.v DO INSTEAD NOTHING
"""


def test_storage_exclusions_and_rules_are_drift_and_are_put_right(engine: Engine, server: EmbeddedServer) -> None:
    sql(server, BEHIND)
    exclusion = {
        "name": "apart",
        "elements": [{"column": "id", "operator": "="}],
        "method": "btree",
        "where": "(note IS NULL)",
    }
    parameters = {"autovacuum_enabled": "false", "fillfactor": "70", "toast.vacuum_truncate": "off"}
    assert [each[3] for each in found(server)] == [
        {
            "exclusions": (None, [exclusion]),
            "parameters": (None, parameters),
            "rewriteRules": (None, ["quiet"]),
            "unlogged": (None, True),
        },
        {"rewriteRules": (None, ["writable"])},
    ]
    for wanted in (a_table(comment="first"), a_view("v", "SELECT id FROM app.things")):
        seen = type(wanted).from_wire(engine.read(wanted.KIND, wanted.import_id(), wanted)[1])
        engine.update(seen, wanted, preview=True)
        assert "DROP RULE" in engine.logs()[-1]
        engine.update(seen, wanted)
    assert found(server) == []


EVERYTHING = """
CREATE ROLE guest; CREATE SCHEMA elsewhere;
CREATE TABLE app.things_too (id int PRIMARY KEY, note text, CONSTRAINT to_things FOREIGN KEY (id) REFERENCES app.keyed);
CREATE INDEX by_note ON app.things (note);
CREATE SEQUENCE app.owned OWNED BY app.things_too.id;
CREATE TYPE app.mood AS ENUM ('good'); CREATE DOMAIN app.d AS int; CREATE SEQUENCE app.s;
CREATE VIEW app.w AS SELECT 1 AS x; CREATE MATERIALIZED VIEW app.m AS SELECT 1 AS x;
CREATE FUNCTION app.touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE PROCEDURE app.tidy(job_id int, config jsonb) LANGUAGE sql AS 'SELECT 1';
CREATE TRIGGER g BEFORE UPDATE ON app.things FOR EACH ROW EXECUTE FUNCTION app.touched();
CREATE POLICY p ON app.things USING (true);
GRANT SELECT (note) ON app.things TO guest;
CREATE TABLE app.series (at timestamptz NOT NULL, kwh float8);
SELECT create_hypertable('app.series', by_range('at'), create_default_indexes => false);
ALTER TABLE app.series SET (timescaledb.enable_columnstore, timescaledb.orderby = 'at');
SELECT add_retention_policy('app.series', INTERVAL '1 year');
CREATE MATERIALIZED VIEW app.hourly WITH (timescaledb.continuous) AS
  SELECT time_bucket('1 hour', at) AS hour, sum(kwh) FROM app.series GROUP BY 1 WITH NO DATA;
SELECT add_continuous_aggregate_policy('app.hourly', INTERVAL '3 days', INTERVAL '1 hour', INTERVAL '1 hour');
SELECT add_job('app.tidy', INTERVAL '1 day')
"""
STRANGERS = {
    ("Table", "app.things_too"),
    ("Table", "app.series"),
    ("ForeignKey", "app.things_too.to_things"),
    ("Index", "app.by_note"),
    ("Enum", "app.mood"),
    ("Domain", "app.d"),
    ("Sequence", "app.s"),
    ("Sequence", "app.owned"),
    ("SequenceOwnership", "app.owned"),
    ("View", "app.w"),
    ("MaterializedView", "app.m"),
    ("Function", "app.touched()"),
    ("Function", "app.tidy(integer, jsonb)"),
    ("Trigger", "app.things.g"),
    ("RlsPolicy", "app.things.p"),
    ("Grant", "guest.app"),
    ("Grant", "public.app"),
    ("Hypertable", "app.series"),
    ("Columnstore", "app.series"),
    ("RetentionPolicy", "app.series"),
    ("ContinuousAggregate", "app.hourly"),
    ("RefreshPolicy", "app.hourly"),
    ("Job", "app.tidy"),
}


def test_strangers_of_every_kind_are_listed_and_left_alone(engine: Engine, server: EmbeddedServer) -> None:
    """But for what lives outside schemas: roles, extensions, settings."""
    keyed = {"columns": [{"name": "id", "type": "integer"}], "primaryKey": {"name": "k", "columns": ["id"]}}
    engine.create(a_table("keyed", **keyed))
    sql(server, EVERYTHING)
    assert set(unmanaged(ask(server, take), "flows/dev", "tsdbadmin")) == STRANGERS
    outside = {"Extension", "Role", "RoleMembership", "RoleSettings", "Schema", "ServerSetting"}
    assert {kind for kind, _ in STRANGERS} | outside == set(kind_names())
    engine.update(a_table(comment="first"), a_table(comment="other"))
    assert found(server) == []
    assert set(unmanaged(ask(server, take), "flows/dev", "tsdbadmin")) == STRANGERS


BLIND = """
CREATE RULE quiet AS ON DELETE TO app.kept DO INSTEAD NOTHING;
CREATE TABLE app.fast (id integer, other integer, UNIQUE (id) INCLUDE (other) WITH (fillfactor = 70));
ALTER TABLE app.fast ADD CONSTRAINT full_ FOREIGN KEY (id) REFERENCES app.fast (id) MATCH FULL;
ALTER TABLE app.things ALTER COLUMN note SET STATISTICS 500
"""


def test_what_no_declaration_can_say_is_told(engine: Engine, server: EmbeddedServer) -> None:
    async def hidden(database: Database) -> dict[str, str]:
        snapshot = await take(database)
        return {each.name: each.why for each in await unseen(database, snapshot, "flows/dev")}

    engine.create(a_table("kept"))
    assert ask(server, hidden) == {}
    sql(server, BLIND)
    seen = a_table("kept").from_wire(engine.read("Table", "app.kept", a_table("kept"))[1])
    engine.update(seen, a_table("kept", rewriteRules=["quiet"]))  # somebody else keeps the rule
    told = ask(server, hidden)
    words = {
        "app.kept.quiet": "rules",
        "app.things.note": "statistics",
        "app.fast_id_other_key": "fillfactor=70",
        "app.fast.fast_id_other_key": "INCLUDE",
        "app.fast.full_": "MATCH FULL",
    }
    sql(server, "CREATE RULE strange AS ON UPDATE TO app.things DO INSTEAD NOTHING")
    assert ask(server, hidden) == told
    assert [each[1:] for each in found(server)] == [("app.things", "changed", {"rewriteRules": (None, ["strange"])})]
    sql(server, "DROP RULE strange ON app.things")
    assert set(told) == set(words), told
    assert all(word in told[name] for name, word in words.items()), told
    assert found(server) == []  # it is not drift: what cannot be declared is left as it is


def test_rebinding_gives_every_object_to_the_stack(engine: Engine, server: EmbeddedServer) -> None:
    before = sql(server, "SELECT ledger::text FROM pulumi_timescaledb.identity")
    assert ask(server, lambda database: rebind(database, "flows/copy", "")).previous == "flows/dev"
    assert sql(server, "SELECT DISTINCT stack FROM pulumi_timescaledb.ledger") == [("flows/copy",)]
    assert sql(server, "SELECT ledger::text FROM pulumi_timescaledb.identity") != before
    assert ask(server, lambda database: rebind(database, "flows/dev", before[0][0])).objects == 3
    assert sql(server, "SELECT ledger::text FROM pulumi_timescaledb.identity") == before


def test_a_database_without_a_ledger_cannot_be_rebound(server: EmbeddedServer) -> None:
    wipe(server)
    with pytest.raises(ProviderError, match="no ledger"):
        ask(server, lambda database: rebind(database, "flows/dev", ""))


def test_of_several_stacks_one_is_named(engine: Engine, server: EmbeddedServer) -> None:
    sql(server, "UPDATE pulumi_timescaledb.ledger SET stack = 'flows/second' WHERE kind = 'View'")
    with pytest.raises(ProviderError, match=r"holds objects of flows/dev, flows/second\. Name the one"):
        ask(server, lambda database: rebind(database, "flows/third", ""))
    found = ask(server, lambda database: rebind(database, "flows/third", "", "flows/dev"))
    assert (found.objects, found.previous) == (2, "flows/dev")
    rows = sql(server, "SELECT kind, stack, urn FROM pulumi_timescaledb.ledger ORDER BY kind")
    assert [row[1] for row in rows] == ["flows/third", "flows/third", "flows/second"]
    assert all(urn.startswith("urn:pulumi:third::flows::timescaledb:index:") for _, stack, urn in rows[:2])


def test_a_rebound_copy_passes_for_the_database_the_state_knows(engine: Engine, server: EmbeddedServer) -> None:
    ask(server, lambda database: rebind(database, "flows/dev", "", "", "1234"))
    assert ask(server, identity_of)["systemIdentifier"] == "1234"
    sql(server, "UPDATE pulumi_timescaledb.identity SET rebound_on = 'another server'")
    assert ask(server, identity_of)["systemIdentifier"] != "1234"
