"""Holding a restored copy against the ledger that was written just before its backup.

The ledger is in the database, so a copy brings it along; its id and checksum are noted on the backup, so a copy that
lacks it is found out. A copy at a later moment may hold more rows than the ledger says. It may hold fewer only where
something deleted them: a retention policy (which says so itself), or a deletion that the live origin shows too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from flowsctl.backup.tool import LEDGER, LEDGER_SHA256, Backup
from flowsctl.maintenance.objects import Connection

Contents = dict[str, Any]
HERE = "SELECT to_regclass('monitoring.backup_ledger') IS NOT NULL"
ROW = "SELECT contents::text, sha256, taken_at FROM monitoring.backup_ledger WHERE id = %s AND stack = %s"
COUNT = "SELECT monitoring.backup_ledger_contents(true)"
# What retention may have dropped by a moment, one row for each hypertable or aggregate.
RETENTION = """
SELECT coalesce(a.view_schema, j.hypertable_schema) || '.' || coalesce(a.view_name, j.hypertable_name),
    (%s::timestamptz - (j.config ->> 'drop_after')::interval)::timestamptz
FROM timescaledb_information.jobs j
LEFT JOIN timescaledb_information.continuous_aggregates a
    ON (a.materialization_hypertable_schema, a.materialization_hypertable_name)
        = (j.hypertable_schema, j.hypertable_name)
WHERE j.proc_name = 'policy_retention' AND j.config ->> 'drop_after' ~ '[a-z:]'
"""
LOST_LIBRARY = "could not access file"


@dataclass(frozen=True)
class Row:
    """One count: of a table, of a day of a series, of a sort of objects."""

    name: str
    ledger: int
    restored: int
    explained: str = ""

    @property
    def is_loss(self) -> bool:
        """Fewer, and nothing says why."""
        return self.restored < self.ledger and not self.explained


@dataclass
class Judgement:
    """What came of it. `faults` are red; `rows` are the counts that are not as in the ledger."""

    ledger: int = 0
    taken_at: datetime | None = None
    faults: list[str] = field(default_factory=list)
    tables: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Rows by table and series: (ledger, restored)."""
    rows: list[Row] = field(default_factory=list)
    newest: dict[str, str] = field(default_factory=dict)
    """Newest time by series, as restored."""
    server: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is missing."""
        return not self.faults

    def as_json(self) -> dict[str, Any]:
        """The documented form within `restore --json` and a drill's report."""
        return {
            "ok": self.ok,
            "ledger": self.ledger,
            "ledger_taken_at": self.taken_at.isoformat() if self.taken_at else None,
            "faults": self.faults,
            "tables": {name: {"ledger": was, "restored": now} for name, (was, now) in sorted(self.tables.items())},
            "differences": [vars(row) | {"loss": row.is_loss} for row in self.rows],
            "newest": self.newest,
            "server": self.server,
        }


def judge(
    conninfo: Mapping[str, Any], owner: str, backup: Backup, moment: datetime, live: Connection | None = None
) -> Judgement:
    """The copy that `conninfo` leads to, restored from `backup` to `moment`; `owner` is project/stack of its origin.
    `live`: the origin's own database, where it is there to explain what was deleted since."""
    found = Judgement()
    try:
        with psycopg.connect(**conninfo, autocommit=True, prepare_threshold=None) as copy:
            contents = _ledger(copy, owner, backup, found)
            if contents is not None:
                now = copy.execute(COUNT.encode()).fetchall()[0][0]
                _compare(contents, now, _retention(copy, moment), found)
    except psycopg.Error as error:
        text = " ".join(str(error).split())
        library = f"the image has not the TimescaleDB that was backed up: {text}"
        found.faults.append(library if LOST_LIBRARY in text else f"the copy cannot be read: {text}")
        return found
    if live is not None and any(row.is_loss for row in found.rows):
        _ask_origin(live, found)
    found.faults += [
        f"{row.name}: {row.ledger} when the backup began, {row.restored} restored" for row in found.rows if row.is_loss
    ]
    return found


