"""A domain: a type with rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Self

from pydantic import Field, model_validator

from .base import OWNED, InSchema, Name, Named, Part, Reference, SqlText, SqlType


class DomainCheck(Part):
    """One named CHECK of a domain."""

    name: Name = Field(description="Constraint name.")
    expression: SqlText = Field(description="Condition on VALUE.")
    validated: bool = Field(
        default=True, description="False leaves values unchecked that were there before it (NOT VALID)."
    )


class Domain(InSchema):
    """CREATE DOMAIN."""

    KIND: ClassVar[str] = "Domain"
    NAMES: ClassVar[tuple[Named, ...]] = OWNED

    type: SqlType = Field(description="Underlying type.")
    collation: str | None = Field(default=None, description="Collation, as written in SQL, when not the type's own.")
    not_null: bool = Field(default=False, description="Whether NULL is refused.")
    default: SqlText | None = Field(default=None, description="Default expression.")
    checks: tuple[DomainCheck, ...] = Field(default=(), description="CHECK constraints, by name.")
    owner: Name | None = Field(default=None, description="Owning role.")
    comment: str | None = Field(default=None, description="COMMENT ON DOMAIN.")
    previously: Name | None = Field(
        default=None, description="Old name in the same schema: turns the change into RENAME."
    )

    @model_validator(mode="after")
    def _checks_differ(self) -> Self:
        names = [check.name for check in self.checks]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"checks occur twice: {', '.join(twice)}")
        return self

    def provides(self) -> Iterable[Reference]:
        yield Reference("Type", (self.schema_, self.name))

    def sql_texts(self) -> Iterable[str]:
        yield self.type
        yield self.default or ""
        yield self.collation or ""
        yield from (check.expression for check in self.checks)
