"""Refresh windows beside the retention of what they read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .interval import parse_interval
from .whole import Whole


@dataclass(frozen=True)
class Window:
    """One refresh policy and one retention policy of a source of its aggregate. Lengths in days."""

    policy: Any
    retention: Any
    start: float | None
    """None: open, all the way back."""
    chunk: float
    """Of the source; 0 where that is an aggregate, whose chunks nobody declares."""
    kept: float


def windows(whole: Whole) -> Iterator[Window]:
    """Every pair."""
    for policy in whole.of_kind("RefreshPolicy"):
        aggregate = whole.get("ContinuousAggregate", *policy.identity())
        for reference in whole.needs[aggregate.reference()] if aggregate else ():
            retention: Any = whole.get("RetentionPolicy", *reference.identity)
            if reference.kind not in ("Hypertable", "ContinuousAggregate") or retention is None:
                continue
            hypertable: Any = whole.get("Hypertable", *reference.identity)
            yield Window(
                policy,
                retention,
                None if policy.start_offset is None else parse_interval(policy.start_offset).approximate_days(),
                parse_interval(hypertable.chunk_interval).approximate_days() if hypertable else 0.0,
                parse_interval(retention.drop_after).approximate_days(),
            )
