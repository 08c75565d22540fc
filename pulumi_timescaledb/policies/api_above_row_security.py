"""Nobody behind an API is above the checks of the server."""

from __future__ import annotations

from collections.abc import Iterator

from ..policy import Offences, Policy
from ..specs import Spec
from ..whole import Whole


def _find(whole: Whole, exposed: frozenset[str]) -> Offences:
    if not exposed:
        return
    above = {role.name: role for role in whole.of_kind("Role") if role.superuser or role.bypass_rls}
    for name in sorted(_api_roles(whole, exposed) & set(above)):
        yield above[name], f"is a role of the API and {_power(above[name])}"
    for spec in _with_owners_rights(whole, exposed):
        owner = getattr(spec, "owner", None)
        if owner is None:
            yield spec, "is part of the API with the rights of an owner it does not name: of whoever makes it"
        elif owner in above:
            yield spec, f"is part of the API, and its owner {owner} {_power(above[owner])}"


def _api_roles(whole: Whole, exposed: frozenset[str]) -> set[str]:
    """Roles with a right in an exposed schema, and those that may become one of them."""
    found = {
        grant.role
        for grant in whole.of_kind("Grant")
        if grant.schema_ in exposed and (grant.privileges or grant.objects)
    }
    members = whole.of_kind("RoleMembership")
    while more := {each.member for each in members if each.role in found} - found:
        found |= more
    return found


def _with_owners_rights(whole: Whole, exposed: frozenset[str]) -> Iterator[Spec]:
    yield from (v for v in whole.of_kind("View") if v.schema_ in exposed and not v.security_invoker)
    yield from (f for f in whole.of_kind("Function") if f.schema_ in exposed and f.security_definer)


def _power(role: Spec) -> str:
    return "is a superuser" if getattr(role, "superuser") else "has BYPASSRLS"  # noqa: B009


POLICY = Policy(
    level="mandatory",
    demand="Roles of the API, and owners of what it shows, are neither superuser nor BYPASSRLS.",
    harm="No row-level-security policy holds for what they read: one forgotten condition shows every tenant's rows.",
    remedy="Take the attribute from the role, or give the object an owner that owns nothing else and has neither.",
    source="PostgreSQL 17 documentation, 5.9; Supabase splinter, lint 0010",
    find=_find,
)
