"""Refresh policy of a continuous aggregate."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from ..interval import parse_interval
from .base import Interval, OnRelation, PositiveInterval


class RefreshPolicy(OnRelation):
    """add_continuous_aggregate_policy()."""

    KIND: ClassVar[str] = "RefreshPolicy"

    start_offset: Interval | None = Field(
        description="Start of the window, counted back from now; None = from the beginning."
    )
    end_offset: Interval | None = Field(
        description="End of the window, counted back from now; None = up to the newest row."
    )
    schedule_interval: PositiveInterval = Field(description="How often it runs.")
    enabled: bool = Field(default=True, description="False pauses it.")

    @model_validator(mode="after")
    def _window(self) -> Self:
        if self.start_offset is not None and self.end_offset is not None:
            start, end = (parse_interval(text).approximate_days() for text in (self.start_offset, self.end_offset))
            if start <= end:
                raise ValueError("startOffset must be longer than endOffset: the window lies between them")
        return self
