"""A schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from .base import Name, Reference, Spec, role_references


class Schema(Spec):
    """CREATE SCHEMA. Rights on it belong to Grant."""

    KIND: ClassVar[str] = "Schema"

    name: Name = Field(description="Schema name.")
    owner: Name | None = Field(default=None, description="Owning role; whoever creates it when absent.")
    comment: str | None = Field(default=None, description="COMMENT ON SCHEMA.")

    def identity(self) -> tuple[str, ...]:
        return (self.name,)

    def references(self) -> Iterable[Reference]:
        yield from role_references(self.owner)
