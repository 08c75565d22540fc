"""What a lost server costs: recovery to the newest WAL loses at most archive_timeout seconds of commits."""

from __future__ import annotations

import os
import random
import threading
import time
from datetime import UTC, datetime

import psycopg
import pytest

from components.containers.names import PROJECT_LABEL, STACK_LABEL
from flowsctl.backup.tool import Moment, Target
from flowsctl.restoring.making import make
from flowsctl.restoring.origin import Origin

from .backups import ARCHIVE_SECONDS, Backups
from .plain import Plain

KILLS = int(os.environ.get("FLOWS_BACKUP_KILLS", "3"))
UPLOAD_SECONDS = 5
"""Between the closing of a segment and its file in the repository, on a busy machine."""


class Committing(threading.Thread):
    """Commits a row every 50 ms and notes when each commit was acknowledged."""

    def __init__(self, plain: Plain) -> None:
        super().__init__(daemon=True)
        self.plain, self.ended = plain, threading.Event()
        self.acknowledged: dict[int, datetime] = {}

    def run(self) -> None:
        number = 0
        try:
            with self.plain.connect() as connection:
                while not self.ended.is_set():
                    number += 1
                    connection.execute("insert into committed values (%s, clock_timestamp())", [number])
                    self.acknowledged[number] = datetime.now(UTC)
                    time.sleep(0.05)
        except psycopg.OperationalError:
            return


@pytest.mark.load
def test_recovery_to_the_newest_wal_loses_at_most_archive_timeout(
    fresh: Plain, record_property: pytest.RecordProperty
) -> None:
    backups = Backups(fresh)
    backups.up()
    fresh.sql("create table committed (number int primary key, at timestamptz not null)")
    backups.schedule()
    backups.until(lambda: " done: " in backups.log())
    lost: list[float] = []
    for attempt in range(KILLS):
        fresh.sql("truncate committed")
        writing = Committing(fresh)
        writing.start()
        time.sleep(ARCHIVE_SECONDS * 2 + random.uniform(0, ARCHIVE_SECONDS))
        fresh.host.client.containers.get(fresh.name).kill("SIGKILL")
        killed = datetime.now(UTC)
        writing.ended.set()
        writing.join()
        lost.append(_lost(backups, writing, killed, f"{fresh.names.stack}-copy{attempt}"))
        fresh.host.restart(fresh.name)
        fresh.host.healthy(fresh.name, 180)
    record_property("seconds_lost", lost)
    print(f"archive_timeout {ARCHIVE_SECONDS} s, seconds of commits lost by {KILLS} kills: {lost}")
    assert max(lost) <= ARCHIVE_SECONDS + UPLOAD_SECONDS


def _lost(backups: Backups, writing: Committing, killed: datetime, name: str) -> float:
    """Seconds of acknowledged commits that a copy of the newest WAL does not have, none of them from the middle."""
    plain = backups.plain
    server = plain.server.model_copy(update={"image": plain.image})
    origin = Origin(plain.names, server, plain.secrets, backups.settings)
    try:
        made = make(plain.host, origin, Target(Moment.LATEST), name, print, image=plain.image)
        with psycopg.connect(**made.conninfo()) as copy:
            found = {row[0] for row in copy.execute("select number from committed")}
        missing = [number for number in writing.acknowledged if number not in found]
        if not missing:
            return 0.0
        assert found
        assert min(missing) > max(found), "rows are missing before the last one that is there"
        return round((killed - writing.acknowledged[max(found)]).total_seconds(), 1)
    finally:
        plain.host.remove({PROJECT_LABEL: plain.names.project, STACK_LABEL: name})
