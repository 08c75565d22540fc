"""The database of an environment on a shared server: copied from one in use, closed to everybody but its owner."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from flowsctl.environments import server_database
from flowsctl.environments.server_claim import Label, take
from flowsctl.errors import FlowsError

from . import native

pytestmark = pytest.mark.skipif(not native.has_timescaledb(), reason=native.WHY_NO_TIMESCALEDB)
ORIGIN = "origin"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with native.running(timescaledb=True) as dsn:
        with psycopg.connect(dsn, autocommit=True) as session:
            session.execute("CREATE ROLE reader LOGIN")
            session.execute(f"CREATE DATABASE {ORIGIN}")
        with psycopg.connect(at(dsn, ORIGIN), autocommit=True) as session:
            session.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
            session.execute("CREATE TABLE kept AS SELECT 1 AS x; GRANT SELECT ON kept TO PUBLIC")
        yield dsn


def at(dsn: str, database: str, user: str = "postgres") -> str:
    return dsn.replace("dbname=postgres", f"dbname={database}").replace("user=postgres", f"user={user}")


@contextmanager
def an_impatient_client(dsn: str) -> Iterator[list[float]]:
    """One that connects again at once, as PostgREST does; when it came in."""
    ended, came_in = threading.Event(), list[float]()

    def run() -> None:
        while not ended.is_set():
            try:
                with psycopg.connect(at(dsn, ORIGIN, "reader"), autocommit=True) as session:
                    came_in.append(time.monotonic())
                    while not ended.wait(0.01):
                        session.execute("SELECT 1")
            except psycopg.OperationalError:
                continue

    thread = threading.Thread(target=run)
    thread.start()
    try:
        while not came_in:
            time.sleep(0.01)
        yield came_in
    finally:
        ended.set()
        thread.join()


def test_a_client_that_comes_back_at_once_does_not_keep_a_database_from_being_copied(server: str) -> None:
    label = Label("flows", "env-impatient", "impatient", 0.0)
    with psycopg.connect(server, autocommit=True) as session, an_impatient_client(server) as came_in:
        take(session, label)
        with pytest.raises(FlowsError, match="is in use by 1 sessions"):
            server_database.copy(session, label, ORIGIN, disconnect=False)
        before = len(came_in)
        server_database.copy(session, label, ORIGIN, disconnect=True)
        deadline = time.monotonic() + 30
        while len(came_in) == before:  # let in again when the copy is made
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert native.value(at(server, label.database), "SELECT x FROM kept") == 1


@pytest.mark.parametrize("copied", [True, False], ids=["copied", "empty"])
def test_only_the_owner_gets_in(server: str, copied: bool) -> None:
    label = Label("flows", f"env-closed-{copied}", "closed", 0.0)
    with psycopg.connect(server, autocommit=True) as session:
        take(session, label)
        if copied:
            server_database.copy(session, label, ORIGIN, disconnect=True)
        else:
            server_database.make(session, label)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(at(server, label.database, "reader"))
    assert native.value(at(server, label.database), "SELECT 1") == 1
