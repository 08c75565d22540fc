"""A stack of plain containers, without Pulumi: database and backup scheduler, with tables to lose and bring back."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg

from components.backup_config import BackupSettings
from components.containers import images
from components.containers.database import ADMIN, database
from components.containers.names import PROJECT_LABEL, Names
from components.containers.scheduler import scheduler
from components.secrets import StackSecrets
from components.server_config import ServerSettings
from flowsctl.backup.tool import Backup, BackupTool, Kind
from flowsctl.containers.host import Host
from flowsctl.restoring.origin import Origin
from flowsctl.restoring.repository import tool_in
from flowsctl.stack_file import free_port
from tests.provider.backup_ledger import statements as ledger

IMAGE = os.environ.get("FLOWS_TEST_IMAGE") or images.local("timescaledb")
PATIENCE = 180.0
Connection = psycopg.Connection[Any]

TABLES = """
CREATE EXTENSION timescaledb;
CREATE SCHEMA flows;
CREATE TABLE flows.meters (id int PRIMARY KEY, name text NOT NULL, updated_at timestamptz NOT NULL DEFAULT now());
INSERT INTO flows.meters (id, name) SELECT n, 'meter ' || n FROM generate_series(1, 40) n;
CREATE TABLE flows.changes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, meter int NOT NULL, name text);
CREATE FUNCTION flows.note() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN INSERT INTO flows.changes (meter, name) VALUES (new.id, new.name); RETURN NULL; END$$;
CREATE TRIGGER note AFTER UPDATE ON flows.meters FOR EACH ROW EXECUTE FUNCTION flows.note();
CREATE TABLE flows.csq (
    timestamp timestamptz NOT NULL, meter int NOT NULL REFERENCES flows.meters, csq int, UNIQUE (meter, timestamp)
);
SELECT create_hypertable('flows.csq', 'timestamp', chunk_time_interval => interval '7 days');
INSERT INTO flows.csq SELECT t, m, (m + extract(hour FROM t))::int % 32 FROM generate_series(1, 40) m,
    generate_series(now() - interval '60 days', now() - interval '1 hour', interval '2 hours') t
"""
COMMUNITY = """
ALTER TABLE flows.csq SET (timescaledb.compress, timescaledb.compress_segmentby = 'meter');
SELECT compress_chunk(c) FROM show_chunks('flows.csq', older_than => now() - interval '8 days') c;
CREATE MATERIALIZED VIEW flows.csq_daily WITH (timescaledb.continuous) AS
SELECT time_bucket('1 day', timestamp) AS day, meter, avg(csq) AS csq FROM flows.csq GROUP BY 1, 2 WITH NO DATA;
CALL refresh_continuous_aggregate('flows.csq_daily', NULL, NULL);
SELECT add_retention_policy('flows.csq', interval '365 days', initial_start => now() + interval '30 days')
"""


class Plain:
    """An origin that runs."""

    def __init__(self, host: Host, origin: Origin) -> None:
        self.host, self.origin = host, origin
        self.names = origin.names

    def connect(self, **more: Any) -> Connection:
        """As the administrator, in autocommit."""
        return psycopg.connect(**self.conninfo() | more, autocommit=True)

    def sql(self, text: str) -> list[tuple[Any, ...]]:
        """Rows of the last of some statements."""
        found: list[tuple[Any, ...]] = []
        with self.connect() as connection:
            for statement in text.strip().split(";\n"):
                cursor = connection.execute(statement.encode())
                found = cursor.fetchall() if cursor.description else []
        return found

    @property
    def tool(self) -> BackupTool:
        """Its repository."""
        return tool_in(self.host, self.names.container("scheduler"))

    def backup(self, kind: Kind = Kind.FULL) -> Backup:
        """Takes a backup, with its ledger."""
        return self.tool.run(kind)

    def archived(self) -> None:
        """Everything that was committed is in the repository."""
        self.tool.check()

    def conninfo(self) -> dict[str, Any]:
        """Arguments for psycopg."""
        server = self.origin.server
        return {
            "host": server.reachable_host,
            "port": server.database_port,
            "user": ADMIN,
            "password": self.origin.secrets.password(ADMIN),
            "dbname": server.database_name,
        }

    def in_repository(self, command: str) -> str:
        """A shell command where the repository is, as its owner."""
        done = self.host.execute(
            self.names.container("scheduler"), ("sh", "-c", f"cd /var/lib/flows/backup && {command}")
        )
        return done.checked(command).text

    def has_community(self) -> bool:
        """Whether the image has the Community library."""
        command = ("sh", "-c", "ls /usr/lib/postgresql/17/lib/timescaledb-tsl-*.so")
        return self.host.execute(self.names.container("database"), command).code == 0


@contextmanager
def running(host: Host, project: str, stack: str, prepare: Callable[[Plain], None] | None = None) -> Iterator[Plain]:
    """A stack with its tables, ledger and first full backup; at the end everything of its project goes. `prepare` fills
    its empty database, ledger included."""
    # A name that no other run has: volumes that a killed one left would be taken for this one's.
    names = Names(f"{project}-{uuid.uuid4().hex[:6]}", stack)
    server = ServerSettings(
        image=IMAGE, database_port=free_port(), memory=512, shared_memory=64, max_background_workers=4
    )
    backup = BackupSettings(archive_timeout="10 seconds")
    origin = Origin(names, server, StackSecrets("0" * 64), backup)
    plain = Plain(host, origin)
    try:
        host.network(names.network, names.labels("network"))
        for part in ("data", "backup", "run"):
            host.volume(names.volume(part), names.labels(part))
        host.start(database(names, IMAGE, server, origin.secrets, backup))
        host.healthy(names.container("database"), PATIENCE)
        (prepare or small)(plain)
        host.start(replace(scheduler(names, IMAGE, server.database_name, origin.secrets, backup), restart="no"))
        first_backup(plain)
        yield plain
    finally:
        sweep(host, names.project)


def small(plain: Plain) -> None:
    """A few tables, and the ledger."""
    plain.sql(TABLES)
    if plain.has_community():
        plain.sql(COMMUNITY)
    with plain.connect() as connection:
        for statement in ledger():
            connection.execute(statement.encode())


def first_backup(plain: Plain) -> None:
    """Waits for the scheduler's first full backup."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        done = plain.host.execute(plain.names.container("scheduler"), ("pgbackrest", "version"))
        if done.code == 0 and any(each.annotations for each in plain.tool.info().backups):
            return
        time.sleep(0.5)
    raise AssertionError(plain.host.logs(plain.names.container("scheduler"), 30))


def sweep(host: Host, project: str) -> None:
    """Everything of a project on this host; what does not carry its labels would be left on any host, and fails."""
    host.remove({PROJECT_LABEL: project})
    left = [volume for volume in host.client.volumes.list() if str(volume.name).startswith(project)]
    for volume in left:
        volume.remove(force=True)
    assert not left, f"volumes without labels: {[volume.name for volume in left]}"
