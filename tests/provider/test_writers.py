"""Writers insert on during every change in place: no insert waits longer than one lock timeout and one retry pause.

What a change does with every row is made slow on purpose (a check and an index over a function that sleeps), so that a
statement which kept writers out while it reads would keep them out for seconds. The waits are printed.

On a hypertable an index is built chunk by chunk, so a writer waits for that of its own chunk: the chunk of the writers
is kept small here, and the rows of all chunks together would take too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.executor import LONGEST_PAUSE
from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.recording import Caller
from pulumi_timescaledb.specs import Spec

from . import native
from .things import changed

pytestmark = [pytest.mark.server, pytest.mark.load, pytest.mark.xdist_group("native")]
CALLER = Caller("dev", "urn:writers")
PATIENCE = ConnectionSettings().lock_timeout / 1000 + LONGEST_PAUSE
"""Seconds."""
ROWS = 3000
SLOW = """
CREATE SCHEMA app;
CREATE FUNCTION app.slow(n integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE
  AS 'BEGIN PERFORM pg_sleep(0.002); RETURN n; END';
CREATE TABLE app.owners (id integer PRIMARY KEY);
INSERT INTO app.owners SELECT generate_series(0, 9);
"""
TABLE = specs.Table.from_wire(
    {
        "schema": "app",
        "name": "readings",
        "columns": [
            {"name": "at", "type": "timestamptz", "notNull": True, "default": "clock_timestamp()"},
            {"name": "id", "type": "integer", "notNull": True},
            {"name": "owner", "type": "integer", "default": "1"},
            {"name": "note", "type": "varchar(10)", "default": "'x'"},
        ],
    }
)
INDEX = specs.Index.from_wire(
    {"schema": "app", "relation": "readings", "name": "slowly", "keys": [{"expression": "app.slow(id)"}]}
)
KEY = specs.ForeignKey.from_wire(
    {
        "schema": "app",
        "relation": "readings",
        "name": "readings_owner",
        "columns": ["owner"],
        "targetSchema": "app",
        "target": "owners",
        "targetColumns": ["id"],
    }
)


def table(base: specs.Table, **columns: dict[str, Any] | None) -> specs.Table:
    """`base` with columns changed or added."""
    known = {each["name"]: each for each in base.to_wire()["columns"]}
    for name, change in columns.items():
        known[name] = {**known.get(name, {"name": name, "type": "integer"}), **(change or {})}
    return changed(base, columns=list(known.values()))


def changes_of_a_table() -> list[tuple[str, Spec | None, Spec | None]]:
    """(what, before, after) one after the other."""
    key = ["id", "at"]
    stages = [("", TABLE)]

    def then(what: str, new: specs.Table) -> None:
        stages.append((what, new))

    then("column more", table(TABLE, more={"type": "text"}))
    then("column with a default", table(stages[-1][1], count={"default": "0", "notNull": True}))
    then("default", table(stages[-1][1], owner={"default": "2"}))
    then("not null", table(stages[-1][1], owner={"notNull": True}))
    then("wider", table(stages[-1][1], note={"type": "varchar(20)"}))
    then("check", changed(stages[-1][1], checks=[{"name": "slow", "expression": "app.slow(id) >= 0"}]))
    then("check renamed", changed(stages[-1][1], checks=[{"name": "slower", "expression": "app.slow(id) >= 0"}]))
    then("unique", changed(stages[-1][1], unique=[{"name": "once", "columns": key}]))
    then("primary key", changed(stages[-1][1], primaryKey={"name": "readings_pkey", "columns": key}))
    then("another primary key", changed(stages[-1][1], primaryKey={"name": "again", "columns": ["at", "id"]}))
    then("column renamed", table(stages[-1][1], more={"name": "rest", "previously": "more"}))
    then("comment", changed(stages[-1][1], comment="written to"))
    then("no checks", changed(stages[-1][1], checks=[]))
    found: list[tuple[str, Spec | None, Spec | None]] = [
        (what, stages[number - 1][1], new) for number, (what, new) in enumerate(stages) if number
    ]
    renamed = changed(INDEX, name="by_owner", previously="slowly", keys=[{"column": "owner"}])
    other = changed(INDEX, keys=[{"expression": "app.slow(id)"}, {"column": "owner"}])
    found += [
        ("foreign key", None, KEY),
        ("foreign key deferrable", KEY, changed(KEY, deferrable=True)),
        ("index", None, INDEX),
        ("index rebuilt", INDEX, other),
        ("index renamed", other, changed(other, name="by_slow", previously="slowly")),
        ("index dropped", changed(other, name="by_slow"), None),
        ("index by another name and keys", None, renamed),
    ]
    return found


@dataclass
class Writers:
    """Inserts by several connections, each waiting for its own; `worst` by the change that went on meanwhile."""

    dsn: str
    pause: float
    worst: dict[str, float] = field(default_factory=dict)
    during: str = ""
    inserted: int = 0
    failed: list[BaseException] = field(default_factory=list)

    def write(self, number: int, stop: threading.Event) -> None:
        try:
            with psycopg.connect(self.dsn, autocommit=True) as connection:
                while not stop.is_set():
                    during, begun = self.during, time.monotonic()
                    if number:
                        connection.execute("INSERT INTO app.readings (id) VALUES (nextval('app.ids'))")
                    else:  # one of them holds its lock for a while
                        with connection.transaction():
                            connection.execute("INSERT INTO app.readings (id) VALUES (nextval('app.ids'))")
                            begun_again = time.monotonic()
                            time.sleep(0.3)
                            begun += time.monotonic() - begun_again
                    waited = time.monotonic() - begun
                    for each in {during, self.during}:
                        self.worst[each] = max(self.worst.get(each, 0.0), waited)
                    self.inserted += 1
                    time.sleep(self.pause)
        except BaseException as error:
            self.failed.append(error)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        stop = threading.Event()
        threads = [threading.Thread(target=self.write, args=(number, stop)) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)


def carry_out(dsn: str, hypertable: bool) -> Writers:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SLOW.encode())
        native.on(dsn, lambda applier: applier.apply(kind_of("Table"), None, TABLE, CALLER))
        if hypertable:
            spec = specs.Hypertable.from_wire(
                {"schema": "app", "relation": "readings", "timeColumn": "at", "chunkInterval": "1 day"}
            )
            native.on(dsn, lambda applier: applier.apply(kind_of("Hypertable"), None, spec, CALLER))
        connection.execute(
            "CREATE SEQUENCE app.ids START 100000; INSERT INTO app.readings (at, id, owner) "
            f"SELECT now() - (g % 12 + 1) * interval '1 day', g, g % 10 FROM generate_series(1, {ROWS}) g".encode()
        )
        writers = Writers(dsn, pause=0.3 if hypertable else 0.02)
        took: dict[str, float] = {}
        with writers.going_on():
            for what, old, new in changes_of_a_table():
                kind = kind_of((old or new).KIND)  # type: ignore[union-attr]
                writers.during, begun = what, time.monotonic()
                if new is None:
                    native.on(dsn, lambda applier: applier.delete(kind, old, CALLER))  # noqa: B023
                else:
                    native.on(dsn, lambda applier: applier.apply(kind, old, new, CALLER))  # noqa: B023
                took[what] = time.monotonic() - begun
        for what, seconds in took.items():
            print(f"{what:32} {seconds:6.2f} s, longest insert {writers.worst.get(what, 0.0):5.2f} s")
        there = connection.execute("SELECT count(*) FROM app.readings").fetchone()
    assert not writers.failed
    assert there == (ROWS + writers.inserted,)
    return writers


@pytest.mark.skipif(native.programs() is None, reason=native.WHY_NOT)
def test_a_plain_table(capsys: pytest.CaptureFixture[str]) -> None:
    with native.running() as dsn, capsys.disabled():
        print()
        writers = carry_out(dsn, hypertable=False)
    assert {what: wait for what, wait in writers.worst.items() if wait > PATIENCE} == {}


@pytest.mark.skipif(not native.has_timescaledb(), reason=native.WHY_NO_TIMESCALEDB)
def test_a_hypertable(capsys: pytest.CaptureFixture[str]) -> None:
    with native.running(timescaledb=True) as dsn, capsys.disabled():
        print()
        writers = carry_out(dsn, hypertable=True)
    assert {what: wait for what, wait in writers.worst.items() if wait > PATIENCE} == {}
