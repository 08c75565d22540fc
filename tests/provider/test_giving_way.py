"""Where a change and a client wait for each other, the change is the one that gives way, and then comes through."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from pulumi_timescaledb.apply import Applier
from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.executor import retried, transaction

from . import native

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("native"),
    pytest.mark.skipif(native.programs() is None, reason=native.WHY_NOT),
]
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'first'::regclass"


@pytest.fixture
def server() -> Iterator[str]:
    with native.running() as dsn:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE first (); CREATE TABLE second ()")
        yield dsn


def client(dsn: str, has_second: threading.Event, may_go: threading.Event, seen: list[str]) -> None:
    """Writes to the one table, then to the other, which the change has meanwhile."""
    with psycopg.connect(dsn) as connection:
        try:
            connection.execute("INSERT INTO second DEFAULT VALUES")
            has_second.set()
            assert may_go.wait(20)
            connection.execute("INSERT INTO first DEFAULT VALUES")
            connection.commit()
            seen.append("committed")
        except psycopg.errors.DeadlockDetected:
            seen.append("ended by the server")


def change(dsn: str, has_second: threading.Event, may_go: threading.Event) -> Callable[[Applier], object]:
    async def work(applier: Applier) -> int:
        tries = 0

        async def once() -> None:
            nonlocal tries
            tries += 1
            async with transaction(applier.database) as connection:
                await connection.execute("LOCK TABLE first IN ACCESS EXCLUSIVE MODE")
                may_go.set()
                while tries == 1 and native.value(dsn, WAITING) == 0:
                    pass
                await connection.execute("ALTER TABLE second ADD COLUMN IF NOT EXISTS a integer")

        assert has_second.wait(20)
        await retried(once)
        return tries

    return work


def test_a_client_is_no_deadlocks_victim(server: str) -> None:
    has_second, may_go, seen = threading.Event(), threading.Event(), []
    writer = threading.Thread(target=client, args=(server, has_second, may_go, seen))
    writer.start()
    # Longer than deadlock_timeout: no lock timeout ends the wait before.
    tries = native.on(server, change(server, has_second, may_go), lock_timeout=10_000)  # type: ignore[arg-type]
    writer.join(20)
    assert seen == ["committed"]
    assert tries == 2
    assert native.value(
        server, "SELECT count(*) FROM pg_attribute WHERE attrelid = 'second'::regclass AND attname = 'a'"
    )


def test_who_may_not_set_it_changes_all_the_same(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE ROLE plain LOGIN; GRANT CREATE ON SCHEMA public TO plain")

    parts = conninfo_to_dict(server)
    reach = ConnectionSettings(host=str(parts["host"]), port=int(str(parts["port"])), user="plain")

    async def run() -> object:
        database = Database(reach)
        try:
            async with transaction(database) as connection:
                await connection.execute("CREATE TABLE third ()")
                row = await (await connection.execute("SHOW deadlock_timeout")).fetchone()
                return row[0] if row else None
        finally:
            await database.close()

    assert asyncio.run(run()) == "1s"
    assert native.value(server, "SELECT 'third'::regclass::text") == "third"
