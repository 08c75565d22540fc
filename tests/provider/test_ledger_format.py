"""Ledgers that earlier versions made: read as they are, brought up to date by the first change, nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pulumi_timescaledb import ledger
from pulumi_timescaledb.apply import Applier
from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.drift import drifted
from pulumi_timescaledb.errors import Declined
from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.planner import Planned, plan_database
from pulumi_timescaledb.rebind import rebind
from pulumi_timescaledb.recording import Caller
from pulumi_timescaledb.snapshot import take
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.whole import Whole

from .engine import Engine, Failed, sql, wipe
from .things import ALL, SCHEMA, TABLE, a_table

pytestmark = pytest.mark.server
T = TypeVar("T")
STACK = "project/dev"
FORMATS = Path(__file__).parent / "ledgers"
COLUMNS = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
    "WHERE table_schema = 'pulumi_timescaledb' ORDER BY 1, 2"
)
KEPT = {
    "identity": ("ledger", "created_at"),
    "ledger": ("kind", "id", "stack", "urn", "parent", "declared", "canonical", "step", "applied_at"),
    "history": ("at", "stack", "urn", "kind", "id", "verb", "statements"),
}
"""Columns that every format has."""


def on(server: EmbeddedServer, work: Callable[[Applier], Awaitable[T]]) -> T:
    """`work` with an applier of its own, as a new plugin process would have."""
    reach = ConnectionSettings(host=str(server.socket_dir), port=server.port, user="postgres")

    async def run() -> T:
        database = Database(reach)
        try:
            return await work(Applier(database))
        finally:
            await database.close()

    return asyncio.run(run())


def apply(server: EmbeddedServer, *specs: Spec) -> None:
    async def every(applier: Applier) -> None:
        for spec in specs:
            caller = Caller(STACK, f"urn:pulumi:dev::project::timescaledb:index:{spec.KIND}::{spec.import_id()}")
            await applier.apply(kind_of(spec.KIND), None, spec, caller)

    on(server, every)


def plan(server: EmbeddedServer, *specs: Spec) -> Planned:
    return on(server, lambda applier: plan_database(applier.database, Whole(specs), STACK))


def rows(server: EmbeddedServer) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that the ledger holds in the columns that every format has."""
    return {
        table: sql(server, f"SELECT {', '.join(columns)} FROM pulumi_timescaledb.{table} ORDER BY 1, 2")
        for table, columns in KEPT.items()
    }


def make_older(server: EmbeddedServer, format: int) -> None:
    """The same ledger in the tables of an earlier version."""
    copies = [f"CREATE TEMP TABLE {t} AS SELECT {', '.join(c)} FROM pulumi_timescaledb.{t}" for t, c in KEPT.items()]
    back = [f"INSERT INTO pulumi_timescaledb.{t} ({', '.join(c)}) SELECT * FROM pg_temp.{t}" for t, c in KEPT.items()]
    old = (FORMATS / f"format_{format}.sql").read_text()
    sql(server, ";".join([*copies, "DROP SCHEMA pulumi_timescaledb CASCADE", f"{old} SELECT 1", *back, "SELECT 1"]))


@pytest.fixture
def emptied(server: EmbeddedServer) -> EmbeddedServer:
    wipe(server)
    return server


