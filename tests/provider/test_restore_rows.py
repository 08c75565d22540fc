"""Rows of one table from a copy into a live database: two databases of one server stand for then and now.

The server is the one of `FLOWS_TEST_DSN` where that is set (superuser, password in PGPASSWORD), else an installed one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from flowsctl.errors import EXIT_REFUSED, FlowsError
from flowsctl.restoring.rows import Brought, bring

from . import native

GIVEN = os.environ.get("FLOWS_TEST_DSN", "")
pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("native"),
    pytest.mark.skipif(not GIVEN and not native.has_timescaledb(), reason=native.WHY_NO_TIMESCALEDB),
]
MADE = """
CREATE EXTENSION timescaledb;
CREATE SCHEMA flows;
CREATE TABLE flows.sites (id int PRIMARY KEY, name text);
INSERT INTO flows.sites VALUES (1, 'one'), (2, 'two');
CREATE TABLE flows.meters (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, site int NOT NULL REFERENCES flows.sites, "Name" text,
    number serial, loud text GENERATED ALWAYS AS (upper("Name")) STORED, updated_at timestamptz DEFAULT now()
);
CREATE TABLE flows.history (meter int, at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION flows.note() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN INSERT INTO flows.history (meter) VALUES (new.id); RETURN new; END$$;
CREATE FUNCTION flows.touch() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN new.updated_at := clock_timestamp(); RETURN new; END$$;
INSERT INTO flows.meters (site, "Name") SELECT 1 + n % 2, 'm' || n FROM generate_series(1, 20) n;
CREATE TRIGGER note AFTER INSERT OR UPDATE ON flows.meters FOR EACH ROW EXECUTE FUNCTION flows.note();
CREATE TRIGGER touch BEFORE UPDATE ON flows.meters FOR EACH ROW EXECUTE FUNCTION flows.touch();
CREATE TABLE flows.keyed (timestamp timestamptz NOT NULL, id int NOT NULL, v float8, UNIQUE (id, timestamp));
SELECT create_hypertable('flows.keyed', 'timestamp', chunk_time_interval => interval '1 day');
INSERT INTO flows.keyed SELECT '2026-01-01Z'::timestamptz + n * interval '1 hour', n % 3, n / 3.0
FROM generate_series(0, 239) n;
CREATE TABLE flows.loose (timestamp timestamptz NOT NULL, id int NOT NULL, v real);
SELECT create_hypertable('flows.loose', 'timestamp', chunk_time_interval => interval '1 day');
INSERT INTO flows.loose
SELECT '2026-01-01Z'::timestamptz + (n / 2) * interval '1 hour', 1, 2 FROM generate_series(0, 99) n
"""
COMPRESS = """
ALTER TABLE flows.keyed SET (timescaledb.compress, timescaledb.compress_segmentby = 'id');
SELECT compress_chunk(c) FROM show_chunks('flows.keyed', older_than => '2026-01-06Z'::timestamptz) c
"""
Connection = psycopg.Connection[Any]
Bring = Callable[..., Brought]


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, Any]]:
    if GIVEN:
        yield dict(conninfo_to_dict(GIVEN)) | {"password": os.environ.get("PGPASSWORD", "")}
        return
    with native.running(timescaledb=True) as dsn:
        yield dict(conninfo_to_dict(dsn))


@pytest.fixture(scope="module")
def past(server: dict[str, Any]) -> Iterator[Connection]:
    with psycopg.connect(**server | {"dbname": "postgres"}, autocommit=True) as admin:
        for name in ("rows_live", "rows_past"):
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        admin.execute("CREATE DATABASE rows_past TEMPLATE template0")
        with psycopg.connect(**server | {"dbname": "rows_past"}, autocommit=True) as connection:
            for statement in MADE.split(";\n"):
                connection.execute(statement.encode())
            license_ = connection.execute("SELECT current_setting('timescaledb.license')").fetchone()
            if license_ == ("timescale",) and not GIVEN:
                for statement in COMPRESS.split(";\n"):
                    connection.execute(statement.encode())
        admin.execute("ALTER DATABASE rows_past ALLOW_CONNECTIONS false")
        _end_sessions(admin)
        admin.execute("CREATE DATABASE rows_live TEMPLATE rows_past")
        admin.execute("ALTER DATABASE rows_past ALLOW_CONNECTIONS true")
        with psycopg.connect(**server | {"dbname": "rows_past"}, autocommit=True) as connection:
            yield connection
        for name in ("rows_live", "rows_past"):
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def _end_sessions(admin: Connection) -> None:
    """TimescaleDB's scheduler holds a session of every database."""
    admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'rows_past'")


@pytest.fixture
def live(past: Connection, server: dict[str, Any]) -> Iterator[Connection]:
    """A live database in which everything a test does is undone: by a savepoint of its own."""
    made = psycopg.connect(**server | {"dbname": "rows_live"}, autocommit=True)
    with made as connection, connection.transaction(force_rollback=True):
        yield connection


@pytest.fixture
def brought(past: Connection, live: Connection) -> Bring:
    def work(name: str, where: str = "", on_conflict: str = "fail", dry_run: bool = False) -> Brought:
        return bring(past, live, "flows", name, where=where, on_conflict=on_conflict, dry_run=dry_run)

    return work


def whole(connection: Connection, name: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"SELECT t::text FROM flows.{name} t ORDER BY 1".encode()).fetchall()


def counts(found: Brought) -> tuple[int, int, int, int, int]:
    return found.rows, found.new, found.same, found.differing, found.written


@pytest.mark.parametrize(("name", "rows"), [("keyed", 240), ("loose", 100)])
def test_a_truncated_hypertable_comes_back(
    name: str, rows: int, past: Connection, live: Connection, brought: Bring
) -> None:
    live.execute(f"TRUNCATE flows.{name}".encode())
    found = brought(name)
    assert counts(found) == (rows, rows, 0, 0, rows)
    assert found.live_rows == rows
    assert found.live_checksum == found.checksum != "0" * 16
    assert whole(live, name) == whole(past, name)


def test_rows_that_are_there_stay_and_new_ones_are_kept(past: Connection, live: Connection, brought: Bring) -> None:
    live.execute("DELETE FROM flows.keyed WHERE timestamp < '2026-01-03Z'")
    live.execute("INSERT INTO flows.keyed VALUES ('2026-02-01Z', 1, 1)")
    found = brought("keyed")
    assert counts(found) == (240, 48, 192, 0, 48)
    assert found.live_rows == 241
    assert len(whole(live, "keyed")) == 241


def test_a_table_without_a_key_gets_each_row_as_often_as_it_had_it(
    past: Connection, live: Connection, brought: Bring
) -> None:
    gone = "SELECT (array_agg(ctid))[1] FROM flows.loose WHERE timestamp < '2026-01-01 12:00Z' GROUP BY timestamp"
    live.execute(f"DELETE FROM flows.loose WHERE ctid IN ({gone}) AND timestamp < '2026-01-01 12:00Z'".encode())
    assert len(whole(live, "loose")) == 88, "one of two is left of each"
    assert counts(brought("loose")) == (100, 12, 88, 0, 12)
    assert whole(live, "loose") == whole(past, "loose")


def test_a_wrong_update_is_refused_skipped_or_put_right(past: Connection, live: Connection, brought: Bring) -> None:
    live.execute("""UPDATE flows.meters SET "Name" = 'wrong' WHERE id <= 5""")
    live.execute("DELETE FROM flows.history")
    before = whole(live, "meters")
    with pytest.raises(FlowsError, match=r"5 rows of flows\.meters have changed since, for example \(1\), \(2\)") as no:
        brought("meters")
    assert no.value.code == EXIT_REFUSED
    assert "--on-conflict replace" in no.value.hint
    assert whole(live, "meters") == before
    assert counts(brought("meters", on_conflict="skip")) == (20, 0, 15, 5, 0)
    found = brought("meters", on_conflict="replace")
    assert counts(found) == (20, 0, 15, 5, 5)
    assert found.live_checksum == found.checksum
    assert whole(live, "meters") == whole(past, "meters"), "updated_at and the generated column too"
    assert whole(live, "history") == []
    assert found.notes == ["triggers did not fire: note, touch"]


def test_only_the_rows_that_are_asked_for(live: Connection, brought: Bring) -> None:
    live.execute("DELETE FROM flows.meters")
    assert counts(brought("meters", where="site = 2")) == (10, 10, 0, 0, 10)
    assert live.execute("SELECT count(*), min(site) FROM flows.meters").fetchall() == [(10, 2)]


def test_a_dry_run_changes_nothing(live: Connection, brought: Bring) -> None:
    live.execute("DELETE FROM flows.keyed WHERE id = 1")
    assert counts(brought("keyed", dry_run=True)) == (240, 80, 160, 0, 80)
    assert len(whole(live, "keyed")) == 160


def test_a_sequence_goes_on_behind_what_was_restored(live: Connection, brought: Bring) -> None:
    live.execute("TRUNCATE flows.meters RESTART IDENTITY")
    brought("meters")
    row = live.execute("INSERT INTO flows.meters (site) VALUES (1) RETURNING id, number").fetchone()
    assert row == (21, 21)


def test_rows_whose_parents_are_gone_are_refused(live: Connection, brought: Bring) -> None:
    live.execute("DELETE FROM flows.meters; DELETE FROM flows.sites WHERE id = 2")
    with pytest.raises(FlowsError, match=r"10 rows refer to rows of flows\.sites that are not there") as refusal:
        brought("meters")
    assert refusal.value.code == EXIT_REFUSED
    assert whole(live, "meters") == []
    brought("sites")
    assert counts(brought("meters")) == (20, 20, 0, 0, 20)


def test_columns_that_came_and_went_are_told(live: Connection, brought: Bring) -> None:
    live.execute("TRUNCATE flows.keyed; ALTER TABLE flows.keyed DROP COLUMN v; ALTER TABLE flows.keyed ADD w int")
    found = brought("keyed")
    assert found.notes == [
        "columns that are not there any more were left out: v",
        "columns that were not there then take their default: w",
    ]
    assert found.live_rows == 240


def test_a_table_that_is_not_there(live: Connection, brought: Bring) -> None:
    with pytest.raises(FlowsError, match="not in the restored copy"):
        brought("nothing")
    live.execute("DROP TABLE flows.loose")
    with pytest.raises(FlowsError, match="not in the live database") as refusal:
        brought("loose")
    assert refusal.value.hint == "run flowsctl up first: it makes it again"
