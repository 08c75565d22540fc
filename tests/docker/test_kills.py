"""SIGKILL of the whole container under load: what was acknowledged is there.

The kernel and its cache survive such a kill: this is about the server and its start, not about a power cut.
"""

from __future__ import annotations

import os
import random
import threading
import time

import psycopg
import pytest

from .plain import PATIENCE, Plain

KILLS = int(os.environ.get("FLOWS_KILLS", "20"))
WRITERS = 4
LEAST = 200
"""Rows that must have been acknowledged between two kills on average: without load a kill shows nothing."""


class Writer(threading.Thread):
    """Inserts numbers of its own, one transaction each, and notes those whose commit was acknowledged."""

    def __init__(self, plain: Plain, number: int, ended: threading.Event) -> None:
        super().__init__(daemon=True)
        self.plain, self.number, self.ended = plain, number, ended
        self.acknowledged: list[int] = []
        self.unknown: set[int] = set()
        self.next = 0

    def run(self) -> None:
        while not self.ended.is_set():
            try:
                with self.plain.connect() as connection:
                    while not self.ended.is_set():
                        self.write(connection)
            except (psycopg.Error, OSError):
                time.sleep(0.05)

    def write(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self.next += 1
        self.unknown.add(self.next)  # until it is acknowledged
        connection.execute("INSERT INTO written VALUES (clock_timestamp(), %s, %s)", (self.number, self.next))
        self.unknown.discard(self.next)
        self.acknowledged.append(self.next)


@pytest.mark.load
def test_no_acknowledged_row_is_lost(fresh: Plain, record_property: pytest.RecordProperty) -> None:
    fresh.up()
    fresh.sql(
        "CREATE EXTENSION amcheck",
        "CREATE TABLE written (at timestamptz NOT NULL, writer int NOT NULL, number int NOT NULL)",
        "SELECT create_hypertable('written', 'at', chunk_time_interval => interval '20 seconds')",
    )
    ended = threading.Event()
    writers = [Writer(fresh, number, ended) for number in range(WRITERS)]
    chance = random.Random(17)
    container = fresh.host.client.containers.get(fresh.name)
    port = fresh.host.port(fresh.name, 5432)
    for writer in writers:
        writer.start()
    starts = []
    try:
        for _ in range(KILLS):
            wait_for_load(writers)
            time.sleep(chance.uniform(0, 0.5))
            container.kill()
            began = time.monotonic()
            container.start()
            answers(fresh)
            starts.append(time.monotonic() - began)
        wait_for_load(writers)
    finally:
        ended.set()
        for writer in writers:
            writer.join(60)

    acknowledged = sum(len(writer.acknowledged) for writer in writers)
    found = {(writer, number) for writer, number in fresh.sql("SELECT writer, number FROM written")}
    lost = [(w.number, n) for w in writers for n in w.acknowledged if (w.number, n) not in found]
    assert lost == []
    assert fresh.sql("SELECT count(*) FROM written") == [(len(found),)], "a row is there twice"
    invented = found - {(w.number, n) for w in writers for n in (*w.acknowledged, *w.unknown)}
    assert invented == set()
    assert acknowledged > LEAST * KILLS
    fresh.inside("pg_amcheck", "-h", "/var/lib/flows/run", "--heapallindexed", "flows", timeout=120).checked("amcheck")
    assert fresh.host.logs(fresh.name, 10_000).count("database system was not properly shut down") == KILLS
    assert fresh.host.port(fresh.name, 5432) == port or fresh.server.database_port == 0
    shown = f"{KILLS} kills, {acknowledged} rows acknowledged, 0 lost, slowest start {max(starts):.1f} s"
    record_property("kills", shown)
    print(shown)


def wait_for_load(writers: list[Writer]) -> None:
    """Every writer gets through again."""
    before = [len(writer.acknowledged) for writer in writers]
    deadline = time.monotonic() + PATIENCE
    while not all(len(writer.acknowledged) >= count + 20 for writer, count in zip(writers, before, strict=True)):
        assert time.monotonic() < deadline, "the writers do not get through"
        time.sleep(0.02)


def answers(plain: Plain) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            plain.sql("SELECT 1")
            return
        except psycopg.Error:
            assert time.monotonic() < deadline
            time.sleep(0.05)
