"""How much there is in a relation that a statement touches: two queries for any number of relations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from .errors import is_transient
from .executor import DDL_SESSION, query
from .render import render
from .specs import Spec
from .sqltext import literal
from .statement import Statement

COUNTED = 32 * 2**20
"""Bytes up to which rows are counted; above, the server's statistics are good enough."""
_ABOUT_ROWS = frozenset({"data_loss", "table_rewrite", "long_scan", "index_build", "statistics_gone"})
"""Hazards that grow with the relation."""

Relation = tuple[str, str]


@dataclass(frozen=True)
class Size:
    """`rows`: None where nothing is known of them; `counted`: exact, not the server's estimate."""

    rows: int | None
    counted: bool
    bytes: int
    chunks: int = 0
    compressed: int = 0
    as_rows: int = 0
    """Bytes that the compressed chunks were before and would be again."""

    def __str__(self) -> str:
        rows = "rows not counted" if self.rows is None else f"{'' if self.counted else 'about '}{self.rows:,} rows"
        parts = [rows, _bytes(self.bytes)]
        if self.chunks:
            parts.append(f"{self.chunks:,} chunks, {self.compressed:,} of them compressed")
        return ", ".join(parts)

    def to_wire(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "rows": self.rows,
            "counted": self.counted,
            "bytes": self.bytes,
            "chunks": self.chunks,
            "compressedChunks": self.compressed,
            "bytesAsRows": self.as_rows,
        }


def relation_of(spec: Spec) -> Relation | None:
    """The relation that statements of this object touch: its own, or the one it belongs to."""
    parent = spec.parent()
    for reference in (*spec.provides(), *([parent] if parent is not None else [])):
        if reference.kind == "Relation":
            return (reference.identity[0], reference.identity[1])
    return None


def grows(statements: Iterable[Statement]) -> bool:
    """Whether what the statements cost depends on how much there is."""
    return any(hazard.code in _ABOUT_ROWS for statement in statements for hazard in statement.hazards)


def notes(statement: Statement, size: Size | None = None) -> list[str]:
    """What a statement costs: its lock, its hazards, of how much."""
    lock = [f"lock: {statement.lock}"] if statement.lock else []
    return lock + hazards(statement, size)


def hazards(statement: Statement, size: Size | None) -> list[str]:
    """What a user will suffer, of how much."""
    found = []
    for hazard in statement.hazards:
        of = ""
        if size is not None and hazard.code in _ABOUT_ROWS:
            written = hazard.code == "table_rewrite" and size.as_rows
            of = f" ({size}{f', {_bytes(size.as_rows)} as rows' if written else ''})"
        found.append(f"{hazard}{of}")
    return found


async def measure(connection: Any, relations: Sequence[Relation], timescaledb: bool) -> Mapping[Relation, Size]:
    """Sizes of those of `relations` that are there and store rows, in the open transaction. They only inform, so what
    the server does not tell is left out."""
    if not relations:
        return {}
    await connection.execute("SAVEPOINT sizes")
    try:
        return await _measured(connection, relations, timescaledb)
    except psycopg.Error as error:
        if is_transient(error) or connection.closed:
            raise
        return {}
    finally:
        if not connection.closed:
            await connection.execute("ROLLBACK TO SAVEPOINT sizes")


async def _measured(connection: Any, relations: Sequence[Relation], timescaledb: bool) -> Mapping[Relation, Size]:
    select = render("catalog/sizes", relations=relations, timescaledb=timescaledb)
    found = {(row["schema"], row["name"]): row for row in await query(connection, DDL_SESSION, select)}
    small = {key: row["at"] for key, row in found.items() if row["bytes"] <= COUNTED}
    counts: dict[str, int] = {}
    if small:
        each = (f"SELECT {literal(at)} AS at, count(*) AS rows FROM {at}" for at in dict.fromkeys(small.values()))
        counts = {row["at"]: row["rows"] for row in await query(connection, " UNION ALL ".join(each))}
    return {key: _size(row, counts.get(small.get(key, ""))) for key, row in found.items()}


def _size(row: Mapping[str, Any], counted: int | None) -> Size:
    estimate = row["rows"] if row["rows"] is not None and row["rows"] > 0 else None  # 0 and -1: never analysed
    rows = counted if counted is not None else estimate
    return Size(rows, counted is not None, int(row["bytes"]), row["chunks"], row["compressed"], int(row["as_rows"]))


def _bytes(number: int) -> str:
    """As pg_size_pretty() writes them, in powers of 1024."""
    size = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 10240:
            return f"{size:,.0f} {unit}"
        size /= 1024
    return f"{size:,.0f} TB"
