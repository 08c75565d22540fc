"""`--to`: the newest moment, a time, or a backup; and whether the repository has it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from flowsctl.backup.tool import Backup, Moment, Repository, Target
from flowsctl.errors import EXIT_REFUSED, FlowsError, UsageError

LABEL = re.compile(r"\d{8}-\d{6}[FDI](_\d{8}-\d{6}[DI])?")
"""How pgBackRest names a backup."""


def parse(text: str) -> Target:
    """A target. A time without a zone is UTC.

    Raises:
        UsageError: it is neither `latest`, a time, nor a label.
    """
    if text == "latest":
        return Target()
    if LABEL.fullmatch(text):
        return Target(Moment.BACKUP, label=text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--to {text} is no moment", "write latest, a time such as 2026-11-26T12:30:00Z, or a label of backup list"
        ) from None
    return Target(Moment.TIME, time=moment.replace(tzinfo=moment.tzinfo or UTC))


def source(target: Target, repository: Repository) -> Backup:
    """The backup that a restore to `target` begins with: the newest that had ended by then.

    Raises:
        FlowsError: the repository cannot be read, has no such backup, or the time is before the first one's end.
    """
    if repository.problem:
        raise FlowsError(f"the repository cannot be read: {repository.problem}", "flowsctl backup check says more")
    backups = repository.backups
    if not backups:
        raise refused("the repository has no backup", "take one: flowsctl backup run --full")
    if target.moment is Moment.BACKUP:
        for each in backups:
            if each.label == target.label:
                return each
        raise refused(f"there is no backup {target.label}", "flowsctl backup list shows them")
    if target.moment is Moment.TIME and target.time is not None:
        if target.time > datetime.now(UTC):
            raise refused(f"{target.time.isoformat()} has not come yet", "write latest for the newest moment")
        fitting = [each for each in backups if each.finished <= target.time]
        if not fitting:
            first = backups[0].finished.astimezone(UTC).isoformat()
            raise refused(
                f"{target.time.isoformat()} is before the end of the first backup ({first})",
                "flowsctl backup list shows the window",
            )
        return fitting[-1]
    return backups[-1]


def describe(target: Target) -> str:
    """As `--to` takes it."""
    if target.moment is Moment.TIME and target.time is not None:
        return target.time.astimezone(UTC).isoformat()
    return target.label or str(target.moment)


def refused(message: str, hint: str) -> FlowsError:
    """A FlowsError with the code of refusals."""
    return FlowsError(message, hint, EXIT_REFUSED)
