"""The whole Flows database through the provider's own applier, without Pulumi."""

from __future__ import annotations

from flows import Settings, declarations
from pulumi_timescaledb.apply import Applier
from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.plan import Plan
from pulumi_timescaledb.planner import plan_database
from pulumi_timescaledb.recording import Caller
from pulumi_timescaledb.whole import Whole

from .native import on

STACK = "flows/test"


def apply(dsn: str, settings: Settings) -> None:
    """Makes every object, in an order that works."""
    whole = Whole(declarations(settings))

    async def every(applier: Applier) -> None:
        applier.know(Whole(), whole)
        for reference in whole.creation_order:
            urn = f"urn:pulumi:test::flows::timescaledb:index:{reference.kind}::{whole.specs[reference].import_id()}"
            await applier.apply(kind_of(reference.kind), None, whole.specs[reference], Caller(STACK, urn))

    on(dsn, every)


def plan(dsn: str, settings: Settings) -> Plan:
    """What an update would do."""
    whole = Whole(declarations(settings))

    async def planned(applier: Applier) -> Plan:
        return (await plan_database(applier.database, whole, STACK)).plan

    return on(dsn, planned)
