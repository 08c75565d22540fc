"""A user-defined job of TimescaleDB's scheduler."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from .base import Name, Named, PositiveInterval, Spec


def _moment(text: str) -> str:
    """A timestamp in one form: ISO 8601 in UTC."""
    try:
        given = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f'"{text}" is not a timestamp like 2026-01-31T03:00:00+00:00') from None
    if given.tzinfo is None:
        raise ValueError(f'"{text}" needs its offset from UTC, for example {text}+00:00')
    return given.astimezone(UTC).isoformat()


Moment = Annotated[str, AfterValidator(_moment)]
"""A timestamp with time zone, kept in UTC."""


class Job(Spec):
    """add_job(). One job per procedure: that is how it is found again, whatever id the server gave it.

    Where `initial_start` is absent the server chooses (the moment of creation, for a fixed schedule), and that is
    left alone.
    """

    KIND: ClassVar[str] = "Job"
    NAMES: ClassVar[tuple[Named, ...]] = (Named("Function", ("schema_", "procedure"), ("integer, jsonb",)),)

    schema_: Name = Field(description="Schema of the function or procedure.")
    procedure: Name = Field(description="Function or procedure (job_id integer, config jsonb).")
    schedule_interval: PositiveInterval = Field(description="How often it runs.")
    config: dict[str, Any] | None = Field(default=None, description="JSON passed to it.")
    fixed_schedule: bool = Field(
        default=True, description="Runs at multiples of the interval, not an interval after the last end."
    )
    initial_start: Moment | None = Field(
        default=None,
        description="First start, as a timestamp with its offset; the server's choice when absent.",
    )
    timezone: str | None = Field(default=None, description="Time zone of a fixed schedule.")
    max_runtime: PositiveInterval | None = Field(default=None, description="A longer run is ended.")
    enabled: bool = Field(default=True, description="False pauses it.")

    def identity(self) -> tuple[str, ...]:
        return (self.schema_, self.procedure)
