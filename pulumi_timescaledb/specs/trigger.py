"""A trigger."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from pydantic import Field

from .base import Name, Named, OnRelation, SqlText


class Trigger(OnRelation):
    """CREATE TRIGGER."""

    KIND: ClassVar[str] = "Trigger"
    NAMES: ClassVar[tuple[Named, ...]] = (*OnRelation.NAMES, Named("Function", ("function_schema", "function"), ("",)))

    name: Name = Field(description="Trigger name.")
    timing: Literal["before", "after", "instead of"] = Field(description="When it fires.")
    events: tuple[Literal["insert", "update", "delete", "truncate"], ...] = Field(
        description="What fires it.", min_length=1
    )
    update_of: tuple[Name, ...] = Field(
        default=(), description="UPDATE OF columns: fires when one is named, even unchanged."
    )
    for_each: Literal["row", "statement"] = Field(
        default="row", description="FOR EACH: once per row, or once per statement."
    )
    when: SqlText | None = Field(default=None, description="WHEN condition.")
    old_table: Name | None = Field(default=None, description="REFERENCING OLD TABLE AS: the rows before, by this name.")
    new_table: Name | None = Field(default=None, description="REFERENCING NEW TABLE AS: the rows after, by this name.")
    function_schema: Name = Field(description="Schema of the trigger function.")
    function: Name = Field(description="Trigger function, without arguments.")
    arguments: tuple[str, ...] = Field(default=(), description="Text arguments (TG_ARGV).")
    enabled: Literal["origin", "disabled", "replica", "always"] = Field(
        default="origin",
        description="When it fires: origin = not for rows that replication applies; replica = only for those; always; "
        "disabled.",
    )
    comment: str | None = Field(default=None, description="COMMENT ON TRIGGER.")

    def identity(self) -> tuple[str, ...]:
        return (self.schema_, self.relation, self.name)

    def sql_texts(self) -> Iterable[str]:
        yield self.when or ""
