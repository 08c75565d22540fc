"""A hypertable has no exclusion constraint and columnstore together: the server refuses to turn columnstore on beside
one, and of one that is added later it does not check converted chunks (TimescaleDB 2.29.2, measured)."""

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
                f"{store.import_id()} converts its chunks, whose rows nothing would check. Drop one of them, or keep "
                "what must not overlap in a plain table."
            )
