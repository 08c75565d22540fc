"""What is wrong with a stack's backups: pure rules over what was seen, each with its own reason and way out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from components.backup_config import BackupSettings, seconds

from .evidence import Evidence
from .tool import LEDGER, Kind

GRACE = timedelta(hours=12)
"""How late a backup may be before it counts as missed: pgMonitor's rules (7.5 days for a weekly, 1.5 for a daily one).
Half of the interval where that is shorter."""
SLACK = timedelta(hours=1)
"""How much later than promised a window may begin: a backup's own time."""
LEAST_FREE = 0.05
"""Share of the repository's volume below which it is about to be full."""
NAMED = 5


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `reason` is a fixed word for programs, `sentence` and `way_out` are for people."""

    reason: str
    sentence: str
    way_out: str


def findings(seen: Evidence, backup: BackupSettings) -> list[Finding]:
    """Everything that is wrong, what makes restores impossible first."""
    return [
        *_repository(seen),
        *_archive(seen),
        *_wal(seen),
        *_backups(seen, backup),
        *_window(seen, backup),
        *_scheduler(seen),
    ]


def _repository(seen: Evidence) -> Iterator[Finding]:
    problem = seen.repository.problem
    if problem:
        reason = "passphrase" if "passphrase" in problem else "repository"
        yield Finding(
            reason,
            f"the repository cannot be read: {problem}",
            "compare flows:rootSecret with the one the backups were made with"
            if reason == "passphrase"
            else "see that its volume or bucket is there and that user postgres may read it",
        )
    elif not seen.repository.is_encrypted:
        yield Finding(
            "not-encrypted", "the repository is not encrypted", "make a new one: its cipher cannot be changed"
        )
    theirs, ours = seen.repository.system_identifier, seen.server_identifier
    if theirs and ours and theirs != ours:
        yield Finding(
            "other-server",
            f"the repository belongs to another server ({theirs}, this one is {ours})",
            "give this stack a repository of its own",
        )
    if seen.free is not None and seen.free[0] < LEAST_FREE * seen.free[1]:
        yield Finding(
            "repository-full",
            f"the repository's volume is full: {_mib(seen.free[0])} of {_mib(seen.free[1])} are free",
            "give it more space, or keep fewer days (flows:backupRetentionDays); nothing is lost while the server's "
            "own disk has room for the WAL that waits",
        )


def _archive(seen: Evidence) -> Iterator[Finding]:
    if seen.server:
        yield Finding("server", f"the server cannot be asked: {seen.server}", "see flowsctl up, docker logs")
    said = seen.archiver or seen.checked
    if said:
        why = f" ({seen.push})" if seen.push else ""
        yield Finding(
            "archive",
            f"WAL does not reach the repository: {said}{why}",
            "until it does, what is committed now is lost with the server; docker logs of the database says more",
        )


def _wal(seen: Evidence) -> Iterator[Finding]:
    window = seen.window
    for gap in window.gaps:
        if not gap.missing:
            continue
        names = ", ".join(gap.missing[:NAMED]) + (" ..." if len(gap.missing) > NAMED else "")
        until = f"until {_time(gap.end)}" if gap.end else "since then"
        yield Finding(
            "wal-missing",
            f"{len(gap.missing)} WAL segments are missing: {names}; nothing after {_time(gap.start)} can be restored "
            f"{until}",
            "take a backup at once: flowsctl backup run --full; then find out who deletes from the repository",
        )
    for label in window.unusable:
        yield Finding("backup-unusable", f"backup {label} lacks WAL of its own time", "take a new one")


def _backups(seen: Evidence, backup: BackupSettings) -> Iterator[Finding]:
    found = seen.repository.backups
    if seen.repository.problem:
        return
    if not found:
        yield Finding("no-backup", "there is no backup", "the scheduler takes the first at once; see its docker logs")
        return
    for kinds, every, words in (
        ((Kind.FULL, Kind.DIFFERENTIAL, Kind.INCREMENTAL), backup.differential_every, "backup"),
        ((Kind.FULL,), backup.full_every, "full backup"),
    ):
        times = [each.finished for each in found if each.kind in kinds]
        limit = allowed_age(every)
        if not times or seen.now - max(times) > limit:
            last = f"of {_time(max(times))}" if times else "missing"
            yield Finding(
                "backup-age",
                f"the newest {words} is {last}: older than {_hours(limit)}",
                "docker logs of the scheduler says why; flowsctl backup run takes one now",
            )
    newest = found[-1]
    if newest.has_bad_pages:
        yield Finding(
            "bad-pages",
            f"backup {newest.label} found pages whose checksum is wrong: the server's disk is damaged",
            "restore from an older backup; replace the disk",
        )
    if seen.has_ledger and LEDGER not in newest.annotations:
        yield Finding(
            "ledger-missing",
            f"backup {newest.label} has no ledger: a restored copy cannot be held against anything",
            "docker logs of the scheduler says why; flowsctl backup run takes another",
        )


def allowed_age(every: str) -> timedelta:
    """The age from which a backup that is taken this often is too old."""
    interval = timedelta(seconds=seconds(every))
    return interval + min(GRACE, interval / 2)


def _window(seen: Evidence, backup: BackupSettings) -> Iterator[Finding]:
    """What is promised: every moment of the last days; for a younger database, since its first backup."""
    if seen.repository.problem:
        return
    promised = seen.now - timedelta(days=backup.retention_days)
    labels = {each.label for each in seen.repository.backups}
    kept = [each for each in seen.ledger if each.backup and each.at >= promised]
    for each in kept:
        if each.backup not in labels:
            yield Finding(
                "backup-gone",
                f"backup {each.backup} of {_time(each.at)} is gone from the repository",
                "find out who deletes from it; flowsctl backup run --full begins anew",
            )
    start = seen.window.start
    first = min((each.at for each in kept), default=None)
    # A ledger that is as old as the promise says nothing of when the first backup was: then the promise counts.
    if first is not None and (start is None or start > first + SLACK):
        begins = f"begins {_time(start)}" if start else "is empty"
        yield Finding(
            "window-short",
            f"the restorable window {begins}; {backup.retention_days} days are promised, and the first backup within "
            f"them was of {_time(first)}",
            "what is gone cannot be had back; flowsctl backup run --full begins anew",
        )


def _scheduler(seen: Evidence) -> Iterator[Finding]:
    if seen.scheduler:
        yield Finding(
            "scheduler", f"the scheduler does not work: {seen.scheduler}", "run flowsctl up; see its docker logs"
        )


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "never"


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"


def _hours(length: timedelta) -> str:
    return f"{length.total_seconds() / 3600:g} hours"
