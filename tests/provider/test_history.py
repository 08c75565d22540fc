"""The history tells of every path: when, which stack, which SQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pulumi_timescaledb.ledger import history_select_sql
from pulumi_timescaledb.local.server import EmbeddedServer

from .engine import Engine, sql
from .things import INDEX, SCHEMA, TABLE, a_view, bring_up, changed, picture

pytestmark = pytest.mark.server
Make = Callable[..., Engine]
LOWER = a_view("lower", "SELECT id FROM app.things")
UPPER = a_view("upper", "SELECT id FROM app.lower")


def told(server: EmbeddedServer, name: str = "") -> list[tuple[str, str, list[str]]]:
    """(verb, id, statements), oldest first, as `flowsctl history` asks; each with its stack, its URN and a time."""
    rows: list[tuple[Any, ...]] = sql(server, history_select_sql(name, 100))
    for _, at, stack, urn, kind, key, _, statements in rows:
        assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)
        assert stack == "flows/dev"
        assert urn == f"urn:pulumi:dev::flows::timescaledb:index:{kind}::{key}"
        assert statements
    return [(verb, key, statements) for *_, key, verb, statements in rows]


def test_a_rebuild_stands_in_the_history_of_what_was_rebuilt_with_it(make: Make, server: EmbeddedServer) -> None:
    bring_up(make(), SCHEMA, TABLE, LOWER, UPPER)
    narrower = changed(LOWER, query="SELECT 1 AS one FROM app.things")
    upper = changed(UPPER, query="SELECT one FROM app.lower")
    engine = make()
    picture(engine, [SCHEMA, TABLE, LOWER, UPPER], [SCHEMA, TABLE, narrower, upper])
    engine.update(LOWER, narrower)
    (_, of_lower), (verb, of_upper) = (
        (v, s) for v, _, s in [told(server, "app.lower")[-1], told(server, "app.upper")[-1]]
    )
    assert verb == "rebuild"
    assert of_upper == of_lower
    assert any("DROP VIEW" in text for text in of_upper)


def test_what_goes_with_its_table_says_so(make: Make, server: EmbeddedServer) -> None:
    engine = make(disposable=True)
    bring_up(engine, SCHEMA, TABLE, INDEX)
    engine.delete(TABLE)
    assert told(server, "app.by_id")[-1] == ("delete", "app.by_id", ["-- went with Table app.things"])
    assert [verb for verb, _, _ in told(server, "app.things")] == ["create", "delete"]
