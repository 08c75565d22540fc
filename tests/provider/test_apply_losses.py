"""Data is never lost by surprise: refused at apply unless empty, allowed or disposable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.whole import Whole

from .engine import Engine, Failed, sql
from .things import a_table, changed, ledger

pytestmark = pytest.mark.server
Make = Callable[..., Engine]


@pytest.fixture
def make(make: Make, server: EmbeddedServer) -> Make:
    sql(server, "CREATE SCHEMA app")
    return make


@pytest.fixture
def engine(make: Make) -> Engine:
    return make()


def _fill(server: EmbeddedServer) -> None:
    sql(server, "INSERT INTO app.things VALUES (1, 'precious')")


def test_an_empty_table_may_go(engine: Engine, server: EmbeddedServer) -> None:
    engine.create(a_table())
    engine.delete(a_table())
    assert ledger(server) == []


def test_a_filled_table_may_not(engine: Engine, server: EmbeddedServer) -> None:
    engine.create(a_table())
    _fill(server)
    with pytest.raises(
        Failed, match=r'all rows of app\.things are lost.*add "drop:app\.things" to `allow`.*disposable'
    ):
        engine.delete(a_table())
    assert sql(server, "SELECT note FROM app.things") == [("precious",)]
    assert ledger(server) == [("Table", "app.things")]


def test_a_filled_table_may_go_by_its_token(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    engine.create(a_table())
    _fill(server)
    with pytest.raises(Failed, match="all rows"):
        engine.delete(a_table(allow=["drop:app.other"]))
    engine.delete(a_table(allow=["drop:app.things"]))
    assert ledger(server) == []


def test_a_filled_table_may_go_by_the_manifest(make: Make, server: EmbeddedServer) -> None:
    engine = make()
    engine.create(a_table())
    _fill(server)
    before = {"declarations": Whole([a_table()]).pack()}
    after = {"declarations": Whole().pack(), "allow": ["drop:app.things"]}
    assert engine.check("Manifest", after, before)[1] == []
    engine.delete(a_table())
    assert ledger(server) == []


def test_a_disposable_database_may_lose_all(make: Make, server: EmbeddedServer) -> None:
    engine = make(disposable=True)
    engine.create(a_table())
    _fill(server)
    engine.delete(a_table())
    assert ledger(server) == []


def _without_note(**more: Any) -> specs.Table:
    return a_table(columns=[{"name": "id", "type": "integer"}], **more)


def test_a_filled_column_may_not_go(engine: Engine, server: EmbeddedServer) -> None:
    engine.create(a_table())
    sql(server, "INSERT INTO app.things (id) VALUES (1)")
    engine.update(a_table(), _without_note())  # rows, but nothing in that column
    engine.update(_without_note(), a_table())
    _fill(server)
    with pytest.raises(Failed, match=r'values of column "note".*drop_column:note'):
        engine.update(a_table(), _without_note())
    assert sql(server, "SELECT count(note) FROM app.things") == [(1,)]
    engine.update(a_table(), _without_note(allow=["drop_column:note"]))


def test_a_rename_does_not_hide_a_loss(engine: Engine, server: EmbeddedServer) -> None:
    engine.create(a_table())
    _fill(server)
    with pytest.raises(Failed, match='values of column "note"'):
        engine.update(a_table(), _without_note(name="objects", previously="things"))
    assert sql(server, "SELECT note FROM app.things") == [("precious",)]


def test_a_narrower_column_may_not_cut(engine: Engine, server: EmbeddedServer) -> None:
    engine.create(a_table())
    _fill(server)
    narrow = a_table(columns=[{"name": "id", "type": "integer"}, {"name": "note", "type": "varchar(3)"}])
    with pytest.raises(Failed, match="do not fit"):
        engine.update(a_table(), narrow)
    unread = a_table(columns=[{"name": "id", "type": "integer"}, {"name": "note", "type": "integer"}])
    with pytest.raises(Failed, match="do not fit"):
        engine.update(a_table(), unread)
    assert sql(server, "SELECT note FROM app.things") == [("precious",)]


def test_retention_may_not_reach_existing_data(engine: Engine, server: EmbeddedServer) -> None:
    columns = [{"name": "at", "type": "timestamptz", "notNull": True}]
    table = specs.Table.from_wire({"schema": "app", "name": "series", "columns": columns})
    hypertable = specs.Hypertable(schema="app", relation="series", time_column="at", chunk_interval="1 day")
    year = specs.RetentionPolicy(schema="app", relation="series", drop_after="1 year")
    week = changed(year, dropAfter="7 days")
    for spec in (table, hypertable, year):
        engine.create(spec)
    engine.update(year, week)
    engine.update(week, year)
    sql(server, "INSERT INTO app.series VALUES (now() - interval '30 days')")
    with pytest.raises(Failed, match=r"chunks of app\.series older than 7 days.*retention:app\.series"):
        engine.update(year, week)
    engine.update(year, changed(week, allow=["retention:app.series"]))
