"""Giving the ledger of a copied database to the stack that shall own the copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import ledger
from .connection import Database
from .errors import ProviderError
from .executor import query, query_all, transaction
from .render import render


@dataclass(frozen=True)
class Rebound:
    """How many objects changed hands, and the stack that had them ("" where there were none)."""

    objects: int
    previous: str


async def rebind(
    database: Database,
    stack: str,
    known_ledger: str,
    previous: str = "",
    known_system: str = "",
    *,
    forget: Sequence[str] = (),
) -> Rebound:
    """Makes `stack` (project/stack) the owner of the entries of the stack `previous`, by default of the only other one
    there is. The ledger takes the id that the stack's state knows (`known_ledger`), or a new one where it knows none,
    so that the original and the copy are never taken for each other. On this server the database then passes for the
    one with the system identifier `known_system`, which the state knows: a restored dump has another one. Entries of
    the kinds to `forget` stay the previous stack's, and so go: a copy on the same server has not what they stand for.

    Raises:
        ProviderError: the database has no ledger, or objects of several other stacks and `previous` names none of them.
        Unreachable: it cannot be reached.
    """
    async with transaction(database) as connection:
        format = ledger.format_of((await query(connection, ledger.EXISTS))[0])
        if format is None:
            raise ProviderError(f"{database.settings.shown()} has no ledger: nothing was ever applied there.")
        if format != ledger.FORMAT:
            await connection.execute(ledger.made_sql(format).encode())
        rows = await query(connection, render("ledger/owners"))
        others = {row["stack"]: row["objects"] for row in rows if row["stack"] != stack}
        if previous not in others and (previous or len(others) > 1):
            names = ", ".join(sorted(others)) or "no other stack"
            raise ProviderError(
                f"{database.settings.shown()} holds objects of {names}. Name the one whose objects {stack} shall own."
            )
        previous = previous or next(iter(others), "")
        project, _, name = stack.partition("/")
        urn_start = f"urn:pulumi:{name}::{project}::"
        values: dict[str, object] = {
            "stack": stack,
            "urn_start": urn_start,
            "previous": previous,
            "ledger": known_ledger,
        }
        values |= {"system": known_system or None, "forget": [*forget]}
        await query_all(connection, render("ledger/rebind", **values))
    return Rebound(others.get(previous, 0), previous)
