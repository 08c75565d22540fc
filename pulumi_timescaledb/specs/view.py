"""An ordinary view."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from pydantic import Field

from .base import OWNED, InSchema, Name, Named, NamedTexts, Reference, SqlText, relation


class View(InSchema):
    """CREATE VIEW."""

    KIND: ClassVar[str] = "View"
    NAMES: ClassVar[tuple[Named, ...]] = OWNED

    query: SqlText = Field(description="The SELECT. Name tables with their schema.")
    security_barrier: bool = Field(
        default=False, description="Keep leaky conditions of the caller behind the view's own."
    )
    security_invoker: bool = Field(
        default=False, description="Check rights and policies of the caller, not of the owner."
    )
    check_option: Literal["local", "cascaded"] | None = Field(default=None, description="WITH CHECK OPTION.")
    rewrite_rules: tuple[Name, ...] = Field(
        default=(),
        description="Names of rewrite rules (CREATE RULE) on it that are left as they are. The provider makes none, "
        "and an update drops every other that it finds.",
    )
    owner: Name | None = Field(
        default=None, description="Owning role, whose rights the view uses unless it is an invoker view."
    )
    comment: str | None = Field(default=None, description="COMMENT ON VIEW.")
    column_comments: NamedTexts = Field(default_factory=dict, description="COMMENT ON COLUMN by column name.")
    previously: Name | None = Field(
        default=None, description="Old name in the same schema: turns the change into RENAME."
    )

    def provides(self) -> Iterable[Reference]:
        yield relation(self.schema_, self.name)

    def sql_texts(self) -> Iterable[str]:
        yield self.query
