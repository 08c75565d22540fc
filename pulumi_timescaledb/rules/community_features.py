"""The Apache edition has no columnstore, aggregates, retention or jobs (TimescaleDB src/cross_module_fn.c)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..capabilities import ServerCapabilities
from ..whole import Whole

_COMMUNITY = ("Columnstore", "ContinuousAggregate", "RefreshPolicy", "RetentionPolicy", "Job")


def check(whole: Whole, capabilities: ServerCapabilities) -> Iterator[str]:
    """One fault per kind that the edition lacks."""
    if capabilities.community or capabilities.timescaledb is None:
        return
    found = defaultdict(list)
    for kind in _COMMUNITY:
        found[kind] = [spec.import_id() for spec in whole.of_kind(kind)]
    for kind, names in found.items():
        if names:
            yield (
                f"{kind} {names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: the server runs the "
                "Apache edition of TimescaleDB, which has no such thing. Use an image with the Community edition."
            )
