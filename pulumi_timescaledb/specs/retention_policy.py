"""Retention policy: drops whole chunks past an age."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from .base import OnRelation, PositiveInterval, Reference


class RetentionPolicy(OnRelation):
    """add_retention_policy() on a hypertable or continuous aggregate."""

    KIND: ClassVar[str] = "RetentionPolicy"

    drop_after: PositiveInterval = Field(description="Age at which a chunk is dropped, counted from its end.")
    schedule_interval: PositiveInterval | None = Field(
        default=None, description="How often it runs; the server's default when absent."
    )
    enabled: bool = Field(default=True, description="False pauses it.")

    def references(self) -> Iterable[Reference]:
        yield from super().references()
        yield Reference("Hypertable", self.identity())
