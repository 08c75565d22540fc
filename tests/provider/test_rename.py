"""Renames: one RENAME in place, everything that stands on the object follows, whatever order the engine goes in."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.capabilities import ServerCapabilities
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.plan import Standing, make_plan
from pulumi_timescaledb.renames import Renames
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.sqltext import display
from pulumi_timescaledb.whole import Whole

from .engine import Engine, settings_of, sql
from .things import changed, ledger, manifest, picture

pytestmark = pytest.mark.server
Make = Callable[..., Engine]


def wire(kind: str, **fields: Any) -> Spec:
    return specs.spec_type(kind).from_wire(fields)


def estate(schema: str = "app", table: str = "readings", role: str = "rn_reader", **more: Any) -> list[Spec]:
    """A hypertable with everything that can stand on one, and a plain table with the rest. `more`: `previously` by
    kind."""

    def old(kind: str) -> dict[str, Any]:
        return {"previously": more[kind]} if kind in more else {}

    on, name = {"schema": schema, "relation": table}, display(table)
    bucket = f"SELECT time_bucket('1 day', at) AS day, device, max({name}.v) AS v FROM {schema}.{name} GROUP BY 1, 2"
    device = {"name": "device", "type": "integer", "notNull": True}
    return [
        wire("Schema", name=schema, **old("Schema")),
        wire("Role", name=role, **old("Role")),
        wire("Enum", schema=schema, name="state", labels=["on", "off"]),
        wire(
            "Table",
            schema=schema,
            name="devices",
            columns=[{"name": "id", "type": "integer", "notNull": True}, {"name": "s", "type": f"{schema}.state"}],
            primaryKey={"name": "devices_pk", "columns": ["id"]},
            rowLevelSecurity=True,
        ),
        wire(
            "Table",
            schema=schema,
            name=table,
            columns=[{"name": "at", "type": "timestamptz", "notNull": True}, device, {"name": "v", "type": "integer"}],
            comment="all of them",
            **old("Table"),
        ),
        wire("Hypertable", **on, timeColumn="at", chunkInterval="7 days"),
        wire("Columnstore", **on, segmentBy=["device"], orderBy=[{"column": "at"}], after="30 days"),
        wire("RetentionPolicy", **on, dropAfter="10 years"),
        wire("Index", **on, name="by_device", keys=[{"column": "device"}]),
        wire(
            "Function", schema=schema, name="touch", returns="trigger", body="BEGIN RETURN NEW; END", **old("Function")
        ),
        wire(
            "Trigger", **on, name="touched", timing="before", events=["insert"], functionSchema=schema, function="touch"
        ),
        wire(
            "ForeignKey",
            **on,
            name="of_device",
            columns=["device"],
            targetSchema=schema,
            target="devices",
            targetColumns=["id"],
        ),
        wire(
            "RlsPolicy",
            schema=schema,
            relation="devices",
            name="some",
            roles=[role],
            command="select",
            using=f"EXISTS (SELECT FROM {schema}.{name} WHERE {name}.device = id)",
        ),
        wire("ContinuousAggregate", schema=schema, name="daily", query=bucket),
        wire(
            "RefreshPolicy",
            schema=schema,
            relation="daily",
            startOffset="30 days",
            endOffset="1 day",
            scheduleInterval="1 day",
        ),
        wire(
            "View",
            schema=schema,
            name="newest",
            query=f"SELECT max(at) AS at FROM {schema}.{name} r",
            securityBarrier=True,
            comment="c",
        ),
        wire(
            "View",
            schema=schema,
            name="top",
            query=f"SELECT day FROM {schema}.daily WHERE day < (SELECT at FROM {schema}.newest)",
        ),
        wire(
            "Grant",
            role=role,
            schema=schema,
            privileges=["usage"],
            objects=[
                {"name": table, "privileges": ["insert"]},
                {"name": "devices", "privileges": ["update"], "columns": ["s"]},
                {"name": "top", "privileges": ["select"]},
                {"name": "touch()", "type": "function", "privileges": ["execute"]},
            ],
        ),
    ]


OLD = estate()
RENAMED = {
    "table": (OLD, estate(table="Measured Values", Table="readings")),
    "schema": (OLD, estate(schema="data", Schema="app")),
    "role": (OLD, estate(role="rn_visitor", Role="rn_reader")),
    "all of them": (
        OLD,
        estate("data", "values", "rn_visitor", Schema="app", Table="readings", Role="rn_reader"),
    ),
}


def run(make: Make, old: Sequence[Spec], new: Sequence[Spec], order: Sequence[int] | None = None) -> Engine:
    """One update as the engine does it, in the order of the declarations or another one: matched by the aliases that
    the program gives, `diff`, then `update` of what differs."""
    engine = make()
    picture(engine, list(old), list(new))
    renames = Renames.declared(Whole(new))
    state = {spec.reference(): spec for spec in old}
    for number in order if order is not None else range(len(new)):
        spec = new[number]
        before = state.get(spec.reference()) or state.get(renames.back(spec).reference())
        if before is None:
            engine.create(spec)
            continue
        difference = engine.diff(spec.KIND, before.to_wire(), spec.to_wire())
        assert not difference.replaces, f"{spec.reference()} would be replaced"
        if difference.detailedDiff:
            engine.update(before, spec)
    return engine


def first(make: Make, server: EmbeddedServer) -> None:
    run(make, [], OLD)
    sql(
        server,
        "INSERT INTO app.devices VALUES (1, 'on'); "
        "INSERT INTO app.readings SELECT t, 1, 5 FROM generate_series('2026-01-01'::date, '2026-02-01', '1 day') t",
    )
    sql(server, "CALL refresh_continuous_aggregate('app.daily', NULL, NULL)")


NUMBERS = """
    SELECT oid, relkind FROM pg_class WHERE relnamespace::regnamespace::text IN ('app', 'data') OR relname ~ '^_hyper'
    UNION ALL SELECT oid, 'p' FROM pg_policy UNION ALL SELECT oid, 't' FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT oid, 'c' FROM pg_constraint WHERE contype IN ('f', 'p') UNION ALL
    SELECT job_id::oid, 'j' FROM timescaledb_information.jobs WHERE hypertable_name IS NOT NULL ORDER BY 1, 2
