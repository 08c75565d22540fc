"""A function with its owner's rights looks names up where its owner meant."""

from __future__ import annotations

from ..policy import Offences, Policy
from ..whole import Whole


def _find(whole: Whole, exposed: frozenset[str]) -> Offences:
    for function in whole.of_kind("Function"):
        # A body that was parsed when it was made has its names for good.
        if function.security_definer and "search_path" not in function.settings and not function.has_standard_body():
            yield function, "is SECURITY DEFINER and leaves search_path to its caller"


POLICY = Policy(
    level="advisory",
    demand="A SECURITY DEFINER function sets its search_path.",
    harm="A caller puts a schema of his own first and has his functions run with the owner's rights.",
    remedy='Declare settings={"search_path": ""} and write every name with its schema.',
    source="PostgreSQL 17 documentation, CREATE FUNCTION, Writing SECURITY DEFINER Functions Safely; splinter, 0011",
    find=_find,
)
