"""A sequence of its own (identity columns bring theirs)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from pydantic import Field

from .base import InSchema, Name, Reference, relation, role_references


class Sequence(InSchema):
    """CREATE SEQUENCE."""

    KIND: ClassVar[str] = "Sequence"

    type: Literal["smallint", "integer", "bigint"] = Field(default="bigint", description="Value type.")
    start: int | None = Field(default=None, description="First value; the server's default when absent.")
    increment: int = Field(default=1, description="Step.")
    minimum: int | None = Field(default=None, description="Least value; the server's default when absent.")
    maximum: int | None = Field(default=None, description="Greatest value; the server's default when absent.")
    cache: int = Field(default=1, ge=1, description="Values fetched at once by a session.")
    cycle: bool = Field(default=False, description="Whether it starts again at the end.")
    owner: Name | None = Field(default=None, description="Owning role.")
    comment: str | None = Field(default=None, description="COMMENT ON SEQUENCE.")

    def references(self) -> Iterable[Reference]:
        yield from super().references()
        yield from role_references(self.owner)

    def provides(self) -> Iterable[Reference]:
        yield relation(self.schema_, self.name)
