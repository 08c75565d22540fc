"""The record of a change, written in the transaction that makes it."""

from __future__ import annotations

from collections.abc import Callable
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


@dataclass(frozen=True)
class Caller:
    """On whose behalf something is applied."""

    stack: str
    urn: str
    redact: Callable[[str], str] = str
    """Takes out what the program marked secret beyond the fields that always are."""


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


async def record(connection: Any, work: Work) -> None:
    """The ledger's entry, with the form the server shows now, and the history."""
    caller, new = work.caller, work.new
    live = await read(connection, work.kind, new, work.context)
    if live is None:
        raise ProviderError(
            f"{shown(new)}: it was created and the catalog does not show it; this is a bug of the provider."
        )
    records = [ledger.record_sql(caller.stack, caller.urn, new, live, work.before.import_id())]
    if work.change.statements:
        verb = "update" if work.looked.entry is not None else "create"
        texts = [caller.redact(statement.sql) for statement in work.change.statements]
        records.append(ledger.history_sql(caller.stack, caller.urn, new, verb, texts))
    for touched in work.change.rebuilt:
        records += await _record_touched(connection, touched, caller, work.context)
    await query_all(connection, *records)


async def _record_touched(
    connection: Any, touched: tuple[Kind[Any], Spec], caller: Caller, context: Context
) -> list[str]:
    kind, spec = touched
    rows = await query(connection, ledger.select_sql(spec))
    live = await read(connection, kind, spec, context)
    if live is None:
        return []
    if not rows:  # made ahead of its own turn
        chain = caller.urn.rsplit("::", 2)[0]
        return [
            ledger.record_sql(caller.stack, f"{chain}::timescaledb:index:{spec.KIND}::{spec.import_id()}", spec, live)
        ]
    # Of a Grant only the rights that were lost came back; its own change of this run is still to come.
    half = spec.KIND == "Grant" and Entry.from_row(rows[0]).declared_spec().comparable() != spec.comparable()
    return [ledger.record_sql(rows[0]["stack"], rows[0]["urn"], spec, live, step="rebuilt" if half else None)]
