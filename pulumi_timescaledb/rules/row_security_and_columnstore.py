"""Row-level security and columnstore exclude each other on a table, both ways, and an aggregate cannot read a table
with row security (TimescaleDB 2.13 to 2.29.2: compression/create.c, process_utility.c, continuous_aggs/common.c)."""

from __future__ import annotations

from collections.abc import Iterator

from ..capabilities import ServerCapabilities
from ..whole import Whole

PATTERN = "Keep row security on plain tables and give readers a security_barrier view over the hypertable instead."


def check(whole: Whole, capabilities: ServerCapabilities) -> Iterator[str]:
    """Faults of columnstores and aggregates on tables with row security."""
    secured = {table.identity(): table for table in whole.of_kind("Table") if table.row_level_security}
    for store in whole.of_kind("Columnstore"):
        if store.identity() in secured:
            name = store.import_id()
            yield (
                f"Table {name} has row-level security and Columnstore {name} converts its chunks: the server refuses "
                f"both together. {PATTERN}"
            )
    for aggregate in whole.of_kind("ContinuousAggregate"):
        for reference in whole.needs[aggregate.reference()]:
            if reference.kind == "Hypertable" and reference.identity in secured:
                table = secured[reference.identity]
                forced = " FORCE would even empty it at the next refresh." if table.force_row_level_security else ""
                yield (
                    f"ContinuousAggregate {aggregate.import_id()} reads Table {table.import_id()}, a hypertable with "
                    f"row-level security, which the server refuses.{forced} {PATTERN}"
                )
