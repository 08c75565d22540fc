"""What an API shows says what it is."""

from __future__ import annotations

from ..policy import Offences, Policy
from ..whole import Whole

_SHOWN = frozenset({"Table", "View", "MaterializedView", "ContinuousAggregate", "Function"})


def _find(whole: Whole, exposed: frozenset[str]) -> Offences:
    for spec in whole.specs.values() if exposed else ():
        if spec.KIND not in _SHOWN or spec.identity()[0] not in exposed:
            continue
        if not getattr(spec, "comment", None) and getattr(spec, "returns", None) != "trigger":
            yield spec, "is part of the API and has no comment"


POLICY = Policy(
    level="advisory",
    demand="A relation or function in an exposed schema has a comment.",
    harm="The API's description, which PostgREST makes of the comments, does not say what it is.",
    remedy="Declare its comment.",
    source="PostgREST documentation, OpenAPI",
    find=_find,
)