def _ledger(copy: Connection, owner: str, backup: Backup, found: Judgement) -> Contents | None:
    """The ledger's contents; None, and a fault, where it is missing or altered."""
    import json

    noted = backup.annotations.get(LEDGER, "")
    if not noted:
        found.faults.append(f"backup {backup.label} has no ledger: nothing can be held against it")
        return None
    if not copy.execute(HERE).fetchall()[0][0]:
        found.faults.append("the copy has no monitoring.backup_ledger")
        return None
    row = copy.execute(ROW, [int(noted), owner]).fetchone()
    if row is None:
        found.faults.append(f"ledger row {noted} of backup {backup.label} is not in the copy")
        return None
    text, checksum, found.taken_at = row
    found.ledger = int(noted)
    own = hashlib.sha256(text.encode()).hexdigest()
    if own != checksum or checksum != backup.annotations.get(LEDGER_SHA256, ""):
        found.faults.append(f"ledger row {noted} is not what was noted on backup {backup.label}: its SHA-256 differs")
        return None
    contents: Contents = json.loads(text)
    return contents


def _retention(copy: Connection, moment: datetime) -> dict[str, datetime]:
    return {str(name): cut for name, cut in copy.execute(RETENTION, [moment]).fetchall()}


def _compare(was: Contents, now: Contents, cuts: Mapping[str, datetime], found: Judgement) -> None:
    found.server = now["server"]
    for key in ("timescaledb", "edition"):
        if was["server"].get(key) != now["server"].get(key):
            found.faults.append(f"{key} is {now['server'].get(key)}, at the backup it was {was['server'].get(key)}")
    for name in sorted(was["tables"].keys() | now["tables"].keys()):
        pair = int(was["tables"].get(name, 0)), int(now["tables"].get(name, 0))
        found.tables[name] = pair
        if pair[0] != pair[1]:
            found.rows.append(Row(name, *pair))
    for name in sorted(was["series"].keys() | now["series"].keys()):
        before, after = was["series"].get(name, {}), now["series"].get(name, {})
        found.tables[name] = int(before.get("rows", 0)), int(after.get("rows", 0))
        if after.get("newest"):
            found.newest[name] = str(after["newest"])
        found.rows += _days(name, before.get("days", {}), after.get("days", {}), cuts.get(name))
    for name in sorted(was["counts"]):
        found.rows += _counted(name, was["counts"][name], now["counts"].get(name))


def _days(name: str, was: Mapping[str, Any], now: Mapping[str, Any], cut: datetime | None) -> Iterator[Row]:
    for day in sorted(was.keys() | now.keys()):
        before, after = int(was.get(day, 0)), int(now.get(day, 0))
        if before != after:
            dropped = cut is not None and after < before and _day_ends(day) <= cut + timedelta(days=1)
            yield Row(f"{name} on {day}", before, after, "dropped by its retention policy" if dropped else "")


def _day_ends(day: str) -> datetime:
    try:
        return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)
    except ValueError:  # a hypertable over integers counts by chunk
        return datetime.max.replace(tzinfo=UTC)


def _counted(name: str, was: Any, now: Any) -> Iterator[Row]:
    """Objects. Chunks come and go with policies: how many there are is told by the rows in them."""
    if isinstance(was, Mapping):
        for part in was:
            yield from _counted(f"{name} {part}", was[part], (now or {}).get(part, 0))
    elif int(was) != int(now or 0):
        passing = "chunks come and go with the policies" if "chunks" in name else ""
        yield Row(name, int(was), int(now or 0), passing)


def _ask_origin(live: Connection, found: Judgement) -> None:
    """What the live database has as few of as the copy was deleted, not lost."""
    today = live.execute(COUNT.encode()).fetchall()[0][0]
    flat = {name: int(count) for name, count in today["tables"].items()}
    for name, series in today["series"].items():
        flat |= {f"{name} on {day}": int(count) for day, count in series["days"].items()}
    for name, count in today["counts"].items():
        parts = {f"{name} {part}": n for part, n in count.items()} if isinstance(count, Mapping) else {name: count}
        flat |= {key: int(n) for key, n in parts.items()}
    for index, row in enumerate(found.rows):
        if row.is_loss and flat.get(row.name, 0) <= row.restored:
            found.rows[index] = Row(row.name, row.ledger, row.restored, "deleted since, as the live database shows")