@pytest.mark.parametrize("format", [1, 2])
def test_an_older_ledger_is_read_as_it_is_and_brought_up_to_date_by_an_update(
    emptied: EmbeddedServer, format: int
) -> None:
    server = emptied
    apply(server, *ALL)
    fresh = sql(server, COLUMNS)
    before = rows(server)
    make_older(server, format)
    older = sql(server, COLUMNS)
    assert older != fresh
    assert rows(server) == before

    planned = plan(server, *ALL)
    assert (planned.plan.steps, planned.plan.refusals, dict(planned.standing.drifted)) == ([], [], {})
    assert planned.identity is not None
    sql(server, "ALTER TABLE app.things ADD COLUMN stray integer; SELECT 1")
    (drift,) = on(server, lambda applier: _drifts(applier.database))
    assert (drift.kind, drift.what) == ("Table", "changed")
    sql(server, "ALTER TABLE app.things DROP COLUMN stray; SELECT 1")
    assert sql(server, COLUMNS) == older, "a preview must not change anything"

    apply(server, *ALL, a_table("more"))
    assert sql(server, COLUMNS) == fresh
    after = rows(server)
    assert {str(row) for row in after["history"]} > {str(row) for row in before["history"]}
    assert after["identity"] == before["identity"]
    assert {row[:2] for row in after["ledger"]} == {row[:2] for row in before["ledger"]} | {("Table", "app.more")}
    assert sql(server, ledger.EXISTS) == [(True, ledger.FORMAT)]
    assert plan(server, *ALL, a_table("more")).plan.steps == []


async def _drifts(database: Database) -> list[Any]:
    return list(drifted(await take(database), STACK))


@pytest.mark.parametrize("format", [1, 2])
def test_an_older_ledger_is_rebound(emptied: EmbeddedServer, format: int) -> None:
    apply(emptied, SCHEMA, TABLE)
    make_older(emptied, format)
    known = "8c6b2b43-2f9f-4c31-9a94-6b3d4d9b7f10"
    rebound = on(emptied, lambda applier: rebind(applier.database, "project/copy", known, known_system="77"))
    assert (rebound.objects, rebound.previous) == (2, STACK)
    assert sql(emptied, "SELECT ledger::text, passes_for, format FROM pulumi_timescaledb.identity") == [
        (known, "77", ledger.FORMAT)
    ]


@pytest.mark.parametrize("format", [1, 2])
def test_two_that_come_at_once_upgrade_it_once(emptied: EmbeddedServer, format: int) -> None:
    apply(emptied, SCHEMA)
    make_older(emptied, format)

    async def both(applier: Applier) -> None:
        await asyncio.gather(applier.ensure_ledger(), Applier(applier.database).ensure_ledger())
        await Applier(applier.database).ensure_ledger()

    on(emptied, both)
    assert sql(emptied, ledger.EXISTS) == [(True, ledger.FORMAT)]
    assert len(rows(emptied)["ledger"]) == 1


def test_an_upgrade_that_fails_leaves_the_ledger_as_it_was(
    emptied: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(emptied, SCHEMA)
    make_older(emptied, 1)
    older, made = sql(emptied, COLUMNS), ledger.made_sql
    monkeypatch.setattr(ledger, "made_sql", lambda found: f"{made(found)} SELECT 1 / 0")
    with pytest.raises(Exception, match="division by zero"):
        on(emptied, lambda applier: applier.ensure_ledger())
    assert sql(emptied, COLUMNS) == older


def test_a_newer_ledger_is_refused_by_all_that_read_or_write(
    emptied: EmbeddedServer, make: Callable[..., Engine]
) -> None:
    apply(emptied, SCHEMA)
    sql(emptied, "ALTER TABLE pulumi_timescaledb.identity ALTER format SET DEFAULT 99; SELECT 1")
    before = rows(emptied)
    for work in (
        lambda applier: applier.ensure_ledger(),
        lambda applier: plan_database(applier.database, Whole([SCHEMA]), STACK),
        lambda applier: take(applier.database),
        lambda applier: rebind(applier.database, "project/copy", ""),
        lambda applier: applier.apply(kind_of("Table"), None, TABLE, Caller(STACK, "urn:table")),
    ):
        with pytest.raises(Declined, match=r"format 99, and this version of the provider knows 3.*Use that version"):
            on(emptied, work)
    engine = make()
    with pytest.raises(Failed, match="format 99"):
        engine.check("Manifest", {"declarations": Whole([SCHEMA, TABLE]).pack()})
    assert rows(emptied) == before
    assert sql(emptied, "SELECT pg_catalog.to_regclass('app.things') IS NULL") == [(True,)]
