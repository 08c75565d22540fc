"""Which backup is due, by what the repository has: the scheduler's own statement on a real server."""

from __future__ import annotations

import json
import re
from typing import Any

import psycopg
import pytest
from psycopg import sql

from flowsctl.backup.place import script

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("shared")]

WEEKLY = {"full_every": "7 days", "differential_every": "1 day", "at": "01:00:00"}
# 2026-11-22 is a Sunday.
SUNDAY_FULL = ("full", "2026-11-22 01:00:05+00")


def due(dsn: str, now: str, backups: list[tuple[str, str]], **settings: str) -> str:
    """What due.sql says at `now` with these backups, each a type and when it was started."""
    with psycopg.connect(dsn, autocommit=True) as connection:

        def epoch(text: str) -> int:
            row = connection.execute("select extract(epoch from %s::timestamptz)::bigint", [text]).fetchone()
            return int(row[0]) if row else 0

        entries = [{"type": kind, "timestamp": {"start": epoch(started)}} for kind, started in backups]
        values: dict[str, Any] = {"info": json.dumps([{"backup": entries}]), "now": now, **WEEKLY, **settings}
        statement = "".join(line for line in script("due.sql").splitlines(True) if not line.startswith(("\\", "--")))
        literals = {name: sql.Literal(value).as_string(connection) for name, value in values.items()}
        text = re.sub(r":'(\w+)'", lambda found: literals[found[1]], statement)
        row = connection.execute(text.encode()).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize(
    ("now", "backups", "expected"),
    [
        ("2026-11-25 12:00+00", [], "full"),
        ("2026-11-22 00:59+00", [("full", "2026-11-15 01:00:05+00"), ("diff", "2026-11-21 01:00:02+00")], ""),
        ("2026-11-22 01:00+00", [("full", "2026-11-15 01:00:05+00"), ("diff", "2026-11-21 01:00:02+00")], "full"),
        ("2026-11-22 01:01+00", [SUNDAY_FULL], ""),
        ("2026-11-23 00:59+00", [SUNDAY_FULL], ""),
        ("2026-11-23 01:00+00", [SUNDAY_FULL], "diff"),
        ("2026-11-23 01:02+00", [SUNDAY_FULL, ("diff", "2026-11-23 01:00:30+00")], ""),
        # Missed for two days: one differential one catches up; missed over Sunday: the full one does.
        ("2026-11-25 12:00+00", [SUNDAY_FULL], "diff"),
        ("2026-11-30 08:00+00", [SUNDAY_FULL, ("diff", "2026-11-28 01:00:30+00")], "full"),
        # Taken by hand between: the day is covered, the week is not before its Sunday.
        ("2026-11-25 12:00+00", [SUNDAY_FULL, ("diff", "2026-11-25 09:00:00+00")], ""),
        ("2026-11-25 12:00+00", [("full", "2026-11-25 09:00:00+00")], ""),
        # An incremental one, by hand, is not what the schedule promises.
        ("2026-11-25 12:00+00", [SUNDAY_FULL, ("incr", "2026-11-25 09:00:00+00")], "diff"),
    ],
)
def test_weekly_and_daily(shared_dsn: str, now: str, backups: list[tuple[str, str]], expected: str) -> None:
    assert due(shared_dsn, now, backups) == expected


def test_other_intervals_and_times(shared_dsn: str) -> None:
    hourly = {"full_every": "1 day", "differential_every": "1 hour", "at": "04:30:00"}
    midnight = ("full", "2026-11-25 04:30:10+00")
    assert due(shared_dsn, "2026-11-25 05:29+00", [midnight], **hourly) == ""
    assert due(shared_dsn, "2026-11-25 05:30+00", [midnight], **hourly) == "diff"
    assert due(shared_dsn, "2026-11-26 04:30+00", [midnight], **hourly) == "full"


def test_the_zone_of_the_server_does_not_matter(shared_dsn: str) -> None:
    """01:00 is that of UTC whatever the session's zone."""
    zoned = f"{shared_dsn} options='-c timezone=Pacific/Auckland'"
    assert due(zoned, "2026-11-22 01:00+00", [("full", "2026-11-15 01:00:05+00")]) == "full"
    assert (
        due(zoned, "2026-11-22 00:59+00", [("full", "2026-11-15 01:00:05+00"), ("diff", "2026-11-21 02:00+00")]) == ""
    )
