"""A hypertable cannot be the target of a foreign key of another hypertable (TimescaleDB limitations)."""

from __future__ import annotations

from collections.abc import Iterator

from ..capabilities import ServerCapabilities
from ..whole import Whole


def check(whole: Whole, capabilities: ServerCapabilities) -> Iterator[str]:
    """Faults of foreign keys."""
    hypertables = {hypertable.identity() for hypertable in whole.of_kind("Hypertable")}
    for key in whole.of_kind("ForeignKey"):
        if (key.schema_, key.relation) in hypertables and (key.target_schema, key.target) in hypertables:
            yield (
                f"ForeignKey {key.import_id()} leads from Hypertable {key.schema_}.{key.relation} to Hypertable "
                f"{key.target_schema}.{key.target}, which the server refuses. Point it at a plain table, or drop it."
            )
