"""Columnstore settings and policy of a hypertable or continuous aggregate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from .base import Name, OnRelation, Part, PositiveInterval, Reference


class OrderBy(Part):
    """One sort key inside a compressed batch."""

    column: Name = Field(description="Column name.")
    descending: bool = Field(default=False, description="DESC.")
    nulls: Literal["first", "last"] | None = Field(
        default=None, description="NULLS FIRST or LAST, where it is not the default of the direction."
    )

    @model_validator(mode="before")
    @classmethod
    def _default_nulls(cls, data: Any) -> Any:
        """NULLS LAST is the default of ASC, NULLS FIRST that of DESC: saying it changes nothing."""
        if isinstance(data, dict) and data.get("nulls") == ("first" if data.get("descending") else "last"):
            return {name: value for name, value in data.items() if name != "nulls"}
        return data


class Columnstore(OnRelation):
    """ALTER TABLE ... SET (timescaledb.enable_columnstore) and the policy that converts old chunks.

    Segment-by and order-by are required: left to the server they are guessed when the first chunk is
    compressed (DOMAIN 14 no. 8, TimescaleDB 2.28.3). Found on a server without them, order_by is empty.

    On a continuous aggregate the policy needs a refresh policy first (TimescaleDB 2.23 refuses it otherwise).
    """

    KIND: ClassVar[str] = "Columnstore"

    segment_by: tuple[Name, ...] = Field(description="Columns that split batches; new chunks only.")
    order_by: tuple[OrderBy, ...] = Field(description="Sort order inside a batch; new chunks only. Cannot be empty.")
    after: PositiveInterval | None = Field(
        default=None, description="Age at which chunks are converted; no policy when absent."
    )
    schedule_interval: PositiveInterval | None = Field(
        default=None, description="How often the policy runs; the server's default when absent."
    )

    enabled: bool = Field(default=True, description="False pauses the policy.")

    @model_validator(mode="after")
    def _policy(self) -> Self:
        if self.after is None and (self.schedule_interval is not None or not self.enabled):
            raise ValueError("scheduleInterval and enabled belong to a policy, which needs after")
        return self

    def references(self) -> Iterable[Reference]:
        yield from super().references()
        yield Reference("Hypertable", self.identity())
        if self.after is not None:
            yield Reference("RefreshPolicy", self.identity())
