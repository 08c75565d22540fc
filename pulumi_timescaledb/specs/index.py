"""An index that no constraint owns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from .base import Name, OnRelation, Part, Reference, SqlText, StorageParameters


class IndexKey(Part):
    """One key of an index: a column or an expression."""

    column: Name | None = Field(default=None, description="Column name.")
    expression: SqlText | None = Field(default=None, description="Expression, instead of a column.")
    descending: bool = Field(default=False, description="DESC.")
    nulls: Literal["first", "last"] | None = Field(
        default=None, description="NULLS FIRST or LAST; the server's default when absent."
    )
    operator_class: str | None = Field(default=None, description="Operator class, when not the default one.")
    collation: str | None = Field(default=None, description="Collation, as written in SQL.")

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.column is None) == (self.expression is None):
            raise ValueError("give either column or expression")
        return self

    def sql_texts(self) -> Iterable[str]:
        """Its SQL texts, as those of a spec."""
        yield from (self.expression or "", self.operator_class or "", self.collation or "")


class Index(OnRelation):
    """CREATE INDEX."""

    KIND: ClassVar[str] = "Index"

    name: Name = Field(description="Index name; it lives in the schema of its table.")
    keys: tuple[IndexKey, ...] = Field(description="Keys in order.", min_length=1)
    method: str = Field(default="btree", description="Access method.")
    unique: bool = Field(default=False, description="UNIQUE.")
    nulls_not_distinct: bool = Field(default=False, description="Whether two NULLs collide.")
    include: tuple[Name, ...] = Field(default=(), description="Columns carried along (INCLUDE).")
    where: SqlText | None = Field(default=None, description="Condition of a partial index.")
    parameters: StorageParameters = Field(
        default_factory=dict, description='Storage parameters, WITH (...), for example {"fillfactor": "70"}.'
    )
    valid: bool = Field(
        default=True,
        description="Whether queries can use it. False is only ever found: a concurrent build that failed leaves such "
        "an index, and the next update builds it again.",
    )
    comment: str | None = Field(default=None, description="COMMENT ON INDEX.")
    previously: Name | None = Field(
        default=None, description="Old name in the same schema: turns the change into RENAME."
    )

    def identity(self) -> tuple[str, ...]:
        return (self.schema_, self.name)

    def provides(self) -> Iterable[Reference]:
        if self.unique and self.where is None:  # a foreign key may rest on it instead of on a constraint
            yield Reference("UniqueIndex", (self.schema_, self.relation))

    def sql_texts(self) -> Iterable[str]:
        for key in self.keys:
            yield from key.sql_texts()
        yield self.where or ""
