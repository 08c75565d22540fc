"""What a change makes writers wait for, on a server of many processes, with locks that the test itself holds."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest

from flowsctl.reports.waits import APPLICATION, MOST_CHUNKS, PROVIDER, TEXT, UNREACHED, Watch
from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.executor import DDL_SESSION
from pulumi_timescaledb.local.ports import free_port
from pulumi_timescaledb.plan import Step
from pulumi_timescaledb.specs.table import Column, Table
from pulumi_timescaledb.statement import LockLevel, Statement

from . import native

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("waits"),
    pytest.mark.skipif(native.programs() is None, reason=native.WHY_NOT),
]
SECRET = "hunter2-hunter2"
HELD = 1.3
"""Longer than a canary's patience: it comes again, and its wait goes on."""
SLOW = f"DO $$ BEGIN LOCK TABLE s.one IN ACCESS EXCLUSIVE MODE; PERFORM pg_sleep({HELD}); END $$"


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with native.running() as found:
        yield found


@pytest.fixture(autouse=True)
def tables(dsn: str) -> Iterator[None]:
    with psycopg.connect(dsn, autocommit=True) as session:
        session.execute("CREATE SCHEMA s; CREATE TABLE s.one (id int); CREATE TABLE s.two (id int)")
        yield
        session.execute("DROP SCHEMA s CASCADE")
        left = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'flowsctl%'"
        deadline = time.monotonic() + 5  # a backend ends a moment after its client
        while session.execute(left).fetchone() != (0,):
            assert time.monotonic() < deadline, "a session of the watch was left"
            time.sleep(0.02)


def step(*statements: Statement) -> Step:
    return Step("update", Table(schema_="s", name="one", columns=(Column(name="id", type="integer"),)), statements)


def watch(dsn: str, *statements: Statement) -> Watch:
    there = psycopg.conninfo.conninfo_to_dict(dsn)
    settings = ConnectionSettings(host=str(there["host"]), port=int(str(there["port"])), user="postgres")
    return Watch(settings, [("s", "two"), ("s", "one")], [step(*statements)], ["s"])


def provider(dsn: str) -> psycopg.Connection[tuple[object, ...]]:
    """A session that is called as the provider's are."""
    return psycopg.connect(dsn, autocommit=True, application_name=PROVIDER, prepare_threshold=None)


def settled(dsn: str) -> None:
    """Waits until the watch has its sessions."""
    with psycopg.connect(dsn, autocommit=True) as session:
        query = "SELECT count(DISTINCT application_name) FROM pg_stat_activity WHERE application_name LIKE 'flowsctl%'"
        deadline = time.monotonic() + 20
        while session.execute(query).fetchone() != (3,):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.2)


def test_a_lone_statement_is_measured_with_what_it_locks_and_who_waits(dsn: str) -> None:
    with watch(dsn, Statement(SLOW, LockLevel.ACCESS_EXCLUSIVE, transactional=False)) as seen, provider(dsn) as session:
        settled(dsn)
        session.execute(SLOW.encode())
    assert seen.locks == {"Table s.one": {"s.one": LockLevel.ACCESS_EXCLUSIVE}}
    found = seen.waits
    assert list(found.tables) == ["s.one", "s.two"]
    one, two = found.tables.values()
    assert HELD - 0.1 <= one.seconds < HELD + 2
    assert one.blocker == f"Table s.one: {SLOW}"[: len("Table s.one: ") + TEXT]
    assert (two.seconds, two.blocker) == (0, "")
    assert found.longest == one.seconds == found.as_json()["tables"]["s.one"]["seconds"]


def test_a_lock_that_a_transaction_still_holds_is_its_steps(dsn: str) -> None:
    first = Statement("LOCK TABLE s.one IN SHARE MODE", LockLevel.SHARE)
    with watch(dsn, first, Statement("SELECT 1")) as seen, provider(dsn) as session:
        settled(dsn)
        with session.transaction():
            session.execute(f"{DDL_SESSION}\n;\n{first.sql}".encode())
            time.sleep(0.2)
            session.execute("SELECT pg_sleep(0.4)")
    assert seen.locks == {"Table s.one": {"s.one": LockLevel.SHARE}}
    assert seen.waits.tables["s.one"].blocker == "Table s.one: LOCK TABLE s.one IN SHARE MODE"


