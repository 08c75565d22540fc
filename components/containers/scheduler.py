"""The scheduler container: takes the backups and runs the SQL jobs of a server without background jobs of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from components.backup_config import BackupSettings
from components.containers import paths
from components.containers.names import Names
from components.containers.pgbackrest_conf import CERTIFICATE, CONFIG, pgbackrest_conf
from components.containers.spec import Container, File, Health, Limits, Mount
from components.secrets import StackSecrets

PART = "scheduler"
FOLDER = paths.CONFIGURATION
SCRIPTS = ("scheduler.sh", "backup.sh")
STATEMENTS = ("archiver.sql", "due.sql", "ledger.sql", "ledger_done.sql")
JOBS = f"{FOLDER}/jobs.tsv"


@dataclass(frozen=True)
class TimedStatement:
    """SQL that is run every `interval` seconds, counted from `anchor` (Unix time)."""

    name: str
    interval: int
    anchor: int
    sql: str

    def line(self) -> str:
        """As the scheduler reads it. Raises ValueError where the SQL cannot stand in one line."""
        if "--" in self.sql or "\t" in self.sql:
            raise ValueError(f"{self.name}: neither a comment nor a tab can stand in a line of jobs")
        return "\t".join((self.name, str(self.interval), str(self.anchor), " ".join(self.sql.split())))


def scripts() -> tuple[File, ...]:
    """The scripts that back a database up; they work in any container that has the repository and the socket."""
    folder = files("components.containers").joinpath("scripts")
    return (
        *(File(f"{FOLDER}/{name}", folder.joinpath(name).read_text("utf-8"), 0o555) for name in SCRIPTS),
        *(File(f"{FOLDER}/{name}", folder.joinpath(name).read_text("utf-8")) for name in STATEMENTS),
    )


def repository_files(names: Names, backup: BackupSettings, secrets: StackSecrets) -> tuple[File, ...]:
    """What pgBackRest needs to reach the repository."""
    found = (File(CONFIG, pgbackrest_conf(names, backup, secrets), 0o600),)
    if backup.is_s3 and backup.s3_certificate:
        return (*found, File(CERTIFICATE, backup.s3_certificate))
    return found


def repository_mounts(names: Names, backup: BackupSettings) -> tuple[Mount, ...]:
    """The repository's volume; none where it is a bucket."""
    return () if backup.is_s3 else (Mount(names.volume("backup"), paths.BACKUP),)


def scheduler(
    names: Names,
    image: str,
    database: str,
    secrets: StackSecrets,
    backup: BackupSettings,
    jobs: Iterable[TimedStatement] = (),
) -> Container:
    """The container beside the server of `names`; it is healthy once WAL was seen to reach the repository.

    `image` is the server's own: pgBackRest must be of one version on both sides. `database` has the ledger.
    Without backups (`backup.enabled` false) it only runs `jobs`.
    """
    lines = "".join(f"{job.line()}\n" for job in jobs)
    kept = backup.enabled
    return Container(
        name=names.container(PART),
        image=image,
        command=(f"{FOLDER}/scheduler.sh",),
        network=names.network,
        mounts=(
            # Backups are read from the files, and never written to them.
            *((Mount(names.volume("data"), paths.DATA, read_only=True),) if kept else ()),
            *(repository_mounts(names, backup) if kept else ()),
            Mount(names.volume("run"), paths.SOCKETS),
        ),
        files=(
            *scripts(),
            *(repository_files(names, backup, secrets) if kept else ()),
            *((File(JOBS, lines),) if lines else ()),
        ),
        environment={
            "FLOWS_DATABASE": database,
            "FLOWS_STACK": f"{names.project}/{names.stack}",
            "FLOWS_FULL_EVERY": backup.full_every,
            "FLOWS_DIFFERENTIAL_EVERY": backup.differential_every,
            "FLOWS_BACKUP_AT": backup.at,
            "FLOWS_KEEP_LEDGERS": f"{backup.retention_days} days",
        },
        health=Health((f"{FOLDER}/scheduler.sh", "health"), start_period=90),
        limits=Limits(cpus=float(backup.processes)),
        labels=names.labels(PART),
        stop_seconds=30,
    )
