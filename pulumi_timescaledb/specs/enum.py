"""An enumerated type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Self

from pydantic import Field, model_validator

from .base import OWNED, InSchema, Name, Named, Reference


class Enum(InSchema):
    """CREATE TYPE ... AS ENUM. Labels can be added anywhere; the server cannot remove one."""

    KIND: ClassVar[str] = "Enum"
    NAMES: ClassVar[tuple[Named, ...]] = OWNED

    labels: tuple[Name, ...] = Field(description="Labels in sort order.", min_length=1)
    owner: Name | None = Field(default=None, description="Owning role.")
    comment: str | None = Field(default=None, description="COMMENT ON TYPE.")
    previously: Name | None = Field(
        default=None, description="Old name in the same schema: turns the change into RENAME."
    )

    @model_validator(mode="after")
    def _labels_differ(self) -> Self:
        twice = sorted({label for label in self.labels if self.labels.count(label) > 1})
        if twice:
            raise ValueError(f"labels occur twice: {', '.join(twice)}")
        return self

    def provides(self) -> Iterable[Reference]:
        yield Reference("Type", (self.schema_, self.name))
