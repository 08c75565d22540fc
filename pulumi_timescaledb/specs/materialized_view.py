"""An ordinary materialized view, refreshed by a job or by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from .base import OWNED, InSchema, Name, Named, NamedTexts, Reference, SqlText, StorageParameters, relation


class MaterializedView(InSchema):
    """CREATE MATERIALIZED VIEW."""

    KIND: ClassVar[str] = "MaterializedView"
    NAMES: ClassVar[tuple[Named, ...]] = OWNED

    query: SqlText = Field(description="The SELECT. Name tables with their schema.")
    with_data: bool = Field(
        default=False, description="Whether creation fills it; unreadable until the first refresh if not."
    )
    parameters: StorageParameters = Field(
        default_factory=dict,
        description='Storage parameters, WITH (...), for example {"fillfactor": "70", "autovacuum_enabled": "false"}; '
        'those that begin with "toast." are set where it has a TOAST table.',
    )
    owner: Name | None = Field(default=None, description="Owning role.")
    comment: str | None = Field(default=None, description="COMMENT ON MATERIALIZED VIEW.")
    column_comments: NamedTexts = Field(default_factory=dict, description="COMMENT ON COLUMN by column name.")
    previously: Name | None = Field(
        default=None, description="Old name in the same schema: turns the change into RENAME."
    )
    VOLATILE: ClassVar[frozenset[str]] = InSchema.VOLATILE | {"with_data"}

    def provides(self) -> Iterable[Reference]:
        yield relation(self.schema_, self.name)

    def sql_texts(self) -> Iterable[str]:
        yield self.query
