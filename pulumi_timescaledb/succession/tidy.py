"""What an earlier run left of a succession: dropped, if it is over or no longer wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ledger
from ..catalog import SESSION
from ..errors import ProviderError
from ..executor import query, query_all, retried, run, transaction
from ..finding import lock
from ..kinds.base import shown
from ..ledger import Entry
from ..render import render
from ..specs import Spec
from ..specs.continuous_aggregate import ContinuousAggregate
from .closure import Closure
from .plan import drop_all
from .settle import applied
from .step import Step

if TYPE_CHECKING:
    from ..apply import Applier
    from ..recording import Caller


async def marked(connection: Any, spec: Spec, before: Step | None, after: Step | None) -> None:
    """Moves the mark in the ledger on.

    Raises:
        ProviderError: it is not where we left it.
    """
    texts = {"before": before.text() if before else None, "step": after.text() if after else None}
    moved = await query(connection, render("ledger/step", kind=spec.KIND, id=spec.import_id(), **texts))
    if not moved:
        raise ProviderError(f"{shown(spec)}: another run is at work on it. Wait for its end, then run again.")


async def tidy(applier: Applier, old: Spec, new: Spec | None, caller: Caller) -> None:
    """Drops what is left of a succession of `old` that is over, or that does not lead to `new` (None: it shall go)."""
    if old.KIND == "ContinuousAggregate":
        await retried(lambda: _tidy(applier, old, new, caller))


async def _tidy(applier: Applier, old: Spec, new: Spec | None, caller: Caller) -> None:
    context = await applier.context()
    async with transaction(applier.database, lock(old), SESSION) as connection:
        rows = await query(connection, ledger.select_sql(old))
        entry = Entry.from_row(rows[0]) if rows and rows[0]["stack"] == caller.stack else None
        step = Step.of(entry)
        if entry is None or step is None:
            return
        root = entry.declared_spec()
        if step.phase == "swapped":
            names = step.old[::-1]
        elif isinstance(root, ContinuousAggregate) and isinstance(new, ContinuousAggregate):
            closure = Closure(root, new, await applied(connection, caller.stack), context)
            if new.query != root.query and closure.digest == step.digest:
                return
            names = step.stand_ins[: step.built][::-1]
        else:
            names = step.stand_ins[: step.built][::-1]
        statements = drop_all(names)
        await run(connection, statements, shown(old))
        await query_all(connection, SESSION)
        await marked(connection, root, step, None)
        texts = [caller.redact(statement.sql) for statement in statements]
        await query_all(connection, ledger.history_sql(caller.stack, caller.urn, root, "update", texts))
    await caller.say(f"{shown(old)}: what was left of an earlier rebuild is dropped")


async def tidy_all(applier: Applier, caller: Caller) -> None:
    """The same for every aggregate of the stack, by the whole picture: the engine does not ask about those that changed
    back to what its state holds."""
    assert applier.whole is not None
    async with applier.database.connection() as connection:
        entries = [Entry.from_row(row) for row in await query(connection, ledger.select_all_sql())]
    for entry in entries:
        if entry.stack == caller.stack and Step.of(entry) is not None:
            spec = entry.declared_spec()
            await tidy(applier, spec, applier.whole.specs.get(spec.reference()), caller)
