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
SWITCH = f"{paths.CONFIGURATION}/switch.sh"


def restore(copy: Names, origin: Names, image: str, secrets: StackSecrets, backup: BackupSettings) -> Container:
    """Waits for commands until it is removed. It can only read the repository."""
    repository = () if backup.is_s3 else (Mount(origin.volume("backup"), paths.BACKUP, read_only=True),)
    return Container(
        name=copy.container(PART),
        image=image,
        command=("/bin/bash", SCRIPT),
        network=copy.network,
        mounts=(Mount(copy.volume("data"), paths.DATA), *repository),
        files=(_script(SCRIPT), *repository_files(origin, backup, secrets)),
        labels=copy.labels(PART),
        restart="no",
        stop_seconds=5,
    )


def switch(copy: Names, origin: Names, image: str) -> Container:
    """Ends when the copy's cluster is in the origin's volume `data`, and what was there beside it."""
    return Container(
        name=copy.container("switch"),
        image=image,
        command=("/bin/bash", SWITCH),
        network=copy.network,
        mounts=(Mount(copy.volume("data"), "/copy"), Mount(origin.volume("data"), paths.DATA)),
        files=(_script(SWITCH),),
        labels=copy.labels("switch"),
        restart="no",
    )


def _script(path: str) -> File:
    folder = files("components.containers").joinpath("scripts")
    return File(path, folder.joinpath(path.rpartition("/")[2]).read_text("utf-8"))
