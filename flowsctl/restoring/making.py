"""Making a restored copy: repository, restore, start, recovery, judgement. Nothing of the origin is written to."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from components.containers.database import ADMIN, database
from components.containers.names import Names
from components.containers.restore import restore
from components.server_config import ServerSettings
from flowsctl.backup.pgbackrest import sentence
from flowsctl.backup.tool import Backup, Moment, Target
from flowsctl.containers.host import Host
from flowsctl.errors import EXIT_REFUSED, FlowsError
from flowsctl.restoring import copies
from flowsctl.restoring.origin import Origin
from flowsctl.restoring.repository import tool_in
from flowsctl.restoring.target import describe, source
from flowsctl.restoring.unsound import Unsound, about_backups
from flowsctl.stack_file import free_port

Tell = Callable[[str], None]
RESTORE_SECONDS = 24 * 3600
READY_SECONDS = 60
POLL_SECONDS = 0.3
SIZE = re.compile(r"restore size = ([\d.]+)(B|KB|MB|GB|TB), file total = (\d+)")
TOOK = re.compile(r"restore command end: completed successfully \((\d+)ms\)")
UNITS = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
# What recovery came to, asked of the server that did it: both values stay until its next start.
RECOVERED = """
SELECT coalesce(pg_last_wal_replay_lsn()::text, ''), extract(epoch FROM pg_last_xact_replay_timestamp()),
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type ~ '^TimescaleDB.*(Scheduler|Job)'),
    current_setting('archive_mode')
"""


@dataclass
class Made:
    """A copy that is there, and what making it came to."""

    names: Names
    origin: Origin
    target: Target
    backup: Backup
    server: ServerSettings
    asked_at: datetime
    first_backup: datetime = datetime.max
    """End of the oldest backup: where the restorable window begins."""
    newest_segment: str = ""
    """Of the archive, before the restore began."""
    seconds: dict[str, float] = field(default_factory=dict)
    """By phase: repository, restore, start, recovery; judgement is added by whoever judges."""
    bytes: int = 0
    """That the tool says it has written."""
    tool_seconds: float = 0.0
    """That the tool says it took."""
    recovered_lsn: str = ""
    recovered_to: datetime | None = None
    """When the last transaction that was recovered had been committed; None where there was none after the backup."""

    @property
    def megabytes_per_second(self) -> float:
        """Of the restore phase, by this clock; the tool's own figure is bytes / tool_seconds."""
        return self.bytes / 1e6 / self.seconds["restore"] if self.seconds.get("restore") else 0.0

    @property
    def rpo_seconds(self) -> float:
        """At most what is missing: from the last recovered transaction to when the restore was asked for."""
        if self.target.moment is not Moment.LATEST:
            return 0.0  # recovery stops at the first transaction after the target, or it fails
        return max(0.0, (self.asked_at - (self.recovered_to or self.backup.finished)).total_seconds())

    def conninfo(self) -> dict[str, Any]:
        """Arguments for psycopg."""
        return {
            "host": self.server.reachable_host,
            "port": self.server.database_port,
            "user": ADMIN,
            "password": self.origin.secrets.password(ADMIN),
            "dbname": self.server.database_name,
            "application_name": "flowsctl",
            "connect_timeout": 10,
        }

    def as_json(self) -> dict[str, Any]:
        """The documented form within `restore --json`."""
        return {
            "name": self.names.stack,
            "origin": self.origin.names.stack,
            "target": describe(self.target),
            "backup": self.backup.label,
            "recovered_to": self.recovered_to.isoformat() if self.recovered_to else None,
            "recovered_lsn": self.recovered_lsn,
            "rpo_seconds": round(self.rpo_seconds, 3),
            "rto_seconds": round(sum(self.seconds.values()), 3),
            "seconds": {phase: round(took, 3) for phase, took in self.seconds.items()},
            "bytes": self.bytes,
            "megabytes_per_second": round(self.megabytes_per_second, 2),
            "tool_seconds": self.tool_seconds,
            "tool_megabytes_per_second": round(self.bytes / 1e6 / self.tool_seconds, 2) if self.tool_seconds else None,
            "port": self.server.database_port,
        }


def make(host: Host, origin: Origin, target: Target, name: str, tell: Tell, *, image: str = "") -> Made:
    """A copy called `name`, as the origin was at `target`: a server of its own in which nothing runs by itself. No
    background worker, no archiving, no scheduler, no API. Whatever fails, and Ctrl-C, takes away what was made of it.

    Raises:
        FlowsError: the name is taken or the target is not in the repository (refused); the restore failed, the archive
            has a gap, or the server did not come up.
    """
    names = Names(origin.names.project, name)
    copies.refuse_taken(host, names)
    _demand_repository(host, origin)
    server = origin.server.model_copy(update={"database_port": free_port(), "replicas": 0})
    try:
        return _make(host, origin, target, names, server, image or origin.server.image, tell)
    except BaseException:
        tell(f"taking away what was made of {name}")
        copies.remove(host, names)
        raise


def _demand_repository(host: Host, origin: Origin) -> None:
    """Docker would make a volume that is not there, empty and without labels."""
    volume = origin.names.volume("backup")
    if not origin.backup.is_s3 and not host.has_volume(volume):
        raise FlowsError(
            f"there is no volume {volume} on this host, so there is no repository to restore from",
            'name another --stack, or bring the volume here: docs/backup.md, "The host is lost"',
            EXIT_REFUSED,
        )


