"""An extension of the database."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from .base import Name, Named, Spec


class Extension(Spec):
    """CREATE EXTENSION. Without `version` the server's default is installed and never updated."""

    KIND: ClassVar[str] = "Extension"
    NAMES: ClassVar[tuple[Named, ...]] = (Named("Schema", ("schema_",)),)

    name: Name = Field(description="Extension name, for example timescaledb.")
    schema_: Name | None = Field(default=None, description="Schema for its objects; the server decides when absent.")
    version: str | None = Field(default=None, description="Exact version; a change runs ALTER EXTENSION UPDATE.")

    def identity(self) -> tuple[str, ...]:
        return (self.name,)
