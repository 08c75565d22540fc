"""A view's query that keeps its columns is replaced: nothing that stands on the view goes, whoever made it."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.kinds import Context, kind_of
from pulumi_timescaledb.kinds._view_query import columns_added
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.specs.function import Argument
from pulumi_timescaledb.statement import Rebuild
from pulumi_timescaledb.whole import Whole

from .engine import Engine, sql
from .things import a_table, a_view, changed, picture

pytestmark = pytest.mark.server
TABLES = """
CREATE TEMP TABLE one (id int, note text, "Or""der" int, distinct_from int, kind int);
CREATE TEMP TABLE two (id bigint, one_id int, "from" text);
"""
KEPT = [
    ("SELECT id FROM one", "SELECT id, note FROM one"),
    ("SELECT id -- the key\nFROM one", "select id /* no more */, note,\n 1 AS x FROM one WHERE id > 1"),
    ('SELECT id, "Or""der" AS a FROM one', 'SELECT id, "Or""der" AS a, kind AS "a,b" FROM one ORDER BY id LIMIT 1'),
    ("SELECT one.id FROM one", 'SELECT one.id, t."from" FROM one LEFT JOIN two t ON t.one_id = one.id'),
    ("SELECT one.id FROM one", "SELECT one.id, two.id AS other FROM one, two"),
    ("SELECT id IS DISTINCT FROM kind AS d FROM one", "SELECT id IS DISTINCT FROM kind AS d, note FROM one WHERE true"),
    ("SELECT one.id AS from, note AS order FROM one", "SELECT one.id AS from, note AS order, kind FROM one WHERE true"),
    ("SELECT two.from FROM two", "SELECT two.from, two.id FROM two"),
    ("SELECT count(*), kind FROM one GROUP BY kind", "SELECT count(*), kind, max(id) FROM one GROUP BY kind, note"),
    ("SELECT DISTINCT id FROM one", "SELECT DISTINCT id, note FROM one"),
    (
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY id) AS p FROM one",
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY id) AS p, max(note) FROM one WHERE left(note, 1) > ''",
    ),
    ("WITH a AS (SELECT id FROM one UNION SELECT 1) SELECT id FROM a", None),
    ("SELECT (SELECT max(id) FROM two WHERE true) AS m FROM one", None),
    ("SELECT ARRAY[id, kind] AS both FROM one", None),
    ("SELECT 1 AS one", "SELECT 1 AS one, 2 AS two"),
]
"""Old query and new one; None: the old one with a condition."""
UNTOLD = [
    ("SELECT id FROM one", "SELECT note, id FROM one"),
    ("SELECT id, note FROM one", "SELECT id FROM one"),
    ("SELECT id FROM one", "SELECT id FROM two"),
    ("SELECT id AS a FROM one", "SELECT id AS b FROM one"),
    ("SELECT 1 e5", "SELECT 1e5"),
    (
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY id) FROM one",
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY note) FROM one",
    ),
    ("SELECT * FROM one", "SELECT *, 1 AS x FROM one"),
    ("SELECT one.* FROM one", "SELECT one.*, 1 AS x FROM one WHERE true"),
    ("SELECT id FROM one", "SELECT id FROM one UNION SELECT id FROM two"),
    ("SELECT id FROM one UNION SELECT kind FROM one", "SELECT id FROM one UNION SELECT id FROM two"),
    ("SELECT one_id AS id FROM two", "SELECT one_id AS id FROM two JOIN one o USING (id)"),
    ("SELECT id FROM one", "SELECT id FROM one NATURAL FULL JOIN two"),
    ("SELECT id FROM one", "SELECT id FROM one first_one"),
    ("SELECT DISTINCT id FROM one", "SELECT id FROM one"),
    ("WITH a AS (SELECT id FROM one) SELECT id FROM a", "WITH a AS (SELECT id FROM two) SELECT id FROM a"),
    ("SELECT id AS Ähre FROM one", "SELECT id AS ähre FROM one"),
    ("SELECT one.* AS z, 7 AS y FROM one", "SELECT one.* AS z, 7 AS y FROM one WHERE true"),
    ("SELECT kind FROM one WHERE kind > 1.", "SELECT kind FROM one WHERE kind > 1. UNION VALUES (1.5)"),
    ("SELECT x FROM one x", "SELECT x FROM one x JOIN two ON true"),
    ("SELECT app.f(id) FROM one", "SELECT app.f(id), note FROM one"),
    ("SELECT 'a'::app.mood FROM one", "SELECT 'a'::app.mood, note FROM one"),
    ("VALUES (1)", "VALUES (1), (2)"),
    ("TABLE one", "TABLE two"),
]


@pytest.mark.parametrize(("old", "new"), KEPT)
def test_the_server_takes_what_keeps_its_columns(shared_dsn: str, old: str, new: str | None) -> None:
    new = new or f"{old} WHERE true"
    assert columns_added(old, new) is not None
    with psycopg.connect(shared_dsn) as connection:
        for text in (TABLES, f"CREATE TEMP VIEW seen AS {old}", f"CREATE OR REPLACE TEMP VIEW seen AS {new}"):
            connection.execute(text.encode())
        connection.rollback()


@pytest.mark.parametrize(("old", "new"), UNTOLD)
def test_what_the_texts_do_not_tell(old: str, new: str) -> None:
    assert columns_added(old, new) is None


READ = [
    a_view("high", "SELECT * FROM app.low"),
    a_view("high", "SELECT l.* FROM app.low l"),
    specs.Function(
        schema="app",
        name="high",
        returns="SETOF app.low",
        language="sql",
        body="BEGIN ATOMIC SELECT id FROM app.low; END",
    ),
]


@pytest.mark.parametrize("high", READ, ids=["star", "qualified", "parsed"])
def test_who_reads_all_columns_gets_the_new_one(high: Spec) -> None:
    table, low = a_table(), a_view("low", "SELECT id FROM app.things")
    more = changed(low, query="SELECT id, note FROM app.things")
    kind = kind_of("View")
    with pytest.raises(Rebuild, match="reads all of them"):
        kind.plan(low, more, Context(whole=Whole([table, more, high])))
    fewer = changed(low, query="SELECT id FROM app.things WHERE id > 1")
    assert len(kind.plan(low, fewer, Context(whole=Whole([table, fewer, high])))) == 1


def test_a_renamed_function_leaves_the_column_its_name(make: Callable[..., Engine], server: EmbeddedServer) -> None:
    sql(server, "CREATE SCHEMA app")
    engine = make()
    f = specs.Function(
        schema="app",
        name="f",
        arguments=(Argument(name="i", type="integer"),),
        returns="integer",
        language="sql",
        body="SELECT i",
    )
    table, low = a_table(), a_view("low", "SELECT app.f(id), app.f(1) AS one FROM app.things")
    old: list[Spec] = [table, f, low]
    picture(engine, [], old)
    for spec in old:
        engine.create(spec)
    engine = make()
    g, new = (
        changed(f, name="g", previously="f"),
        changed(low, query="SELECT app.g(id), app.g(1) AS one, note FROM app.things"),
    )
    picture(engine, old, [table, g, new])
    engine.update(f, g)
    engine.update(low, new)
    assert sql(server, "SELECT attname FROM pg_attribute WHERE attrelid = 'app.low'::regclass ORDER BY attnum") == [
        ("g",),
        ("one",),
        ("note",),
    ]


def test_what_stands_on_it_stays(make: Callable[..., Engine], server: EmbeddedServer) -> None:
    sql(server, "CREATE SCHEMA app")
    engine = make()
    table = a_table()
    low = a_view("low", "SELECT id FROM app.things", comment="low one")
    high = a_view("high", "SELECT id FROM app.low", comment="high one")
    grant = specs.Grant.from_wire(
        {"role": "public", "schema": "app", "objects": [{"name": "low", "privileges": ["select"]}]}
    )
    old = [table, low, high, grant]
    picture(engine, [], old)
    for spec in old:
        engine.create(spec)
    sql(server, "CREATE VIEW app.theirs AS SELECT * FROM app.low")
    oids = "SELECT 'app.low'::regclass::oid, 'app.high'::regclass::oid, 'app.theirs'::regclass::oid"
    before = sql(server, oids)

    engine = make()
    new = changed(low, query="SELECT id, note FROM app.things", securityBarrier=True, columnComments={"note": "new"})
    picture(engine, old, [table, new, high, grant])
    engine.update(low, new, preview=True)
    assert 'CREATE OR REPLACE VIEW "app"."low"' in engine.logs()[-1]
    assert "DROP" not in engine.logs()[-1]
    engine.update(low, new)
    assert sql(server, oids) == before
    assert sql(
        server,
        "SELECT has_table_privilege('public', 'app.low', 'select'), obj_description('app.low'::regclass), "
        "col_description('app.low'::regclass, 2), (SELECT reloptions FROM pg_class WHERE oid = 'app.low'::regclass)",
    ) == [(True, "low one", "new", ["security_barrier=true"])]
    for spec in (table, new, high, grant):
        assert engine.read(spec.KIND, spec.import_id(), spec)[1] == spec.to_wire()
