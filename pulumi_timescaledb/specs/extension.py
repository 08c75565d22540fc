"""An extension of the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from .base import Name, Reference, Spec


class Extension(Spec):
    """CREATE EXTENSION. Without `version` the server's default is installed and never updated."""

    KIND: ClassVar[str] = "Extension"

    name: Name = Field(description="Extension name, for example timescaledb.")
    schema_: Name | None = Field(default=None, description="Schema for its objects; the server decides when absent.")
    version: str | None = Field(default=None, description="Exact version; a change runs ALTER EXTENSION UPDATE.")

    def identity(self) -> tuple[str, ...]:
        return (self.name,)

    def references(self) -> Iterable[Reference]:
        if self.schema_ is not None:
            yield Reference("Schema", (self.schema_,))
