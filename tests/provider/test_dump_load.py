"""Dump and load on a server of many processes: everything comes over, every misuse is refused for its reason.

The server is the one of `FLOWS_TEST_DSN` where that is set (a superuser, password in PGPASSWORD, `FLOWS_TEST_IMAGE` as
image of the tools), else an installed one with the Community edition.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from flowsctl.dumping import tools
from flowsctl.dumping.checks import MISUSES, refuse_misuse
from flowsctl.dumping.dump import dump, read
from flowsctl.dumping.load import load
from flowsctl.errors import EXIT_REFUSED, FlowsError

from . import native

GIVEN = os.environ.get("FLOWS_TEST_DSN", "")
IMAGE = os.environ.get("FLOWS_TEST_IMAGE", "")
pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("native"),
    pytest.mark.skipif(not GIVEN and not native.has_timescaledb(), reason=native.WHY_NO_TIMESCALEDB),
]
MADE = """
CREATE ROLE reader LOGIN CONNECTION LIMIT 7;
CREATE ROLE owner_of NOLOGIN;
GRANT owner_of TO reader WITH ADMIN OPTION;
CREATE SCHEMA flows;
CREATE TYPE flows.mode AS ENUM ('on', 'off');
CREATE TABLE flows.plain (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text, mode flows.mode DEFAULT 'on');
INSERT INTO flows.plain (note) SELECT 'n' || n FROM generate_series(1, 300) n;
ALTER TABLE flows.plain ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON flows.plain FOR SELECT TO reader USING (id < 100);
GRANT USAGE ON SCHEMA flows TO reader;
GRANT SELECT ON flows.plain TO reader;
CREATE VIEW flows.few AS SELECT id FROM flows.plain;
CREATE FUNCTION flows.twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * n';
CREATE TABLE flows.series (at timestamptz NOT NULL, id int NOT NULL REFERENCES flows.plain, v float8, UNIQUE (id, at));
SELECT create_hypertable('flows.series', 'at', chunk_time_interval => interval '1 day');
INSERT INTO flows.series
SELECT '2026-01-01'::timestamptz + n * interval '1 hour', 1 + n % 5, n FROM generate_series(0, 239) n;
ALTER DATABASE origin SET timezone TO 'UTC';
ALTER ROLE reader IN DATABASE origin SET statement_timeout TO '7s';
REVOKE CONNECT ON DATABASE origin FROM PUBLIC;
GRANT CONNECT ON DATABASE origin TO reader
"""
COMMUNITY = """
ALTER TABLE flows.series SET (timescaledb.compress, timescaledb.compress_segmentby = 'id');
SELECT compress_chunk(c) FROM show_chunks('flows.series', older_than => '2026-01-05'::timestamptz) c;
CREATE MATERIALIZED VIEW flows.daily WITH (timescaledb.continuous) AS
SELECT time_bucket('1 day', at) AS day, id, sum(v) AS v FROM flows.series GROUP BY 1, 2 WITH NO DATA;
CALL refresh_continuous_aggregate('flows.daily', NULL, NULL);
SELECT add_retention_policy('flows.series', interval '1 day', initial_start => now() + interval '1 year')
"""


def silent(_text: str) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, Any]]:
    """Arguments for psycopg without a database."""
    if GIVEN:
        yield dict(conninfo_to_dict(GIVEN)) | {"password": os.environ.get("PGPASSWORD", "")}
        return
    with native.running(timescaledb=True) as dsn:
        yield dict(conninfo_to_dict(dsn))


def rows(server: dict[str, Any], database: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(**server | {"dbname": database}, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def community() -> bool:
    """Whether the server has chunks that are compressed, aggregates and jobs."""
    return not GIVEN or "community" in IMAGE


@pytest.fixture(scope="module")
def origin(server: dict[str, Any], community: bool) -> Iterator[dict[str, Any]]:
    clear(server)
    rows(server, "postgres", "CREATE DATABASE origin")
    rows(server, "origin", "CREATE EXTENSION timescaledb")
    for statement in MADE.split(";\n") + (COMMUNITY.split(";\n") if community else []):
        rows(server, "origin", statement)
    yield server | {"dbname": "origin"}
    clear(server)


def clear(server: dict[str, Any]) -> None:
    for name in ("origin", "copy", "other"):
        rows(server, "postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    rows(server, "postgres", "DROP ROLE IF EXISTS reader")
    rows(server, "postgres", "DROP ROLE IF EXISTS owner_of")


@pytest.fixture(scope="module")
def dumped(origin: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dumps") / "first"
    dump(origin, folder, silent, image=IMAGE)
    return folder


def test_a_dump_says_what_is_in_it_and_only_its_owner_reads_it(dumped: Path, community: bool) -> None:
    manifest = read(dumped)
    assert manifest["census"]["tables"]["flows.series"] == 240
    assert manifest["census"]["days"]["flows.series"]["2026-01-02"] == 24
    assert manifest["census"]["objects"]["row policies"] == 1
    assert len(manifest["census"]["jobs"]) == (1 if community else 0)
    assert {path.name: path.stat().st_mode & 0o777 for path in dumped.iterdir()} == {
        "manifest.json": 0o600, "roles.json": 0o600, "database.dump": 0o600,
    }  # fmt: skip
    assert "PASSWORD" not in (dumped / "roles.json").read_text()


def test_everything_comes_over(dumped: Path, origin: dict[str, Any], server: dict[str, Any], community: bool) -> None:
    told: list[str] = []
    loaded = load(dumped, server | {"dbname": "copy"}, told.append, image=IMAGE)
    assert loaded.differences == []
    assert loaded.jobs_on
    for query in (
        "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM flows.series t",
        "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM flows.plain t",
        "SELECT job_id, proc_name, schedule_interval, scheduled FROM timescaledb_information.jobs WHERE job_id >= 1000",
        "SELECT hypertable_name, num_chunks, compression_enabled FROM timescaledb_information.hypertables ORDER BY 1",
        "SELECT chunk_name, is_compressed FROM timescaledb_information.chunks ORDER BY 1",
        "SELECT current_setting('timezone'), current_setting('timescaledb.restoring')",
        "SELECT has_database_privilege('reader', current_database(), 'CONNECT')",
        *(["SELECT * FROM flows.daily ORDER BY 1, 2"] if community else []),
    ):
        assert rows(server, "copy", query) == rows(server, "origin", query), query
    rows(server, "copy", "INSERT INTO flows.plain (note) VALUES ('new')")
    assert rows(server, "copy", "SELECT max(id) FROM flows.plain") == [(301,)]
    settings = "SELECT setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE datname = "
    assert (["statement_timeout=7s"],) in rows(server, "copy", f"{settings} 'copy'")


def test_a_database_with_something_in_it_is_refused(dumped: Path, origin: dict[str, Any]) -> None:
    with pytest.raises(FlowsError, match="is not empty: it has flows") as refusal:
        load(dumped, origin, silent, image=IMAGE)
    assert refusal.value.code == EXIT_REFUSED


@pytest.mark.parametrize("option", sorted(MISUSES))
def test_options_that_lose_rows_are_refused_with_their_reason(option: str) -> None:
    with pytest.raises(FlowsError) as refusal:
        refuse_misuse({option: ["flows.series"] if option == "table" else True})
    assert refusal.value.code == EXIT_REFUSED
    assert refusal.value.hint
    refuse_misuse(dict.fromkeys(MISUSES))


def changed(dumped: Path, tmp_path: Path, **server: Any) -> Path:
    """The dump, saying that it is of another server."""
    folder = tmp_path / "changed"
    folder.mkdir()
    for name in ("database.dump", "roles.json"):
        (folder / name).write_bytes((dumped / name).read_bytes())
    manifest = json.loads((dumped / "manifest.json").read_text())
    manifest["server"] |= server
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_another_version_of_timescaledb_is_refused(dumped: Path, server: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(FlowsError, match=r"TimescaleDB 2\.1\.0, the server has .*catalog version mismatch") as refusal:
        load(changed(dumped, tmp_path, timescaledb="2.1.0"), server | {"dbname": "other"}, silent, image=IMAGE)
    assert refusal.value.code == EXIT_REFUSED
    assert rows(server, "postgres", "SELECT FROM pg_database WHERE datname = 'other'") == []


def test_an_older_server_is_refused(
    dumped: Path, server: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "find", lambda _major, _image: None)  # no pg_restore of the future is installed
    with pytest.raises(FlowsError, match="the dump is of PostgreSQL 99") as refusal:
        load(changed(dumped, tmp_path, major=99), server | {"dbname": "other"}, silent)
    assert refusal.value.code == EXIT_REFUSED


def test_a_dump_with_a_flipped_byte_is_refused(dumped: Path, server: dict[str, Any], tmp_path: Path) -> None:
    folder = changed(dumped, tmp_path)
    content = bytearray((folder / "database.dump").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "database.dump").write_bytes(content)
    with pytest.raises(FlowsError, match="SHA-256 differs"):
        load(folder, server | {"dbname": "other"}, silent, image=IMAGE)


def test_a_failed_load_leaves_no_database(
    dumped: Path, server: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = changed(dumped, tmp_path)
    (folder / "database.dump").write_bytes((folder / "database.dump").read_bytes()[:3000])
    monkeypatch.setattr("flowsctl.dumping.load.read", lambda path: json.loads((path / "manifest.json").read_text()))
    with pytest.raises(FlowsError, match="pg_restore failed"):
        load(folder, server | {"dbname": "other"}, silent, image=IMAGE)
    assert rows(server, "postgres", "SELECT FROM pg_database WHERE datname = 'other'") == []


def test_a_failed_load_into_a_given_database_ends_restoring_mode(
    dumped: Path, server: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows(server, "postgres", "CREATE DATABASE other TEMPLATE template0")

    def stopped(*_arguments: object) -> list[int]:
        raise KeyboardInterrupt

    monkeypatch.setattr("flowsctl.dumping.load.hold_jobs", stopped)
    with pytest.raises(KeyboardInterrupt):
        load(dumped, server | {"dbname": "other"}, silent, image=IMAGE)
    assert rows(server, "other", "SHOW timescaledb.restoring") == [("off",)]
    rows(server, "postgres", "DROP DATABASE other WITH (FORCE)")


def test_rows_that_are_not_those_of_the_dump_are_told(
    dumped: Path, server: dict[str, Any], tmp_path: Path, community: bool
) -> None:
    folder = changed(dumped, tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["census"]["days"]["flows.series"]["2026-01-02"] += 1
    (folder / "manifest.json").write_text(json.dumps(manifest))
    loaded = load(folder, server | {"dbname": "other"}, silent, image=IMAGE)
    assert loaded.differences == ["flows.series on 2026-01-02: 25 rows in the dump, 24 now"]
    assert not loaded.jobs_on
    query = "SELECT count(*) FROM timescaledb_information.jobs WHERE job_id >= 1000 AND scheduled"
    assert rows(server, "other", query) == [(0,)]


def test_a_database_in_restoring_mode_is_not_dumped(origin: dict[str, Any], tmp_path: Path) -> None:
    rows(origin, "origin", "ALTER DATABASE origin SET timescaledb.restoring TO on")
    try:
        with pytest.raises(FlowsError, match="restoring mode: compressed tables read as empty"):
            dump(origin, tmp_path / "out", silent, image=IMAGE)
    finally:
        rows(origin, "origin", "ALTER DATABASE origin RESET timescaledb.restoring")
    assert list(tmp_path.iterdir()) == []


def test_passwords_come_only_where_they_are_asked_for(origin: dict[str, Any], tmp_path: Path) -> None:
    rows(origin, "origin", "ALTER ROLE reader PASSWORD 'hidden'")
    dump(origin, tmp_path / "with", silent, passwords=True, image=IMAGE)
    text = (tmp_path / "with" / "roles.json").read_text()
    assert "SCRAM-SHA-256" in text
    assert "hidden" not in text
