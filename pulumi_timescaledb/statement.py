"""One step of a plan, and the ways a plan can answer "no"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby

from .hazards import Hazard


class LockLevel(StrEnum):
    """Table lock modes of PostgreSQL 17 (documentation, table 13.2), weakest first; NONE takes no table lock."""

    NONE = ""
    ACCESS_SHARE = "ACCESS SHARE"
    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"


@dataclass(frozen=True)
class Statement:
    """One SQL statement with what it costs.

    `secrets` maps placeholders in `sql` to values; only the executor puts them in, so that `sql` can be shown.
    `transactional`: whether it runs in one transaction with its neighbours. False for what the server refuses in a
    transaction, and for what takes long and would hold an earlier statement's stronger lock for all that time.
    `undo` takes it back where a later step of the same change fails, and removes what it left behind when it failed
    alone.
    `first`: whether it must be the first command of a session, and no other session of ours may go on (never
    transactional).
    """

    sql: str
    lock: LockLevel = LockLevel.NONE
    hazards: tuple[Hazard, ...] = ()
    transactional: bool = True
    first: bool = False
    undo: Statement | None = None
    secrets: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def executable(self) -> str:
        """The SQL with its secrets. Never log it."""
        sql = self.sql
        for placeholder, value in self.secrets:
            sql = sql.replace(placeholder, value)
        return sql


def in_groups(statements: Iterable[Statement]) -> list[tuple[bool, list[Statement]]]:
    """(whether they run together, statements) in order: what is one transaction, and what runs on its own."""
    return [(together, list(each)) for together, each in groupby(statements, lambda each: each.transactional)]


class Refused(Exception):
    """A change that is not made, with the reason and the way out, one sentence each."""

    def __init__(self, reason: str, way_out: str) -> None:
        super().__init__(f"{reason} {way_out}")
        self.reason = reason
        self.way_out = way_out


class Rebuild(Exception):
    """Raised by a kind's `alter`: the server cannot change this in place, so drop and create it again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BuildBeside(Rebuild):
    """Raised by a kind's `alter`: as Rebuild, but the object holds data, so the new one is built and filled beside it
    and takes its place in one transaction (see `succession`)."""
