"""A refresh whose window reaches past the retention of its source deletes history from the aggregate: 11 daily buckets
became 8 with a bounded and 4 with an open window (research/reliability.md B, measured)."""

from __future__ import annotations

from collections.abc import Iterator

from ..capabilities import ServerCapabilities
from ..interval import parse_interval
from ..whole import Whole


def check(whole: Whole, capabilities: ServerCapabilities) -> Iterator[str]:
    """Faults of refresh policies: start offset + one chunk must stay inside the retention of every source."""
    for policy in whole.of_kind("RefreshPolicy"):
        aggregate = whole.get("ContinuousAggregate", *policy.identity())
        for reference in whole.needs[aggregate.reference()] if aggregate else ():
            retention = whole.get("RetentionPolicy", *reference.identity)
            if reference.kind not in ("Hypertable", "ContinuousAggregate") or retention is None:
                continue
            where = f"RefreshPolicy {policy.import_id()} and RetentionPolicy {retention.import_id()}"
            if policy.start_offset is None:
                yield f"{where}: an open start refreshes over dropped chunks and empties old buckets. Give startOffset."
                continue
            hypertable = whole.get("Hypertable", *reference.identity)
            chunk = parse_interval(hypertable.chunk_interval).approximate_days() if hypertable else 0.0  # type: ignore[attr-defined]
            start = parse_interval(policy.start_offset).approximate_days()
            kept = parse_interval(retention.drop_after).approximate_days()  # type: ignore[attr-defined]
            if start + chunk > kept:
                yield (
                    f"{where}: the window starts {policy.start_offset} back (plus one chunk), but data older than "
                    f"{retention.drop_after} is dropped, so buckets would be emptied. Shorten startOffset or keep "  # type: ignore[attr-defined]
                    "the source longer."
                )
