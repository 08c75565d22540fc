"""A row-level-security policy is on a table where it holds."""

from __future__ import annotations

from ..policy import Offences, Policy
from ..whole import Whole


def _find(whole: Whole, exposed: frozenset[str]) -> Offences:
    for policy in whole.of_kind("RlsPolicy"):
        table = whole.get("Table", policy.schema_, policy.relation)
        if getattr(table, "row_level_security", True):
            continue  # it holds, or the table is not ours to know
        if whole.get("Columnstore", policy.schema_, policy.relation) is not None:
            yield policy, "is on a table with a columnstore, where row-level security cannot be: it filters nothing"
        else:
            yield policy, "is on a table without rowLevelSecurity: it filters nothing"


POLICY = Policy(
    level="advisory",
    demand="A table with a row-level-security policy has row-level security.",
    harm="The server accepts the policy and shows every row to everybody who may read the table.",
    remedy="Declare rowLevelSecurity on the table, or put a securityBarrier view before it and take the policy out.",
    source="Supabase splinter, lint 0007; measured on a columnstore table, TimescaleDB 2.28.3",
    find=_find,
)
