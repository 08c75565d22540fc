"""What of a changed query the server can do in place: asked of the server itself, in a transaction that is undone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from ..errors import is_transient
from ..executor import query, query_all
from ..hazards import Hazard
from ..kinds import Context
from ..kinds.base import statement
from ..render import render
from ..specs.continuous_aggregate import ContinuousAggregate
from ..sqltext import ident, qualified, tokens
from ..statement import LockLevel, Statement
from .closure import Closure, named

ADD_COLUMN = (2, 28)
"""TimescaleDB that has ALTER MATERIALIZED VIEW ... ADD COLUMN ... GENERATED (CHANGELOG 2.28.0)."""


async def in_place(connection: Any, closure: Closure) -> list[Statement] | None:
    """Statements that change the root in place; None where it must be built anew. Lower aggregates whose own turn comes
    first in this run are changed before, for the length of the question."""
    await query_all(connection, "SAVEPOINT judge", "SET LOCAL search_path TO public")
    try:
        for lower, wanted in _lower(closure):
            if await _changed(connection, lower, wanted, closure.context) is None:
                return None
        return await _changed(connection, closure.root, closure.wanted, closure.context)
    except psycopg.Error as error:
        if is_transient(error) or connection.closed:
            raise
        return None
    finally:
        if not connection.closed:
            await query_all(connection, "ROLLBACK TO SAVEPOINT judge", "RELEASE SAVEPOINT judge")


def _lower(closure: Closure) -> Iterator[tuple[ContinuousAggregate, ContinuousAggregate]]:
    """Aggregates below the root whose query changes too, the lowest first: (as applied, as wanted)."""
    reached, waiting = set(), [closure.root.reference()]
    while waiting:
        for need in closure.before.needs.get(waiting.pop(), ()):
            if need.kind == "ContinuousAggregate" and need not in reached:
                reached.add(need)
                waiting.append(need)
    for reference in closure.before.creation_order:
        old, new = closure.before.specs[reference], closure.declared(reference) if reference in reached else None
        if isinstance(old, ContinuousAggregate) and isinstance(new, ContinuousAggregate) and old.query != new.query:
            yield old, new


async def _changed(
    connection: Any, old: ContinuousAggregate, new: ContinuousAggregate, context: Context
) -> list[Statement] | None:
    """Changes `old` in place and says how, if that gives exactly what a new aggregate with the query of `new` is."""
    probe = new.model_copy(update={"name": named(new.name, "_probe_of_pulumi")})
    target = qualified(probe.schema_, probe.name)
    await query_all(connection, render("continuous_aggregate/create", target=target, aggregate=probe))
    wanted, live = await _shape(connection, probe), await _shape(connection, old)
    found: list[Statement] = []
    if wanted != live:
        found += _renames(new, live, wanted)
        live = await _after(connection, old, found)
    if wanted != live and (context.capabilities.timescaledb or ()) >= ADD_COLUMN:
        added = list(_additions(new, live, wanted))
        found += added
        live = await _after(connection, old, added)
    await query_all(connection, f"DROP MATERIALIZED VIEW {target}")
    return found if wanted == live else None


async def _shape(connection: Any, aggregate: ContinuousAggregate) -> dict[str, Any]:
    """Query and columns, as the server writes them."""
    sql = render("continuous_aggregate/shape", schema=aggregate.schema_, name=aggregate.name)
    rows = await query(connection, sql)
    return dict(rows[0]) if rows else {"query": "", "columns": []}


async def _after(connection: Any, aggregate: ContinuousAggregate, statements: list[Statement]) -> dict[str, Any]:
    await query_all(connection, *(each.sql for each in statements))
    return await _shape(connection, aggregate)


def _renames(new: ContinuousAggregate, live: dict[str, Any], wanted: dict[str, Any]) -> Iterator[Statement]:
    """RENAME COLUMN for what is declared as renamed and not renamed yet."""
    there, there_then = ({column["name"] for column in each["columns"]} for each in (live, wanted))
    for name, old in new.renamed_columns.items():
        if old in there and old not in there_then and name not in there and name in there_then:
            yield statement(
                "continuous_aggregate/rename_column",
                LockLevel.ACCESS_EXCLUSIVE,
                target=qualified(new.schema_, new.name),
                old=old,
                new=name,
            )


def _additions(new: ContinuousAggregate, live: dict[str, Any], wanted: dict[str, Any]) -> Iterator[Statement]:
    """ADD COLUMN for columns at the end. Their expressions come from the server's own text, and whether they are right
    the comparison afterwards tells."""
    known = len(live["columns"])
    if wanted["columns"][:known] != live["columns"]:
        return
    expressions = list(selected(wanted["query"]))
    hazard = "buckets that exist show NULL in {} until they are refreshed by force (refresh_continuous_aggregate(..., "
    for number, column in enumerate(wanted["columns"][known:], known):
        sql = statement(
            "continuous_aggregate/add_column",
            target=qualified(new.schema_, new.name),
            column=column,
            expression=expressions[number],
        ).sql
        told = Hazard("new_chunks_only", hazard.format(ident(column["name"])) + "force => true))")
        yield Statement(sql, LockLevel.ACCESS_EXCLUSIVE, (told,))


def selected(query_text: str) -> Iterator[str]:
    """Expressions of a SELECT list as the server writes it, without their names."""
    depth, item, last_as = 0, "", -1
    for kind, token in list(tokens(query_text.strip().removeprefix("SELECT")))[0:]:
        word = token.upper() if kind == "word" else ""
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token, 0)
        if depth == 0 and (token == "," or word == "FROM"):
            yield (item[:last_as] if last_as >= 0 else item).strip()
            item, last_as = "", -1
            if word == "FROM":
                return
            continue
        if depth == 0 and word == "AS":
            last_as = len(item)
        item += token
