"""A hypertable with an exclusion constraint has no columnstore (TimescaleDB 2.29.2, measured; compression/create.c)."""

from __future__ import annotations

from collections.abc import Iterator

from ..capabilities import ServerCapabilities
from ..whole import Whole


def check(whole: Whole, capabilities: ServerCapabilities) -> Iterator[str]:
    """Faults of columnstores."""
    tables = {table.identity(): table for table in whole.of_kind("Table") if table.exclusions}
    for store in whole.of_kind("Columnstore"):
        table = tables.get(store.identity())
        if table is not None:
            yield (
                f'Table {table.import_id()} has the exclusion constraint "{table.exclusions[0].name}" and Columnstore '
                f"{store.import_id()} converts its chunks: the server refuses both together. Drop one of them, or keep "
                "what must not overlap in a plain table."
            )
