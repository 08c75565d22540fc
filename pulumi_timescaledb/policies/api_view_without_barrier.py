"""A view that an API shows keeps its callers to the rows it means to show."""

from __future__ import annotations

from ..policy import Offences, Policy
from ..whole import Whole


def _find(whole: Whole, exposed: frozenset[str]) -> Offences:
    for view in whole.of_kind("View"):
        if view.schema_ in exposed and not (view.security_barrier or view.security_invoker):
            yield view, "is part of the API and has neither securityBarrier nor securityInvoker"
    for kind in ("MaterializedView", "ContinuousAggregate"):
        for relation in whole.of_kind(kind):
            if relation.schema_ in exposed:
                yield relation, "is part of the API, and no policy of the tables it reads holds for its rows"


POLICY = Policy(
    level="mandatory",
    demand="A view in an exposed schema is a barrier or an invoker view; materialized ones are behind such a view.",
    harm="A caller's own condition can run before the view's and tell rows that the view leaves out; an owner's view "
    "without a barrier gives no protection at all against functions of the caller.",
    remedy="Declare securityBarrier with the condition in the view, or securityInvoker where the tables have policies; "
    "put such a view before what is materialized.",
    source="PostgreSQL 17 documentation, 39.5; Supabase splinter, lints 0010 and 0016",
    find=_find,
)
