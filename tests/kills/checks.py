"""What must hold: right after a kill, and when everything has converged."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import psycopg

from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.snapshot import Snapshot, take
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.sqltext import ident, literal, qualified
from pulumi_timescaledb.whole import Whole

from .servers import KillableServer

Keys = frozenset[tuple[str, str]]
"""(kind, import id) of objects."""


def seen(server: KillableServer) -> Snapshot:
    """Everything the server shows, and the ledger."""

    async def look() -> Snapshot:
        database = Database(ConnectionSettings(host=str(server.socket.parent), port=server.port, user="postgres"))
        try:
            return await take(database)
        finally:
            await database.close()

    return asyncio.run(look())


def live(snapshot: Snapshot) -> Keys:
    """Every object of every kind, declared or not."""
    return frozenset((spec.KIND, spec.import_id()) for kind in snapshot.live.values() for spec in kind.values())


def half_done(snapshot: Snapshot, accepted: Keys) -> list[str]:
    """What no moment may show: an object nobody recorded, a record without its object. An entry with a step is under
    way, and says so."""
    recorded = snapshot.entries
    strangers = {key for key in live(snapshot) - accepted - recorded.keys() if not kind_of(key[0]).adopts_existing}
    if any(entry.step for entry in recorded.values()):  # what a swap builds is known to the entry that it is for
        strangers = {key for key in strangers if "_v2_" not in key[1]}
    found = [f"{' '.join(key)} is there and not in the ledger" for key in sorted(strangers)]
    for key, entry in sorted(recorded.items()):
        if entry.step is None and snapshot.find(entry.kind, entry.declared_spec().identity()) is None:
            found.append(f"{' '.join(key)} is in the ledger and not there")
    return found


def unlike(snapshot: Snapshot, whole: Whole, wanted: Keys) -> list[str]:
    """Where ledger, catalog and declarations are not the same. `wanted`: what an undisturbed run leaves."""
    declared = {(spec.KIND, spec.import_id()): spec for spec in whole.specs.values()}
    found = [f"{' '.join(key)} is in the ledger only" for key in sorted(snapshot.entries.keys() - declared.keys())]
    found += [f"{' '.join(key)} is not in the ledger" for key in sorted(declared.keys() - snapshot.entries.keys())]
    for key in sorted(declared.keys() & snapshot.entries.keys()):
        entry = snapshot.entries[key]
        if entry.step is not None:
            found.append(f"{' '.join(key)} is left at step {entry.step}")
        if entry.declared_spec() != declared[key].without_secrets():
            found.append(f"{' '.join(key)} is recorded otherwise than declared")
    found += [f"{' '.join(key)} is left over" for key in sorted(live(snapshot) - wanted)]
    found += [f"{' '.join(key)} is missing" for key in sorted(wanted - live(snapshot))]
    return found


def columns(server: KillableServer, specs: Iterable[Spec]) -> dict[str, list[str]]:
    """The relations that hold rows, and the columns they have now: those that may come later are not compared."""
    names = [qualified(*spec.identity()) for spec in specs if spec.KIND in ("Table", "ContinuousAggregate")]
    query = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
    with psycopg.connect(server.dsn(), autocommit=True, prepare_threshold=None) as connection:
        cursor = psycopg.ClientCursor(connection)
        return {name: [str(row[0]) for row in cursor.execute(query, (name,))] for name in names}


def contents(server: KillableServer, relations: Mapping[str, list[str]]) -> dict[str, tuple[int, str]]:
    """Number and checksum of the rows of each relation."""
    with psycopg.connect(server.dsn(), autocommit=True, prepare_threshold=None) as connection:
        found = {}
        for name, named in relations.items():
            row = f"ROW({', '.join(map(ident, named))})"
            text = f"SELECT count(*), md5(string_agg({row}::text, ',' ORDER BY {row}::text)) FROM {name}"
            counted = connection.execute(text.encode()).fetchone()
            assert counted is not None
            found[name] = (int(counted[0]), str(counted[1]))
        return found


Entry = tuple[str, str, str]
"""(kind, import id, verb) of a history entry."""


def history(server: KillableServer) -> list[Entry]:
    """Oldest first. Every one says when, which stack and which SQL: the columns refuse NULL."""
    with psycopg.connect(server.dsn(), autocommit=True, prepare_threshold=None) as connection:
        text = (
            "SELECT kind, id, verb FROM pulumi_timescaledb.history "
            "WHERE statements <> '{}' AND stack <> '' AND at IS NOT NULL ORDER BY number"
        )
        return [(str(kind), str(key), str(verb)) for kind, key, verb in connection.execute(text)]


def history_faults(rows: list[Entry], wanted: Iterable[Entry]) -> list[str]:
    """What an undisturbed run notes is noted, once: nothing is missing, nothing was made twice without a drop."""
    made: Counter[tuple[str, str]] = Counter()
    found = []
    for kind, key, verb in rows:
        if verb in ("create", "delete", "failed"):
            made[(kind, key)] = made[(kind, key)] + 1 if verb == "create" else 0
        if made[(kind, key)] > 1:
            found.append(f"history: {kind} {key} was created twice")
    return found + [f"history: no {verb} of {kind} {key}" for kind, key, verb in sorted(set(wanted) - set(rows))]


def exported_faults(file: Path, deleted: Keys) -> list[str]:
    """The history that a destroy leaves: every entry once, and every drop in it."""
    if not file.exists():
        return ["the history was not exported"]
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    numbers = Counter(row["number"] for row in rows)
    found = [f"history entry {number} was exported {times} times" for number, times in numbers.items() if times > 1]
    drops = {(row["kind"], row["id"]) for row in rows if row["verb"] == "delete"}
    found += [f"the drop of {' '.join(key)} is not in the exported history" for key in sorted(deleted - drops)]
    return found


def idle_transactions(server: KillableServer) -> list[str]:
    """Sessions of a dead provider that still hold something; a moment is given to the server to notice."""
    text = (
        "SELECT state || ': ' || left(query, 80) FROM pg_stat_activity "
        f"WHERE application_name = {literal('pulumi-timescaledb')} AND state LIKE 'idle in transaction%'"
    )
    with psycopg.connect(server.dsn(), autocommit=True, prepare_threshold=None) as connection:
        return [str(row[0]) for row in connection.execute(text.encode())]
