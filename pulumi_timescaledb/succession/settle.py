"""What the declarations alone cannot tell of a succession, asked of the server: whether it is needed at all, what it
would lose, and in how many windows it is filled. Changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .. import ledger
from ..connection import Database
from ..executor import query, query_all, retried, transaction
from ..hazards import Hazard
from ..kinds import Context, kind_of
from ..ledger import Entry
from ..rebuild import Change
from ..specs.continuous_aggregate import ContinuousAggregate
from ..statement import Statement
from ..whole import Whole
from .closure import Closure
from .coverage import UTC, facts, span, uncovered, windows
from .judge import in_place
from .plan import losses, rebuilt
from .step import Step


async def applied(connection: Any, stack: str) -> Whole:
    """Everything that this stack has applied, by the ledger: what is there, whatever the engine's state says."""
    format = ledger.format_of((await query(connection, ledger.EXISTS))[0])
    if format is None:
        return Whole()
    entries = [Entry.from_row(row) for row in await query(connection, ledger.select_all_sql(format))]
    return Whole(entry.declared_spec() for entry in entries if entry.stack == stack)


async def ask(database: Database, change: Change, stack: str) -> Change:
    """`settled`, in a transaction of its own and by what the server really is: a preview assumes one until then.

    Raises:
        Unreachable: the server cannot be reached.
        ProviderError: see `settled`.
    """
    if change.closure is None:
        return change
    context = replace(change.closure.context, capabilities=await database.capabilities())
    found = replace(change, closure=replace(change.closure, context=context))

    async def asked() -> Change:
        async with transaction(database) as connection:
            return await settled(connection, found, stack)

    return await retried(asked)


async def settled(connection: Any, change: Change, stack: str) -> Change:
    """The change as it will really be made. Needs an open transaction and leaves it as it was.

    Raises:
        ProviderError: an aggregate is not there, or its time is a number.
    """
    closure = change.closure
    if closure is None:
        return change
    before = await applied(connection, stack)
    if closure.root.reference() not in before.specs:  # imported and not recorded yet
        before = Whole([*before.specs.values(), closure.root])
    closure = replace(closure, before=before)
    step = await under_way(connection, closure, stack)
    await query_all(connection, "SAVEPOINT settling", UTC)
    try:
        direct = None if step is not None else await in_place(connection, closure)
        if direct is not None:
            return Change([*direct, *_beside_the_query(closure.root, closure.wanted, closure.context)])
        return await _told(connection, closure, step)
    finally:
        if not connection.closed:
            await query_all(connection, "ROLLBACK TO SAVEPOINT settling", "RELEASE SAVEPOINT settling")


def _beside_the_query(old: ContinuousAggregate, new: ContinuousAggregate, context: Context) -> list[Any]:
    """Whatever else changes; comments follow their columns."""
    names = {before: after for after, before in new.renamed_columns.items() if before in old.column_comments}
    comments = {names.get(name, name): text for name, text in old.column_comments.items()}
    as_altered = old.model_copy(update={"query": new.query, "column_comments": comments})
    return kind_of(new.KIND).plan(as_altered, new, context)


async def under_way(connection: Any, closure: Closure, stack: str) -> Step | None:
    """Where this very succession stands, if an earlier run began it."""
    format = ledger.format_of((await query(connection, ledger.EXISTS))[0])
    if format is None:
        return None
    rows = await query(connection, ledger.select_sql(closure.root, format))
    step = Step.of(Entry.from_row(rows[0])) if rows and rows[0]["stack"] == stack else None
    return step if step is not None and step.digest == closure.digest else None


async def _told(connection: Any, closure: Closure, step: Step | None) -> Change:
    """The succession with its losses in figures. What is filled already is not lost any more."""
    done = step.done if step is not None else {}
    source = await facts(connection, *closure.root.identity())
    if step is not None:  # what it is made from now
        source = await facts(connection, closure.root.schema_, closure.members[0].stand_in)
    told: dict[str, str] = {}
    for member, _ in closure.built:
        key = member.old.import_id()
        rows = await facts(connection, *member.old.identity())
        if lost := await uncovered(connection, rows, source, done.get(key)):
            told[key] = lost
    found = rebuilt(closure, await _windows(connection, closure))
    found.statements[0] = _with(found.statements[0], losses(closure, told))
    return found


async def _windows(connection: Any, closure: Closure) -> list[str]:
    """In words, how each is filled."""
    found = []
    for member, _ in closure.built:
        rows = await facts(connection, *member.old.identity())
        held = await span(connection, rows)
        count = len(await windows(connection, rows, held))
        found.append(f"in {count} windows from {held.first} on" if count else "of nothing: the old one is empty")
    return found


def _with(statement: Statement, hazards: tuple[Hazard, ...]) -> Statement:
    """The statement with exactly these losses."""
    others = tuple(hazard for hazard in statement.hazards if hazard.code != "data_loss")
    return replace(statement, hazards=(*others, *hazards))