def _make(
    host: Host, origin: Origin, target: Target, names: Names, server: ServerSettings, image: str, tell: Tell
) -> Made:
    asked, seconds = datetime.now(UTC), dict[str, float]()
    copies.begin(host, names, origin.names)
    host.volume(names.volume("data"), names.labels("data"))
    host.volume(names.volume("run"), names.labels("run"))
    container = restore(names, origin.names, image, origin.secrets, origin.backup)
    with phase(seconds, "repository"):
        tell("asking the repository")
        host.start(replace(container, labels=copies.labels(names, origin.names, copies.RESTORE)))
        _until_ready(host, container.name)
        tool = tool_in(host, container.name)
        with about_backups():
            found = tool.info()
            backup = source(target, found)
            segments = tool.archive().segments
        made = Made(
            names,
            origin,
            target,
            backup,
            server,
            asked,
            newest_segment=segments[-1].name if segments else "",
            seconds=seconds,
        )
        made.first_backup = found.backups[0].finished
    with phase(seconds, "restore"):
        tell(f"restoring backup {backup.label} of {backup.size / 1e6:.1f} MB")
        _restore(host, container.name, tool.restore_command(replace(target, label=backup.label)), made)
    running = database(names, image, server, origin.secrets, origin.backup, inert=True, repository=origin.names)
    with phase(seconds, "start"):
        host.client.containers.get(container.name).remove(force=True)
        tell("starting its server")
        host.start(replace(running, labels=copies.labels(names, origin.names, copies.DATABASE), restart="no"))
        answer(host, names, "SELECT 1", patient=True)
    with phase(seconds, "recovery"):
        tell("recovering")
        _recover(host, made)
    return made


def _restore(host: Host, container: str, command: tuple[str, ...], made: Made) -> None:
    done = host.execute(container, command, timeout=RESTORE_SECONDS)
    if done.code:
        raise Unsound(
            f"the backup could not be restored: {sentence(done)}",
            "flowsctl backup verify reads every file; an older backup may be sound: restore --to LABEL",
        )
    if size := SIZE.search(done.text):
        made.bytes = int(float(size[1]) * UNITS[size[2]])
    if took := TOOK.search(done.text):
        made.tool_seconds = int(took[1]) / 1000


def _recover(host: Host, made: Made) -> None:
    """Waits until the server has left recovery, asks where it ended, and whether it could have gone on."""
    while answer(host, made.names, "SELECT pg_is_in_recovery()", patient=True) != "f":
        time.sleep(POLL_SECONDS)
    lsn, at, workers, archiving = answer(host, made.names, RECOVERED, patient=True).split("|")
    made.recovered_lsn = lsn
    made.recovered_to = datetime.fromtimestamp(float(at), UTC) if at else None
    if workers != "0" or archiving != "off":
        raise FlowsError("the copy is not inert: workers or archiving run in it", "this is a fault of flowsctl: tell")
    if made.target.moment is Moment.LATEST and lsn and made.newest_segment and ends_before(lsn, made.newest_segment):
        raise Unsound(
            f"recovery ended at {lsn}, but the archive goes on to segment {made.newest_segment}: a segment between "
            "them is missing or damaged",
            "flowsctl backup list shows the gap; restore --to a time before it, and take a full backup now",
        )
    # The stack's password as it is now: it may have been another one when the backup was taken.
    verifier = made.origin.secrets.scram_verifier(ADMIN)
    answer(host, made.names, f"ALTER ROLE {ADMIN} PASSWORD '{verifier}'")


def ends_before(lsn: str, segment: str) -> bool:
    """Whether a position lies before a segment of 16 MB (its name: timeline, high, low, eight digits each)."""
    high, low = (int(part, 16) for part in lsn.split("/"))
    start = int(segment[8:16], 16) << 32 | int(segment[16:24], 16) << 24
    return (high << 32 | low) < start


def answer(host: Host, names: Names, query: str, *, patient: bool = False) -> str:
    """What the copy's server says to a query of one row, by its socket as superuser. The query goes by standard input.
    `patient`: while the server starts it is asked again.

    Raises:
        FlowsError: it has ended (with its reason), or refuses the query.
    """
    container = names.container(copies.DATABASE)
    command = ("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "/var/lib/flows/run", "-d", "postgres", "-f", "-")
    while True:
        state, _ = host.health(container)
        if state in ("exited", "missing"):
            raise Unsound(f"the copy's server has ended: {(words := _last_words(host, container))}", _hint(words))
        done = host.execute(container, command, input=query.encode(), timeout=READY_SECONDS)
        if done.code == 0:
            return done.text
        if not patient or done.code != 2:  # psql: 2 = no connection
            raise FlowsError(f"the copy's server refuses: {done.complaint}", "look at its log")
        time.sleep(POLL_SECONDS)


def _hint(words: str) -> str:
    if "before configured recovery target" in words:
        return (
            "nothing that was committed later is in the archive: where the origin was quiet since, --to latest is the "
            "same; flowsctl backup check says whether a segment is missing"
        )
    return "flowsctl backup check and flowsctl backup verify look at the repository"


def _last_words(host: Host, container: str) -> str:
    """The server's own reason: what it says after FATAL or PANIC, else its last line."""
    lines = host.logs(container, 200).splitlines()
    fatal = [line.partition(word)[2] for line in lines for word in ("FATAL:  ", "PANIC:  ") if word in line]
    wanted = [line for line in fatal if "starting up" not in line and "not yet accepting" not in line]
    return wanted[-1].strip() if wanted else (lines[-1].strip() if lines else "it left no word")


def _until_ready(host: Host, container: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while "ready" not in host.logs(container, 5).splitlines():
        state, _ = host.health(container)
        if state in ("exited", "missing") or time.monotonic() > deadline:
            raise FlowsError(f"the restore's container is not ready: {host.logs(container, 5)}", "look at the image")
        time.sleep(0.1)


@contextmanager
def phase(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Times a phase."""
    began = time.monotonic()
    try:
        yield
    finally:
        seconds[name] = time.monotonic() - began
