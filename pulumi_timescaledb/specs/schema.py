"""A schema."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from .base import Name, Named, Spec


class Schema(Spec):
    """CREATE SCHEMA. Rights on it belong to Grant."""

    KIND: ClassVar[str] = "Schema"
    NAMES: ClassVar[tuple[Named, ...]] = (Named("Role", ("owner",)),)

    name: Name = Field(description="Schema name.")
    owner: Name | None = Field(default=None, description="Owning role; whoever creates it when absent.")
    comment: str | None = Field(default=None, description="COMMENT ON SCHEMA.")
    previously: Name | None = Field(default=None, description="Old name: turns the change into RENAME.")

    def identity(self) -> tuple[str, ...]:
        return (self.name,)
