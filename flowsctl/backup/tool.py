"""What flowsctl needs of a backup tool, so that another one could take pgBackRest's place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

LEDGER = "ledger"
LEDGER_SHA256 = "ledger-sha256"
"""Annotations of a backup: id and checksum of the ledger row that was written just before it."""


class Kind(StrEnum):
    """What a backup holds: everything, or what changed since the last full one, or since any."""

    FULL = "full"
    DIFFERENTIAL = "diff"
    INCREMENTAL = "incr"


@dataclass(frozen=True)
class Backup:
    """One backup. Sizes in bytes; LSNs and WAL names as the server writes them."""

    label: str
    kind: Kind
    started: datetime
    finished: datetime
    lsn_start: str
    lsn_stop: str
    wal_start: str
    wal_stop: str
    size: int
    """Of the database."""
    stored: int
    """What this backup added to the repository."""
    prior: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    has_bad_pages: bool = False
    """Pages whose checksum did not fit were found while it was taken."""


@dataclass(frozen=True)
class Repository:
    """What the repository says about itself. `problem` is empty where it can be read."""

    backups: tuple[Backup, ...]
    """Oldest first."""
    problem: str = ""
    system_identifier: int = 0
    is_encrypted: bool = False
    progress: float | None = None
    """Share done of a backup that is running, 0 to 1; None where none is."""


@dataclass(frozen=True)
class Segment:
    """One archived WAL segment."""

    name: str
    """24 hexadecimal digits: timeline, log, segment."""
    archived: datetime
    size: int


@dataclass(frozen=True)
class Archive:
    """The WAL in the repository, ordered by name, and the timelines whose history files are there."""

    segments: tuple[Segment, ...]
    timelines: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Fault:
    """A file of the repository that is not what it was when it was written."""

    file: str
    what: str


@dataclass(frozen=True)
class Verification:
    """Every file read and compared with its checksum. `backups` tells of each label whether it can be restored."""

    faults: tuple[Fault, ...]
    backups: Mapping[str, bool]
    wal_checked: int
    files_checked: int

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.faults and all(self.backups.values())


class Moment(StrEnum):
    """What a restore goes to: the end of the archive, a time, a position, or the end of a backup."""

    LATEST = "latest"
    TIME = "time"
    LSN = "lsn"
    BACKUP = "backup"


@dataclass(frozen=True)
class Target:
    """Where a restore stops. `time` for TIME, `lsn` for LSN, `label` for BACKUP (and to choose one otherwise)."""

    moment: Moment = Moment.LATEST
    time: datetime | None = None
    lsn: str = ""
    label: str = ""
    promote: bool = True
    """Whether the server is writable once it is there; otherwise it pauses, readable."""


Progress = Callable[[float], None]
"""Called with the share done, 0 to 1."""


class BackupTool(Protocol):
    """A tool at one repository. Every call raises FlowsError where it cannot be carried out."""

    def info(self) -> Repository:
        """The repository's backups."""

    def archive(self) -> Archive:
        """The repository's WAL."""

    def run(self, kind: Kind, progress: Progress | None = None) -> Backup:
        """Take a backup, with its ledger. Raises FlowsError with code EXIT_REFUSED while another one is running."""

    def check(self) -> None:
        """Make the server archive a segment and wait until it is in the repository."""

    def verify(self) -> Verification:
        """Read every file of the repository."""

    def annotate(self, label: str, notes: Mapping[str, str]) -> None:
        """Put words on a backup, such as `keep`."""

    def restore_command(self, target: Target) -> tuple[str, ...]:
        """The command that writes the cluster and its recovery settings into an empty data folder."""

    def wal_command(self) -> str:
        """`restore_command` of a server: fetches one segment."""
