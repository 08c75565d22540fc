"""The server's catalog: read in bulk, a fixed number of queries whatever its size.

A source is one query, `sql_templates/<source>/catalog.sql.j2`, that returns rows for every object of a kind; with
a scope it returns only the rows of one object. Kinds that need the same rows share a source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .capabilities import ServerCapabilities
from .render import render

Row = Mapping[str, Any]

SESSION = "SET LOCAL search_path TO pg_catalog; SET LOCAL jit TO off; SET LOCAL intervalstyle TO postgres"
"""Settings for reading: with nothing but pg_catalog in the search path the server writes every other name with its
schema, so that its texts do not depend on the session. jit=off: 112 of 191 ms of a catalog query were JIT
(research/schema_tools.md 4)."""


BULK = f"{SESSION}; SET LOCAL enable_nestloop TO off; SET LOCAL work_mem TO '64MB'"
"""Settings for reading everything: the planner takes catalogs for small (pg_depend, pg_description after a bulk load
most of all) and would join thousands of rows in loops: 2.3 s became 0.6 s at 10,000 objects on the embedded server."""


@dataclass(frozen=True)
class Scope:
    """One object: its schema and its name, or that of its relation. Kinds outside schemas leave `schema` empty."""

    schema: str
    name: str


class Catalog:
    """Rows by source, all of one moment."""

    def __init__(self, rows: Mapping[str, Sequence[Row]], capabilities: ServerCapabilities) -> None:
        self._rows = rows
        self.capabilities = capabilities

    def rows(self, source: str) -> Sequence[Row]:
        """Rows of a source.

        Raises:
            KeyError: the source was not loaded: the kind does not list it in `sources`.
        """
        return self._rows[source]


def together_sql(sources: Mapping[str, str]) -> str:
    """One query for several, by source: one row with a column per source, its rows as JSON. For sources with few rows:
    the server takes longer to write JSON, and a round trip and a query each cost more than that."""
    return render("catalog/together", sources=sources)


def source_sql(source: str, scope: Scope | None, capabilities: ServerCapabilities) -> str:
    """The query of a source."""
    return render(f"{source}/catalog", scope=scope, server=capabilities)
