"""Jobs run as their owner, who must be able to log in: "permission denied to start background process" otherwise
(research/reliability.md 0.5, measured)."""

from __future__ import annotations

from collections.abc import Iterator

from ..capabilities import ServerCapabilities
from ..whole import Whole

_WITH_JOBS = ("Columnstore", "RetentionPolicy", "RefreshPolicy")


def check(whole: Whole, capabilities: ServerCapabilities) -> Iterator[str]:
    """Faults of policies on relations whose owner is NOLOGIN."""
    silent = {role.name for role in whole.of_kind("Role") if not role.login}
    for kind in _WITH_JOBS:
        for policy in whole.of_kind(kind):
            for carrier in ("Table", "ContinuousAggregate"):
                relation = whole.get(carrier, *policy.identity())
                owner = getattr(relation, "owner", None)
                if owner in silent:
                    yield (
                        f"{kind} {policy.import_id()} would run as Role {owner}, which cannot log in, and never "
                        "start. Give the role login (no password is needed), or the relation another owner."
                    )
