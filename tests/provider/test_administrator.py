"""What an external server's administrator lacks: each with the statement that gives it, and after those nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from components.config import StackConfig
from flowsctl.administrator import demand
from flowsctl.errors import FlowsError
from pulumi_timescaledb.connection import ConnectionSettings

from . import native

pytestmark = pytest.mark.skipif(not native.has_timescaledb(), reason=native.WHY_NO_TIMESCALEDB)
CONFIG = {"flows:engine": "external", "flows:host": "db.example.org"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with native.running(timescaledb=True) as dsn:
        with psycopg.connect(dsn, autocommit=True) as session:
            session.execute("CREATE DATABASE theirs")
        yield dsn


@pytest.fixture
def weak(server: str) -> Iterator[ConnectionSettings]:
    """A role without any right; its stack's database is not there."""
    parts = conninfo_to_dict(server)
    with psycopg.connect(server, autocommit=True) as session:
        session.execute("CREATE ROLE weak LOGIN")
    yield ConnectionSettings(host=str(parts["host"]), port=int(str(parts["port"])), user="weak", database="flows")
    with psycopg.connect(server, autocommit=True) as session:
        session.execute("ALTER DATABASE theirs OWNER TO postgres")
        session.execute("DROP ROLE weak")


def statements(there: ConnectionSettings, *, copies: bool = False, **config: str) -> list[str]:
    """The way out of the refusal, line by line; none where there is no refusal."""
    given = StackConfig.read(CONFIG | {f"flows:{key}": value for key, value in config.items()})
    try:
        demand(there, given, "postgres", copies=copies)
    except FlowsError as error:
        return [line.partition("  -- ")[0].strip() for line in error.hint.splitlines()[1:]]
    return []


def test_what_is_said_is_enough(server: str, weak: ConnectionSettings) -> None:
    said = statements(weak)
    assert said == [
        'ALTER ROLE "weak" CREATEROLE',
        'ALTER ROLE "weak" CREATEDB',
        "ALTER ROLE \"weak\" SET createrole_self_grant TO 'set, inherit'",
        'GRANT pg_monitor TO "weak" WITH ADMIN OPTION',
    ]
    with psycopg.connect(server, autocommit=True) as session:
        for statement in said:
            session.execute(statement.encode())
    assert statements(weak) == []


def test_a_database_that_is_there_has_to_be_its_own(server: str, weak: ConnectionSettings) -> None:
    there = replace(weak, database="theirs")
    said = statements(there)
    assert 'ALTER DATABASE "theirs" OWNER TO "weak"' in said
    assert 'ALTER ROLE "weak" CREATEDB' not in said
    assert 'ALTER ROLE "weak" CREATEDB' in statements(there, copies=True)
    with psycopg.connect(server, autocommit=True) as session:
        session.execute('ALTER DATABASE "theirs" OWNER TO "weak"')
    assert 'ALTER DATABASE "theirs" OWNER TO "weak"' not in statements(there)


def test_an_extension_that_only_a_superuser_makes(server: str, weak: ConnectionSettings) -> None:
    made = "CREATE EXTENSION pg_stat_statements"
    assert made in statements(weak, queryStatistics="true")
    assert made not in statements(weak)
    there = replace(weak, database="theirs")
    assert made in statements(there, queryStatistics="true")
    with psycopg.connect(server.replace("dbname=postgres", "dbname=theirs"), autocommit=True) as session:
        session.execute(made.encode())
    assert made not in statements(there, queryStatistics="true")


def test_a_superuser_lacks_nothing(weak: ConnectionSettings) -> None:
    assert statements(replace(weak, user="postgres"), queryStatistics="true") == []


def told(there: ConnectionSettings) -> str:
    with pytest.raises(FlowsError) as failure:
        demand(there, StackConfig.read(CONFIG), "postgres")
    assert "FLOWS_ADMIN_PASSWORD" in failure.value.hint
    return failure.value.message


def test_a_server_that_lets_nobody_in_is_one_sentence(server: str, weak: ConnectionSettings) -> None:
    silent = replace(weak, port=1)
    assert told(silent).startswith('cannot connect to database "postgres" at 127.0.0.1:1 as "weak": ')
    demand(silent, StackConfig.read(CONFIG), "postgres", must_answer=False)  # a preview goes on without it
    rules = Path(str(native.value(server, "SHOW hba_file")))
    before = rules.read_text()
    try:
        rules.write_text(f"host all weak 127.0.0.1/32 scram-sha-256\n{before}")
        native.value(server, "SELECT pg_reload_conf()")
        assert 'password authentication failed for user "weak"' in told(replace(weak, password="wrong"))
    finally:
        rules.write_text(before)
        native.value(server, "SELECT pg_reload_conf()")
