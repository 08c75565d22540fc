"""Unique keys and exclusions of a hypertable must contain every partitioning column (TimescaleDB src/indexing.c)."""

from __future__ import annotations

from collections.abc import Iterator

from ..capabilities import ServerCapabilities
from ..whole import Whole


def check(whole: Whole, capabilities: ServerCapabilities) -> Iterator[str]:
    """Faults of primary keys, unique and exclusion constraints and unique indexes."""
    for hypertable in whole.of_kind("Hypertable"):
        needed = {hypertable.time_column, *(dimension.column for dimension in hypertable.hash_dimensions)}
        name = hypertable.import_id()
        table = whole.get("Table", *hypertable.identity())
        keys = [] if table is None else [(key.name, set(key.columns)) for key in _keys(table)]
        for index in whole.of_kind("Index"):
            if index.unique and (index.schema_, index.relation) == hypertable.identity():
                keys.append((index.name, {key.column for key in index.keys}))
        for exclusion in getattr(table, "exclusions", ()):
            if missing := sorted(needed - {element.column for element in exclusion.elements}):
                yield (
                    f'Exclusion constraint "{exclusion.name}" of Hypertable {name} lacks {", ".join(missing)}: every '
                    "partitioning column must be an element, because each chunk looks at its own rows only. Add it "
                    'with the operator "=", or keep these rows in a plain table.'
                )
        for key, columns in keys:
            if missing := sorted(needed - columns):
                yield (
                    f'Unique key "{key}" of Hypertable {name} lacks {", ".join(missing)}: a unique key must contain '
                    "every partitioning column. Add it to the key, or use a plain index."
                )


def _keys(table: object) -> list:  # type: ignore[type-arg]
    return [key for key in (getattr(table, "primary_key"), *getattr(table, "unique")) if key]  # noqa: B009