def test_a_secret_is_not_told(dsn: str) -> None:
    """Neither the plan's, which a placeholder stands for, nor one of a session that is no part of the plan."""
    waiting = "LOCK TABLE s.one IN SHARE MODE; SELECT pg_sleep(0.4)"
    planned = Statement(f"SELECT 1, '{{secret}}'; {waiting}", secrets=(("{secret}", SECRET),), transactional=False)
    with watch(dsn, planned) as seen, provider(dsn) as session:
        settled(dsn)
        session.execute(planned.executable().encode())
    wait = seen.waits.tables["s.one"]
    assert wait.blocker == f"Table s.one: {planned.sql}"
    with watch(dsn) as seen, provider(dsn) as session:
        settled(dsn)
        session.execute(f"LOCK TABLE s.one IN SHARE MODE; SELECT pg_sleep(0.4), '{SECRET}'".encode())
    assert seen.waits.tables["s.one"].blocker == "LOCK TABLE s.one IN SHARE MODE; SELECT pg_sleep(0.4),"


def test_a_lock_on_a_part_stops_whoever_writes_into_the_whole(dsn: str) -> None:
    with provider(dsn) as session:
        session.execute("DROP TABLE s.one; CREATE TABLE s.one (id int) PARTITION BY LIST (id)")
        session.execute("CREATE TABLE s.part PARTITION OF s.one FOR VALUES IN (1)")
        with watch(dsn) as seen:
            settled(dsn)
            session.execute("LOCK TABLE s.part IN SHARE MODE; SELECT pg_sleep(0.4)")
        assert seen.waits.tables["s.one"].seconds >= 0.3
        for number in range(2, MOST_CHUNKS + 2):
            session.execute(f"CREATE TABLE s.part{number} PARTITION OF s.one FOR VALUES IN ({number})".encode())
        with watch(dsn) as seen:
            settled(dsn)
            session.execute("LOCK TABLE s.part IN SHARE MODE; SELECT pg_sleep(0.4)")
        assert seen.waits.tables["s.one"].seconds == 0, "only the table itself, where the parts are too many"


def test_tables_come_and_go(dsn: str) -> None:
    with watch(dsn) as seen, provider(dsn) as session:
        settled(dsn)
        session.execute("DROP TABLE s.two")
        session.execute("LOCK TABLE s.one IN SHARE MODE; SELECT pg_sleep(0.4)")
    assert seen.waits.tables["s.one"].seconds >= 0.3
    assert seen.waits.tables["s.two"].seconds == 0


def test_a_writer_is_hardly_kept_by_the_watch_itself(dsn: str) -> None:
    with watch(dsn), provider(dsn) as session:
        settled(dsn)
        session.execute("SET lock_timeout TO 2000")
        for _ in range(50):
            session.execute("BEGIN; LOCK TABLE s.one, s.two IN ACCESS EXCLUSIVE MODE; ROLLBACK")


def test_a_server_that_is_not_there_is_told_as_such() -> None:
    settings = ConnectionSettings(host="127.0.0.1", port=free_port(), user="postgres")
    with Watch(settings, [("s", "one")], [], ["s"]) as seen:
        time.sleep(0.3)
    assert seen.waits.note == UNREACHED
    assert APPLICATION not in str(seen.waits.as_json())


def test_a_change_that_takes_the_part_before_the_whole_is_not_the_victim_of_the_watch(dsn: str) -> None:
    """The watch comes to the table and waits for its part; the change has the part and comes to the table."""
    with provider(dsn) as session:
        session.execute("DROP TABLE s.one; CREATE TABLE s.one (id int) PARTITION BY LIST (id)")
        session.execute("CREATE TABLE s.part PARTITION OF s.one FOR VALUES IN (1)")
        with watch(dsn) as seen:
            settled(dsn)
            with session.transaction():
                session.execute("LOCK TABLE s.part IN ACCESS EXCLUSIVE MODE")
                session.execute("SELECT pg_sleep(0.2)")
                session.execute("LOCK TABLE s.one IN ACCESS EXCLUSIVE MODE")
        assert seen.waits.tables["s.one"].seconds >= 0.2
