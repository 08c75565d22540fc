"""A sequence of its own (identity columns bring theirs)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from pydantic import Field

from .base import OWNED, InSchema, Name, Named, Reference, relation


class Sequence(InSchema):
    """CREATE SEQUENCE."""

    KIND: ClassVar[str] = "Sequence"
    NAMES: ClassVar[tuple[Named, ...]] = OWNED

    type: Literal["smallint", "integer", "bigint"] = Field(default="bigint", description="Value type.")
    start: int | None = Field(default=None, description="First value; the server's default when absent.")
    increment: int = Field(default=1, description="Step.")
    minimum: int | None = Field(default=None, description="Least value; the server's default when absent.")
    maximum: int | None = Field(default=None, description="Greatest value; the server's default when absent.")
    cache: int = Field(default=1, ge=1, description="Values fetched at once by a session.")
    cycle: bool = Field(default=False, description="Whether it starts again at the end.")
    owner: Name | None = Field(default=None, description="Owning role.")
    comment: str | None = Field(default=None, description="COMMENT ON SEQUENCE.")
    previously: Name | None = Field(
        default=None, description="Old name in the same schema: turns the change into RENAME."
    )

    def provides(self) -> Iterable[Reference]:
        yield relation(self.schema_, self.name)
