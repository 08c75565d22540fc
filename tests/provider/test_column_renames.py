"""A column is renamed under views and aggregates: the preview says what the update does, which is the rename alone
wherever that makes of the old queries what is declared now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.apply import Applier
from pulumi_timescaledb.column_renames import column_renames
from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.planner import plan_database
from pulumi_timescaledb.recording import Caller
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.whole import Whole

from .engine import sql, wipe

pytestmark = pytest.mark.server
T = TypeVar("T")
STACK = "project/dev"
RENAME = ("Table app.reading", ['ALTER TABLE "app"."reading" RENAME COLUMN "amount" TO "volume"'])


def program(column: str, total: str = "sum", previously: str | None = None, plain: bool = False) -> Whole:
    """A hypertable, an aggregate, one on it, a view; `plain`: and a view that shows the column under its own name."""
    columns: list[dict[str, Any]] = [
        {"name": "at", "type": "timestamptz", "notNull": True},
        {"name": column, "type": "integer", **({"previously": previously} if previously else {})},
    ]
    daily = f"SELECT time_bucket('1 day', at) AS day, {total}({column}) AS total FROM app.reading GROUP BY 1"
    weekly = "SELECT time_bucket('7 days', day) AS week, sum(total) AS total FROM app.daily GROUP BY 1"
    declared: list[Spec] = [
        specs.Extension(name="timescaledb"),
        specs.Schema(name="app"),
        specs.Table.from_wire({"schema": "app", "name": "reading", "columns": columns}),
        specs.Hypertable.from_wire({"schema": "app", "relation": "reading", "timeColumn": "at"}),
        specs.ContinuousAggregate.from_wire({"schema": "app", "name": "daily", "query": daily}),
        specs.ContinuousAggregate.from_wire({"schema": "app", "name": "weekly", "query": weekly}),
        specs.View(schema="app", name="named", query=f"SELECT r.{column} AS x FROM app.reading r WHERE r.{column} > 1"),
    ]
    if plain:
        declared.append(specs.View(schema="app", name="plain", query=f"SELECT {column} FROM app.reading"))
    return Whole(declared)


def on(server: EmbeddedServer, work: Callable[[Applier], Awaitable[T]]) -> T:
    reach = ConnectionSettings(host=str(server.socket_dir), port=server.port, user="postgres")

    async def run() -> T:
        database = Database(reach)
        try:
            return await work(Applier(database))
        finally:
            await database.close()

    return asyncio.run(run())


def planned(server: EmbeddedServer, whole: Whole) -> list[tuple[str, list[str]]]:
    plan = on(server, lambda applier: plan_database(applier.database, whole, STACK)).plan
    assert plan.refusals == []
    return [(step.subject, [statement.sql for statement in step.statements]) for step in plan.steps]


def applied(server: EmbeddedServer, old: Whole, new: Whole) -> list[tuple[str, list[str]]]:
    async def every(applier: Applier) -> list[tuple[str, list[str]]]:
        applier.know(old, new)
        done = []
        for reference in new.creation_order:
            spec = new.specs[reference]
            caller = Caller(STACK, f"urn:pulumi:dev::project::timescaledb:index:{spec.KIND}::{spec.import_id()}")
            statements = await applier.apply(kind_of(spec.KIND), old.specs.get(reference), spec, caller)
            if statements:
                done.append((f"{spec.KIND} {spec.import_id()}", [statement.sql for statement in statements]))
        return done

    return on(server, every)


@pytest.fixture
def emptied(server: EmbeddedServer) -> EmbeddedServer:
    wipe(server)
    return server


def test_the_preview_of_a_renamed_column_is_the_rename(emptied: EmbeddedServer) -> None:
    before, after = program("amount"), program("volume", previously="amount")
    applied(emptied, Whole(), before)
    sql(
        emptied,
        "INSERT INTO app.reading SELECT now() - i * interval '1 hour', i FROM generate_series(1, 99) i; SELECT 1",
    )
    schemas = sql(emptied, "SELECT count(*) FROM pg_namespace")
    assert planned(emptied, after) == [RENAME]
    assert sql(emptied, "SELECT count(*) FROM pg_namespace") == schemas
    assert applied(emptied, before, after) == [RENAME]
    assert planned(emptied, after) == []


def test_what_the_rename_does_not_make_is_still_shown_and_done(emptied: EmbeddedServer) -> None:
    """A view that shows the column under its own name would get another column; an aggregate may change besides."""
    before, after = program("amount", plain=True), program("volume", "max", previously="amount", plain=True)
    applied(emptied, Whole(), before)
    shown = planned(emptied, after)
    assert shown[0] == RENAME
    assert [subject for subject, _ in shown] == ["Table app.reading", "ContinuousAggregate app.daily", "View app.plain"]
    done = applied(emptied, before, after)
    assert [subject for subject, _ in done] == [subject for subject, _ in shown]
    assert planned(emptied, after) == []


def test_only_a_column_that_is_there_under_its_old_name_is_renamed() -> None:
    before, after = program("amount"), program("volume", previously="amount")
    assert column_renames(before, after) == {("app", "reading"): {"amount": "volume"}}
    assert column_renames(after, after) == {}
    assert column_renames(Whole(), after) == {}
    assert column_renames(before, program("volume", previously="size")) == {}
