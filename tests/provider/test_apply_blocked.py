"""Changes of columns that something stands on: the server refuses them, so what is declared is made again around."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.specs import Spec

from .engine import Engine, Failed, sql
from .things import a_view, changed, manifest, picture

pytestmark = pytest.mark.server
Make = Callable[..., Engine]


def wire(kind: str, **fields: Any) -> Any:
    return specs.spec_type(kind).from_wire(fields)


def column(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


SCHEMA, ROLE = wire("Schema", name="app"), wire("Role", name="blocked_reader")
THINGS = wire(
    "Table",
    schema="app",
    name="things",
    columns=[column("id", "integer"), column("n", "integer"), column("note", "text")],
    rowLevelSecurity=True,
)
LOW = a_view("low", "SELECT id, n FROM app.things", securityBarrier=True, comment="low", columnComments={"n": "number"})
HIGH = a_view("high", "SELECT sum(n) AS total FROM app.low", comment="high")
APART = a_view("apart", "SELECT note FROM app.things")
STORED = wire("MaterializedView", schema="app", name="stored", query="SELECT n, note FROM app.things", withData=True)
BY_N = wire("Index", schema="app", relation="stored", name="stored_n", keys=[{"column": "n"}], unique=True)
OWN_INDEX = wire("Index", schema="app", relation="things", name="things_n", keys=[{"expression": "n + 1"}])
POLICY = wire(
    "RlsPolicy", schema="app", relation="things", name="few", using="n > 0", comment="policy", roles=["blocked_reader"]
)
FUNCTION = wire("Function", schema="app", name="touch", returns="trigger", body="BEGIN RETURN NEW; END")
BODY = "BEGIN ATOMIC SELECT max(n)::integer FROM app.things; END"
LARGEST = wire("Function", schema="app", name="largest", returns="integer", language="sql", body=BODY, comment="atomic")
TRIGGER = wire(
    "Trigger",
    schema="app",
    relation="things",
    name="on_n",
    timing="before",
    events=["update"],
    updateOf=["n"],
    functionSchema="app",
    function="touch",
    comment="trigger",
    enabled="always",
)
RIGHTS = [{"name": name, "privileges": ["select"]} for name in ("things", "low", "high", "stored", "apart")]
RIGHTS += [{"name": "largest()", "type": "function", "privileges": ["execute"]}]
GRANT = wire("Grant", role="blocked_reader", schema="app", privileges=["usage"], objects=RIGHTS)
ALL: list[Spec] = [
    SCHEMA, ROLE, THINGS, FUNCTION, LOW, HIGH, APART, STORED, BY_N, OWN_INDEX, POLICY, LARGEST, TRIGGER, GRANT,
]  # fmt: skip
WIDER = changed(THINGS, columns=[column("id", "integer"), column("n", "bigint"), column("note", "text")])
WITHOUT = changed(THINGS, columns=[column("id", "integer"), column("note", "text")], allow=["drop_column:n"])


def up(engine: Engine, declared: list[Spec]) -> None:
    picture(engine, [], declared)
    for spec in declared:
        engine.create(spec)


def after(old: list[Spec], **by_name: Spec | None) -> list[Spec]:
    """The declarations with some replaced, by name, or gone."""
    return [new for spec in old if (new := by_name.get(getattr(spec, "name", ""), spec)) is not None]


def settled(make: Make, server: EmbeddedServer, old: list[Spec], new: list[Spec]) -> None:
    """The engine's own turns find everything done, and nothing drifts."""
    before = sql(server, "SELECT count(*) FROM pulumi_timescaledb.history")
    engine = make()
    picture(engine, old, new)
    known = {spec.reference(): spec for spec in old}
    for spec in new:
        if spec.reference() not in known:
            engine.create(spec)
        elif known[spec.reference()] != spec:
            engine.update(known[spec.reference()], spec)
    for spec in old:
        if spec.reference() not in {each.reference() for each in new}:
            engine.delete(spec)
    assert sql(server, "SELECT count(*) FROM pulumi_timescaledb.history") == before
    engine = make()
    for spec in new:
        assert engine.read(spec.KIND, spec.import_id(), spec) == (spec.import_id(), spec.to_wire())
    assert sql(server, "SELECT count(*) FROM pulumi_timescaledb.ledger WHERE step IS NOT NULL") == [(0,)]


def test_a_wider_column_carries_all_that_stands_on_it(make: Make, server: EmbeddedServer) -> None:
    up(make(), ALL)
    sql(server, "INSERT INTO app.things VALUES (1, 7, 'x'); REFRESH MATERIALIZED VIEW app.stored")
    apart = sql(server, "SELECT 'app.apart'::regclass::oid, 'app.things_n'::regclass IS NOT NULL")
    new = after(ALL, things=WIDER)
    engine = make()
    picture(engine, ALL, new)
    engine.update(THINGS, WIDER, preview=True)
    (shown,) = engine.logs()
    engine.update(THINGS, WIDER)
    (statements,) = sql(server, "SELECT statements FROM pulumi_timescaledb.history ORDER BY number DESC LIMIT 1")[0]
    ran = [line for line in shown.splitlines() if not line.startswith("-- ")]
    assert "\n".join(ran) == "\n".join(f"{each};" for each in statements)
    assert sql(server, "SELECT 'app.apart'::regclass::oid, 'app.things_n'::regclass IS NOT NULL") == apart
    assert sql(
        server,
        "SELECT pg_typeof(n)::text, (SELECT total FROM app.high), (SELECT n FROM app.stored), "
        "has_table_privilege('blocked_reader', 'app.high', 'select') FROM app.low",
    ) == [("bigint", 7, 7, True)]
    settled(make, server, ALL, new)


