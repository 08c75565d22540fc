"""What the lives of relations cannot show: the rest of the picture, what is left out of reading, and loss probes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pulumi_timescaledb.kinds import Context, kind_of
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.specs.continuous_aggregate import ContinuousAggregate
from pulumi_timescaledb.specs.foreign_key import ForeignKey
from pulumi_timescaledb.specs.hypertable import Hypertable
from pulumi_timescaledb.specs.index import Index, IndexKey
from pulumi_timescaledb.specs.sequence import Sequence
from pulumi_timescaledb.specs.table import Column, Table
from pulumi_timescaledb.specs.trigger import Trigger
from pulumi_timescaledb.statement import Rebuild, Refused
from pulumi_timescaledb.whole import Whole

from .lifecycle import Server

SERIES = """
CREATE SCHEMA life;
CREATE TABLE life.parent (id int PRIMARY KEY);
INSERT INTO life.parent VALUES (1);
CREATE TABLE life.series (at timestamptz NOT NULL, id int REFERENCES life.parent, value real, UNIQUE (at, id));
SELECT create_hypertable('life.series', by_range('at'));
CREATE FUNCTION life.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER series_note BEFORE INSERT ON life.series FOR EACH ROW EXECUTE FUNCTION life.note();
INSERT INTO life.series VALUES ('2024-01-01', 1, 1), ('2025-01-01', 1, 2);
CREATE TABLE life.note (at timestamptz, id int,
  CONSTRAINT note_series FOREIGN KEY (at, id) REFERENCES life.series (at, id));
"""
AGGREGATE = """
CREATE MATERIALIZED VIEW life.daily WITH (timescaledb.continuous) AS
SELECT time_bucket('1 day', at) AS day, id, sum(value) AS total FROM life.series GROUP BY 1, 2 WITH NO DATA;
"""
HYPERTABLE = Hypertable(schema_="life", relation="series", time_column="at", chunk_interval="7 days")
FOREIGN_KEY = ForeignKey(
    schema_="life",
    relation="note",
    name="note_series",
    columns=("at", "id"),
    target_schema="life",
    target="series",
    target_columns=("at", "id"),
)
TRIGGER = Trigger(
    schema_="life",
    relation="series",
    name="series_note",
    timing="before",
    events=("insert",),
    function_schema="life",
    function="note",
)


@pytest.fixture
def on(shared_dsn: str) -> Iterator[Server]:
    with psycopg.connect(shared_dsn, prepare_threshold=None) as connection:
        yield Server(connection)
        connection.rollback()


def knowing(server: Server, *specs: Spec) -> None:
    """Lets the server's plans see these declarations."""
    server.context = Context(server.capabilities, Whole(specs))


def found(server: Server, kind: str) -> set[tuple[str, ...]]:
    """Identities of a kind in the schema of these tests."""
    return {identity for identity in kind_of(kind).read(server.catalog(kind, None)) if identity[0] == "life"}


def test_chunks_and_internals_are_not_read(on: Server) -> None:
    on.run(SERIES + AGGREGATE)
    assert found(on, "Trigger") == {("life", "series", "series_note")}
    assert found(on, "Index") == {("life", "series_at_idx")}
    assert found(on, "ForeignKey") == {("life", "series", "series_id_fkey"), ("life", "note", "note_series")}
    assert found(on, "Table") == {("life", "parent"), ("life", "series"), ("life", "note")}
    assert found(on, "MaterializedView") == found(on, "View") == set()


def test_what_cannot_be_declared_does_not_disturb_reading(on: Server) -> None:
    on.run("""
    CREATE SCHEMA life;
    CREATE TYPE life.nothing AS ENUM ();
    CREATE TYPE life.blank AS ENUM ('');
    CREATE TABLE life.bare ();
    CREATE AGGREGATE life.joined (text) (SFUNC = textcat, STYPE = text);
    CREATE TEMPORARY SEQUENCE passing;
    CREATE TABLE life.parts (id int GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (id)) PARTITION BY RANGE (id);
    CREATE TABLE life.part PARTITION OF life.parts FOR VALUES FROM (1) TO (10);
    """)
    assert found(on, "Enum") == found(on, "Function") == found(on, "Sequence") == found(on, "Index") == set()
    assert found(on, "Table") == {("life", "parts")}


