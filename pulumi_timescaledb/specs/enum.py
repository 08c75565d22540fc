"""An enumerated type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Self

from pydantic import Field, model_validator

from .base import InSchema, Name, Reference, role_references


class Enum(InSchema):
    """CREATE TYPE ... AS ENUM. Labels can be added anywhere; the server cannot remove one."""

    KIND: ClassVar[str] = "Enum"

    labels: tuple[Name, ...] = Field(description="Labels in sort order.", min_length=1)
    owner: Name | None = Field(default=None, description="Owning role.")
    comment: str | None = Field(default=None, description="COMMENT ON TYPE.")

    @model_validator(mode="after")
    def _labels_differ(self) -> Self:
        twice = sorted({label for label in self.labels if self.labels.count(label) > 1})
        if twice:
            raise ValueError(f"labels occur twice: {', '.join(twice)}")
        return self

    def references(self) -> Iterable[Reference]:
        yield from super().references()
        yield from role_references(self.owner)

    def provides(self) -> Iterable[Reference]:
        yield Reference("Type", (self.schema_, self.name))
