"""A copied database becomes the copying stack's: in its ledger, before anything else is done with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.executor import query
from pulumi_timescaledb.rebind import rebind


def take_over(settings: ConnectionSettings, owner: str, previous: str = "", forget: Sequence[str] = ()) -> str:
    """Makes `owner` the owner of what is in a copied database and was `previous`'s, but for the kinds to `forget`; the
    id of the copy's ledger.

    Raises:
        ProviderError: the database has no ledger, or cannot be reached.
    """
    return asyncio.run(_take_over(settings, owner, previous, forget))


async def _take_over(settings: ConnectionSettings, owner: str, previous: str, forget: Sequence[str]) -> str:
    database = Database(settings)
    try:
        await rebind(database, owner, "", previous, forget=forget)
        async with database.connection() as connection:
            return str((await query(connection, "SELECT ledger::text FROM pulumi_timescaledb.identity"))[0]["ledger"])
    finally:
        await database.close()
