"""Vacuum, analyze and reindex: every piece, on a server of one backend and on one of many."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from flowsctl.errors import UsageError
from flowsctl.maintenance.objects import Thing, chosen, things
from flowsctl.maintenance.work import ACTIONS, maintain
from pulumi_timescaledb.local.server import EmbeddedServer

from . import native
from .native import value

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("native")]

MADE = """
CREATE SCHEMA flows;
CREATE TABLE flows.plain (id int PRIMARY KEY, note text);
INSERT INTO flows.plain SELECT n, repeat('x', 100) FROM generate_series(1, 3000) n;
CREATE MATERIALIZED VIEW flows.seen AS SELECT count(*) AS n FROM flows.plain;
CREATE TABLE flows.series (at timestamptz NOT NULL, id int NOT NULL, v float8, UNIQUE (id, at));
SELECT create_hypertable('flows.series', 'at', chunk_time_interval => interval '1 day');
INSERT INTO flows.series
SELECT '2026-01-01'::timestamptz + n * interval '1 hour', n % 5, n FROM generate_series(0, 119) n
"""
COMMUNITY = """
ALTER TABLE flows.series SET (timescaledb.compress, timescaledb.compress_segmentby = 'id');
SELECT compress_chunk(c) FROM show_chunks('flows.series', older_than => '2026-01-03'::timestamptz) c;
CREATE MATERIALIZED VIEW flows.daily WITH (timescaledb.continuous) AS
SELECT time_bucket('1 day', at) AS day, id, sum(v) AS v FROM flows.series GROUP BY 1, 2 WITH NO DATA;
CALL refresh_continuous_aggregate('flows.daily', NULL, NULL)
"""
COMMUNITY_HERE = pytest.mark.skipif(not native.has_timescaledb(), reason=native.WHY_NO_TIMESCALEDB)


def prepare(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        for statement in f"{MADE};{COMMUNITY}".split(";"):
            connection.execute(statement.encode())


@pytest.fixture(scope="module")
def embedded(server: EmbeddedServer) -> str:
    prepare(server.dsn())
    return server.dsn()


@pytest.fixture(scope="module")
def many() -> Iterator[str]:
    with native.running(timescaledb=True) as dsn:
        prepare(dsn)
        yield dsn


def named(dsn: str, name: str = "") -> list[Thing]:
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        return chosen(things(connection), name)


def carried_out(dsn: str, action: str, name: str = "", *, concurrently: bool) -> tuple[list[str], list[str]]:
    """(what was told, faults)."""
    told: list[str] = []
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        found = chosen(things(connection), name)
        done = maintain(connection, action, found, told.append, concurrently=concurrently)
    assert [each.thing for each in done] == found
    return told, [fault for each in done for fault in each.faults]


def test_every_object_is_known_by_its_name(embedded: str) -> None:
    found = {thing.name: (thing.kind, len(thing.pieces)) for thing in named(embedded)}
    assert found["flows.plain"] == ("table", 1)
    assert found["flows.seen"] == ("materialized view", 1)
    assert found["flows.series"] == ("hypertable", 5 + 2), "five chunks, two of them with a compressed one"
    assert found["flows.daily"] == ("aggregate", 1)
    assert not [name for name in found if name.startswith("_timescaledb")]
    assert [thing.name for thing in named(embedded, "series")] == ["flows.series"]
    with pytest.raises(UsageError, match=r"nothing called flows\.serie ") as refusal:
        named(embedded, "flows.serie")
    assert "flows.series" in refusal.value.hint


@pytest.mark.parametrize("action", ACTIONS)
def test_on_the_embedded_server(embedded: str, action: str) -> None:
    told, faults = carried_out(embedded, action, concurrently=False)
    assert faults == []
    assert len([line for line in told if " flows.series" in line]) == {"vacuum": 8, "analyze": 1, "reindex": 7}[action]
    assert value(embedded, "SELECT count(*) FROM flows.series") == 120


FILENODES = """
SELECT c.relname, pg_relation_filenode(c.oid)::bigint FROM pg_class c JOIN pg_index x ON x.indexrelid = c.oid
WHERE x.indrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'flows.series'::regclass)
"""


def indexes(dsn: str) -> dict[str, int]:
    with psycopg.connect(dsn, prepare_threshold=None) as connection:
        return dict(connection.execute(FILENODES).fetchall())


@COMMUNITY_HERE
def test_reindex_builds_every_index_of_every_chunk_anew(many: str) -> None:
    before = indexes(many)
    told, faults = carried_out(many, "reindex", "flows.series", concurrently=True)
    after = indexes(many)
    assert faults == []
    assert len(told) == 7
    assert before.keys() == after.keys()
    assert len(before) == 10
    assert not [name for name in before if before[name] == after[name]]


@COMMUNITY_HERE
@pytest.mark.parametrize("action", ["vacuum", "analyze"])
def test_on_a_server_of_many_processes(many: str, action: str) -> None:
    carried_out(many, action, concurrently=True)
    column = {"vacuum": "last_vacuum", "analyze": "last_analyze"}[action]
    seen = f"SELECT count(*) FROM pg_stat_user_tables WHERE {column} IS NOT NULL AND relname ~ '^_hyper_1_.*_chunk$'"
    deadline = time.monotonic() + 10
    while value(many, seen) != 5 and time.monotonic() < deadline:
        time.sleep(0.1)  # statistics arrive a moment later
    assert value(many, seen) == 5


@COMMUNITY_HERE
def test_a_table_of_somebody_else_is_a_fault_and_no_silence(many: str) -> None:
    with psycopg.connect(many, autocommit=True) as admin:
        admin.execute("CREATE ROLE stranger LOGIN; GRANT USAGE ON SCHEMA flows TO stranger")
    _, faults = carried_out(many.replace("user=postgres", "user=stranger"), "vacuum", "flows.plain", concurrently=True)
    assert len(faults) == 1
    assert "permission denied" in faults[0]


@COMMUNITY_HERE
def test_what_a_stopped_rebuild_leaves_is_removed(many: str) -> None:
    """A rebuild that waits for an old transaction is cancelled: PostgreSQL leaves an invalid index."""
    done: list[list[str]] = []
    with psycopg.connect(many) as old:
        old.execute("SELECT count(*) FROM flows.plain")  # REINDEX CONCURRENTLY waits for this one to end
        rebuild = threading.Thread(
            target=lambda: done.append(carried_out(many, "reindex", "flows.plain", concurrently=True)[1])
        )
        rebuild.start()
        invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
        deadline = time.monotonic() + 20
        while value(many, invalid) == 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert int(str(value(many, invalid))) >= 1  # of the table, and of its TOAST table
        value(many, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query ~ '^REINDEX TABLE CONC'")
        time.sleep(0.3)  # DROP INDEX CONCURRENTLY waits for the same transaction
    rebuild.join(30)
    assert "canceling statement" in done[0][0]
    assert value(many, invalid) == 0
