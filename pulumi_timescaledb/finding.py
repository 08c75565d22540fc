"""Looking for one object, on the server and in the ledger: under its own name, and where it may be otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import ledger, relations
from .catalog import Catalog
from .executor import query, query_all
from .kinds import Context, Kind
from .ledger import Entry
from .relations import Relations
from .renaming import taken
from .snapshot import read_one, read_statements
from .specs import Spec
from .sqltext import literal

if TYPE_CHECKING:
    from .recording import Caller


@dataclass
class Looked:
    """What the server and the ledger show of one object, and what its relations are, where plans depend on that."""

    live: Spec | None
    entry: Entry | None
    relations: Relations = field(default_factory=dict)


async def look(connection: Any, kind: Kind[Any], spec: Spec, context: Context) -> Looked:
    """The object of that identity, and its entry."""
    names, selects = read_statements([kind], kind.scope(spec.identity()), context.capabilities)
    asked = relations.names_of(spec) if kind.asks_relation else []
    last = [relations.select_sql(asked, context.capabilities)] if asked else []
    rows, *results = await query_all(connection, ledger.select_sql(spec), *selects, *last)
    found = relations.from_rows(results.pop()) if asked else {}
    live = kind.read(Catalog(dict(zip(names, results, strict=True)), context.capabilities)) if names else {}
    entry = Entry.from_row(rows[0]) if rows else None
    return Looked(live.get(spec.identity()) or kind.absent(spec.identity()), entry, found)


async def read(connection: Any, kind: Kind[Any], spec: Spec, context: Context) -> Spec | None:
    """What the server shows of it now."""
    return await read_one(connection, kind, spec, context.capabilities)


async def find(
    connection: Any, kind: Kind[Any], state: Spec | None, new: Spec, context: Context
) -> tuple[Spec, Looked]:
    """The object under its own name, or under the one that the state knows where no ledger could follow."""
    looked = await look(connection, kind, new, context)
    if state is None or state.identity() == new.identity() or looked.entry is not None:
        return new, looked
    earlier = await look(connection, kind, state, context)
    if earlier.live is None or earlier.live == kind.absent(state.identity()):
        return (new, looked) if earlier.entry is None else (state, looked)
    if looked.live is not None and looked.live != kind.absent(new.identity()):
        raise taken(state, new)
    return state, earlier


async def find_gone(
    connection: Any, kind: Kind[Any], state: Spec, caller: Caller, context: Context
) -> tuple[Spec, Looked]:
    """An object that shall go, also where it has another name than the state knows: something that it stands on
    was renamed, and its own resource never had its turn."""
    looked = await look(connection, kind, state, context)
    if looked.entry is None and (looked.live is None or looked.live == kind.absent(state.identity())):
        rows = await query(connection, ledger.select_urn_sql(state.KIND, caller.urn))
        if rows and rows[0]["stack"] == caller.stack:
            state = Entry.from_row(rows[0]).declared_spec()
            await query_all(connection, lock(state))
            looked = await look(connection, kind, state, context)
    return state, looked


def lock(spec: Spec) -> str:
    """One writer at a time per relation (or object), whatever the server's own locks do. Taken in the transaction, so
    that a pooler may stand between; two statements of one key never deadlock."""
    return f"SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended({literal(spec.lock_key())}, 0))"
