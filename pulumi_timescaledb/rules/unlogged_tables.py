"""What an unlogged table may not be: the target of a logged table's foreign key (PostgreSQL 17, tablecmds.c), and a
hypertable before TimescaleDB 2.24 (the pre-release of 2.23.0 refuses it, 2.29.2 allows it: measured)."""

from __future__ import annotations

from collections.abc import Iterator

from ..capabilities import ServerCapabilities
from ..whole import Whole

HYPERTABLES = (2, 24)


def check(whole: Whole, capabilities: ServerCapabilities) -> Iterator[str]:
    """Faults of unlogged tables."""
    unlogged = {table.identity(): table for table in whole.of_kind("Table") if table.unlogged}
    for key in whole.of_kind("ForeignKey"):
        target = unlogged.get((key.target_schema, key.target))
        if target is not None and (key.schema_, key.relation) not in unlogged:
            yield (
                f"ForeignKey {key.import_id()} leads to Table {target.import_id()}, which is unlogged, from one that "
                "is not: a crash would leave rows without those they refer to, so the server refuses it. Make both "
                "unlogged, or neither."
            )
    version = capabilities.timescaledb
    for hypertable in whole.of_kind("Hypertable"):
        if hypertable.identity() in unlogged and version is not None and version < HYPERTABLES:
            yield (
                f"Table {hypertable.import_id()} is unlogged and a Hypertable, which the server's TimescaleDB "
                f"{'.'.join(map(str, version))} refuses. Leave unlogged out, or upgrade to 2.24 or newer."
            )
