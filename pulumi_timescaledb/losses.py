"""What stands between a plan and the server: data is not lost by surprise, and nothing is begun that only the server's
rows forbid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from .errors import DataWouldBeLost, Declined, is_transient
from .executor import query
from .sizes import Size
from .statement import Statement


def may_be_forbidden(statements: Sequence[Statement]) -> bool:
    """Whether only the server's rows tell if a statement can run."""
    return any(hazard.code == "refused" for each in statements for hazard in each.hazards)


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


async def refuse_forbidden(connection: Any, subject: str, statements: Sequence[Statement]) -> None:
    """Raises Declined for the first statement that the server's rows forbid."""
    for statement in statements:
        for hazard in statement.hazards:
            if hazard.code == "refused" and await _answers_yes(connection, hazard.probe, unsure=False):
                raise Declined(f"{subject}: {hazard.sentence}. {hazard.way_out}")


async def _answers_yes(connection: Any, probe: str, *, unsure: bool = True) -> bool:
    """The probe's answer. A relation or column that is gone has nothing to lose; a probe that fails otherwise (a value
    that cannot be cast, a view without data) does not prove that there is nothing, so it answers `unsure`."""
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
        return unsure
    return bool(next(iter(rows[0].values()))) if rows else False
