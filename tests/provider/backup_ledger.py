"""The ledger of backups on a bare server: its declarations as statements, and series to count."""

from __future__ import annotations

from typing import Any

import psycopg

from flows import Settings, backup_ledger
from pulumi_timescaledb.capabilities import ServerCapabilities
from pulumi_timescaledb.plan import Standing, make_plan
from pulumi_timescaledb.specs import Schema
from pulumi_timescaledb.whole import Whole

Connection = psycopg.Connection[Any]


def statements() -> list[str]:
    """What makes the ledger's tables and functions, as `up` would run it."""
    declared = [Schema(name="monitoring"), *backup_ledger.declarations(Settings())]
    plan = make_plan(Standing(Whole([])), Whole(declared), ServerCapabilities())
    return [statement.sql for step in plan.steps for statement in step.statements]


def contents(connection: Connection, *, fresh: bool = False) -> dict[str, Any]:
    """What a ledger would say now."""
    row = connection.execute("select monitoring.backup_ledger_contents(%s)", [fresh]).fetchone()
    assert row is not None
    return dict(row[0])
