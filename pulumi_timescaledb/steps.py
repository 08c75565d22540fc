"""A change that no single transaction holds: an intent first, then step by step, then the record."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence

import psycopg

from . import ledger
from .catalog import SESSION
from .connection import Database
from .errors import StatementFailed, statement_failed
from .executor import query_all, retried, run_alone, transaction
from .finding import lock, read
from .kinds.base import shown
from .recording import INTENT, Work
from .specs import Spec
from .statement import Statement


async def in_steps(
    database: Database,
    work: Work,
    done: list[Statement],
    groups: Sequence[tuple[bool, list[Statement]]],
    in_transaction: Callable[[Work, Sequence[Statement], bool], Awaitable[None]],
) -> None:
    """What no single transaction holds, after an intent: whoever comes after a crash goes on from what is really
    there. A change that the server refuses half-way is taken back as far as it can be."""
    subject = shown(work.new)
    for number, (together, statements) in enumerate(groups, 1):
        last = number == len(groups)
        try:
            for statement in statements if not together else []:
                done.append(statement)
                await retried(lambda: _alone(database, statement, subject))  # noqa: B023
            if last or together:
                here = statements if together else []
                await retried(lambda: in_transaction(work, here, last))  # noqa: B023
                done += here
        except psycopg.Error as error:  # tried often enough: not for the whole change to be tried again
            await _take_back(database, work, done)
            raise statement_failed(subject, "; ".join(each.sql for each in statements), error) from None
        except StatementFailed:
            await _take_back(database, work, done)
            raise


async def _alone(database: Database, statement: Statement, subject: str) -> None:
    try:
        await run_alone(database, statement, subject)
    except psycopg.Error:
        if statement.undo is not None:  # or it could not be tried again
            await run_alone(database, statement.undo, subject)
        raise


async def _take_back(database: Database, work: Work, done: Sequence[Statement]) -> None:
    """Undoes what can be undone. Then the ledger reads as it did, unless the object is still another: then the
    intent stays."""
    for undo in (each.undo for each in reversed(done) if each.undo is not None):
        with contextlib.suppress(psycopg.Error, StatementFailed):  # the next change finds it and goes on from there
            await retried(lambda: run_alone(database, undo, shown(work.new)))  # noqa: B023
    entry = work.looked.entry
    async with transaction(database, SESSION, turn=lock(work.new)) as connection:
        await query_all(connection, *work.noted("failed"))
        if await read(connection, work.kind, work.before, work.context) != work.looked.live:
            return
        record = ledger.forget_sql(work.before)
        if entry is not None:
            specs = entry.declared_spec(), entry.canonical_spec()
            record = ledger.record_sql(entry.stack, work.caller.urn, *specs, step=entry.step)
        await query_all(connection, record)


def intent_sql(work: Work, under: Spec) -> str:
    """What the ledger says while a change goes on in steps: what was before, as far as it is known, `under` the name
    that holds by now."""
    entry, caller = work.looked.entry, work.caller
    declared, canonical = work.new, work.looked.live if work.looked.live is not None else work.new
    if entry is not None:
        declared, canonical = entry.declared_spec(), entry.canonical_spec()
    name = {"name": under.name} if hasattr(under, "name") else {}
    declared, canonical = (each.model_copy(update=name) for each in (declared, canonical))
    return ledger.record_sql(caller.stack, caller.urn, declared, canonical, work.before.import_id(), step=INTENT)
