"""What a change does to the server's text of other objects: RENAME COLUMN rewrites views, indexes and policies, and
RENAME carries everything along that stands on an object.

Ledger entries are brought up to date in the same transaction, or the next refresh would call it drift. Only objects
that showed their recorded form right before the change take over the server's new words: real drift stays visible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import ledger
from .catalog import SESSION, Catalog
from .executor import query_all
from .kinds import Context, all_kinds
from .ledger import Entry
from .renames import Rename
from .render import render
from .snapshot import read_statements, readable
from .specs import Spec
from .whole import Whole

Key = tuple[str, str]


@dataclass(frozen=True)
class Forms:
    """Ledger entries, and what is there, by kind and import key."""

    entries: Mapping[Key, Entry]
    live: Mapping[Key, Spec]

    def applied(self, stack: str) -> Whole:
        """A stack's objects that are there, as they were declared when they were applied."""
        return Whole(
            entry.declared_spec() for key, entry in self.entries.items() if entry.stack == stack and key in self.live
        )


async def forms(connection: Any, context: Context) -> Forms:
    """Everything the ledger has and everything that is there."""
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
    return Forms({(each.kind, each.id): each for each in map(Entry.from_row, rows)}, live)


def rewritten(before: Forms, after: Forms, changed: Key) -> list[str]:
    """Statements that bring the ledger's canonical forms up to date, but for the changed object's own."""
    statements = []
    for key, entry in after.entries.items():
        was, now = before.live.get(key), after.live.get(key)
        if key == changed or key not in before.entries or was is None or now is None:
            continue
        if was.comparable() != now.comparable() and entry.canonical_spec().comparable() == was.comparable():
            statements.append(render("ledger/canonical", kind=entry.kind, id=entry.id, canonical=ledger.as_json(now)))
    return statements


def followed(before: Forms, after: Forms, rename: Rename) -> list[str]:
    """Statements that let the ledger follow a rename: keys, what was declared, the server's forms."""
    statements = []
    for key, entry in before.entries.items():
        declared, canonical = rename.follow(entry.declared_spec()), rename.follow(entry.canonical_spec())
        was, now = before.live.get(key), after.live.get((entry.kind, declared.import_id()))
        if was is not None and now is not None and entry.canonical_spec().comparable() == was.comparable():
            canonical = now
        if declared != entry.declared_spec() or canonical.comparable() != entry.canonical_spec().comparable():
            statements.append(ledger.follow_sql(entry, declared, canonical))
    return statements