"""


def settled(make: Make, server: EmbeddedServer, new: Sequence[Spec]) -> None:
    """Everything is in the ledger under its name, shows no drift, and a run more writes nothing."""
    assert ledger(server) == sorted((spec.KIND, spec.import_id()) for spec in new)
    before = sql(server, "SELECT count(*) FROM pulumi_timescaledb.history")
    engine = make()
    for spec in new:
        assert engine.read(spec.KIND, spec.import_id(), spec) == (spec.import_id(), spec.to_wire())
        engine.update(spec, changed(spec, allow=["nothing"]))
    assert sql(server, "SELECT count(*) FROM pulumi_timescaledb.history") == before
    assert engine.check("Manifest", manifest(*new), manifest(*new))[1] == []


@pytest.mark.parametrize("order", ["forward", "backward", "shuffled"])
@pytest.mark.parametrize("case", RENAMED)
def test_everything_follows(make: Make, server: EmbeddedServer, case: str, order: str) -> None:
    old, new = RENAMED[case]
    first(make, server)
    before = sql(server, NUMBERS)
    places = list(range(len(new)))
    if order != "forward":
        places.reverse() if order == "backward" else random.Random(case).shuffle(places)
    run(make, old, new, places)
    renames = len(Renames.declared(Whole(new)).each)
    made = sql(server, "SELECT verb, statements FROM pulumi_timescaledb.history ORDER BY number DESC")
    assert all(
        verb == "rename" and " RENAME TO " in statements[0] and len(statements) == 1
        for verb, statements in made[:renames]
    )
    assert made[renames][0] == "create"
    assert sql(server, NUMBERS) == before  # nothing was made again
    schema, table = new[4].identity()
    assert sql(server, f'SELECT count(*), sum(v) FROM "{schema}"."{table}"') == [(32, 160)]
    assert sql(server, f'SELECT count(*) FROM "{schema}".daily') == [(32,)]
    settled(make, server, new)


@pytest.mark.parametrize("case", RENAMED)
def test_the_preview_is_the_renames(
    make: Make, server: EmbeddedServer, server_factory: Callable[..., EmbeddedServer], case: str
) -> None:
    old, new = RENAMED[case]
    count = len(Renames.declared(Whole(new)).each)
    flight = make_plan(Standing(Whole(old)), Whole(new), ServerCapabilities())
    assert flight.refusals == []
    assert [step.verb for step in flight.steps] == ["update"] * count
    assert all(" RENAME TO " in statement.sql for _, statement in flight.statements())
    assert len(list(flight.statements())) == count
    first(make, server)
    stopped = Engine(**settings_of(server_factory()))  # a preview starts no server: it plans from the state
    for engine in (stopped, make()):
        picture(engine, old, new)
        for before, after in zip(old, new, strict=True):
            if before != after:
                engine.update(before, after, preview=True)
        assert len(engine.logs()) == count
        assert all(" RENAME TO " in text for text in engine.logs())
    stopped.close()
