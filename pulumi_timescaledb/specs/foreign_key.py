"""A foreign key, a resource of its own because keys may form cycles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from .base import Name, Named, OnRelation, Reference

Action = Literal["no action", "restrict", "cascade", "set null", "set default"]


class ForeignKey(OnRelation):
    """ALTER TABLE ... ADD FOREIGN KEY."""

    KIND: ClassVar[str] = "ForeignKey"
    NAMES: ClassVar[tuple[Named, ...]] = (*OnRelation.NAMES, Named("Relation", ("target_schema", "target")))

    name: Name = Field(description="Constraint name.")
    columns: tuple[Name, ...] = Field(description="Referencing columns.", min_length=1)
    target_schema: Name = Field(description="Schema of the referenced table.")
    target: Name = Field(description="Referenced table.")
    target_columns: tuple[Name, ...] = Field(description="Referenced columns, in the order of `columns`.", min_length=1)
    on_update: Action = Field(default="no action", description="What an update of the referenced key does.")
    on_delete: Action = Field(default="no action", description="What a delete of the referenced row does.")
    deferrable: bool = Field(default=False, description="DEFERRABLE.")
    initially_deferred: bool = Field(default=False, description="INITIALLY DEFERRED: insert checks wait for commit.")
    validated: bool = Field(
        default=True, description="False leaves rows unchecked that were there before it (NOT VALID)."
    )
    comment: str | None = Field(default=None, description="COMMENT ON CONSTRAINT.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.columns) != len(self.target_columns):
            raise ValueError("columns and targetColumns must have the same length")
        if self.initially_deferred and not self.deferrable:
            raise ValueError("initiallyDeferred needs deferrable")
        return self

    def identity(self) -> tuple[str, ...]:
        return (self.schema_, self.relation, self.name)

    def possible_references(self) -> Iterable[Reference]:
        yield Reference("UniqueIndex", (self.target_schema, self.target))
