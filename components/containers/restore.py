"""The container in which a restore runs: it has the origin's repository and the copy's empty volume, and no server."""

from __future__ import annotations

from importlib.resources import files

from components.backup_config import BackupSettings
from components.secrets import StackSecrets

from . import paths
from .names import Names
from .scheduler import repository_files
from .spec import Container, File, Mount

PART = "restore"
SCRIPT = f"{paths.CONFIGURATION}/restore.sh"


def restore(copy: Names, origin: Names, image: str, secrets: StackSecrets, backup: BackupSettings) -> Container:
    """Waits for commands until it is removed. It can only read the repository."""
    script = files("components.containers").joinpath("scripts", "restore.sh").read_text("utf-8")
    repository = () if backup.is_s3 else (Mount(origin.volume("backup"), paths.BACKUP, read_only=True),)
    return Container(
        name=copy.container(PART),
        image=image,
        command=("/bin/bash", SCRIPT),
        network=copy.network,
        mounts=(Mount(copy.volume("data"), paths.DATA), *repository),
        files=(File(SCRIPT, script), *repository_files(origin, backup, secrets)),
        labels=copy.labels(PART),
        restart="no",
        stop_seconds=5,
    )
