"""SIGKILL of the host process under inserts: the folder opens again with every acknowledged row."""

import contextlib
import json
import os
import random
import signal
import threading
import time

import psycopg
import pytest

from pulumi_timescaledb.local.server import EmbeddedServer

pytestmark = [pytest.mark.server, pytest.mark.load]

ROUNDS = 20
SERIES = "INSERT INTO series SELECT '2024-01-01'::timestamptz + %s * interval '1 hour', %s"


def insert_until_killed(server: EmbeddedServer, acknowledged: list[int], number: int) -> None:
    with (
        contextlib.suppress(psycopg.OperationalError),
        psycopg.connect(server.dsn(), autocommit=True) as connection,
    ):
        while True:
            with connection.transaction():
                connection.execute("INSERT INTO plain VALUES (%s)", (number,))
                connection.execute(SERIES, (number, number))
            acknowledged.append(number)
            number += 1


def test_host_killed_under_inserts(server: EmbeddedServer, capsys: pytest.CaptureFixture[str]) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("CREATE TABLE plain (a int PRIMARY KEY)")
        admin.execute("CREATE TABLE series (at timestamptz NOT NULL, a int)")
        admin.execute("SELECT create_hypertable('series', by_range('at', interval '1 day'))")
    acknowledged: list[int] = []
    reopening: list[float] = []
    chance = random.Random(7)
    for number in range(ROUNDS):
        writer = threading.Thread(target=insert_until_killed, args=(server, acknowledged, number * 100_000))
        writer.start()
        time.sleep(chance.uniform(0.05, 0.4))
        os.kill(json.loads((server.folder / "host.json").read_text())["pid"], signal.SIGKILL)
        writer.join(10)
        assert not writer.is_alive()
        assert not server.is_running()
        begun = time.monotonic()
        assert server.ensure_running()
        reopening.append(time.monotonic() - begun)
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        for table in ("plain", "series"):
            found = {row[0] for row in admin.execute(f"SELECT a FROM {table}".encode())}
            assert set(acknowledged) <= found, f"{len(set(acknowledged) - found)} acknowledged rows are gone"
            assert len(found) <= len(acknowledged) + ROUNDS  # at most the one in flight at each kill
        assert admin.execute("SELECT count(*) FROM plain FULL JOIN series USING (a) WHERE at IS NULL").fetchone() == (
            0,
        )
        admin.execute("REINDEX TABLE plain")
        admin.execute("SELECT count(*) FROM timescaledb_information.chunks")
    with capsys.disabled():
        reopened = f"reopened in {sum(reopening) / ROUNDS:.2f} s (at most {max(reopening):.2f} s)"
        print(f"\n{ROUNDS} kills, {len(acknowledged)} acknowledged transactions, {reopened}")
