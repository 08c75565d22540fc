"""Changed aggregates on a server of many processes: readers, writers and policies at work meanwhile, and what newer
versions of TimescaleDB can do in place."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from . import aggregates as a
from . import native
from .aggregates import changed
from .engine import Engine, Failed
from .things import manifest, picture

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("native"),
    pytest.mark.skipif(not native.has_timescaledb(), reason=native.WHY_NO_TIMESCALEDB),
]
RICHER = a.HOURLY.replace("sum(kwh) AS kwh", "sum(kwh) AS kwh, max(kwh) AS top")
MIDDLE = a.HOURLY.replace("sum(kwh) AS kwh", "max(kwh) AS top, sum(kwh) AS kwh")
QUIET = [*(changed(spec, enabled=False) for spec in a.SATELLITES[:3]), a.SATELLITES[3]]
"""Policies that do not come in between."""


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with native.running(timescaledb=True) as dsn:
        yield dsn


@pytest.fixture
def sql(dsn: str) -> Iterator[a.Sql]:
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:

        def run(text: str) -> list[tuple[Any, ...]]:
            cursor = connection.execute(text.encode())
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

        yield run
        run("DROP SCHEMA IF EXISTS app CASCADE; DROP SCHEMA IF EXISTS pulumi_timescaledb CASCADE")
        for (name,) in run("SELECT rolname FROM pg_roles WHERE rolname LIKE 'app\\_%'"):
            run(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.fixture
def make(dsn: str, sql: a.Sql) -> Iterator[Callable[..., Engine]]:
    parts = conninfo_to_dict(dsn)
    made: list[Engine] = []

    def new(**more: Any) -> Engine:
        made.append(Engine(host=parts["host"], port=int(str(parts["port"])), user="postgres", **more))
        return made[-1]

    yield new
    for engine in made:
        engine.close()


class Beside:
    """Does something over and over in a thread with a connection of its own; keeps how long each took."""

    def __init__(self, dsn: str, statement: str, pause: float) -> None:
        self.dsn, self.statement, self.pause = dsn, statement, pause
        self.seconds: list[float] = []
        self.answers: list[Any] = []
        self.error: BaseException | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def _work(self) -> None:
        try:
            with psycopg.connect(self.dsn, autocommit=True, prepare_threshold=None) as connection:
                while not self._end.wait(self.pause):
                    begun = time.monotonic()
                    cursor = connection.execute(self.statement.encode())
                    self.seconds.append(time.monotonic() - begun)
                    self.answers.append(cursor.fetchone() if cursor.description else None)
        except BaseException as error:
            self.error = error

    def __enter__(self) -> Beside:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(30)
        if self.error is not None:
            raise self.error


def test_readers_writers_and_policies_go_on(make: Callable[..., Engine], sql: a.Sql, dsn: str) -> None:
    often = changed(a.SATELLITES[0], scheduleInterval="1 second")
    satellites = [often, *a.SATELLITES[1:]]
    old, new = (
        a.estate(a.hourly(query), a.daily(), a.monthly(), satellites=satellites) for query in (a.HOURLY, MIDDLE)
    )
    a.create(make(), old)
    a.fill(sql)
    sql("REFRESH MATERIALIZED VIEW app.kept")
    read = (
        "SELECT (SELECT count(*) FROM app.hourly), (SELECT count(*) FROM app.shown), (SELECT count(*) FROM app.monthly)"
    )
    before = sql(read)[0]
    write = "INSERT INTO app.raw SELECT now() - random() * interval '20 days', 3, 1"
    with Beside(dsn, read, 0.005) as reader, Beside(dsn, write, 0.005) as writer:
        a.update(make(), old, new)
    assert len(reader.answers) > 20
    assert len(writer.seconds) > 20
    for answer in reader.answers:  # never empty, never less than before
        assert all(now >= then for now, then in zip(answer, before, strict=True)), (answer, before)
    assert max(writer.seconds) < 2.5, "longer than lock_timeout and one pause"
    assert max(reader.seconds) < 2.5
    print(f"longest read {max(reader.seconds):.3f} s, longest insert {max(writer.seconds):.3f} s")
    for name in ("hourly", "daily", "monthly"):
        a.refresh(sql, name)
    a.assert_recomputed(sql, a.hourly(MIDDLE), a.daily(), a.monthly())
    a.assert_nothing_left(sql)
    a.assert_as_declared(make(), new)


def test_two_runs_at_once(make: Callable[..., Engine], sql: a.Sql) -> None:
    """One does it, the other fails with a sentence or finds it done; nothing is doubled."""
    old, new = (a.estate(a.hourly(query), a.daily(), a.monthly()) for query in (a.HOURLY, MIDDLE))
    a.create(make(), old)
    a.fill(sql)
    both = [make(), make()]
    for engine in both:
        picture(engine, old, new)
    calls = [engine.begin("Update", **engine.updating(a.hourly(), a.hourly(MIDDLE))) for engine in both]
    failures = []
    for call in calls:
        try:
            call.result(60)
        except Failed as error:
            failures.append(error.details() or "")
    assert len(failures) <= 1
    assert all("another run is at work on it" in each for each in failures), failures
    a.assert_recomputed(sql, a.hourly(MIDDLE), a.daily(), a.monthly())
    a.assert_nothing_left(sql)
    a.assert_as_declared(make(), new)


def test_a_column_is_added_in_place(make: Callable[..., Engine], sql: a.Sql) -> None:
    """Nothing is built, so it does not matter that the raw data is gone."""
    old, new = (a.estate(a.hourly(q), a.daily(), a.monthly(), satellites=QUIET) for q in (a.HOURLY, RICHER))
    a.create(make(), old)
    a.fill(sql)
    sql("SELECT compress_chunk(c, true) FROM show_chunks('app.hourly') c")
    sql("SELECT drop_chunks('app.raw', timestamptz '2025-03-01')")
    rows = sql("SELECT device, hour, kwh FROM app.hourly ORDER BY 1, 2")
    engine = make()
    picture(engine, old, new)
    engine.update(a.hourly(), a.hourly(RICHER), preview=True)
    (shown,) = engine.logs()
    assert 'ADD COLUMN "top" double precision\n  GENERATED ALWAYS AS (max(kwh)) STORED' in shown
    assert 'buckets that exist show NULL in "top" until they are refreshed by force' in shown
    a.update(make(), old, new)
    assert sql("SELECT device, hour, kwh FROM app.hourly ORDER BY 1, 2") == rows
    assert sql("SELECT count(top) FROM app.hourly") == [(0,)]
    assert sql("SELECT count(*) FROM pulumi_timescaledb.history WHERE verb = 'update'") == [(1,)]
    a.assert_as_declared(make(), new)
    sql("CALL refresh_continuous_aggregate('app.hourly', '2025-03-06', NULL, force => true)")
    query = f"SELECT * FROM ({RICHER}) q WHERE hour >= '2025-03-06'"
    assert sql(f"({query}) EXCEPT SELECT * FROM app.hourly") == []


def test_renamed_and_added_at_once(make: Callable[..., Engine], sql: a.Sql) -> None:
    old = a.estate(a.hourly(), satellites=[], standing=[])
    a.create(make(), old)
    a.fill(sql, "2025-02-01", "hourly")
    query = RICHER.replace("AS kwh", "AS energy").replace(
        "AS top", 'AS top, count(*) FILTER (WHERE kwh > 3) AS "a \'b"'
    )
    both = a.hourly(query, renamedColumns={"energy": "kwh"}, columnComments={"energy": "energy", "top": "new"})
    new = a.estate(both, satellites=[], standing=[])
    a.update(make(), old, new)
    sql("CALL refresh_continuous_aggregate('app.hourly', NULL, NULL, force => true)")
    a.assert_recomputed(sql, both)
    a.assert_as_declared(make(), new)
    assert sql("SELECT count(*) FROM pulumi_timescaledb.history WHERE verb = 'update'") == [(1,)]


def test_a_column_in_the_middle_is_not_an_addition(make: Callable[..., Engine], sql: a.Sql) -> None:
    old = a.estate(a.hourly(), a.daily(), satellites=a.SATELLITES[:1], standing=a.STANDING[:1])
    middle = a.hourly(MIDDLE)
    new = a.estate(middle, a.daily(), satellites=a.SATELLITES[:1], standing=a.STANDING[:1])
    a.create(make(), old)
    a.fill(sql, "2025-02-01", "hourly", "daily")
    a.update(make(), old, new)
    a.assert_recomputed(sql, middle, a.daily())
    a.assert_nothing_left(sql)
    a.assert_as_declared(make(), new)


def test_an_upper_one_follows_a_rename_it_was_told_of(make: Callable[..., Engine], sql: a.Sql) -> None:
    """Losses are looked for before anything runs: the upper one is judged as it will be when its turn comes."""
    old = a.everything()
    a.create(make(), old)
    a.fill(sql)
    sql("SELECT drop_chunks('app.raw', timestamptz '2025-03-01')")
    lower = a.hourly(a.HOURLY.replace("AS kwh", "AS energy"), renamedColumns={"energy": "kwh"}, columnComments={})
    upper = a.daily(a.DAILY.replace("sum(kwh) AS kwh", "sum(energy) AS kwh, max(energy) AS top"))
    index = changed(a.SATELLITES[3], keys=[{"column": "energy"}])
    new = a.estate(lower, upper, a.monthly(), satellites=[*a.SATELLITES[:3], index])
    assert make().check("Manifest", manifest(*new), manifest(*old))[1] == []
    a.update(make(), old, new)
    statements = sql("SELECT unnest(statements) FROM pulumi_timescaledb.history WHERE verb = 'update'")
    assert not any("CREATE MATERIALIZED" in text for (text,) in statements)
    a.assert_as_declared(make(), new)
