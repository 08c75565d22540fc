"""What can be seen of a stack's backups, gathered once: server, archive, repository, scheduler, ledger."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from components.containers.scheduler import PART as SCHEDULER
from flowsctl.errors import FlowsError

from .pgbackrest import PgBackRest
from .place import DATABASE, Place, script
from .tool import Archive, Repository
from .window import SEGMENT_BYTES, Window, window

LOG_LINES = 300
RECENT = timedelta(minutes=10)
# 2026-11-27 01:35:40.046 P00  ERROR: [104]: sentence, then indented lines with the causes, the innermost last.
PUSH_ERROR = re.compile(
    r"^(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) P\d\d\s+ERROR: \[\d+\]: (?P<first>.*)(?P<more>(?:\n[ \t]+.*)*)", re.M
)
CAUSE = re.compile(r"\[\w+Error\] (?!on retry)(.*)")
SERVER = """
select
    (select system_identifier from pg_control_system()),
    (select setting from pg_settings where name = 'wal_segment_size'),
    to_regclass('monitoring.backup_ledger') is not null
"""
LEDGER = """
select coalesce(backup, ''), extract(epoch from coalesce(finished_at, taken_at)) from monitoring.backup_ledger
where stack = '{stack}' order by id
"""


@dataclass(frozen=True)
class Written:
    """A ledger row: the backup it was written for, empty where that never ended, and when."""

    backup: str
    at: datetime


@dataclass(frozen=True)
class Evidence:
    """What was seen at `now`. Empty sentences mean: nothing wrong."""

    now: datetime
    repository: Repository
    archive: Archive = field(default_factory=lambda: Archive(()))
    segment_bytes: int = SEGMENT_BYTES
    server: str = ""
    """Why it could not be asked."""
    server_identifier: int = 0
    archiver: str = ""
    """What the server says of its archiver."""
    push: str = ""
    """What the last push that failed said of itself."""
    checked: str = ""
    """What came of making it archive a segment."""
    scheduler: str = ""
    """What its own health check says, or that it is not there."""
    has_ledger: bool = False
    ledger: tuple[Written, ...] = ()
    free: tuple[int, int] | None = None
    """Bytes free, bytes in all, of the repository's volume; None for a bucket."""

    @property
    def window(self) -> Window:
        """What can be restored."""
        return window(self.repository, self.archive, self.segment_bytes)


def look(place: Place, *, thorough: bool = True, now: datetime | None = None) -> Evidence:
    """Gather what can be seen; with `thorough` the server has to archive a segment, which may take a minute.

    Raises:
        FlowsError: there is no Docker daemon, or no container of the stack runs.
    """
    tool = place.reader()
    seen: dict[str, object] = {"now": now or datetime.now(UTC), "scheduler": _scheduler(place)}
    try:
        seen["repository"] = repository = tool.info()
        seen["archive"] = Archive(()) if repository.problem else tool.archive()
    except FlowsError as error:
        seen["repository"] = Repository((), problem=error.message)
    if not place.backup.is_s3:
        seen["free"] = _free(tool)
    try:
        seen |= _server(place)
    except FlowsError as error:
        return Evidence(**seen, server=error.message)  # type: ignore[arg-type]
    if seen["archiver"]:
        seen["push"] = _push(place, datetime.now(UTC))
    elif thorough:
        seen["checked"] = _checked(tool)
        if seen["checked"]:
            seen["push"] = _push(place, datetime.now(UTC))
    return Evidence(**seen)  # type: ignore[arg-type]


def _scheduler(place: Place) -> str:
    state, said = place.state(SCHEDULER)
    if state in ("healthy", "running", "starting"):
        return ""
    return f"{place.names.container(SCHEDULER)} is {state}" + (f": {said}" if said else "")


def _server(place: Place) -> dict[str, object]:
    ((identifier, segment_bytes, has_ledger),) = place.sql(SERVER)
    rows = place.sql(LEDGER.format(stack=place.owner)) if has_ledger == "t" else []
    return {
        "server_identifier": int(identifier),
        "segment_bytes": int(segment_bytes),
        "has_ledger": has_ledger == "t",
        "ledger": tuple(Written(backup, datetime.fromtimestamp(float(at), UTC)) for backup, at in rows),
        "archiver": " ".join("".join(row) for row in place.sql(script("archiver.sql"))).strip(),
    }


def _push(place: Place, now: datetime) -> str:
    """Why the last push failed, by what it wrote into the server's log; nothing where it did not get to speak."""
    return push_error(place.host.logs(place.names.container(DATABASE), LOG_LINES), now)


def push_error(log: str, now: datetime) -> str:
    """The last error of pgBackRest in a log, if it is of the last minutes: its innermost cause."""
    blocks = list(PUSH_ERROR.finditer(log))
    if not blocks:
        return ""
    last = blocks[-1]
    if now - datetime.fromisoformat(last["at"]).replace(tzinfo=UTC) > RECENT:
        return ""
    causes = CAUSE.findall(last["more"])
    return str(causes[-1] if causes else last["first"]).strip()


def _checked(tool: PgBackRest) -> str:
    try:
        tool.check()
    except FlowsError as error:
        return error.message
    return ""


def _free(tool: PgBackRest) -> tuple[int, int] | None:
    from components.containers import paths

    done = tool.host.execute(tool.container, ("df", "-B1", "--output=avail,size", paths.BACKUP))
    numbers = done.text.split()[-2:]
    return (int(numbers[0]), int(numbers[1])) if done.code == 0 else None
