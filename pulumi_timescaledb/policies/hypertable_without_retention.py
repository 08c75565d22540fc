"""Every hypertable says how long it keeps its rows."""

from __future__ import annotations

from ..policy import Offences, Policy
from ..whole import Whole


def _find(whole: Whole, exposed: frozenset[str]) -> Offences:
    kept = {policy.identity() for policy in whole.of_kind("RetentionPolicy")}
    for hypertable in whole.of_kind("Hypertable"):
        if hypertable.identity() not in kept:
            yield hypertable, "has no RetentionPolicy, so its chunks are kept for ever"


POLICY = Policy(
    level="advisory",
    demand="A hypertable has a retention policy.",
    harm="It grows until the disk is full; every query without a bound on time, and every plan, looks at more chunks.",
    remedy="Declare a RetentionPolicy for it.",
    source="TimescaleDB documentation, data retention",
    find=_find,
)
