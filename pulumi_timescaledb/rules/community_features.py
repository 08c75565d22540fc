"""The Apache edition has no columnstore, aggregates, retention or jobs (TimescaleDB src/cross_module_fn.c). A program
says which edition it is written for in its Extension timescaledb, and meets no other."""

from __future__ import annotations

from collections.abc import Iterator

from ..capabilities import ServerCapabilities
from ..whole import Whole

_COMMUNITY = ("Columnstore", "ContinuousAggregate", "RefreshPolicy", "RetentionPolicy", "Job")


def check(whole: Whole, capabilities: ServerCapabilities) -> Iterator[str]:
    """One fault where the declared edition is not the server's; else one per kind that the edition lacks."""
    if capabilities.timescaledb is None:
        return
    edition = getattr(whole.get("Extension", "timescaledb"), "edition", None)
    if capabilities.community:
        if edition == "apache":
            yield (
                "Extension timescaledb is declared with edition apache, but the server runs the Community edition: its "
                "columnstore, aggregates, policies and jobs would not be used. Set the edition to community, or use a "
                "server with the Apache edition."
            )
        return
    lacking = list(_lacking(whole))
    if edition == "community":
        features = f", which has no {', '.join(lacking)}" if lacking else ""
        yield (
            "Extension timescaledb is declared with edition community, but the server runs the Apache edition"
            f"{features}. Use an image with the Community edition, or set the edition to apache."
        )
        return
    for found in lacking:
        yield (
            f"{found}: the server runs the Apache edition of TimescaleDB, which has no such thing. Use an image with "
            "the Community edition."
        )


def _lacking(whole: Whole) -> Iterator[str]:
    for kind in _COMMUNITY:
        names = [spec.import_id() for spec in whole.of_kind(kind)]
        if names:
            yield f"{kind} {names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}"
