"""Where a stack's backups are: its containers, and the repository that they reach. No state is needed for it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from components.backup_config import BackupSettings
from components.containers import paths
from components.containers.names import Names
from components.containers.scheduler import PART as SCHEDULER
from flowsctl.errors import FlowsError

from .pgbackrest import PgBackRest

if TYPE_CHECKING:
    from flowsctl.containers.host import Host
    from flowsctl.options import Options

DATABASE = "database"
RUNNING = ("healthy", "unhealthy", "starting", "running")
SQL_SECONDS = 60


@dataclass(frozen=True)
class Place:
    """A stack of engine docker on its Docker host. `database` is the one that has the ledger."""

    host: Host
    names: Names
    backup: BackupSettings
    database: str

    @property
    def owner(self) -> str:
        """project/stack, as the ledger calls it."""
        return f"{self.names.project}/{self.names.stack}"

    def state(self, part: str) -> tuple[str, str]:
        """healthy, unhealthy, starting, exited, missing ..., and what its check said last."""
        return self.host.health(self.names.container(part))

    def runs(self, part: str) -> bool:
        """Whether a part's container is up, healthy or not."""
        return self.state(part)[0] in RUNNING

    def scheduler(self) -> PgBackRest:
        """The tool in the scheduler, which alone takes backups. Raises FlowsError where it does not run."""
        if not self.runs(SCHEDULER):
            state, _ = self.state(SCHEDULER)
            raise FlowsError(
                f"container {self.names.container(SCHEDULER)}, which takes the backups, is {state}", "run flowsctl up"
            )
        return PgBackRest(self.host, self.names.container(SCHEDULER))

    def reader(self) -> PgBackRest:
        """The tool in whatever container runs: the repository can be read from the server's too.

        Raises:
            FlowsError: neither runs.
        """
        for part in (SCHEDULER, DATABASE):
            if self.runs(part):
                return PgBackRest(self.host, self.names.container(part))
        raise FlowsError(
            f"neither the server nor the scheduler of {self.owner} runs here",
            "run flowsctl up; a repository whose server is lost is read by flowsctl restore",
        )

    def sql(self, statement: str) -> list[list[str]]:
        """Rows of a query, as text, asked as superuser through the server's socket.

        Raises:
            FlowsError: the server does not answer, or refuses.
        """
        command = (
            *("psql", "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", paths.SOCKETS),
            *("-U", "postgres", "-d", self.database, "-f", "-"),
        )
        done = self.host.execute(
            self.names.container(DATABASE), command, input=statement.encode(), timeout=SQL_SECONDS
        ).checked("a question to the server", "flowsctl backup check says more")
        return [line.split("\t") for line in done.text.splitlines()]


def script(name: str) -> str:
    """A statement that the scheduler asks too."""
    return files("components.containers").joinpath("scripts", name).read_text("utf-8")


def place_of(options: Options) -> Place:
    """The place of the chosen stack's backups.

    Raises:
        FlowsError: it runs on an engine that has none, or they are switched off.
    """
    from flowsctl.containers.host import Host
    from flowsctl.session import read_config

    workspace, config = read_config(options)
    stack = options.stack
    if config.engine == "embedded":
        raise FlowsError(
            f"stack {stack} runs on the embedded engine, which has no backups: it is for trying out and for tests",
            f"flowsctl env create NAME --data clone copies it; flowsctl dump --stack {stack} writes it to a file",
        )
    if config.engine == "external":
        raise FlowsError(
            f"stack {stack} runs on a server that is not ours: whoever runs it backs it up",
            f"ask them for their window and their drills; flowsctl dump --stack {stack} writes a logical copy",
        )
    if not config.backup.enabled:
        raise FlowsError(f"stack {stack} has no backups: flows:backupEnabled is false", "set it to true, flowsctl up")
    names = Names(workspace.project_name, stack)
    return Place(Host(config.server.docker_host), names, config.backup, config.server.database_name)
