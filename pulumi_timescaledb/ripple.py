"""What a change does to the server's text of other objects: RENAME COLUMN rewrites views, indexes and policies.

Their canonical forms in the ledger are brought up to date in the same transaction, or the next refresh would call it
drift. Only objects that showed their recorded form right before the change are touched: real drift stays visible.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from . import ledger
from .catalog import SESSION, Catalog
from .executor import query_all
from .kinds import Context, all_kinds
from .ledger import Entry
from .render import render
from .snapshot import read_statements, readable
from .specs import Spec

Forms = Mapping[tuple[str, str], tuple[Entry, Spec]]


async def forms(connection: Any, context: Context) -> Forms:
    """Ledger entry and live form of every object that is there, by kind and import key."""
    kinds = all_kinds()
    names, selects = read_statements(kinds.values(), None, context.capabilities)
    rows, *results = (await query_all(connection, SESSION, ledger.select_all_sql(), *selects))[3:]
    catalog = Catalog(dict(zip(names, results, strict=True)), context.capabilities)
    live = {
        (name, spec.import_id()): spec
        for name, kind in kinds.items()
        if readable(kind, context.capabilities)
        for spec in kind.read(catalog).values()
    }
    entries = [Entry.from_row(row) for row in rows]
    return {(each.kind, each.id): (each, live[key]) for each in entries if (key := (each.kind, each.id)) in live}


def rewritten(before: Forms, after: Forms, changed: tuple[str, str]) -> list[str]:
    """Statements that bring the ledger's canonical forms up to date, but for the changed object's own."""
    statements = []
    for key, (entry, now) in after.items():
        earlier = before.get(key)
        if key == changed or earlier is None or earlier[1].comparable() == now.comparable():
            continue
        if entry.canonical_spec().comparable() == earlier[1].comparable():
            canonical = json.dumps(now.comparable().to_wire(), ensure_ascii=False)
            statements.append(render("ledger/canonical", kind=entry.kind, id=entry.id, canonical=canonical))
    return statements
