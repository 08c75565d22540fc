"""Changes that go in steps, on a server of many processes: broken off anywhere they are finished by the next run, and
one that the server refuses leaves nothing behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from pulumi_timescaledb import specs, steps
from pulumi_timescaledb.apply import Applier
from pulumi_timescaledb.errors import ProviderError, Unreachable
from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.recording import Caller
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.statement import Statement
from pulumi_timescaledb.whole import Whole

from . import native
from .things import a_table, changed

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("native"),
    pytest.mark.skipif(native.programs() is None, reason=native.WHY_NOT),
]
CALLER = Caller("dev", "urn:steps")
TABLE = a_table()
ID = {"name": "id", "type": "integer"}
INDEX = specs.Index.from_wire({"schema": "app", "relation": "things", "name": "noted", "keys": [{"column": "note"}]})
OTHER_KEYS = changed(INDEX, keys=[{"expression": "lower(note)"}, {"column": "id"}], comment="both")
KEY = specs.ForeignKey.from_wire(
    {
        "schema": "app",
        "relation": "things",
        "name": "things_owner",
        "columns": ["id"],
        "targetSchema": "app",
        "target": "owners",
        "targetColumns": ["id"],
    }
)
ALL_AT_ONCE = changed(
    TABLE,
    name="objects",
    previously="things",
    columns=[
        {"name": "id", "type": "integer", "notNull": True},
        {"name": "remark", "type": "text", "previously": "note", "default": "'none'"},
    ],
    primaryKey={"name": "objects_pkey", "columns": ["id"]},
    unique=[{"name": "remarked", "columns": ["remark", "id"]}],
    checks=[{"name": "positive", "expression": "id > 0"}, {"name": "short", "expression": "length(remark) < 99"}],
)
"""Two names, NOT NULL, two keys and two checks: a rename, three transactions and five statements on their own."""
CASES: dict[str, tuple[Spec | None, Spec]] = {
    "an index": (None, INDEX),
    "other keys of an index": (INDEX, OTHER_KEYS),
    "a foreign key": (None, KEY),
    "another foreign key": (KEY, changed(KEY, onDelete="cascade")),
    "a table": (TABLE, ALL_AT_ONCE),
}


@pytest.fixture(scope="module")
def native_dsn() -> Iterator[str]:
    with native.running() as dsn:
        yield dsn


@pytest.fixture
def dsn(native_dsn: str) -> str:
    """A table with rows, in use."""
    run(
        native_dsn,
        "DROP SCHEMA IF EXISTS app CASCADE; DROP SCHEMA IF EXISTS pulumi_timescaledb CASCADE; CREATE SCHEMA app; "
        "CREATE TABLE app.owners (id integer PRIMARY KEY); INSERT INTO app.owners SELECT generate_series(1, 100)",
    )
    made(native_dsn, None, TABLE)
    run(native_dsn, "INSERT INTO app.things SELECT g, 'note ' || g FROM generate_series(1, 100) g")
    return native_dsn


def run(dsn: str, sql: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(sql.encode())


def made(dsn: str, old: Spec | None, new: Spec, **settings: Any) -> list[Statement]:
    return native.on(dsn, lambda applier: applier.apply(kind_of(new.KIND), old, new, CALLER), **settings)


def rows(dsn: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(sql.encode()).fetchall()


def shape(dsn: str) -> list[tuple[Any, ...]]:
    """Everything that stands in the schema, and what the ledger says of it."""
    return rows(
        dsn,
        "SELECT c.relname, c.relkind::text, pg_get_indexdef(c.oid), i.indisvalid FROM pg_class c LEFT JOIN pg_index i "
        "ON i.indexrelid = c.oid WHERE c.relnamespace = 'app'::regnamespace UNION ALL "
        "SELECT conname, contype::text, pg_get_constraintdef(oid), convalidated FROM pg_constraint "
        "WHERE connamespace = 'app'::regnamespace UNION ALL "
        "SELECT c.relname, attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute a "
        "JOIN pg_class c ON c.oid = a.attrelid WHERE relnamespace = 'app'::regnamespace AND attnum > 0 UNION ALL "
        "SELECT kind, id, step, NULL FROM pulumi_timescaledb.ledger ORDER BY 1, 2, 3",
    )


@contextmanager
def breaking_off_after(count: int, patch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The process is gone after that many steps: transactions and statements on their own. Gives the steps begun."""
    begun: list[int] = []

    def counted(work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def step(*arguments: Any, **more: Any) -> Any:
            begun.append(len(begun))
            if len(begun) > count:
                raise ConnectionAbortedError
            return await work(*arguments, **more)

        return step

    with patch.context() as inner:
        inner.setattr(steps, "run_alone", counted(steps.run_alone))
        inner.setattr(Applier, "_next_step", counted(Applier._next_step))
        yield begun


@pytest.mark.parametrize("case", CASES)
def test_broken_off_after_any_step_it_is_finished_by_the_next_run(
    case: str, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = CASES[case]
    if old is not None and old is not TABLE:
        made(dsn, None, old)
    before, reached = shape(dsn), None
    for count in range(20):
        with breaking_off_after(count, monkeypatch) as begun:
            try:
                made(dsn, old, new)
            except ConnectionAbortedError:
                assert ("intent",) in rows(dsn, "SELECT step FROM pulumi_timescaledb.ledger")
            else:
                break
        made(dsn, old, new)
        finished = shape(dsn)
        assert reached in (None, finished)
        reached = finished
        assert rows(dsn, f"SELECT count(*) FROM app.{'objects' if case == 'a table' else 'things'}") == [(100,)]
        _back(dsn, old, new)
        assert shape(dsn) == before
    assert len(begun) >= 2
    assert shape(dsn) == reached


def _back(dsn: str, old: Spec | None, new: Spec) -> None:
    if new is ALL_AT_ONCE:
        columns = [{"name": "id", "type": "integer"}, {"name": "note", "type": "text", "previously": "remark"}]
        made(dsn, new, changed(TABLE, previously="objects", columns=columns))
    elif old is not None:
        made(dsn, new, old)
    else:
        native.on(dsn, lambda applier: applier.delete(kind_of(new.KIND), new, CALLER))


@pytest.mark.parametrize(
    ("old", "new", "broken"),
    [
        (None, changed(INDEX, unique=True), "UPDATE app.things SET note = 'same'"),
        (INDEX, changed(INDEX, unique=True), "UPDATE app.things SET note = 'same'"),
        (None, KEY, "DELETE FROM app.owners WHERE id = 7"),
        (TABLE, changed(TABLE, checks=[{"name": "small", "expression": "id < 100"}]), ""),
        (TABLE, changed(TABLE, unique=[{"name": "u", "columns": ["note"]}]), "UPDATE app.things SET note = 'same'"),
        (
            TABLE,
            changed(TABLE, columns=[ID, {"name": "note", "type": "text", "notNull": True}]),
            "UPDATE app.things SET note = NULL WHERE id = 3",
        ),
    ],
    ids=["unique index", "index made unique", "foreign key", "check", "unique", "not null"],
)
def test_a_refused_change_leaves_nothing(old: Spec | None, new: Spec, broken: str, dsn: str) -> None:
    if old is not None and old is not TABLE:
        made(dsn, None, old)
    if broken:
        run(dsn, broken)
    before = shape(dsn)
    with pytest.raises(ProviderError, match=r"could not create unique index|violate"):
        made(dsn, old, new)
    assert shape(dsn) == before


def test_a_build_whose_server_process_dies_is_made_again(dsn: str) -> None:
    """The connection is cut in the middle of CREATE INDEX CONCURRENTLY: the server keeps an invalid index."""
    failed: list[BaseException] = []

    def build() -> None:
        try:
            made(dsn, None, INDEX)
        except BaseException as error:
            failed.append(error)

    with psycopg.connect(dsn) as older:
        older.execute("UPDATE app.things SET note = note WHERE id = 1")
        builder = threading.Thread(target=build)
        builder.start()
        waits = "SELECT pid FROM pg_stat_activity WHERE query ~ '^CREATE INDEX CONC' AND wait_event_type = 'Lock'"
        end = time.monotonic() + 20
        while not (found := rows(dsn, waits)) and time.monotonic() < end:
            time.sleep(0.02)
        run(dsn, f"SELECT pg_terminate_backend({found[0][0]})")
        builder.join(20)
    assert isinstance(failed[0], Unreachable)
    assert rows(dsn, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'app.noted'::regclass") == [(False,)]
    texts = [statement.sql for statement in made(dsn, None, INDEX)]
    assert [text.split(' "')[0] for text in texts] == ["DROP INDEX CONCURRENTLY", "CREATE INDEX CONCURRENTLY"]
    assert rows(dsn, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'app.noted'::regclass") == [(True,)]
    assert rows(dsn, "SELECT step FROM pulumi_timescaledb.ledger WHERE kind = 'Index'") == [(None,)]


def test_an_index_follows_a_renamed_column(dsn: str) -> None:
    """The server carries it over: it is the same index afterwards, and nothing was built."""
    partial = changed(INDEX, keys=[{"column": "note"}, {"expression": "lower(note)"}], where="note <> 'x'")
    made(dsn, None, partial)
    was = rows(dsn, "SELECT 'app.noted'::regclass::oid")
    renamed = changed(TABLE, columns=[ID, {"name": "remark", "type": "text", "previously": "note"}])
    follows = changed(partial, keys=[{"column": "remark"}, {"expression": "lower(remark)"}], where="remark <> 'x'")

    async def both(applier: Applier) -> list[Statement]:
        applier.old_whole, applier.whole = Whole([TABLE, partial]), Whole([renamed, follows])
        await applier.apply(kind_of("Table"), TABLE, renamed, CALLER)
        return await applier.apply(kind_of("Index"), partial, follows, CALLER)

    assert native.on(dsn, both) == []
    assert rows(dsn, "SELECT 'app.noted'::regclass::oid") == was


def test_who_comes_next_on_a_relation_waits_for_its_turn(dsn: str) -> None:
    """A concurrent build that waits for an old transaction is no reason for other changes of its table to give up: they
    have a patience of 400 ms for a lock here, and the build takes longer than all their attempts together."""
    import asyncio

    async def all_three(applier: Applier) -> None:
        await asyncio.gather(
            applier.apply(kind_of("Index"), None, INDEX, CALLER),
            applier.apply(kind_of("ForeignKey"), None, KEY, CALLER),
            applier.apply(kind_of("Table"), TABLE, changed(TABLE, comment="later"), CALLER),
        )

    def release(older: psycopg.Connection[Any]) -> None:
        time.sleep(9)
        older.rollback()

    with psycopg.connect(dsn) as older:
        older.execute("UPDATE app.things SET note = note WHERE id = 1")
        threading.Thread(target=release, args=(older,)).start()
        native.on(dsn, all_three, lock_timeout=400)
    assert rows(dsn, "SELECT count(*) FROM pulumi_timescaledb.ledger WHERE step IS NULL") == [(3,)]
