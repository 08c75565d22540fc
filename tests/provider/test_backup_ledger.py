"""The ledger counts what is there, in one snapshot, and counts again only what changed."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from pulumi_timescaledb.local.server import EmbeddedServer

from .backup_ledger import Connection, contents, statements
from .conftest import connect, one

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("backup_ledger")]

SERIES = """
create schema app;
create table app.readings (at timestamptz not null, meter int, kwh int);
select create_hypertable('app.readings', by_range('at', interval '2 days'));
insert into app.readings
select t, m, 1 from generate_series('2026-01-01 00:00+00'::timestamptz, '2026-01-06 23:30+00', '30 minutes') t,
    generate_series(1, 3) m;
create table app.counters (tick bigint not null, n int);
select create_hypertable('app.counters', by_range('tick', 10));
insert into app.counters select x, 1 from generate_series(0, 24) x;
create table app.plain (id int);
insert into app.plain select generate_series(1, 7);
"""
MOVED = """
delete from app.readings where at = '2026-01-03 00:30+00' and meter = 1;
insert into app.readings values ('2026-01-04 00:10+00', 1, 1)
"""
DAYS = {f"2026-01-0{day}": 144 for day in range(1, 7)}


@pytest.fixture
def sql(server: EmbeddedServer) -> Iterator[Connection]:
    with connect(server) as connection:
        connection.execute(SERIES.encode())
        for statement in statements():
            connection.execute(statement.encode())
        yield connection
        connection.execute("drop schema app, monitoring cascade")


def test_it_counts_rows_by_day_of_utc_and_chunk_tables_and_objects(sql: Connection) -> None:
    sql.execute("set timezone to 'Pacific/Auckland'")
    found = contents(sql)
    sql.execute("reset timezone")
    readings = found["series"]["app.readings"]
    assert readings == {
        "rows": 864,
        "oldest": "2026-01-01 00:00:00+00",
        "newest": "2026-01-06 23:30:00+00",
        "days": DAYS,
    }
    assert found["series"]["app.counters"]["days"] == {"0": 10, "10": 10, "20": 5}
    assert found["tables"]["app.plain"] == 7
    assert not {name for name in found["tables"] if "backup_ledger" in name or name == "app.readings"}
    assert found["counts"]["chunks"] == 6
    assert found["counts"]["routines"] == 5
    before = found["counts"]["grants"]
    sql.execute("grant select on app.plain to public")
    assert contents(sql)["counts"]["grants"] == before + 8 + 1  # the owner's own eight become visible with the first


def test_a_row_security_policy_cannot_hide_rows(sql: Connection) -> None:
    sql.execute("alter table app.plain enable row level security; create policy none on app.plain using (false)")
    assert contents(sql)["tables"]["app.plain"] == 7
    assert contents(sql)["counts"]["row_security_policies"] == 1


def test_taking_one_needs_one_snapshot_and_keeps_what_its_checksum_says(sql: Connection) -> None:
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="one snapshot"):
        sql.execute("select monitoring.take_backup_ledger('flows/dev', '30 days')")
    sql.execute("begin isolation level repeatable read")
    row = sql.execute("select id, sha256 from monitoring.take_backup_ledger('flows/dev', '30 days')").fetchone()
    sql.execute("commit")
    kept = sql.execute(
        "select id, encode(sha256(convert_to(contents::text, 'UTF8')), 'hex'), stack, backup "
        "from monitoring.backup_ledger"
    ).fetchone()
    assert row is not None
    assert kept == (*row, "flows/dev", None)
    assert contents(sql, fresh=True) == one(sql, "select contents from monitoring.backup_ledger")


def test_old_ones_go(sql: Connection) -> None:
    insert = "insert into monitoring.backup_ledger (taken_at, stack, lsn, snapshot, contents, sha256)"
    sql.execute(f"{insert} values (now() - interval '31 days', 's', '0/0', '1:1:', '{{}}', '')".encode())
    sql.execute(f"{insert} values (now() - interval '29 days', 's', '0/0', '1:1:', '{{}}', '')".encode())
    sql.execute("begin isolation level repeatable read")
    sql.execute("select monitoring.take_backup_ledger('flows/dev', '30 days')")
    sql.execute("commit")
    assert one(sql, "select count(*) from monitoring.backup_ledger") == 2


def compressed(sql: Connection) -> None:
    sql.execute("alter table app.readings set (timescaledb.compress, timescaledb.compress_segmentby = 'meter')")
    sql.execute("select compress_chunk(c) from show_chunks('app.readings') c")


def test_chunks_of_the_columnstore_are_counted_once(sql: Connection) -> None:
    compressed(sql)
    assert contents(sql)["series"]["app.readings"]["days"] == DAYS
    assert one(sql, "select count(*) from monitoring.backup_ledger_chunks") == 3
    # What is reused is seen by changing it, and that a fresh count does not fall for it.
    sql.execute("update monitoring.backup_ledger_chunks set days = '{\"2026-01-01\": 1}'")
    assert contents(sql)["series"]["app.readings"]["rows"] == 3
    assert contents(sql, fresh=True)["series"]["app.readings"]["days"] == DAYS


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        ("insert into app.readings values ('2026-01-03 00:10+00', 9, 1)", 865),
        ("delete from app.readings where at = '2026-01-03 00:30+00' and meter = 1", 863),
        # As many rows as before, on other days.
        (MOVED, 864),
        ("select drop_chunks('app.readings', '2026-01-03'::timestamptz)", 576),
    ],
    ids=["insert", "delete", "moved", "dropped"],
)
@pytest.mark.parametrize("again", [False, True], ids=["", "compressed again"])
def test_a_changed_chunk_of_the_columnstore_is_counted_anew(
    sql: Connection, change: str, rows: int, again: bool
) -> None:
    compressed(sql)
    contents(sql)
    sql.execute(change.encode())
    if again:
        sql.execute("select compress_chunk(c, if_not_compressed => true) from show_chunks('app.readings') c")
    found = contents(sql)
    assert found["series"]["app.readings"]["rows"] == rows
    assert found == contents(sql, fresh=True)
    truth = sql.execute("select to_char(at at time zone 'UTC', 'YYYY-MM-DD'), count(*) from app.readings group by 1")
    assert found["series"]["app.readings"]["days"] == dict(truth.fetchall())


def test_aggregates_are_counted_under_their_own_names(sql: Connection) -> None:
    sql.execute(
        "create materialized view app.daily with (timescaledb.continuous) as "
        "select time_bucket('1 day', at) as day, sum(kwh) as kwh from app.readings group by 1"
    )
    found = contents(sql)
    assert found["series"]["app.daily"]["rows"] == 6
    assert set(found["series"]) == {"app.readings", "app.counters", "app.daily"}
    sql.execute("drop materialized view app.daily")