def test_a_dropped_column_with_new_forms_of_what_used_it(make: Make, server: EmbeddedServer) -> None:
    up(make(), ALL)
    lesser = [right for right in RIGHTS if right["name"] not in ("stored", "largest()")]
    new = after(
        ALL,
        things=WITHOUT,
        low=changed(LOW, query="SELECT id FROM app.things", columnComments={}),
        high=changed(HIGH, query="SELECT count(*) AS total FROM app.low"),
        stored=None,
        stored_n=None,
        things_n=changed(OWN_INDEX, keys=[{"column": "id"}]),
        few=changed(POLICY, using="id > 0"),
        on_n=changed(TRIGGER, updateOf=["id"]),
        largest=None,
    )
    new[-1] = changed(GRANT, objects=lesser)
    engine = make()
    assert engine.check("Manifest", manifest(*new), manifest(*ALL))[1] == []
    engine.update(THINGS, WITHOUT)
    for spec in reversed(new):
        old = next(each for each in ALL if each.reference() == spec.reference())
        if old != spec:
            engine.update(old, spec)
    for gone in (BY_N, STORED, LARGEST):
        engine.delete(gone)
    settled(make, server, new, new)
    assert sql(server, "SELECT obj_description('app.high'::regclass), (SELECT total FROM app.high)") == [("high", 0)]


def test_what_a_new_form_needs_is_made_first(make: Make, server: EmbeddedServer) -> None:
    """The view's new form needs a new table and a new column of another one, whose own turns may come later."""
    other = wire("Table", schema="app", name="other", columns=[column("id", "integer")])
    old: list[Spec] = [SCHEMA, ROLE, THINGS, other, LOW, changed(GRANT, objects=RIGHTS[:2])]
    up(make(), old)
    more = changed(other, columns=[column("id", "integer"), column("more", "text")])
    fresh = wire("Table", schema="app", name="fresh", columns=[column("id", "integer")], comment="new")
    query = "SELECT t.id, t.n, o.more FROM app.things t JOIN app.other o USING (id) JOIN app.fresh f USING (id)"
    new: list[Spec] = [SCHEMA, ROLE, WIDER, more, fresh, changed(LOW, query=query), old[-1]]
    engine = make()
    picture(engine, old, new)
    engine.update(THINGS, WIDER)
    settled(make, server, old, new)


def test_a_run_that_ended_early_converges(make: Make, server: EmbeddedServer) -> None:
    """The Manifest's state is new already, nothing else is: what stood there is in the ledger alone."""
    up(make(), ALL)
    new = after(
        ALL,
        things=WIDER,
        low=changed(LOW, query="SELECT id, 1::bigint AS n FROM app.things"),
        stored=None,
        stored_n=None,
    )
    new[-1] = changed(GRANT, objects=[right for right in RIGHTS if right["name"] != "stored"])
    engine = make()
    picture(engine, new, new)
    engine.update(THINGS, WIDER)
    assert sql(server, "SELECT to_regclass('app.stored') IS NULL") == [(True,)]
    for gone in (BY_N, STORED):
        engine.delete(gone)
    engine.update(GRANT, new[-1])
    settled(make, server, new, new)


@pytest.mark.parametrize("table", [WIDER, WITHOUT], ids=["wider", "dropped"])
def test_what_nobody_declared_is_named(make: Make, server: EmbeddedServer, table: Spec) -> None:
    up(make(), [SCHEMA, THINGS])
    sql(server, "CREATE VIEW app.theirs AS SELECT n FROM app.things")
    engine = make()
    picture(engine, [SCHEMA, THINGS], [SCHEMA, table])
    with pytest.raises(Failed, match=r"view app\.theirs depends on column n?.*declare it, or change or drop"):
        engine.update(THINGS, table)
    assert sql(server, "SELECT count(n) FROM app.theirs") == [(0,)]


def test_an_aggregate_over_the_column_refuses_it(make: Make, server: EmbeddedServer) -> None:
    table = wire(
        "Table",
        schema="app",
        name="series",
        columns=[column("at", "timestamptz", notNull=True), column("v", "integer"), column("w", "integer")],
    )
    on = {"schema": "app", "relation": "series"}
    query = "SELECT time_bucket('1 day', at) AS day, count(*), max(v) * 2 AS v FROM app.series GROUP BY 1"
    aggregate = wire("ContinuousAggregate", schema="app", name="daily", query=query)
    old: list[Spec] = [SCHEMA, table, wire("Hypertable", **on, timeColumn="at"), aggregate]
    up(make(), old)
    for name, refused in (("v", True), ("w", False)):
        columns = [{**each, "type": "bigint"} if each["name"] == name else each for each in table.to_wire()["columns"]]
        wider = changed(table, columns=columns)
        engine = make()
        _, faults = engine.check("Manifest", manifest(*after(old, series=wider)), manifest(*old))
        if refused:
            (fault,) = faults
            assert (
                'The server does not let column "v" change, and ContinuousAggregate app.daily, which holds data'
                in fault
            )
            assert "under another name" in fault
        else:
            assert faults == []
            engine.update(table, wider)
    assert sql(server, "SELECT count(*) FROM timescaledb_information.continuous_aggregates") == [(1,)]
