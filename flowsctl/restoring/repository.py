"""The backup tool at a repository, in a container that has it."""

from __future__ import annotations

from flowsctl.backup.pgbackrest import PgBackRest
from flowsctl.backup.tool import BackupTool
from flowsctl.containers.host import Host


def tool_in(host: Host, container: str) -> BackupTool:
    """The tool, by its commands in that container."""
    return PgBackRest(host, container)
