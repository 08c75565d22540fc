"""pgbackrest.conf: where the repository is, how it is encrypted, how long backups are kept.

`archive-push-queue-max` is never set: over that limit pgBackRest reports success and throws the queue away, and with it
every point in time until the next backup (its reference, archive-push-queue-max). A full disk that stops the server is
the smaller evil, and `flowsctl backup check` sees it coming.
"""

from __future__ import annotations

from collections.abc import Iterator

from components.backup_config import BackupSettings
from components.containers import paths
from components.containers.names import Names
from components.secrets import StackSecrets

STANZA = "main"
CONFIG = f"{paths.CONFIGURATION}/pgbackrest.conf"
"""As it is put into a container: of root, 0600."""
PRIVATE_CONFIG = f"{paths.PRIVATE}/pgbackrest.conf"
"""The copy that the entry scripts make for user postgres, 0600 in a 0700 folder: what commands are given."""
CERTIFICATE = f"{paths.CONFIGURATION}/s3.pem"
SPOOL = f"{paths.DATA}/spool"
"""Where the server's pushes leave their state."""

PUSH_SECONDS = 30
"""How long archive-push waits for its background process before it says that archiving fails."""


def pgbackrest_conf(names: Names, backup: BackupSettings, secrets: StackSecrets) -> str:
    """The file's text; it holds the cipher and the bucket's keys."""
    sections = {
        "global": {**_repository(names, backup, secrets), **_common(backup)},
        # Files, not rows of the server's log, one for every segment.
        "global:archive-push": {"archive-timeout": str(PUSH_SECONDS), "log-level-console": "warn"},
        "global:archive-get": {"log-level-console": "warn"},
        STANZA: {"pg1-path": paths.PGDATA, "pg1-socket-path": paths.SOCKETS, "pg1-user": "postgres"},
    }
    return "\n".join(_lines(sections))


def archive_command() -> str:
    """What the server runs for every finished WAL segment."""
    return f"pgbackrest --config={PRIVATE_CONFIG} --stanza={STANZA} archive-push %p"


def _common(backup: BackupSettings) -> dict[str, str]:
    return {
        "archive-async": "y",
        "spool-path": SPOOL,
        "compress-type": "zst",
        "process-max": str(backup.processes),
        # A backup that waits for the server's own next checkpoint may wait minutes.
        "start-fast": "y",
        # Private to the container: its own lock keeps two backups apart, the server's pushes hold another.
        "lock-path": "/run/flows/lock",
        "log-level-console": "info",
        "log-level-file": "off",
    }


def _repository(names: Names, backup: BackupSettings, secrets: StackSecrets) -> dict[str, str]:
    options = {
        "repo1-cipher-type": "aes-256-cbc",
        "repo1-cipher-pass": secrets.backup(),
        # By time: a number of full backups promises no number of days. WAL is kept as long as the oldest backup.
        "repo1-retention-full-type": "time",
        "repo1-retention-full": str(backup.retention_days),
        "repo1-bundle": "y",
        "repo1-block": "y",
    }
    if not backup.is_s3:
        return {"repo1-path": paths.BACKUP, **options}
    return {**_bucket(names, backup), **options}


def _bucket(names: Names, backup: BackupSettings) -> dict[str, str]:
    host, _, port = backup.s3_endpoint.partition(":")
    options = {
        "repo1-type": "s3",
        "repo1-path": backup.s3_path or f"/{names.project}/{names.stack}",
        "repo1-s3-bucket": backup.s3_bucket,
        "repo1-s3-region": backup.s3_region,
        "repo1-s3-endpoint": host or f"s3.{backup.s3_region}.amazonaws.com",
    }
    if host:
        # Buckets as host names need DNS entries and certificates that services of one's own seldom have.
        options["repo1-s3-uri-style"] = "path"
    if port:
        options["repo1-storage-port"] = port
    if backup.s3_certificate:
        options["repo1-storage-ca-file"] = CERTIFICATE
    if backup.s3_key.get_secret_value():
        options["repo1-s3-key"] = backup.s3_key.get_secret_value()
        options["repo1-s3-key-secret"] = backup.s3_key_secret.get_secret_value()
    else:
        options["repo1-s3-key-type"] = "auto"
    return options


def _lines(sections: dict[str, dict[str, str]]) -> Iterator[str]:
    for section, options in sections.items():
        yield f"[{section}]"
        yield from (f"{name}={value}" for name, value in options.items())
        yield ""
