"""Membership of one role in another."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from .base import Name, Named, Spec


class RoleMembership(Spec):
    """GRANT role TO member."""

    KIND: ClassVar[str] = "RoleMembership"
    NAMES: ClassVar[tuple[Named, ...]] = (Named("Role", ("role",)), Named("Role", ("member",)))

    role: Name = Field(description="Role whose rights are given.")
    member: Name = Field(description="Role that becomes a member.")
    admin: bool = Field(default=False, description="WITH ADMIN OPTION.")
    inherit: bool = Field(default=True, description="WITH INHERIT (PostgreSQL 16 or newer).")
    set_role: bool = Field(default=True, description="WITH SET: the member may SET ROLE (PostgreSQL 16 or newer).")

    def identity(self) -> tuple[str, ...]:
        return (self.role, self.member)
