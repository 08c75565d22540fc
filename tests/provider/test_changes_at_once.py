"""Many changes at once on a server of many processes: those that read everything around them, and those of tables."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pulumi_timescaledb.apply import Applier
from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.recording import Caller
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.specs.table import Column, Table
from pulumi_timescaledb.specs.view import View

from . import native

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("native"),
    pytest.mark.skipif(native.programs() is None, reason=native.WHY_NOT),
]
VIEWS = 24
ROWS = 400_000
KEYS = (Column(name="id", type="bigint"),)
ALIKE = "SELECT count(*) FROM pg_views WHERE schemaname = 'v' AND viewowner = 'after'"


@pytest.fixture
def dsn() -> Iterator[str]:
    with native.running(deadlock_timeout="100ms") as found:
        with psycopg.connect(found, autocommit=True) as session:
            session.execute(
                "CREATE ROLE before; CREATE ROLE after; CREATE SCHEMA v; GRANT ALL ON SCHEMA v TO before, after"
            )
        yield found


def table(*more: Column) -> Table:
    return Table(schema_="v", name="t", columns=(*KEYS, *more))


def views(owner: str) -> list[View]:
    return [View(schema_="v", name=f"v{number}", query="SELECT id FROM v.t", owner=owner) for number in range(VIEWS)]


async def apply(applier: Applier, before: Spec | None, after: Spec) -> None:
    kind: Any = kind_of(after.KIND)
    await applier.apply(kind, before, after, Caller("p/s", f"urn:{after.KIND}::{after.import_id()}"))


def test_neither_deadlocks_nor_waits_in_vain(dsn: str) -> None:
    """Views that get another owner, beside a table that is written again for longer than anybody waits for a lock."""

    async def make(applier: Applier) -> None:
        await apply(applier, None, table())
        for view in views("before"):
            await apply(applier, None, view)

    async def change(applier: Applier) -> None:
        rewritten = table(Column(name="mark", type="uuid", default="gen_random_uuid()"))
        pairs = zip(views("before"), views("after"), strict=True)
        await asyncio.gather(apply(applier, table(), rewritten), *(apply(applier, *pair) for pair in pairs))

    native.on(dsn, make)
    with psycopg.connect(dsn, autocommit=True) as session:
        session.execute(f"INSERT INTO v.t SELECT generate_series(1, {ROWS})".encode())
    native.on(dsn, change, lock_timeout=100)
    assert native.value(dsn, ALIKE) == VIEWS
    assert native.value(dsn, "SELECT sum(deadlocks)::int FROM pg_stat_database") == 0


def test_tables_do_not_wait_for_each_other(dsn: str) -> None:
    """A change that somebody's transaction keeps waiting keeps nobody else waiting."""
    mark = Column(name="mark", type="integer")
    tables = [Table(schema_="v", name=name, columns=KEYS) for name in ("held", "free")]

    async def make(applier: Applier) -> None:
        for each in tables:
            await apply(applier, None, each)

    async def change(applier: Applier) -> None:
        held, free = (apply(applier, each, each.model_copy(update={"columns": (*KEYS, mark)})) for each in tables)
        waiting = asyncio.create_task(held)
        with psycopg.connect(dsn) as somebody:
            somebody.execute("LOCK TABLE v.held IN ACCESS SHARE MODE")
            await asyncio.sleep(0)
            await asyncio.wait_for(free, 30)
            assert not waiting.done()
        await waiting

    native.on(dsn, make)
    native.on(dsn, change, lock_timeout=20_000)
    assert native.value(dsn, "SELECT count(*) FROM information_schema.columns WHERE column_name = 'mark'") == 2
