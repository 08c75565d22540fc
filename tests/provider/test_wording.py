"""SQL that is only written differently changes nothing: the server compares, texts are never compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.specs import Spec

from .engine import Engine, sql
from .things import changed, manifest

pytestmark = pytest.mark.server
Make = Callable[..., Engine]

BEFORE = """
CREATE SCHEMA app; CREATE ROLE reader;
CREATE TABLE app.thing (id integer, name text, at timestamptz NOT NULL, parent integer);
CREATE TABLE app.series (at timestamptz NOT NULL, device integer, kwh float8);
SELECT create_hypertable('app.series', by_range('at'));
INSERT INTO app.thing VALUES (1, 'one', now(), 1);
CREATE FUNCTION app.touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'
"""
COLUMNS = [
    {"name": "id", "type": "integer", "default": "1+1"},
    {"name": "twice", "type": "integer", "generated": "id*2"},
    {"name": "name", "type": "text", "comment": "x"},
]
APART = {"name": "apart", "method": "btree", "elements": [{"expression": "id + 1", "operator": "="}]}
HOURLY = "SELECT time_bucket('1 hour', at) AS hour, sum(kwh) AS kwh FROM app.series GROUP BY 1"


def wire(kind: str, **properties: Any) -> Spec:
    return specs.spec_type(kind).from_wire({"schema": "app", **properties})


def spaced(*columns: str) -> list[dict[str, Any]]:
    """The columns, those named with their expressions written otherwise."""
    others = {"id": {"default": "(1 + 1) -- two"}, "twice": {"generated": "(id * (2))"}}
    return [{**column, **others[column["name"]]} if column["name"] in columns else column for column in COLUMNS]


CASES: list[tuple[Spec, dict[str, Any]]] = [
    (wire("View", name="v", query="SELECT id FROM app.thing"), {"query": "select  thing.id\nfrom app.thing;"}),
    (
        wire("MaterializedView", name="m", query="SELECT id FROM app.thing WHERE id > 1", withData=True),
        {"query": "select id from app.thing -- all of them\nwhere (id > 1)"},
    ),
    (wire("ContinuousAggregate", name="hourly", query=HOURLY), {"query": HOURLY.replace(" AS ", "  as ").lower()}),
    (wire("Table", name="t", columns=COLUMNS), {"columns": spaced("id", "twice")}),
    (
        wire("Table", name="t", columns=COLUMNS, checks=[{"name": "c", "expression": "id > 0 AND id < 9"}]),
        {"checks": [{"name": "c", "expression": "(id>0) and (id<9)"}]},
    ),
    (
        wire("Table", name="t", columns=COLUMNS, exclusions=[{**APART, "where": "id > 0"}]),
        {
            "exclusions": [
                {
                    **APART,
                    "elements": [{"expression": "( id+1 )", "operator": "OPERATOR(pg_catalog.=)"}],
                    "where": "(id) > 0",
                }
            ]
        },
    ),
    (
        wire("Domain", name="d", type="integer", default="1", checks=[{"name": "c", "expression": "VALUE > 0"}]),
        {"default": "(1)", "checks": [{"name": "c", "expression": "( value>0 )"}]},
    ),
    (
        wire("Index", relation="thing", name="i", keys=[{"expression": "lower(name)"}], where="id > 0"),
        {"keys": [{"expression": "LOWER( name )"}], "where": "(id) > (0)"},
    ),
    (
        wire("Index", relation="thing", name="i", keys=[{"column": "name", "collation": '"C"'}]),
        {"keys": [{"column": "name", "collation": 'pg_catalog."C"'}]},
    ),
    (
        wire("RlsPolicy", relation="thing", name="p", roles=["reader"], using="id > 0 AND name = 'it''s'"),
        {"using": "(id>0) /* and */ AND (name = 'it''s')"},
    ),
    (
        wire(
            "RlsPolicy",
            relation="thing",
            name="p",
            using="EXISTS (SELECT 1 FROM app.series s WHERE s.device = thing.parent)",
        ),
        {"using": "exists(select 1 from app.series s where (s.device) = thing.parent)"},
    ),
    (
        wire(
            "Trigger",
            relation="thing",
            name="g",
            timing="before",
            events=["update"],
            when="OLD.id <> NEW.id",
            functionSchema="app",
            function="touched",
        ),
        {"when": "(old.id) <> (new.id)"},
    ),
    (
        wire(
            "Function",
            name="f",
            arguments=[{"name": "a", "type": "integer", "default": "1+1"}],
            returns="SETOF integer",
            language="sql",
            body="BEGIN ATOMIC SELECT id FROM app.thing; END",
        ),
        {
            "arguments": [{"name": "a", "type": "integer", "default": "( 1 + 1 )"}],
            "returns": "setof int",
            "body": "BEGIN ATOMIC select thing.id from app.thing; END",
        },
    ),
]


@pytest.fixture
def engine(make: Make, server: EmbeddedServer) -> Engine:
    sql(server, BEFORE)
    return make()


def oids(server: EmbeddedServer) -> list[tuple[Any, ...]]:
    """What is there: an object that was made again has another number."""
    return sql(
        server,
        """
        SELECT 'relation', oid, relname::text FROM pg_class WHERE oid >= 16384 AND relnamespace = 'app'::regnamespace
        UNION ALL SELECT 'function', oid, xmin::text FROM pg_proc WHERE pronamespace = 'app'::regnamespace
        UNION ALL SELECT 'trigger', oid, xmin::text FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT 'policy', oid, xmin::text FROM pg_policy
        UNION ALL SELECT 'constraint', oid, conname::text FROM pg_constraint WHERE connamespace = 'app'::regnamespace
        UNION ALL SELECT 'default', oid, xmin::text FROM pg_attrdef
        UNION ALL SELECT 'type', oid, xmin::text FROM pg_type WHERE typnamespace = 'app'::regnamespace AND typtype = 'd'
        UNION ALL SELECT 'schema', oid, nspname::text FROM pg_namespace
        ORDER BY 1, 2""",
    )


def ids() -> list[str]:
    return [f"{position}-{spec.KIND}" for position, (spec, _) in enumerate(CASES)]


@pytest.mark.parametrize(("spec", "change"), CASES, ids=ids())
def test_nothing_is_run_for_other_words(
    spec: Spec, change: dict[str, Any], engine: Engine, make: Make, server: EmbeddedServer
) -> None:
    new = changed(spec, **change)
    assert new.comparable() != spec.comparable()
    engine.create(spec)
    before, history = oids(server), sql(server, "SELECT count(*) FROM pulumi_timescaledb.history")
    later = make()
    assert later.check("Manifest", manifest(new), manifest(spec))[1] == []
    later.update(spec, new, preview=True)
    assert later.logs() == []
    alone = make()
    alone.update(spec, new, preview=True)  # a program without a Manifest
    assert alone.logs() == []
    later.update(spec, new)
    assert oids(server) == before
    assert sql(server, "SELECT count(*) FROM pulumi_timescaledb.history") == history
    assert spec.from_wire(make().read(spec.KIND, spec.import_id(), new)[1]) == new


def test_a_real_change_among_other_words_is_made(engine: Engine, server: EmbeddedServer) -> None:
    spec = wire("Table", name="t", columns=COLUMNS)
    engine.create(spec)
    columns = spaced("id", "twice")
    columns[2] = {**columns[2], "default": "'x'"}
    new = changed(spec, columns=columns)
    engine.update(spec, new)
    (run,) = sql(server, "SELECT statements FROM pulumi_timescaledb.history ORDER BY number DESC LIMIT 1")[0]
    assert run == ['ALTER TABLE "app"."t" ALTER COLUMN "name" SET DEFAULT \'x\'']


def test_a_text_that_cannot_be_tried_is_planned_as_before(engine: Engine, server: EmbeddedServer) -> None:
    spec = wire("View", name="v", query="SELECT id FROM app.thing")
    engine.create(spec)
    engine.update(spec, changed(spec, query="SELECT later FROM app.thing"), preview=True)
    assert "DROP VIEW" in engine.logs()[-1]
    with pytest.raises(Exception, match='column "later" does not exist'):
        engine.update(spec, changed(spec, query="SELECT later FROM app.thing"))


def test_without_a_server_a_preview_plans_from_the_texts() -> None:
    engine = Engine(host="/nonexistent", port=1, user="nobody")
    spec = wire("View", name="v", query="SELECT id FROM app.thing")
    engine.update(spec, changed(spec, query="select id from app.thing"), preview=True)
    assert "CREATE OR REPLACE VIEW" in engine.logs()[-1]
    engine.close()


def test_what_was_imported_is_not_made_again(engine: Engine, make: Make, server: EmbeddedServer) -> None:
    """The state holds the server's words, the program its own: the first update only records."""
    for spec, _ in CASES[:3]:
        engine.create(spec)
    sql(server, "DELETE FROM pulumi_timescaledb.ledger")
    before = oids(server)
    for spec, _ in CASES[:3]:
        later = make()
        seen = spec.from_wire(later.read(spec.KIND, spec.import_id())[1])
        assert later.check("Manifest", manifest(spec), manifest(seen))[1] == []
        later.update(seen, changed(spec, owner=seen.owner))  # type: ignore[attr-defined]
    assert oids(server) == before
