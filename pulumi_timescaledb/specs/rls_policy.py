"""A row-level-security policy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from pydantic import Field

from .base import Name, Named, OnRelation, SqlText


class RlsPolicy(OnRelation):
    """CREATE POLICY. Inert unless its table has row_level_security."""

    KIND: ClassVar[str] = "RlsPolicy"
    NAMES: ClassVar[tuple[Named, ...]] = (*OnRelation.NAMES, Named("Role", ("roles",)))

    name: Name = Field(description="Policy name.")
    command: Literal["all", "select", "insert", "update", "delete"] = Field(default="all", description="FOR.")
    roles: tuple[Name, ...] = Field(default=("public",), description='TO; "public" means every role.', min_length=1)
    permissive: bool = Field(default=True, description="Permissive policies are joined by OR, restrictive ones by AND.")
    using: SqlText | None = Field(default=None, description="Which rows are seen.")
    check: SqlText | None = Field(default=None, description="Which new rows are accepted; `using` when absent.")
    comment: str | None = Field(default=None, description="COMMENT ON POLICY.")

    def identity(self) -> tuple[str, ...]:
        return (self.schema_, self.relation, self.name)

    def sql_texts(self) -> Iterable[str]:
        yield self.using or ""
        yield self.check or ""
