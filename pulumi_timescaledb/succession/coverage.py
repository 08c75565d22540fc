"""How far raw data reaches back, what that would cost an aggregate that is built anew, and in which windows it is
filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ProviderError
from ..executor import query
from ..render import render
from ..sqltext import display

Facts = Mapping[str, Any]
UTC = "SET LOCAL timezone TO 'UTC'"
_TIMES = ("timestamp with time zone", "timestamp without time zone", "date")


@dataclass(frozen=True)
class Span:
    """From the first materialized bucket to the end of the last, as text; None where nothing is materialized."""

    first: str | None
    stop: str | None


@dataclass(frozen=True)
class Window:
    """One refresh: from `start` to `stop`; `at` is where the one before it ended."""

    at: str
    start: str
    stop: str


async def facts(connection: Any, schema: str, name: str) -> Facts:
    """Where the rows of an aggregate are, what they are made from, how far back that reaches.

    Raises:
        ProviderError: it is not there, or its time is a number.
    """
    rows = await query(connection, UTC, render("continuous_aggregate/facts", schema=schema, name=name))
    shown = f"ContinuousAggregate {display(schema, name)}"
    if not rows:
        raise ProviderError(
            f"{shown} is not there. Run `flowsctl refresh` (or `pulumi refresh`), then the update again."
        )
    if rows[0]["type"] not in _TIMES:
        raise ProviderError(
            f"{shown} has buckets of type {rows[0]['type']}, and only such of time can be built anew: declare the "
            "query under a new name, refresh that over the history, move the readers, drop this one."
        )
    return rows[0]


async def uncovered(connection: Any, rows: Facts, source: Facts, since: str | None = None) -> str | None:
    """What is lost of the aggregate `rows` when it is made again from what `source` is made from, in words; None:
    nothing. `since`: only buckets from there on."""
    sql = render("continuous_aggregate/uncovered", rows=rows, source=source, since=since)
    found = (await query(connection, UTC, sql))[0]
    if not found["count"]:
        return None
    buckets = "1 bucket" if found["count"] == 1 else f"{found['count']} buckets"
    return f"{buckets} ({found['first']} to {found['last']})"


async def span(connection: Any, rows: Facts, new: Facts | None = None) -> Span:
    """What an aggregate holds. `new`: the one that shall hold it; if its buckets have another width, the one that the
    last time falls in counts whole."""
    wider = new["width"] if new is not None and new["width"] != rows["width"] else None
    found = (await query(connection, UTC, render("continuous_aggregate/span", rows=rows, wider=wider)))[0]
    return Span(found["first"], found["stop"])


async def windows(connection: Any, rows: Facts, of: Span, since: str | None = None) -> list[Window]:
    """Windows that fill the aggregate `rows` over `of`, from `since` on: a chunk of its source each, ten buckets at
    least."""
    if of.first is None:
        return []
    sql = render("continuous_aggregate/windows", rows=rows, first=since or of.first, stop=of.stop)
    return [Window(**row) for row in await query(connection, UTC, sql)]


async def catch_up(connection: Any, rows: Facts, of: Span, not_before: str | None) -> Window | None:
    """All of `of` at once: only what changed since it was filled costs anything. `not_before`: where the source's
    oldest chunk begins, if it once began earlier. Older buckets are left alone, or they would vanish."""
    if of.first is None:
        return None
    sql = render("continuous_aggregate/catch_up", rows=rows, first=of.first, stop=of.stop, not_before=not_before)
    found = await query(connection, UTC, sql)
    return Window(**found[0]) if found else None
