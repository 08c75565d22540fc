"""A continuous aggregate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from .base import OWNED, InSchema, Name, Named, NamedTexts, Reference, SqlText, relation


class ContinuousAggregate(InSchema):
    """CREATE MATERIALIZED VIEW ... WITH (timescaledb.continuous), always WITH NO DATA.

    Columns can be renamed (`renamed_columns`) and, from TimescaleDB 2.28 on, aggregates added at the end of the query
    in place. With any other change of the query the aggregate is built anew beside the old one, filled, and takes its
    place together with everything that stands on it; history whose raw data is gone cannot be rebuilt.
    """

    KIND: ClassVar[str] = "ContinuousAggregate"
    NAMES: ClassVar[tuple[Named, ...]] = OWNED

    query: SqlText = Field(description="The SELECT with one time_bucket() on the hypertable or lower aggregate.")
    materialized_only: bool = Field(default=True, description="False adds rows not materialized yet (real-time).")
    create_group_indexes: bool = Field(
        default=True, description="Whether the server indexes each grouping column with the bucket."
    )
    owner: Name | None = Field(default=None, description="Owning role.")
    comment: str | None = Field(default=None, description="COMMENT ON VIEW (an aggregate is a view to the server).")
    column_comments: NamedTexts = Field(default_factory=dict, description="COMMENT ON COLUMN by column name.")
    renamed_columns: NamedTexts = Field(
        default_factory=dict, description="Old column name by new name: turns such a change of the query into RENAME."
    )
    VOLATILE: ClassVar[frozenset[str]] = InSchema.VOLATILE | {"create_group_indexes", "renamed_columns"}

    def provides(self) -> Iterable[Reference]:
        yield relation(self.schema_, self.name)

    def sql_texts(self) -> Iterable[str]:
        yield self.query
