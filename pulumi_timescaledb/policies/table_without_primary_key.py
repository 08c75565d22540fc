"""Every table has a primary key."""

from __future__ import annotations

from ..policy import Offences, Policy
from ..whole import Whole


def _find(whole: Whole, exposed: frozenset[str]) -> Offences:
    for table in whole.of_kind("Table"):
        if table.primary_key is None:
            yield table, "has no primary key, so nothing tells two of its rows apart"


POLICY = Policy(
    level="advisory",
    demand="A table has a primary key.",
    harm="Rows come twice unnoticed, logical replication refuses their updates and deletes, and PostgREST cannot "
    "upsert or address one.",
    remedy="Declare primaryKey; that of a hypertable contains its time column.",
    source="Supabase splinter, lint 0004; PostgreSQL 17 documentation, 29.1.1 (replica identity)",
    find=_find,
)
