"""Running SQL: one round trip for many statements, transactions, timeouts, bounded retries."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from .connection import Database
from .errors import Unreachable, is_transient, statement_failed
from .statement import LockLevel, Statement

T = TypeVar("T")
ATTEMPTS = 6
"""With pauses of 0.1 s doubling up to 2 s, about 5 s of patience beside the lock timeouts themselves."""

LONGEST_PAUSE = 2.0
"""Seconds between two attempts, at most."""
CONCURRENT_PATIENCE = 30
"""Times the lock timeout: a minute by default."""

DDL_SESSION = "SET LOCAL search_path TO public"
_SEPARATOR = "\n;\n"
"""On a line of its own: a statement may end with a comment."""


async def query(connection: AsyncConnection[Any], *selects: str) -> list[dict[str, Any]]:
    """Rows of the last of `selects`, all sent in one round trip."""
    return (await query_all(connection, *selects))[-1]


async def query_all(connection: AsyncConnection[Any], *selects: str) -> list[list[dict[str, Any]]]:
    """Rows of every statement, all sent in one round trip; [] for those that return none."""
    if not selects:
        return []
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(";\n".join(selects).encode())
    results: list[list[dict[str, Any]]] = []
    async for result in cursor.results():
        results.append(await result.fetchall() if result.description else [])
    return results


async def run(connection: AsyncConnection[Any], statements: Sequence[Statement], subject: str) -> None:
    """Runs statements in one round trip.

    Raises:
        StatementFailed: the server refused one; the message names it.
        psycopg.Error: a transient failure, for `transaction` to see.
    """
    if not statements:
        return
    texts = [statement.executable() for statement in statements]
    try:
        await connection.execute(_SEPARATOR.join([DDL_SESSION, *texts]).encode())
    except psycopg.Error as error:
        if is_transient(error) or (isinstance(error, psycopg.OperationalError) and error.sqlstate is None):
            raise
        raise statement_failed(subject, _culprit(error, statements), error) from None


async def run_alone(database: Database, statement: Statement, subject: str) -> None:
    """Runs a statement outside a transaction, under timeouts of its own. They are the session's for as long as it runs,
    so a pooler that gives each transaction another session must not stand between.

    Raises:
        StatementFailed: the server refused it.
        Unreachable: the connection was lost; nobody knows how far it came.
        psycopg.Error: a transient failure.
    """
    settings = database.settings
    timeouts = {
        "lock_timeout": patience(statement, settings.lock_timeout),
        "statement_timeout": settings.statement_timeout,
    }
    if statement.first:
        await _run_first(database, statement, subject, timeouts)
        return
    begin = [f"SET {name} TO {int(value)}" for name, value in timeouts.items()]
    async with database.connection() as connection:
        try:
            await connection.execute("; ".join([*begin, "SET search_path TO public"]).encode())
            await connection.execute(statement.executable().encode())
        except psycopg.Error as error:
            if connection.closed:
                reason = " ".join(str(error).split())
                raise Unreachable(
                    f"the connection to {settings.shown()} was lost: {reason}. Run again: what was "
                    "begun is finished then."
                ) from None
            if is_transient(error):
                raise
            raise statement_failed(subject, statement.sql, error) from None
        finally:
            if not connection.closed:
                reset = "; ".join(f"RESET {name}" for name in (*timeouts, "search_path"))
                await asyncio.shield(connection.execute(reset.encode()))


async def _run_first(database: Database, statement: Statement, subject: str, timeouts: Mapping[str, int]) -> None:
    try:
        async with database.session(alone=True, **timeouts) as connection:
            await connection.execute(statement.executable().encode())
    except psycopg.Error as error:
        if is_transient(error):
            raise
        raise statement_failed(subject, statement.sql, error) from None


def patience(statement: Statement, lock_timeout: int) -> int:
    """How long a statement on its own may wait for a lock, in milliseconds. While one waits for SHARE UPDATE EXCLUSIVE
    or less no writer queues behind it, and a concurrent build that gives up throws away all it has built: it also
    waits for every older transaction, under this same timeout (PostgreSQL 17, WaitForOlderSnapshots)."""
    return lock_timeout * (CONCURRENT_PATIENCE if statement.lock == LockLevel.SHARE_UPDATE_EXCLUSIVE else 1)


def _culprit(error: psycopg.Error, statements: Sequence[Statement]) -> str:
    """The statement the server's error position lies in; all of them where it gives none."""
    position = error.diag.statement_position
    if position is None:
        return "; ".join(statement.sql for statement in statements)
    end = len(DDL_SESSION) + len(_SEPARATOR)
    for statement in statements:
        end += len(statement.executable()) + len(_SEPARATOR)
        if int(position) <= end:
            return statement.sql
    return statements[-1].sql


YIELDING = (
    "SELECT pg_catalog.set_config('deadlock_timeout', '50ms', true) "
    "WHERE pg_catalog.has_parameter_privilege('deadlock_timeout', 'SET')"
)
"""Of two that wait for each other the server ends the one that looks first, and everybody else looks after a second
(PostgreSQL 15, deadlock_timeout): a change then gives way and is tried again, where a client would have seen an error.
An administrator who is no superuser needs GRANT SET ON PARAMETER deadlock_timeout for that."""


@asynccontextmanager
async def transaction(
    database: Database, *first: str, read_only: bool = False, turn: str = ""
) -> AsyncIterator[AsyncConnection[Any]]:
    """A transaction under the configured timeouts. `first` runs in the round trip that begins it, before it `turn`,
    which waits for our own kind: nobody stands behind that lock, so that it may take longer than any other."""
    settings = database.settings
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if read_only else "BEGIN"
    async with database.connection() as connection:
        try:
            await connection.execute(
                "; ".join(
                    [
                        begin,
                        f"SET LOCAL statement_timeout TO {int(settings.statement_timeout)}",
                        *(["SET LOCAL lock_timeout TO 0", turn] if turn else []),
                        f"SET LOCAL lock_timeout TO {int(settings.lock_timeout)}",
                        *([] if read_only else [YIELDING]),
                        *first,
                    ]
                ).encode()
            )
            yield connection
            await connection.execute("COMMIT")
        except BaseException as error:
            if not connection.closed:
                await asyncio.shield(connection.execute("ROLLBACK"))
            elif isinstance(error, psycopg.OperationalError):
                reason = " ".join(str(error).split())
                raise Unreachable(
                    f"the connection to {settings.shown()} was lost: {reason}. Unless that was the very end of it, "
                    "nothing of this change was kept; run again."
                ) from None
            raise


async def retried(work: Callable[[], Awaitable[T]]) -> T:
    """`work`, again while it fails for a reason that may pass, up to ATTEMPTS times."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await work()
        except psycopg.Error as error:
            if attempt == ATTEMPTS or not is_transient(error):
                raise
            await asyncio.sleep(min(LONGEST_PAUSE, 0.1 * 2**attempt) * random.uniform(0.5, 1.0))
    raise AssertionError("unreachable")
