"""Giving the ledger of a copied database to the stack that shall own the copy."""

from __future__ import annotations

from dataclasses import dataclass

from . import ledger
from .connection import Database
from .errors import ProviderError
from .executor import query, query_all, transaction
from .render import render


@dataclass(frozen=True)
class Rebound:
    """How many objects changed hands, and the stacks that had them."""

    objects: int
    stacks: tuple[str, ...]


async def rebind(database: Database, stack: str, known_ledger: str) -> Rebound:
    """Makes `stack` the owner of every entry. The ledger takes the id that the stack's state knows (`known_ledger`), or
    a new one where it knows none, so that the original and the copy are never taken for each other.

    Raises:
        ProviderError: the database has no ledger.
        Unreachable: it cannot be reached.
    """
    async with transaction(database) as connection:
        if not (await query(connection, ledger.EXISTS))[0]["exists"]:
            raise ProviderError(f"{database.settings.shown()} has no ledger: nothing was ever applied there.")
        rows = await query(
            connection, "SELECT stack, count(*) AS objects FROM pulumi_timescaledb.ledger GROUP BY stack"
        )
        await query_all(connection, render("ledger/rebind", stack=stack, ledger=known_ledger))
    return Rebound(sum(row["objects"] for row in rows), tuple(sorted(row["stack"] for row in rows)))
