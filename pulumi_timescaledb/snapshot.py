"""All objects the server shows, of one moment: one read-only transaction, a fixed number of queries."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from . import ledger
from .capabilities import ServerCapabilities
from .catalog import BULK, SESSION, Catalog, Scope, source_sql, together_sql
from .connection import Database
from .executor import query_all, transaction
from .kinds import Kind, all_kinds, kind_of
from .ledger import Entry
from .specs import Spec


@dataclass(frozen=True)
class Snapshot:
    """Live specs by kind and identity, and ledger entries by kind and import key."""

    live: Mapping[str, Mapping[tuple[str, ...], Spec]]
    entries: Mapping[tuple[str, str], Entry]

    @cached_property
    def by_id(self) -> Mapping[tuple[str, str], Spec]:
        """Live specs by kind and import key."""
        return {(kind, spec.import_id()): spec for kind, found in self.live.items() for spec in found.values()}

    def find(self, kind: str, identity: tuple[str, ...]) -> Spec | None:
        """The live object, or what its kind reads as where the catalog shows none."""
        found: Spec | None = self.live[kind].get(identity) or kind_of(kind).absent(identity)
        return found


def readable(kind: Kind[Any], capabilities: ServerCapabilities) -> bool:
    """Whether the kind's sources exist on this server."""
    return not kind.needs_timescaledb or capabilities.timescaledb is not None


def read_statements(
    kinds: Iterable[Kind[Any]], scope: Scope | None, capabilities: ServerCapabilities
) -> tuple[list[str], list[str]]:
    """(sources, their queries), each source once."""
    names = dict.fromkeys(s for kind in kinds if readable(kind, capabilities) for s in kind.sources)
    return list(names), [source_sql(name, scope, capabilities) for name in names]


async def read_one(connection: Any, kind: Kind[Any], spec: Spec, capabilities: ServerCapabilities) -> Spec | None:
    """The object of that identity as the open transaction sees it."""
    names, selects = read_statements([kind], kind.scope(spec.identity()), capabilities)
    results = (await query_all(connection, SESSION, *selects))[3:]
    live = kind.read(Catalog(dict(zip(names, results, strict=True)), capabilities))
    return live.get(spec.identity()) or kind.absent(spec.identity())


async def take(database: Database) -> Snapshot:
    """Reads everything.

    Raises:
        Unreachable: the server cannot be reached.
    """
    capabilities = await database.capabilities()
    kinds = all_kinds()
    few, many = _sources(kinds.values(), capabilities)
    async with transaction(database, BULK, read_only=True) as connection:
        exists, together, *results = await query_all(connection, ledger.EXISTS, together_sql(few), *many.values())
        format = ledger.format_of(exists[0])
        rows = [] if format is None else (await query_all(connection, ledger.select_all_sql(format)))[0]
    found = {source: together[0][source] or [] for source in few} | dict(zip(many, results, strict=True))
    catalog = Catalog(found, capabilities)
    with collector_paused():
        return Snapshot(
            {name: kind.read(catalog) if readable(kind, capabilities) else {} for name, kind in kinds.items()},
            {(row["kind"], row["id"]): Entry.from_row(row) for row in rows},
        )


def _sources(kinds: Collection[Kind[Any]], capabilities: ServerCapabilities) -> tuple[dict[str, str], dict[str, str]]:
    """(queries that are sent as one, queries that are sent as they are), by source."""
    names, selects = read_statements(kinds, None, capabilities)
    large = {source for kind in kinds if kind.many for source in kind.sources}
    queries = dict(zip(names, selects, strict=True))
    few = {name: query for name, query in queries.items() if name not in large}
    return few, {name: query for name, query in queries.items() if name in large}


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage collection meanwhile: it would walk over tens of thousands of new specs, none of them garbage, again
    and again, for a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class SnapshotCache:
    """One snapshot for all reads of a run, until an own write makes it stale."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._task: asyncio.Task[Snapshot] | None = None

    async def get(self) -> Snapshot:
        """The snapshot; concurrent callers share one reading."""
        if self._task is None:
            self._task = asyncio.create_task(take(self._database))
        task = self._task
        try:
            return await asyncio.shield(task)
        except BaseException:
            if self._task is task:
                self._task = None
            raise

    def invalidate(self) -> None:
        """To be called after every own write."""
        self._task = None
