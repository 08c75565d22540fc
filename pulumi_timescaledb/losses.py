"""Data is not lost by surprise: what stands between a statement that loses data and the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from .errors import DataWouldBeLost, is_transient
from .executor import query
from .sizes import Size
from .statement import Statement


def may_lose(statements: Sequence[Statement], allowed: frozenset[str]) -> bool:
    """Whether a statement loses data without being allowed to, if there is any."""
    return any(h.code == "data_loss" and h.allow not in allowed for each in statements for h in each.hazards)


async def refuse_losses(
    connection: Any,
    subject: str,
    statements: Sequence[Statement],
    disposable: bool,
    allowed: frozenset[str],
    size: Size | None = None,
) -> None:
    """Raises DataWouldBeLost for the first statement that loses data, was not allowed and has something to lose."""
    if disposable:
        return
    for statement in statements:
        for hazard in statement.hazards:
            if hazard.code != "data_loss" or hazard.allow in allowed:
                continue
            if not hazard.probe or await _answers_yes(connection, hazard.probe):
                of = f" ({size})" if size is not None else ""
                raise DataWouldBeLost(
                    f"{subject}: {hazard.sentence}{of}. To permit this very loss, add "
                    f'"{hazard.allow}" to `allow`; for a database that may lose everything, set disposable.'
                )


async def _answers_yes(connection: Any, probe: str) -> bool:
    """The probe's answer. A relation or column that is gone has nothing to lose; a probe that fails otherwise (a value
    that cannot be cast, a view without data) does not prove that there is nothing."""
    await connection.execute("SAVEPOINT probe")
    try:
        rows = await query(connection, probe)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        await connection.execute("ROLLBACK TO SAVEPOINT probe")
        return False
    except psycopg.Error as error:
        if is_transient(error) or connection.closed:
            raise
        await connection.execute("ROLLBACK TO SAVEPOINT probe")
        return True
    return bool(next(iter(rows[0].values()))) if rows else False
