"""The lock that a plan announces is the lock that the server takes: for every statement of every life that runs on
plain PostgreSQL, read from pg_locks while the statement holds it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from pulumi_timescaledb import relations
from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.statement import LockLevel, Rebuild, Refused, Statement

from . import native
from .lifecycle import LifeCycle, Server
from .test_lifecycle import LIVES
from .test_online_lives import EMPTY

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("native"),
    pytest.mark.skipif(native.programs() is None, reason=native.WHY_NOT),
]
KINDS = (
    *("Table", "ForeignKey", "Index", "View", "MaterializedView", "Trigger", "RlsPolicy", "Sequence"),
    *("Function", "Enum", "Schema"),
)
LIVES_HERE = [
    life
    for life in LIVES
    if life.spec.KIND in KINDS
    and not any(
        word in text
        for text in (life.before, *(alter.before for alter in life.alters))
        for word in ("create_hypertable", "EXTENSION")
    )
]
TAKEN = """
SELECT l.mode FROM pg_locks l
WHERE l.pid = {pid} AND l.granted AND l.locktype = 'relation' AND l.relation = ANY({there})
"""
THERE = """
SELECT array_agg(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
LEVELS = list(LockLevel)


@pytest.fixture(scope="module")
def plain_dsn() -> Iterator[str]:
    with native.running() as dsn:
        yield dsn


def _level(modes: list[str]) -> LockLevel:
    """The strongest of pg_locks' modes ("ShareUpdateExclusiveLock")."""
    names = {level.replace(" ", "").lower() + "lock": level for level in LEVELS if level}
    found = [names[mode.lower()] for mode in modes if mode.lower() in names]
    return max(found, key=LEVELS.index, default=LockLevel.NONE)


def _waits_with(level: LockLevel) -> LockLevel:
    """Reading (ACCESS SHARE) makes nobody wait that a plan would have to warn."""
    return LockLevel.NONE if level == LockLevel.ACCESS_SHARE else level


def _in_transaction(connection: psycopg.Connection[Any], statement: Statement) -> LockLevel:
    there = connection.execute(THERE).fetchone()
    with connection.transaction():
        connection.execute("SET LOCAL search_path TO public")
        connection.execute(statement.executable().encode())
        query = TAKEN.format(pid="pg_backend_pid()", there="%s")
        return _level([mode for (mode,) in connection.execute(query.encode(), (there[0] if there else [],))])


def _concurrently(dsn: str, connection: psycopg.Connection[Any], statement: Statement) -> LockLevel:
    """It waits for a transaction that reads every table and may write, and is looked at meanwhile."""
    row = connection.execute(THERE).fetchone()
    with psycopg.connect(dsn) as writer, psycopg.connect(dsn, autocommit=True) as watcher:
        writer.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for table, is_table in _tables(connection):
            writer.execute(f"SELECT FROM {table}".encode())
            if is_table:
                writer.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE".encode())
        running = threading.Thread(target=connection.execute, args=(statement.executable().encode(),))
        running.start()
        pid, query = connection.info.backend_pid, TAKEN.format(pid="%s", there="%s")
        waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
        end = time.monotonic() + 20
        while time.monotonic() < end and not (watcher.execute(waits, (pid,)).fetchone() or (False,))[0]:
            time.sleep(0.01)
        modes = [mode for (mode,) in watcher.execute(query.encode(), (pid, row[0] if row else []))]
        writer.rollback()
        running.join(20)
        assert not running.is_alive()
    return _level(modes)


def _tables(connection: psycopg.Connection[Any]) -> list[tuple[str, bool]]:
    what = "c.oid::regclass::text, c.relkind = 'r'"
    sql = f"SELECT {what} FROM pg_class c WHERE c.oid = ANY(({THERE})::oid[]) AND c.relkind IN ('r', 'm')"
    return connection.execute(sql.encode()).fetchall()


def _plan(server: Server, old: Spec | None, new: Spec | None) -> list[Statement]:
    """As for a relation in use, whether it holds rows or not."""
    live = {name: replace(each, in_use=True) for name, each in server.relations(old, new).items()}
    kind = kind_of((old or new).KIND)  # type: ignore[union-attr]
    try:
        return kind.plan(old, new, replace(server.context, live=live))
    except (Rebuild, Refused):
        return []


@pytest.mark.parametrize("life", LIVES_HERE, ids=str)
def test_predicted_locks_are_the_ones_taken(life: LifeCycle, plain_dsn: str) -> None:
    wrong: list[str] = []
    changes: list[tuple[Spec, Spec | None, str]] = [(life.spec, None, "")]
    changes += [(life.spec, life.spec.model_copy(update=a.change), a.before) for a in life.alters]
    with psycopg.connect(plain_dsn, autocommit=True) as connection:
        for old, new, before in changes:
            for sql in (EMPTY, "DROP SCHEMA public CASCADE; CREATE SCHEMA public", life.before):
                connection.execute(sql.encode())
            server = Server(connection)
            steps = [(None, old, ""), (old, new and type(new).from_wire(new.to_wire()), before)]
            for source, target, first in steps:
                if first:
                    connection.execute(first.encode())
                for statement in _plan(server, source, target):
                    if statement.transactional or "CONCURRENTLY" not in statement.sql:
                        taken = _in_transaction(connection, statement)
                    else:
                        taken = _concurrently(plain_dsn, connection, statement)
                    if _waits_with(taken) != _waits_with(statement.lock):
                        wrong.append(f"{statement.lock or 'none'} predicted, {taken or 'none'} taken: {statement.sql}")
    assert not wrong, "\n".join(dict.fromkeys(wrong))


def test_relations_without_the_extension_are_seen(plain_dsn: str) -> None:
    with psycopg.connect(plain_dsn, autocommit=True) as connection:
        connection.execute(EMPTY.encode())
        connection.execute(
            "CREATE SCHEMA life; CREATE TABLE life.empty (); CREATE TABLE life.parted (a int) PARTITION BY LIST (a)"
        )
        connection.execute(
            "CREATE TABLE life.full AS SELECT 1 AS a; CREATE INDEX pulumi_timescaledb_new_x ON life.full (a)"
        )
        server = Server(connection)
        names = [("life", name) for name in ("empty", "full", "parted", "missing")]
        sql = relations.select_sql(names, server.capabilities)
        cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
        found = relations.from_rows(cursor.execute(sql.encode()).fetchall())
    assert {name[1]: (each.in_use, each.plain, each.leftovers) for name, each in found.items()} == {
        "empty": (False, True, ()),
        "full": (True, True, ("pulumi_timescaledb_new_x",)),
        "parted": (True, False, ()),
    }
