"""A change of a continuous aggregate that ended half-way: killed, changed back, changed again, deleted."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from pulumi_timescaledb.local.server import EmbeddedServer

from . import aggregates as a
from .aggregates import RICHER, SMALL, SMALL_NEW
from .engine import Engine, Failed, engines, wipe
from .engine import sql as run_sql
from .things import manifest, picture

pytestmark = pytest.mark.server
Make = Callable[..., Engine]


@pytest.fixture
def sql(server: EmbeddedServer) -> a.Sql:
    return lambda text: run_sql(server, text)


class Killed(Exception):
    """The provider's process ended here."""


class Killer:
    """Ends the connection at the n-th round trip, before the server sees it or before its answer is read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self.at, self.late = 0, 0, False
        execute = psycopg.AsyncCursor.execute

        async def counted(cursor: Any, *args: Any, **options: Any) -> Any:
            self.count += 1
            if self.count == self.at and not self.late:
                cursor.connection.pgconn.finish()
                raise Killed
            answer = await execute(cursor, *args, **options)
            if self.count == self.at:
                cursor.connection.pgconn.finish()
                raise Killed
            return answer

        monkeypatch.setattr(psycopg.AsyncCursor, "execute", counted)

    def arm(self, at: int, *, late: bool = False) -> None:
        """`at` = 0: only count."""
        self.count, self.at, self.late = 0, at, late


EVERY = int(os.environ.get("KILL_EVERY", "7"))
"""Each so many round trips one is the last; 1 tries them all, which takes four minutes."""


def test_killed_at_any_round_trip_it_converges(
    server: EmbeddedServer, sql: a.Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    killer = Killer(monkeypatch)

    def change_until(at: int) -> None:
        """A fresh estate, and its change up to that round trip."""
        wipe(server)
        killer.arm(0)
        with engines(server) as make:
            a.create(make(), SMALL)
            a.fill(sql, "2025-02-01", "hourly", "daily")
            engine = make()
            picture(engine, SMALL, SMALL_NEW)
            killer.arm(at, late=bool(at % 2))
            if at:
                with pytest.raises(Failed):
                    engine.update(a.hourly(), a.hourly(RICHER))
                killer.arm(0)
            else:
                engine.update(a.hourly(), a.hourly(RICHER))

    change_until(0)
    trips, steps = killer.count, set()
    assert trips > 100
    for at in range(1, trips + 1, EVERY):
        change_until(at)
        steps |= set(sql("SELECT step FROM pulumi_timescaledb.ledger WHERE step IS NOT NULL"))
        assert sql("SELECT count(*) > 0 FROM app.totals") == [(True,)]  # readers never noticed
        with engines(server) as make:
            engine = make()
            picture(engine, SMALL_NEW, SMALL_NEW)
            engine.update(a.hourly(), a.hourly(RICHER))
            engine.create(("Seal", {"declarations": "digest"}))
            a.assert_recomputed(sql, a.hourly(RICHER), a.daily())
            a.assert_nothing_left(sql)
            a.assert_as_declared(engine, SMALL_NEW)
    assert len(steps) > 3, f"killed at too few different steps of {trips} round trips"


# What changes place, and what does not


@pytest.fixture
def half_way(make: Make, sql: a.Sql, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Breaks the change of SMALL off right after the step that says this."""

    def broken_off(after: str) -> None:
        a.create(make(), SMALL)
        a.fill(sql, "2025-02-01", "hourly", "daily")
        engine = make()

        async def info(urn: str, text: str, *, status: bool = False) -> None:
            if after in text:
                raise Killed

        monkeypatch.setattr(engine.service.session.log, "info", info)
        with pytest.raises(Failed, match="Killed"):
            a.update(engine, SMALL, SMALL_NEW)

    return broken_off


@pytest.mark.parametrize("after", ["hourly_v2", "daily_v2", "window 2", "the new ones are in place"])
def test_changed_back_half_way(make: Make, sql: a.Sql, half_way: Callable[[str], None], after: str) -> None:
    """The state still holds the old form: the engine does not call for the aggregate, the Manifest sees to it. From the
    swap on there is only forward."""
    half_way(after)
    assert sql("SELECT count(*) FROM pulumi_timescaledb.ledger WHERE step IS NOT NULL") == [(1,)]
    engine = make()
    inputs, faults = engine.check("Manifest", manifest(*SMALL), manifest(*SMALL_NEW))
    assert faults == []
    engine.update(("Manifest", manifest(*SMALL_NEW)), ("Manifest", inputs))
    engine.create(("Seal", {"declarations": "digest"}))
    a.assert_nothing_left(sql)
    swapped = "in place" in after
    a.assert_recomputed(sql, a.hourly(RICHER if swapped else a.HOURLY), a.daily())
    if not swapped:
        a.assert_as_declared(make(), SMALL)


def test_another_change_half_way(make: Make, sql: a.Sql, half_way: Callable[[str], None]) -> None:
    half_way("window 1")
    third = a.hourly(a.HOURLY.replace("sum(kwh) AS kwh", "sum(kwh) AS kwh, min(kwh) AS low"))
    new = [third if spec.reference() == third.reference() else spec for spec in SMALL]
    engine = make()
    picture(engine, SMALL_NEW, new)
    engine.update(a.hourly(), third)
    a.assert_recomputed(sql, third, a.daily())
    a.assert_nothing_left(sql)
    a.assert_as_declared(make(), new)


def test_deleted_half_way(make: Make, sql: a.Sql, half_way: Callable[[str], None]) -> None:
    half_way("window 1")
    engine = make(disposable=True)
    for spec in reversed(SMALL[-5:]):
        engine.delete(spec)
    assert sql("SELECT view_name FROM timescaledb_information.continuous_aggregates") == []


# Losses
