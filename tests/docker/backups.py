"""A stack with backups, without Pulumi: server, ledger and scheduler from the descriptions that `up` uses."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

from components.backup_config import BackupSettings
from components.containers.scheduler import PART as SCHEDULER
from components.containers.scheduler import TimedStatement, scheduler
from components.containers.spec import Container
from flowsctl.backup.checking import Finding, findings
from flowsctl.backup.evidence import Evidence, look
from flowsctl.backup.pgbackrest import PgBackRest
from flowsctl.backup.place import Place
from tests.provider.backup_ledger import statements

from .plain import PATIENCE, Plain

ARCHIVE_SECONDS = 10
QUICK = BackupSettings(archive_timeout=f"{ARCHIVE_SECONDS} seconds")
OFTEN = {"FLOWS_TICK_SECONDS": "1", "FLOWS_LOOK_SECONDS": "3"}


@dataclass
class Backups:
    """One stack whose server is up; its scheduler starts with `schedule`."""

    plain: Plain
    settings: BackupSettings = QUICK
    jobs: tuple[TimedStatement, ...] = ()
    environment: dict[str, str] = field(default_factory=lambda: dict(OFTEN))

    def up(self, *, ledger: bool = True) -> None:
        """The server with its archive, a database with series, and the ledger's functions."""
        self.plain.up(self.plain.describe(backup=self.settings))
        if ledger:
            self.plain.sql(*statements())
        self.plain.sql(
            "create table readings (at timestamptz not null, meter int not null, kwh float8)",
            "select create_hypertable('readings', by_range('at', interval '1 day'))",
            "insert into readings select t, m, random() from generate_series(now() - interval '5 days', now(), "
            "interval '10 minutes') t, generate_series(1, 20) m",
        )

    @property
    def container(self) -> Container:
        """The scheduler, which looks every few seconds."""
        plain = self.plain
        made = scheduler(plain.names, plain.image, plain.server.database_name, plain.secrets, self.settings, self.jobs)
        return replace(made, environment={**made.environment, **self.environment})

    def schedule(self) -> float:
        """Starts the scheduler; returns when it is healthy."""
        return self.plain.up(self.container)

    def unschedule(self) -> None:
        """Removes the scheduler."""
        self.plain.host.client.containers.get(self.container.name).remove(force=True)

    @property
    def place(self) -> Place:
        """As flowsctl finds it."""
        plain = self.plain
        return Place(plain.host, plain.names, self.settings, plain.server.database_name)

    @property
    def tool(self) -> PgBackRest:
        """As flowsctl takes backups."""
        return self.place.scheduler()

    def tool_of_server(self) -> PgBackRest:
        """The tool in the server's container, while there is no scheduler."""
        return PgBackRest(self.plain.host, self.plain.name)

    def look(self, **options: Any) -> Evidence:
        """What `backup check` sees."""
        return look(self.place, **options)

    def wrong(self, **options: Any) -> list[Finding]:
        """What `backup check` says."""
        return findings(self.look(**options), self.settings)

    def inside(self, script: str, part: str = SCHEDULER, user: str = "postgres") -> str:
        """What a shell in a container answers."""
        return self.plain.inside("bash", "-c", script, part=part, user=user).checked(script).text

    def log(self) -> str:
        """What the scheduler has said."""
        return self.plain.host.logs(self.container.name, 1000)

    def until(self, condition: Any, seconds: float = PATIENCE) -> float:
        """Waits for a condition; returns the seconds it took. Fails with the scheduler's log where it never comes."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < seconds, self.log()
            time.sleep(0.3)
        return time.monotonic() - began

    def write(self, rows: int = 100) -> None:
        """Rows of now."""
        self.plain.sql(f"insert into readings select now(), m, 1 from generate_series(1, {rows}) m")

    def archived(self) -> str:
        """Closes the segment and waits until it is in the repository; its name."""
        self.write()
        name = self.plain.local("select pg_walfile_name(pg_switch_wal())")
        self.until(lambda: any(each.name == name for each in self.tool.archive().segments))
        return name
