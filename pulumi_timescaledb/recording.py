"""The record of a change, written in the transaction that makes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import ledger
from .errors import ProviderError
from .executor import query, query_all
from .finding import Looked, read
from .kinds import Context, Kind
from .kinds.base import shown
from .ledger import Entry
from .specs import Spec

if TYPE_CHECKING:
    from .rebuild import Change


INTENT = "intent"
"""The step of a change that goes on in several transactions."""


async def _silent(text: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Caller:
    """On whose behalf something is applied."""

    stack: str
    urn: str
    redact: Callable[[str], str] = str
    """Takes out what the program marked secret beyond the fields that always are."""
    say: Callable[[str], Awaitable[None]] = _silent
    """Tells the user how far a long change has come."""


@dataclass(frozen=True)
class Work:
    """One planned change of one object, on its way to the server. `before` is the spec under its old name, `looked`
    what was found there."""

    kind: Kind[Any]
    before: Spec
    old: Spec | None
    new: Spec
    change: Change
    caller: Caller
    context: Context
    looked: Looked

    def noted(self, verb: str = "") -> list[str]:
        """The history's entry, by default as what the change begins as: create, update, or resume where an earlier run
        died between its intent and its record. It is written with the first step, so that no crash loses it."""
        if not self.change.statements:
            return []
        entry = self.looked.entry
        verb = verb or ("create" if entry is None else "resume" if entry.step == INTENT else "update")
        return [ledger.history_sql(self.caller.stack, self.caller.urn, self.new, verb, self.texts())]

    def texts(self) -> list[str]:
        """The SQL without its secrets."""
        return [self.caller.redact(statement.sql) for statement in self.change.statements]


async def record(connection: Any, work: Work, noted: Sequence[str] = ()) -> None:
    """The ledger's entry, with the form the server shows now, and what the history notes."""
    caller, new = work.caller, work.new
    live = await read(connection, work.kind, new, work.context)
    if live is None:
        raise ProviderError(
            f"{shown(new)}: it was created and the catalog does not show it; this is a bug of the provider."
        )
    records = [ledger.record_sql(caller.stack, caller.urn, new, live, work.before.import_id()), *noted]
    for touched in work.change.rebuilt:
        records += await record_touched(connection, touched, work)
    await query_all(connection, *records)


async def record_touched(connection: Any, touched: tuple[Kind[Any], Spec], work: Work) -> list[str]:
    """What was made again with the change of another object: its form, and in the history how that came."""
    kind, spec = touched
    rows = await query(connection, ledger.select_sql(spec))
    live = await read(connection, kind, spec, work.context)
    if live is None:
        return []
    half = False
    if rows:
        stack, urn = rows[0]["stack"], rows[0]["urn"]
        # Of a Grant only the rights that were lost came back; its own change of this run is still to come.
        half = spec.KIND == "Grant" and Entry.from_row(rows[0]).declared_spec().comparable() != spec.comparable()
    else:  # made ahead of its own turn
        stack = work.caller.stack
        urn = f"{work.caller.urn.rsplit('::', 2)[0]}::timescaledb:index:{spec.KIND}::{spec.import_id()}"
    return [
        ledger.record_sql(stack, urn, spec, live, step="rebuilt" if half else None),
        ledger.history_sql(stack, urn, spec, "rebuild" if rows else "create", work.texts()),
    ]
