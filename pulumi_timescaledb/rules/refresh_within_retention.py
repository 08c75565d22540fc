"""A refresh whose window reaches past the retention of its source deletes history from the aggregate: 11 daily buckets
became 8 with a bounded and 4 with an open window (research/reliability.md B, measured). A window that comes closer than
a chunk is the policy refresh-close-to-retention."""

from __future__ import annotations

from collections.abc import Iterator

from ..capabilities import ServerCapabilities
from ..refresh_windows import windows
from ..whole import Whole


def check(whole: Whole, capabilities: ServerCapabilities) -> Iterator[str]:
    """Faults of refresh policies: the start offset must stay inside the retention of every source."""
    for window in windows(whole):
        policy, retention = window.policy, window.retention
        where = f"RefreshPolicy {policy.import_id()} and RetentionPolicy {retention.import_id()}"
        if window.start is None:
            yield f"{where}: an open start refreshes over dropped chunks and empties old buckets. Give startOffset."
        elif window.start > window.kept:
            yield (
                f"{where}: the window starts {policy.start_offset} back, but data older than {retention.drop_after} "
                "is dropped, so buckets would be emptied. Shorten startOffset or keep the source longer."
            )
