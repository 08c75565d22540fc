"""A refresh stays a chunk away from what the retention of its source drops."""

from __future__ import annotations

from ..policy import Offences, Policy
from ..refresh_windows import windows
from ..whole import Whole


def _find(whole: Whole, exposed: frozenset[str]) -> Offences:
    for window in windows(whole):
        if window.start is not None and window.start <= window.kept < window.start + window.chunk:
            kept = f"{window.retention.reference()} drops what is older than {window.retention.drop_after}"
            fault = (
                f"starts {window.policy.start_offset} back, plus a chunk, but {kept}: it may refresh over dropped "
                "chunks and empty old buckets"
            )
            yield window.policy, fault


POLICY = Policy(
    level="mandatory",
    demand="A refresh window and one chunk more are inside the retention of every source.",
    harm="A bucket at the edge is computed again from the rows that are left, and what it said before is gone.",
    remedy="Shorten startOffset or keep the source longer.",
    source="11 daily buckets became 8 where the window was the longer one (TimescaleDB 2.28.3, measured)",
    find=_find,
)
