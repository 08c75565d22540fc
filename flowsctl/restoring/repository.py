"""The backup tool at a repository, in a container that has it."""

from __future__ import annotations

from dataclasses import dataclass

from flowsctl.backup.pgbackrest import PgBackRest
from flowsctl.backup.tool import BackupTool
from flowsctl.containers.host import Host


@dataclass(frozen=True)
class Said:
    """How a command ended, as text."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Standard output."""
        return self.out

    @property
    def complaint(self) -> str:
        """Standard error."""
        return self.err


class Speaking:
    """A host whose commands answer in text, as the tool reads them."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def execute(self, container: str, command: tuple[str, ...], *, user: str = "postgres", timeout: float = 60) -> Said:
        """See Host.execute."""
        done = self.host.execute(container, command, user=user, timeout=timeout)
        return Said(done.code, done.text, done.complaint)


def tool_in(host: Host, container: str) -> BackupTool:
    """The tool, by its commands in that container."""
    return PgBackRest(Speaking(host), container)
