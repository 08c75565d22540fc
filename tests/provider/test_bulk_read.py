"""Reading everything takes few queries, however much there is; the benchmark's schema is what its SQL makes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import AsyncCursor

from benchmarks.plain_schema import declarations, script
from pulumi_timescaledb.apply import Applier, Caller
from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.drift import drifted
from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.snapshot import Snapshot, take
from pulumi_timescaledb.whole import Whole

from .engine import settings_of, wipe

pytestmark = pytest.mark.server
MOST = 20
"""Catalog queries of a refresh, whatever the number of objects (issue 4)."""


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that is sent to a server, statement by statement."""
    sent: list[str] = []
    execute = AsyncCursor.execute

    async def noted(self: Any, query: str | bytes, *arguments: Any, **options: Any) -> Any:
        text = query if isinstance(query, str) else query.decode()
        sent.extend(each for each in text.split(";\n") if each.lstrip().startswith(("SELECT", "WITH")))
        return await execute(self, query, *arguments, **options)

    monkeypatch.setattr(AsyncCursor, "execute", noted)
    return sent


@pytest.fixture
def empty(server: EmbeddedServer) -> Iterator[EmbeddedServer]:
    wipe(server)
    snapshot(server)  # the provider's first connection makes its user
    yield server
    wipe(server)


def snapshot(server: EmbeddedServer) -> Snapshot:
    async def taken() -> Snapshot:
        database = Database(ConnectionSettings.from_wire(settings_of(server)))
        try:
            return await take(database)
        finally:
            await database.close()

    return asyncio.run(taken())


def apply(server: EmbeddedServer, count: int) -> Snapshot:
    """The declarations applied one by one, as an update does, and what is read then."""
    whole = Whole(declarations(count))

    async def applied() -> Snapshot:
        database = Database(ConnectionSettings.from_wire(settings_of(server)))
        applier = Applier(database)
        applier.whole = whole
        try:
            for reference in whole.creation_order:
                spec = whole.specs[reference]
                await applier.apply(kind_of(spec.KIND), None, spec, Caller("dev", "urn"))
            return await take(database)
        finally:
            await database.close()

    return asyncio.run(applied())


def load(server: EmbeddedServer, count: int) -> None:
    with psycopg.connect(server.dsn("tsdbadmin"), autocommit=True) as connection:
        connection.execute(script(count).encode())


def test_a_refresh_sends_the_same_few_queries_for_ten_objects_and_for_a_thousand(
    empty: EmbeddedServer, statements: list[str]
) -> None:
    numbers = []
    for count in (10, 1000):
        wipe(empty)
        load(empty, count)
        statements.clear()
        live = snapshot(empty).live
        assert len(live["Table"]) == count // 5
        assert len(live["Trigger"]) == count // 10
        numbers.append(len(statements))
    assert numbers[0] == numbers[1]
    assert 8 < numbers[0] <= MOST


def test_the_declarations_of_the_plain_schema_make_what_its_sql_makes(empty: EmbeddedServer) -> None:
    applied = apply(empty, 50)
    assert list(drifted(applied, "dev")) == []
    wipe(empty)
    load(empty, 50)
    by_hand = snapshot(empty)
    assert applied.by_id.keys() == by_hand.by_id.keys()
    assert {key: spec for key, spec in applied.by_id.items() if spec != by_hand.by_id[key]} == {}
