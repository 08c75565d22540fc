"""Rights on single columns of a relation with a columnstore: before TimescaleDB 2.29 the server hands GRANT and REVOKE
on to the hidden table of compressed rows, which has no such columns, and fails with "column ... does not exist"
(measured on 2.23 and 2.28.3, on tables and aggregates; 2.29.2 works; timescaledb pull request 10145)."""

from __future__ import annotations

from collections.abc import Iterator

from ..capabilities import ServerCapabilities
from ..whole import Whole

SINCE = (2, 29, 0)


def check(whole: Whole, capabilities: ServerCapabilities) -> Iterator[str]:
    """Faults of grants."""
    if capabilities.timescaledb is None or capabilities.timescaledb >= SINCE:
        return
    stores = {store.identity() for store in whole.of_kind("Columnstore")}
    version = ".".join(str(part) for part in capabilities.timescaledb)
    for grant in whole.of_kind("Grant"):
        for rights in grant.objects:
            relation = (grant.schema_, rights.name)
            if rights.type == "relation" and rights.columns and relation in stores:
                name = f"{grant.schema_}.{rights.name}"
                yield (
                    f"Grant {grant.import_id()} gives rights on single columns of {name}, and Columnstore {name} "
                    f"converts its chunks: TimescaleDB {version} refuses both together. Grant the whole relation, or "
                    "a security_barrier view that shows those columns, or use TimescaleDB 2.29 or newer."
                )
