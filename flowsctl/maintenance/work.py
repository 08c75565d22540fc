"""Vacuum, analyze and reindex: one statement per piece, each on its own, never inside a transaction.

TimescaleDB refuses REINDEX CONCURRENTLY on a hypertable ("concurrent index creation on hypertables is not supported"),
and without CONCURRENTLY it would hold writers off all chunks: so it goes chunk by chunk. A hypertable has no rows of
its own. VACUUM of a table that is not ours is skipped by the server with a warning and no error: warnings are failures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg import errors, sql

from flowsctl.maintenance.objects import Connection, Piece, Thing

if TYPE_CHECKING:
    from psycopg import Error
    from psycopg.errors import Diagnostic

ACTIONS = ("vacuum", "analyze", "reindex")
LOCK_SECONDS = 60
"""A piece that is locked longer is left out and told: another vacuum, a compression or a migration works on it."""

SIZE = """
SELECT coalesce(pg_catalog.pg_total_relation_size(pg_catalog.to_regclass(format('%%I.%%I', %s::text, %s::text))), 0)
"""
# What a concurrent rebuild that was stopped leaves: _ccnew was not finished, _ccold is not needed any more
# (PostgreSQL 17, REINDEX, "Rebuilding Indexes Concurrently").
LEFT_OVERS = """
SELECT n.nspname, i.relname, i.relname ~ '_cc(new|old)[0-9]*$'
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace
LEFT JOIN pg_catalog.pg_class t ON t.reltoastrelid = x.indrelid
WHERE NOT x.indisvalid AND pg_catalog.to_regclass(format('%%I.%%I', %s::text, %s::text)) IN (x.indrelid, t.oid)
ORDER BY 1, 2
"""


@dataclass
class Done:
    """What came of one object."""

    thing: Thing
    pieces: int = 0
    seconds: float = 0.0
    bytes_before: int = 0
    bytes_after: int = 0
    faults: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The documented form within `maintain --json`."""
        return {
            "name": self.thing.name,
            "kind": self.thing.kind,
            "pieces": self.pieces,
            "seconds": round(self.seconds, 3),
            "bytes_before": self.bytes_before,
            "bytes_after": self.bytes_after,
            "faults": self.faults,
        }


Tell = Callable[[str], None]


def maintain(connection: Connection, action: str, things: list[Thing], tell: Tell, *, concurrently: bool) -> list[Done]:
    """`action` on every piece of `things`, on a connection in autocommit. What fails is noted, the rest goes on.

    `concurrently`: whether the server can rebuild an index beside its use (ServerCapabilities.concurrent_index).
    A KeyboardInterrupt cancels the statement under way, and what a stopped rebuild left is removed first.
    """
    warnings: list[str] = []

    def hear(notice: Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            warnings.append(notice.message_primary or "")

    connection.add_notice_handler(hear)
    connection.execute(f"SET lock_timeout TO '{LOCK_SECONDS}s'".encode())
    try:
        total = sum(len(list(steps(action, thing, concurrently))) for thing in things)
        number = 0
        results = []
        for thing in things:
            done = Done(thing, bytes_before=_bytes(connection, thing))
            for piece, statement in steps(action, thing, concurrently):
                number += 1
                tell(f"{number}/{total} {action} {thing.name}" + ("" if piece == thing.root else f" ({piece})"))
                started = time.monotonic()
                fault = _run(connection, piece, statement, warnings, mend=action == "reindex" and concurrently)
                done.seconds += time.monotonic() - started
                done.pieces += 1
                done.faults += fault
            done.bytes_after = _bytes(connection, thing)
            results.append(done)
        return results
    finally:
        connection.remove_notice_handler(hear)
        if not connection.closed:
            connection.execute("RESET lock_timeout")


def steps(action: str, thing: Thing, concurrently: bool) -> Iterator[tuple[Piece, sql.Composed]]:
    """The statements for one object, with what each works on."""
    if action == "reindex":
        how = sql.SQL("REINDEX TABLE CONCURRENTLY {}" if concurrently else "REINDEX TABLE {}")
        for piece in thing.pieces:
            yield piece, how.format(sql.Identifier(piece.schema, piece.name))
        return
    if action == "vacuum":
        how = sql.SQL("VACUUM {}" if thing.has_chunks else "VACUUM (ANALYZE) {}")
        for piece in thing.pieces:
            yield piece, how.format(sql.Identifier(piece.schema, piece.name))
    if action == "analyze" or thing.has_chunks:
        # On the root: it works through the chunks, each in a transaction of its own, and then has figures of the whole.
        yield thing.root, sql.SQL("ANALYZE {}").format(sql.Identifier(thing.root.schema, thing.root.name))


def _run(
    connection: Connection, piece: Piece, statement: sql.Composed, warnings: list[str], *, mend: bool
) -> list[str]:
    """Faults of one statement; [] where all is well, or where the piece went meanwhile (retention drops chunks)."""
    warnings.clear()
    faults = []
    try:
        connection.execute(statement)
    except errors.UndefinedTable:
        return []
    except errors.LockNotAvailable:
        faults.append(f"{piece}: locked for more than {LOCK_SECONDS} s by something else; left out")
    except errors.Error as error:
        if connection.closed:
            raise
        faults.append(f"{piece}: {_sentence(error)}")
    finally:
        # Also when a KeyboardInterrupt passes through: by then the server has stopped the statement.
        left = _mended(connection, piece) if mend and not connection.closed else []
    return faults + [f"{piece}: {text}" for text in warnings] + left


def _mended(connection: Connection, piece: Piece) -> list[str]:
    """Drops what a stopped rebuild left on a piece; names what is invalid and not ours to drop."""
    told = []
    for schema, name, is_left_over in connection.execute(LEFT_OVERS, [piece.schema, piece.name]).fetchall():
        if not is_left_over:
            told.append(f"{piece}: index {schema}.{name} is invalid; REINDEX INDEX builds it again, or drop it")
            continue
        try:
            connection.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier(schema, name)))
        except errors.Error as error:
            told.append(f"{piece}: index {schema}.{name} was left over and stays: {_sentence(error)}; drop it by hand")
    return told


def _bytes(connection: Connection, thing: Thing) -> int:
    """Size of all pieces with their indexes."""
    sizes = [connection.execute(SIZE, [piece.schema, piece.name]).fetchone() for piece in thing.pieces]
    return sum(int(size[0]) for size in sizes if size)


def _sentence(error: Error) -> str:
    return " ".join(str(error).split())