def test_index_of_a_continuous_aggregate(on: Server) -> None:
    on.run(SERIES + AGGREGATE)
    knowing(on, ContinuousAggregate(schema_="life", name="daily", query="SELECT 1"))
    index = Index(
        schema_="life",
        relation="daily",
        name='Daily "total"',
        keys=(IndexKey(column="total", descending=True), IndexKey(expression="total + 1")),
        comment="first",
    )
    on.apply(on.plan(None, index))
    live = on.read("Index", index.identity())
    assert isinstance(live, Index)
    assert (live.relation, live.comment, live.keys[0]) == ("daily", "first", index.keys[0])
    renamed = index.model_copy(update={"name": "later", "comment": "second", "parameters": {"fillfactor": "70"}})
    on.apply(on.plan(index, renamed))
    live = on.read("Index", renamed.identity())
    assert isinstance(live, Index)
    assert (live.comment, live.parameters) == ("second", {"fillfactor": "70"})
    on.apply(on.plan(renamed, None))
    assert found(on, "Index") == {("life", "series_at_idx")}


def test_foreign_key_to_a_hypertable_is_rebuilt_to_defer_it(on: Server) -> None:
    on.run(SERIES)
    on.run("INSERT INTO life.note VALUES ('2024-01-01', 1)")
    deferred = FOREIGN_KEY.model_copy(update={"deferrable": True, "initially_deferred": True})
    knowing(on, HYPERTABLE)
    with pytest.raises(Rebuild):
        on.plan(FOREIGN_KEY, deferred)
    on.apply([*on.plan(FOREIGN_KEY, None), *on.plan(None, deferred)])
    on.run("DELETE FROM life.series WHERE at = '2024-01-01'")  # checked later: the row may come back before the commit
    on.run("INSERT INTO life.series VALUES ('2024-01-01', 1, 1); SET CONSTRAINTS ALL IMMEDIATE")


def test_trigger_of_a_hypertable_cannot_be_switched(on: Server) -> None:
    disabled = TRIGGER.model_copy(update={"enabled": "disabled"})
    knowing(on, HYPERTABLE)
    for old in (None, TRIGGER):
        with pytest.raises(Refused, match="hypertable"):
            on.plan(old, disabled)


def test_trigger_replaced_on_a_hypertable_reaches_its_chunks(on: Server) -> None:
    on.run(SERIES)
    on.apply(on.plan(TRIGGER, TRIGGER.model_copy(update={"events": ("insert", "delete")})))
    rows = on.connection.execute("SELECT tgtype FROM pg_trigger WHERE tgname = 'series_note'").fetchall()
    assert len(rows) == 3
    assert len(set(rows)) == 1


def losses(server: Server, old: Spec, new: Spec | None) -> list[Any]:
    """Answers of the probes of a plan, asked before it runs."""
    answers = []
    for statement in server.plan(old, new):
        for hazard in statement.hazards:
            if hazard.code == "data_loss":
                row = server.connection.execute(hazard.probe).fetchone()
                answers.append(row[0] if row else None)
    return answers


def table(*columns: Column, name: str = "thing", previously: str | None = None) -> Table:
    return Table(schema_="life", name=name, columns=columns, previously=previously)


def test_probes_tell_whether_there_is_anything_to_lose(on: Server) -> None:
    code, note = Column(name="code", type="text"), Column(name="note", type="text")
    old = table(code, note)
    on.run("CREATE SCHEMA life; CREATE SEQUENCE life.numbers")
    on.apply(on.plan(None, old))
    renamed = table(Column(name="Code", type="varchar(3)", previously="code"), name="Thing", previously="thing")
    numbers = Sequence(schema_="life", name="numbers")
    assert losses(on, old, None) == [False]
    assert losses(on, old, renamed) == [False, False]
    assert losses(on, numbers, None) == [False]
    on.run("INSERT INTO life.thing VALUES ('abc', NULL); SELECT nextval('life.numbers')")
    assert losses(on, old, None) == [True]
    assert losses(on, old, renamed) == [False, False]
    assert losses(on, numbers, None) == [True]
    on.run("INSERT INTO life.thing VALUES ('abcd', 'x')")
    assert losses(on, old, renamed) == [True, True]
