"""Which failures are tried again, and what is told of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import psycopg
import pytest

from pulumi_timescaledb.errors import is_transient, statement_failed
from pulumi_timescaledb.executor import retried

TRANSIENT = [
    psycopg.errors.DeadlockDetected("deadlock detected"),
    psycopg.errors.SerializationFailure("could not serialize"),
    psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"),
    psycopg.errors.InternalError_("tuple concurrently updated"),
]
LASTING = [
    psycopg.errors.InternalError_("cache lookup failed"),
    psycopg.errors.UniqueViolation("duplicate key"),
    psycopg.OperationalError("connection refused"),
    ValueError("deadlock detected"),
]


def _failing(error: Exception, times: int) -> tuple[list[int], Callable[[], object]]:
    calls: list[int] = []

    async def work() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise error
        return "done"

    return calls, work


@pytest.mark.parametrize("error", TRANSIENT, ids=str)
def test_what_may_pass_is_tried_again(error: Exception) -> None:
    calls, work = _failing(error, 1)
    assert is_transient(error)
    assert asyncio.run(retried(work)) == "done"  # type: ignore[arg-type]
    assert len(calls) == 2


@pytest.mark.parametrize("error", LASTING, ids=str)
def test_what_will_not_pass_is_not(error: Exception) -> None:
    calls, work = _failing(error, 1)
    with pytest.raises(type(error)):
        asyncio.run(retried(work))  # type: ignore[arg-type]
    assert len(calls) == 1


def test_a_failed_statement_is_one_sentence_after_the_other() -> None:
    error = psycopg.errors.QueryCanceled("canceling statement due to statement timeout")
    told = statement_failed("Table a.b", "ALTER  TABLE\n  x", error)
    assert str(told) == (
        "Table a.b: canceling statement due to statement timeout. It ran into the statement timeout: raise the "
        "provider's statementTimeout. Statement: ALTER TABLE x"
    )
    assert told.sqlstate == "57014"
