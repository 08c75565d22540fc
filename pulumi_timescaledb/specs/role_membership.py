"""Membership of one role in another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from .base import Name, Reference, Spec, role_references


class RoleMembership(Spec):
    """GRANT role TO member."""

    KIND: ClassVar[str] = "RoleMembership"

    role: Name = Field(description="Role whose rights are given.")
    member: Name = Field(description="Role that becomes a member.")
    admin: bool = Field(default=False, description="WITH ADMIN OPTION.")
    inherit: bool = Field(default=True, description="WITH INHERIT (PostgreSQL 16 or newer).")
    set_role: bool = Field(default=True, description="WITH SET: the member may SET ROLE (PostgreSQL 16 or newer).")

    def identity(self) -> tuple[str, ...]:
        return (self.role, self.member)

    def references(self) -> Iterable[Reference]:
        yield from role_references(self.role, self.member)
