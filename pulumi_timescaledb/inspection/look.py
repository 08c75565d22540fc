"""Reading a database for inspection: the provider's own snapshot, and the census beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..capabilities import ServerCapabilities
from ..catalog import SESSION
from ..connection import Database
from ..errors import ProviderError
from ..executor import query_all, transaction
from ..render import render
from ..snapshot import Snapshot, take
from .census import Object, queries


@dataclass(frozen=True)
class View:
    """A database as it was found. `me`: the user who asked; `initial`: the role that initdb made."""

    schemas: tuple[str, ...]
    snapshot: Snapshot
    objects: tuple[Object, ...]
    ungrouped: frozenset[tuple[str, str]]
    """Continuous aggregates without indexes of their grouping columns."""
    capabilities: ServerCapabilities
    me: str
    initial: str


async def look(database: Database, schemas: Sequence[str] = ()) -> View:
    """Reads the objects of `schemas`; without any, of every schema that is the users' and holds something.

    Raises:
        ProviderError: a schema is not there, or is none to be managed.
        Unreachable: the server cannot be reached.
    """
    capabilities = await database.capabilities()
    async with transaction(database, SESSION, read_only=True) as connection:
        there, roles = await query_all(connection, render("inspect/schemas"), render("inspect/roles"))
        chosen = _chosen(schemas, {row["name"]: row["filled"] for row in there})
        results = await query_all(connection, *queries(chosen, capabilities))
        bare = (await query_all(connection, render("inspect/ungrouped")))[0] if capabilities.timescaledb else []
    return View(
        tuple(chosen),
        await take(database),
        tuple(dict.fromkeys(Object.from_row(row) for rows in results for row in rows)),
        frozenset((row["schema"], row["name"]) for row in bare),
        capabilities,
        roles[0]["me"],
        roles[0]["initial"] or "",
    )


def _chosen(asked: Sequence[str], there: dict[str, bool]) -> list[str]:
    unknown = [name for name in asked if name not in there]
    if unknown:
        known = ", ".join(sorted(there)) or "none"
        raise ProviderError(f"Schemas that are not there or not the users': {', '.join(unknown)}. There are: {known}.")
    if asked:
        return list(dict.fromkeys(asked))
    return sorted(name for name, filled in there.items() if filled or name != "public")
