"""The whole Flows database with demo data: drilled, and one of its hypertables brought back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from flows import Settings, declarations
from flowsctl.backup.tool import Moment, Target
from flowsctl.containers.host import Host
from flowsctl.demo.load import carry_out, plan
from flowsctl.demo.show import Silent
from flowsctl.restoring.drilling import GREEN, drill
from flowsctl.restoring.table import Wanted, restore_table
from pulumi_timescaledb.apply import Applier
from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.recording import Caller
from pulumi_timescaledb.whole import Whole

from . import plain as stacks
from .plain import Plain

pytestmark = pytest.mark.docker
SUMS = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM flows.meter_csq t"


def silent(_text: str) -> None:
    """Nobody listens."""


def provision(origin: Plain) -> None:
    """Every declaration of Flows, as `up` applies them, in the edition that the server has."""
    settings = Settings(edition="community" if origin.has_community() else "apache")
    whole = Whole(declarations(settings))
    known: dict[str, Any] = origin.conninfo()
    reached = ConnectionSettings(
        host=known["host"],
        port=known["port"],
        user=known["user"],
        password=known["password"],
        database=known["dbname"],
    )

    async def work() -> None:
        database = Database(reached)
        try:
            applier = Applier(database)
            applier.know(Whole(), whole)
            for reference in whole.creation_order:
                spec = whole.specs[reference]
                urn = f"urn:pulumi:one::rs-flows::timescaledb:index:{reference.kind}::{spec.import_id()}"
                await applier.apply(kind_of(reference.kind), None, spec, Caller(origin.origin.owner, urn))
        finally:
            await database.close()

    asyncio.run(work())


def filled(origin: Plain) -> None:
    """Flows with two small communities."""
    provision(origin)
    with origin.connect() as connection:
        carry_out(connection, plan(2, 20, 30, 1, None), Silent(), replace=False, measure=False)


@pytest.fixture(scope="module")
def flows(host: Host) -> Iterator[Plain]:
    with stacks.running(host, "rs-flows", "one", filled) as made:
        yield made


def test_flows_is_drilled_and_a_hypertable_comes_back(flows: Plain) -> None:
    origin = flows
    origin.archived()
    with origin.connect() as live:
        found = drill(origin.host, origin.origin, silent, random_target=True, live=live, seed=3)
    newest = found.runs[0]
    assert (newest.verdict, newest.reasons) == (GREEN, [])
    assert newest.judgement is not None
    assert all(was == now for was, now in newest.judgement.tables.values()), newest.judgement.rows
    assert len(newest.judgement.tables) > 20

    before, moment = origin.sql(SUMS), origin.sql("SELECT clock_timestamp()")[0][0]
    time.sleep(0.2)
    origin.sql("TRUNCATE flows.meter_csq")
    origin.archived()
    target = Target(Moment.TIME, time=moment)
    back = restore_table(origin.host, origin.origin, origin.conninfo(), Wanted("flows.meter_csq"), target, silent)
    assert back.brought.written == before[0][0] > 0
    assert back.brought.live_checksum == back.brought.checksum
    assert origin.sql(SUMS) == before
