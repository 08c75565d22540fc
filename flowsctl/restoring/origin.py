"""Whose backups are restored: what is needed of a stack to reach its repository and to run a copy of its server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from components.backup_config import BackupSettings
from components.containers.names import Names
from components.containers.scheduler import TimedStatement
from components.secrets import StackSecrets
from components.server_config import ServerSettings
from flowsctl.errors import FlowsError

if TYPE_CHECKING:
    from flows.settings import Settings
    from flowsctl.options import Options

S3_SECRETS = {"s3_key": "backupS3Key", "s3_key_secret": "backupS3KeySecret"}


@dataclass(frozen=True)
class Origin:
    """A stack of engine docker. Its containers need not be there; its repository and its root secret must."""

    names: Names
    server: ServerSettings
    secrets: StackSecrets
    backup: BackupSettings
    jobs: tuple[TimedStatement, ...] = ()
    """What the scheduler runs on a server without background jobs."""

    @property
    def owner(self) -> str:
        """project/stack, as the database's ledgers call it."""
        return f"{self.names.project}/{self.names.stack}"


def origin_of(options: Options) -> Origin:
    """The chosen stack.

    Raises:
        FlowsError: it runs on another engine, has no backups, or its root secret is not to be had.
    """
    from flowsctl.session import open_engine, read_config

    workspace, config = read_config(options)
    if config.engine != "docker":
        raise FlowsError(
            f"stack {options.stack} runs on engine {config.engine}, which has no backups of ours",
            "for a copy of it: flowsctl dump, or flowsctl env create NAME --data clone (embedded)",
        )
    if not config.backup.enabled:
        raise FlowsError(f"stack {options.stack} has no backups: flows:backupEnabled is false", "switch them on")
    engine = open_engine(options)
    root = engine.secret("rootSecret")
    if not root:
        raise FlowsError(
            f"the root secret of stack {options.stack} is not to be had: backups are encrypted with it",
            "give the backend (PULUMI_BACKEND_URL) and the passphrase that the stack was made with",
        )
    backup = config.backup
    if backup.is_s3:  # a stack file read without Pulumi lacks what is encrypted in it
        keys = {name: SecretStr(engine.secret(key)) for name, key in S3_SECRETS.items()}
        backup = backup.model_copy(update=keys)
    names = Names(workspace.project_name, options.stack)
    return Origin(names, config.server, StackSecrets(root), backup, timed(config.settings))


def timed(settings: Settings) -> tuple[TimedStatement, ...]:
    """The jobs of the scheduler's container, as the docker engine gives them to it."""
    from flows.scheduled import jobs

    return tuple(TimedStatement(job.name, job.seconds, job.epoch, job.sql) for job in jobs(settings))
