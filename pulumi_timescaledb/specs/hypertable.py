"""What makes a table a hypertable."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from ..interval import Duration, parse_interval
from .base import Name, OnRelation, Part, PositiveInterval


def _fixed(text: str) -> str:
    """A chunk interval as the server keeps it: a number of microseconds, shown in days of 24 hours; a month counts 30
    days (TimescaleDB 2.23, `_timescaledb_functions.to_interval`, measured)."""
    given = parse_interval(text)
    days, microseconds = divmod(given.microseconds, 86_400_000_000)
    return str(Duration(0, given.months * 30 + given.days + days, microseconds))


ChunkInterval = Annotated[PositiveInterval, AfterValidator(_fixed)]


class HashDimension(Part):
    """A further dimension: rows spread over a fixed number of partitions."""

    column: Name = Field(description="Partitioning column.")
    partitions: int = Field(ge=1, le=32767, description="Number of partitions.")


def _by_column(dimensions: tuple[HashDimension, ...]) -> tuple[HashDimension, ...]:
    """Their order means nothing to the server."""
    return tuple(sorted(dimensions, key=lambda dimension: dimension.column))


class Hypertable(OnRelation):
    """create_hypertable(). There is no way back to a plain table but dropping it."""

    KIND: ClassVar[str] = "Hypertable"
    COMPLETES_PARENT: ClassVar[bool] = True

    time_column: Name = Field(description="Time column; every unique key must contain it.")
    chunk_interval: ChunkInterval = Field(
        default="7 days", description="Time span of a chunk; a change affects new chunks only."
    )
    hash_dimensions: Annotated[tuple[HashDimension, ...], AfterValidator(_by_column)] = Field(
        default=(),
        description="Further dimensions by hash, in any order; addable while it is empty, never removed.",
    )

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        columns = [dimension.column for dimension in self.hash_dimensions]
        if self.time_column in columns or len(set(columns)) < len(columns):
            raise ValueError("a column can be only one dimension")
        return self
