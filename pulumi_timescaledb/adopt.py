"""Taking over objects that were there before: what an import must show, and how it enters the ledger.

The engine's import is a read, in preview as in an update, and a read may not write. So the Seal, which only an update
reaches, records what was imported: an object that is declared, has a resource, is not in the ledger, and is on the
server exactly what is declared. Drift that the program was edited to is recorded in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import ledger
from .capabilities import ServerCapabilities
from .connection import Database
from .drift import as_seen
from .errors import Drifted, Foreign
from .executor import query_all, retried, transaction
from .kinds import Context, Kind, kind_of
from .kinds.base import shown
from .ledger import Entry
from .snapshot import Snapshot, take
from .specs import Spec
from .statement import Rebuild, Refused
from .whole import Whole

if TYPE_CHECKING:
    from .apply import Applier

IMPORT, ACCEPT = "import", "accept"
"""The verbs of the history."""


def same(kind: Kind[Any], live: Spec, declared: Spec, context: Context) -> bool:
    """Whether nothing would have to be run to make `live` what is declared: fields that the program leaves to the
    server (an owner, a version) count as equal."""
    try:
        return not kind.plan(live, declared, context)
    except (Refused, Rebuild):
        return False


def refuse_foreign(snapshot: Snapshot, spec: Spec, stack: str) -> None:
    """Raises Foreign where another stack's ledger entry stands for the object."""
    entry = snapshot.entries.get((spec.KIND, spec.import_id()))
    if entry is not None and entry.stack != stack:
        raise Foreign(
            f'{shown(spec)} belongs to stack "{entry.stack}" and cannot be imported into "{stack}". Remove it from '
            "that stack's program and state first (`pulumi state delete`, then `flowsctl ledger rebind`)."
        )


async def record(applier: Applier, declared: Sequence[tuple[str, Spec]], stack: str) -> None:
    """Enters imported objects into the ledger, all in one transaction. `declared`: with URNs.

    Raises:
        Foreign: one belongs to another stack.
        Drifted: one is not, or no longer, what is declared.
    """
    await retried(lambda: _record(applier, declared, stack))


async def _record(applier: Applier, declared: Sequence[tuple[str, Spec]], stack: str) -> None:
    database = applier.database
    context = Context(await database.capabilities(), applier.whole)
    snapshot = await take(database)
    statements = []
    for urn, spec in declared:
        refuse_foreign(snapshot, spec, stack)
        live = snapshot.find(spec.KIND, spec.identity())
        if live is None or not same(kind_of(spec.KIND), live, spec, context):
            what = "is gone" if live is None else "is not what the program declares"
            raise Drifted(
                f"{shown(spec)} was imported and {what}. Look at the preview and run the update again, without "
                "`import_` if it must be changed."
            )
        statements.append(ledger.record_sql(stack, urn, spec, live))
        statements.append(ledger.history_sql(stack, urn, spec, IMPORT, []))
    async with transaction(database) as connection:
        await query_all(connection, *statements)


async def accept(applier: Applier, entries: Sequence[Entry], stack: str) -> None:
    """Records drift that the program was edited to. A refresh has taken it into the state, so that the engine finds
    nothing to update; without this, the entry would tell of it for ever."""
    whole = applier.whole or Whole()
    declared = {(spec.KIND, spec.import_id()): spec for spec in whole.specs.values()}
    edited = [spec for entry in entries if (spec := declared.get((entry.kind, entry.id))) and _is_edited(entry, spec)]
    if edited:
        await retried(lambda: _accept(applier.database, edited, stack))


def _is_edited(entry: Entry, spec: Spec) -> bool:
    """Whether the program says something else now than when it was applied."""
    if spec.without_secrets().to_wire() == entry.declared:
        return False
    return spec.comparable() != entry.declared_spec().comparable()


async def _accept(database: Database, edited: Sequence[Spec], stack: str) -> None:
    snapshot = await take(database)
    statements = []
    for spec in edited:
        live, entry = snapshot.find(spec.KIND, spec.identity()), snapshot.entries.get((spec.KIND, spec.import_id()))
        if live is None or entry is None or entry.step or entry.stack != stack or not _is_edited(entry, spec):
            continue
        if as_seen(entry, live).comparable() == spec.comparable():
            statements.append(ledger.record_sql(stack, entry.urn, spec, live))
            statements.append(ledger.history_sql(stack, entry.urn, spec, ACCEPT, []))
    if statements:
        async with transaction(database) as connection:
            await query_all(connection, *statements)


def declared_form(whole: Whole | None, kind: Kind[Any], live: Spec, capabilities: ServerCapabilities) -> Spec:
    """An imported object in the declaration's words wherever it takes no statement to get there."""
    declared = whole.get(live.KIND, *live.identity()) if whole is not None else None
    if declared is None:
        return live
    context, found = Context(capabilities, whole), live
    for name in type(live).model_fields:
        wanted = getattr(declared, name)
        if getattr(live, name) != wanted and same(kind, live, live.model_copy(update={name: wanted}), context):
            found = found.model_copy(update={name: wanted})
    return found
