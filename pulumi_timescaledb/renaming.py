"""Making one rename: the server's RENAME and the ledger's, for the object and all that stands on it, together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import ledger, ripple
from .errors import Foreign
from .executor import query, query_all, run
from .kinds import Context, kind_of
from .kinds.base import shown
from .ledger import Entry
from .relations import from_rows, names_of, select_sql
from .renames import Rename
from .specs import Spec
from .statement import Statement

if TYPE_CHECKING:
    from .recording import Caller
    from .review import Reviewed


async def make_rename(
    connection: Any, rename: Rename, caller: Caller, context: Context, reviewed: Reviewed | None = None
) -> list[Statement]:
    """Renames one object in the open transaction. Nothing to do where the ledger knows the new name already (a run
    that ended early did it) or does not know the old one. Renamed by hand, it is only taken down.

    Raises:
        Foreign: it belongs to another stack, or something else has the new name.
        Declined: it is not in the plan that this run is held to.
        StatementFailed: the server refused.
    """
    old, new = rename.old, rename.new
    rows = await query_all(connection, ledger.select_sql(old), ledger.select_sql(new))
    if rows[1] or not rows[0]:
        return []
    entry = Entry.from_row(rows[0][0])
    if entry.stack != caller.stack:
        raise other_stack(old, entry)
    before = await ripple.forms(connection, context)
    there, occupied = ((spec.KIND, spec.import_id()) in before.live for spec in (old, new))
    if not there and not occupied:
        return []
    if there and occupied:
        raise taken(old, new)
    statements: list[Statement] = []
    if there:
        declared = entry.declared_spec()
        kind = kind_of(old.KIND)
        if kind.asks_relation:  # an aggregate's index lives elsewhere
            found = await query(connection, select_sql(names_of(declared), context.capabilities))
            context = replace(context, live=from_rows(found))
        statements = kind.plan(declared, rename.follow(declared), context)
        if reviewed is not None:
            reviewed.permit(new, statements)
        await run(connection, statements, shown(old))
    records = ripple.followed(before, await ripple.forms(connection, context), rename)
    if statements:
        texts = [caller.redact(statement.sql) for statement in statements]
        records.append(ledger.history_sql(caller.stack, entry.urn, new, "rename", texts))
    await query_all(connection, *records)
    return statements


def taken(old: Spec, new: Spec) -> Foreign:
    """Something has the name already that an object shall get."""
    return Foreign(
        f"{shown(old)} cannot be renamed: {new.import_id()} exists and was not made by this provider. Drop or rename "
        "that, or choose another name."
    )


def other_stack(spec: Spec, entry: Entry) -> Foreign:
    """An object that another stack made."""
    return Foreign(
        f'{shown(spec)} belongs to stack "{entry.stack}". Remove it from one of the two programs, or run '
        "`flowsctl ledger rebind` if this database is a copy."
    )
