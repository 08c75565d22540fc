"""A role, where no pulumi-postgresql is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from ..settings import normal_setting_name
from .base import Name, Spec
from .job import Moment


def sorted_settings(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Settings by their normal names, in order. Raises ValueError for what is no name of a setting."""
    return {normal_setting_name(name): value for name, value in sorted(settings.items())}


class Role(Spec):
    """CREATE ROLE. Memberships are RoleMembership, rights are Grant."""

    KIND: ClassVar[str] = "Role"

    name: Name = Field(description="Role name.")
    login: bool = Field(default=False, description="LOGIN: may connect.")
    superuser: bool = Field(default=False, description="SUPERUSER: no right is ever checked.")
    inherit: bool = Field(default=True, description="INHERIT: rights of its memberships without SET ROLE.")
    create_db: bool = Field(default=False, description="CREATEDB: may create databases.")
    create_role: bool = Field(
        default=False, description="CREATEROLE: may create roles and give those it made to others."
    )
    replication: bool = Field(default=False, description="REPLICATION: may stream the whole server's changes.")
    bypass_rls: bool = Field(default=False, description="BYPASSRLS: no row-level-security policy holds for it.")
    connection_limit: int = Field(default=-1, ge=-1, description="Most connections at once; -1 = no limit.")
    valid_until: Moment | None = Field(
        default=None, description="When its password stops working, as a timestamp with its offset; never when absent."
    )
    password: str | None = Field(
        default=None, description="Password of a login role.", json_schema_extra={"secret": True}
    )
    settings: Annotated[Mapping[str, str], AfterValidator(sorted_settings)] = Field(
        default_factory=dict,
        description='ALTER ROLE SET in every database, for example {"statement_timeout": "30s"}.',
    )
    comment: str | None = Field(default=None, description="COMMENT ON ROLE.")
    previously: Name | None = Field(default=None, description="Old name: turns the change into RENAME.")

    def identity(self) -> tuple[str, ...]:
        return (self.name,)
