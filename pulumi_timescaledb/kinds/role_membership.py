"""Memberships of roles in roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog
from ..hazards import Hazard
from ..specs.role_membership import RoleMembership
from ..statement import LockLevel, Refused, Statement
from .base import Context, Kind, changed, shown, statement

WITH_OPTIONS = (16, 0)
"""INHERIT and SET as options of a membership came with PostgreSQL 16 (release notes)."""


class RoleMembershipKind(Kind[RoleMembership]):
    """GRANT role TO member. A repeated GRANT changes the options in place (PostgreSQL 16 and newer)."""

    spec = RoleMembership
    sources = ("role_membership",)

    def create(self, new: RoleMembership, context: Context) -> Iterator[Statement]:
        yield _grant(new, context)

    def drop(self, old: RoleMembership, context: Context) -> Iterator[Statement]:
        template = "revoke_all" if context.capabilities.postgres >= WITH_OPTIONS else "revoke"
        sql = statement(f"role_membership/{template}", membership=old).sql
        hazard = Hazard("authorisation", f'"{old.member}" loses the rights of "{old.role}"')
        yield Statement(sql, LockLevel.NONE, (hazard,))

    def alter(self, old: RoleMembership, new: RoleMembership, context: Context) -> Iterator[Statement]:
        if context.capabilities.postgres < WITH_OPTIONS and old.admin and not new.admin:
            yield statement("role_membership/revoke_admin", membership=new)
        elif changed(old, new, "admin", "inherit", "set_role"):
            yield _grant(new, context)

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], RoleMembership]:
        return {
            (row["role"], row["member"]): RoleMembership(
                role=row["role"],
                member=row["member"],
                admin=row["admin"],
                inherit=row["inherit"],
                set_role=row["set_role"],
            )
            for row in catalog.rows("role_membership")
        }


def _grant(membership: RoleMembership, context: Context) -> Statement:
    if context.capabilities.postgres >= WITH_OPTIONS:
        words = [
            f"{word} {'TRUE' if wanted else 'FALSE'}"
            for word, wanted in (
                ("ADMIN", membership.admin),
                ("INHERIT", membership.inherit),
                ("SET", membership.set_role),
            )
        ]
        options = ", ".join(words)
    elif not (membership.inherit and membership.set_role):
        raise Refused(
            f"{shown(membership)}: INHERIT and SET per membership came with PostgreSQL 16.",
            "Use PostgreSQL 16 or newer, or make the member NOINHERIT.",
        )
    else:
        options = "ADMIN OPTION" if membership.admin else ""
    sql = statement("role_membership/grant", membership=membership, options=options).sql
    hazard = Hazard("authorisation", f'what "{membership.member}" may do as "{membership.role}" changes')
    return Statement(sql, LockLevel.NONE, (hazard,))
